import { expect, test } from 'vitest';
import { decode } from '../../../src/emulator/cpu/decode/decoder.ts';
import { parseOperand, SYSTEM } from '../../../src/emulator/cpu/isa/row.ts';
import type { Size } from '../../../src/emulator/cpu/isa/semantics.ts';
import { DECODABLE_ROWS, type DecodableRow } from '../../../src/emulator/cpu/isa/table.ts';
import { X87_HANDLERS } from '../../../src/emulator/cpu/x87/handlers.ts';
import { loadVectors } from '../../oracle/cpu-vectors/load.ts';

const CODE_SIZES = { 16: 0, 32: 1, 64: 2 } as const;
type FormKind = 'register' | 'memory';

/** What a program cannot show on a real processor, besides what changes privilege. */
const OF_SYSTEMS = new Set(['SWAPGS', 'PUSH_SREG', 'POP_SREG', 'MOV_TO_SREG', 'MOV_FROM_SREG']);

/** Why a form has no vector; undefined: it must have one. */
function exception({ row }: DecodableRow, size: Size, kind: FormKind): string | undefined {
  const { options, mnemonic, opcode, operands } = row;
  if (row.semantic === SYSTEM && !(mnemonic in X87_HANDLERS)) return 'system code: compared with QEMU';
  if (options.leavesRegions === true || OF_SYSTEMS.has(mnemonic)) return 'system code: compared with QEMU';
  if (mnemonic === 'RDTSC' || mnemonic === 'RDTSCP') return 'time is another one in each run';
  if (mnemonic === 'SERIALIZE') return 'not on every processor that records';
  if (options.no64 === true && size === 8) return 'no 64-bit operands outside 64-bit mode';
  if (operands.some((code) => parseOperand(code).kind === 'O')) return kind === 'register' ? 'memory only' : undefined;
  if (mnemonic === 'BSWAP' && size === 2) return 'undefined result';
  if (mnemonic === 'NOP' && (kind === 'register' || opcode === 0x1a || opcode === 0x1b)) return 'a hint';
  if (mnemonic === 'X87' && size === 8 && kind === 'register') return 'REX.W says nothing';
  // Without 66h there is no 16-bit operand in 32- and 64-bit mode; in 16-bit mode it is the other way round.
  if (options.prefix === 0 && size === 2) return 'recorded in 16-bit mode where it matters';
  return undefined;
}

function formsOf({ row, modRm }: DecodableRow): FormKind[] {
  const { only } = row.options;
  const forms: FormKind[] = [];
  if (modRm && only !== 'reg' && row.options.modRm === undefined) forms.push('memory');
  if (!modRm || only !== 'mem') forms.push('register');
  return forms;
}

test('every row of the instruction table has vectors at every operand size, with register and memory operands', () => {
  const seen = new Set<string>();
  for (const vector of loadVectors()) {
    const decoded = decode(vector.bytes, 0, vector.bytes.length, CODE_SIZES[vector.mode]);
    if (typeof decoded === 'string') continue;
    const moffs = decoded.entry.row.operands.some((code) => parseOperand(code).kind === 'O');
    seen.add(`${decoded.entry.number} ${decoded.size} ${decoded.isMemory || moffs ? 'memory' : 'register'}`);
  }
  const missing: string[] = [];
  let covered = 0;
  for (const entry of DECODABLE_ROWS) {
    for (const size of entry.sizes) {
      for (const kind of formsOf(entry)) {
        if (seen.has(`${entry.number} ${size} ${kind}`)) covered++;
        else if (exception(entry, size, kind) === undefined) {
          missing.push(`${entry.row.map} ${entry.row.opcode.toString(16)} ${entry.row.mnemonic} size ${size} ${kind}`);
        }
      }
    }
  }
  expect(missing).toEqual([]);
  expect(covered).toBeGreaterThan(1900);
});
