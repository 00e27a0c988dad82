import type { Memory, Operand } from '../../../src/bios/rom/assembler/operands.ts';
import type { EncodingCase } from './encoding-corpus.ts';

/** Names that GNU as has for our mnemonics, where they differ. */
const GNU_NAMES: Readonly<Record<string, string>> = {
  setb: 'setb',
  retfd: 'data32 retf',
  iretd: 'iretd',
  rep: 'rep',
  pushad: 'pushad',
  popad: 'popad',
};
const SIZES: Readonly<Record<number, string>> = { 8: 'byte', 16: 'word', 32: 'dword', 64: 'qword' };

/** The instruction as GNU as takes it under `.intel_syntax noprefix`. */
export function intelSyntax({ mode, mnemonic, operands }: EncodingCase): string {
  const name = gnuName(mode, mnemonic);
  return `${name} ${operands.map((operand) => operandText(operand)).join(', ')}`.trim();
}

function gnuName(mode: number, mnemonic: string): string {
  // GNU as spells the operand size of these by prefix or suffix.
  if (mnemonic === 'retfd') return mode === 16 ? 'data32 retf' : 'retf';
  if (mnemonic === 'iret' && mode !== 16) return mode === 32 ? 'iretd' : 'iret';
  if (mnemonic === 'pusha' && mode === 32) return 'pushaw';
  if (mnemonic === 'popa' && mode === 32) return 'popaw';
  if (mnemonic === 'pushad') return mode === 16 ? 'pushad' : 'pusha';
  return GNU_NAMES[mnemonic] ?? mnemonic;
}

function operandText(operand: Operand): string {
  if (typeof operand === 'number' || typeof operand === 'bigint') return operand.toString();
  if (operand.kind === 'memory') return memoryText(operand);
  return operand.kind === 'symbol' ? operand.label : operand.name;
}

function memoryText(memory: Memory): string {
  const size = memory.size === undefined ? '' : `${SIZES[memory.size]} ptr `;
  const parts: string[] = [];
  if (memory.base !== undefined) parts.push(memory.base.name);
  if (memory.index !== undefined)
    parts.push(memory.scale === 1 ? memory.index.name : `${memory.index.name}*${memory.scale}`);
  const text = parts.join('+');
  const displacement = memory.displacement as number;
  const rest =
    displacement === 0 && text !== ''
      ? ''
      : text === ''
        ? `${displacement}`
        : displacement < 0
          ? `${displacement}`
          : `+${displacement}`;
  // An address without registers needs a segment to be an address at all in Intel's syntax.
  const segment = memory.segment !== undefined ? `${memory.segment.name}:` : text === '' ? 'ds:' : '';
  return `${size}${segment}[${text}${rest}]`;
}
