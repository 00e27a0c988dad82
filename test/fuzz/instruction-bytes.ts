import { type InstructionRow, parseOperand } from '../../src/emulator/cpu/isa/row.ts';
import { DECODABLE_ROWS, type DecodableRow } from '../../src/emulator/cpu/isa/table.ts';
import { littleEndian, type Mode } from '../oracle/cpu-vectors/encode.ts';
import type { Random } from '../oracle/cpu-vectors/random.ts';
import { type AddressBytes, anyMemory } from './addresses.ts';

/** What would end the program's world, or is not a function of its state alone. */
const LEFT_OUT =
  /^(HLT|CLI|STI|RET|RETF|CALL.*|JMP.*|L[GIL]DT|LTR|LMSW|WRMSR|XSETBV|SYSCALL|SYSENTER|SYSRET|SYSEXIT|SWAPGS|RSM|RDRAND|RDSEED|MONITOR|MWAIT|INVD|WBINVD|CLTS|IRET|ENTER|UD\d|WR[FG]SBASE|MOV_TO_SREG|POP_SREG|LOAD_FAR_POINTER|INT1|POPF)$/;
const PREFIXED = /^REP/;

/** Rows of the instruction table that may stand anywhere in a program: no jumps, and nothing that changes the mode. */
export const FREE_ROWS: readonly DecodableRow[] = DECODABLE_ROWS.filter(
  ({ row }) => !LEFT_OUT.test(row.mnemonic) && !row.operands.some((code) => 'JACD'.includes(parseOperand(code).kind)),
);
/** The integer instructions that most code is made of. */
export const PLAIN_ROWS: readonly DecodableRow[] = FREE_ROWS.filter(({ row }) =>
  /^(MOV|MOVZX|MOVSXD?|LEA|ADD|ADC|SUB|SBB|AND|OR|XOR|CMP|TEST|INC|DEC|NEG|NOT|SH[LR]|SAR|RO[LR]|RC[LR]|SH[LR]D|IMUL|MUL|PUSH|POP|XCHG|SET.*|CMOV.*|BT|BTS|BTR|BTC|BS[FR]|BSWAP|XADD|CMPXCHG|CBW|CWD)$/.test(
    row.mnemonic,
  ),
);

const MAP_BYTES = { '1': [], '0f': [0x0f], '0f38': [0x0f, 0x38], '0f3a': [0x0f, 0x3a] } as const;
const VEX_MAPS = { vex0f: 1, vex0f38: 2, vex0f3a: 3 } as const;
const VEX_PREFIXES = new Map([
  [0x66, 1],
  [0xf3, 2],
  [0xf2, 3],
]);
const RSP = 4;

/** The bytes of a random form of `candidate` that begins at linear address `at`; `undefined` when the mode has none. */
export function instructionBytes(
  random: Random,
  candidate: DecodableRow,
  mode: Mode,
  at: number,
): number[] | undefined {
  const { row, modRm } = candidate;
  if ((row.options.only64 === true && mode !== 64) || (row.options.no64 === true && mode === 64)) return undefined;
  const bits = random.pick(mode === 64 ? [16, 32, 64, 64] : [16, 32]);
  const memory =
    modRm && row.options.modRm === undefined && usesMemory(random, row) ? anyMemory(random, mode) : undefined;
  // R14 and R15 count loops, and RSP stays a stack pointer most of the time.
  const register = (): number => {
    const picked = random.below(mode === 64 ? 14 : 8);
    return picked === RSP && random.below(16) !== 0 ? 0 : picked;
  };
  const form: Form = { mode, bits, reg: row.options.group ?? register(), rm: register(), memory };
  const head = row.map.startsWith('vex') ? vexHead(random, row, form) : legacyHead(random, row, form);
  if (head === undefined) return undefined;
  const bytes = [...head, ...(modRm ? modRmBytes(row, form) : [])];
  const displacementEnd = bytes.length;
  for (const code of row.operands) bytes.push(...immediateBytes(random, code, form));
  if (memory?.ripRelative !== undefined) {
    const displacement = BigInt(memory.ripRelative - (at + bytes.length));
    bytes.splice(displacementEnd - 4, 4, ...littleEndian(displacement, 4));
  }
  return bytes;
}

interface Form {
  readonly mode: Mode;
  /** Operand size where there is a choice. */
  readonly bits: number;
  readonly reg: number;
  readonly rm: number;
  readonly memory: AddressBytes | undefined;
}

function usesMemory(random: Random, row: InstructionRow): boolean {
  if (row.options.only === 'mem' || row.operands.some((code) => parseOperand(code).kind === 'M')) return true;
  if (row.options.only === 'reg' || row.operands.some((code) => 'RUN'.includes(parseOperand(code).kind))) return false;
  return random.below(5) < 2;
}

function legacyHead(random: Random, row: InstructionRow, form: Form): number[] {
  const { mode, bits, memory } = form;
  const { prefix } = row.options;
  const bytes: number[] = [];
  if (memory !== undefined && row.options.lock === true && random.below(8) === 0) bytes.push(0xf0);
  if (row.options.repeat !== undefined || PREFIXED.test(row.mnemonic)) bytes.push(random.pick([0xf2, 0xf3]));
  else if (prefix === undefined && (mode === 16 ? bits === 32 : bits === 16)) bytes.push(0x66);
  if (prefix !== undefined && prefix !== 0) bytes.push(prefix);
  const named = row.operands.some((code) => parseOperand(code).kind === 'Z') ? form.rm & 7 : 0;
  if (mode === 64) {
    const rmHigh = memory === undefined ? form.rm >= 8 : memory.rexB;
    const rex = (bits === 64 ? 8 : 0) | (form.reg >= 8 ? 4 : 0) | (memory?.rexX === true ? 2 : 0) | (rmHigh ? 1 : 0);
    if (rex !== 0 || random.below(4) === 0) bytes.push(0x40 | rex);
  }
  return [...bytes, ...MAP_BYTES[row.map as keyof typeof MAP_BYTES], row.opcode | named];
}

function vexHead(random: Random, row: InstructionRow, form: Form): number[] | undefined {
  const { mode, memory } = form;
  if (mode === 16) return undefined;
  const { options } = row;
  const wide = options.vexL ?? random.below(2);
  const w = options.vexW ?? random.below(2);
  const used = row.operands.some((code) => 'HB'.includes(parseOperand(code).kind));
  const vvvv = used ? random.below(mode === 64 ? 16 : 8) : 0;
  const rexB = memory === undefined ? form.rm >= 8 : memory.rexB;
  const rexX = memory?.rexX === true;
  const first = (form.reg >= 8 ? 0 : 0x80) | (rexX ? 0 : 0x40) | (rexB ? 0 : 0x20);
  const prefix = VEX_PREFIXES.get(options.prefix ?? 0) ?? 0;
  const map = VEX_MAPS[row.map as keyof typeof VEX_MAPS];
  return [0xc4, first | map, (w << 7) | ((~vvvv & 15) << 3) | (wide << 2) | prefix, row.opcode];
}

function modRmBytes(row: InstructionRow, { reg, rm, memory }: Form): number[] {
  if (row.options.modRm !== undefined) return [row.options.modRm];
  const field = (reg & 7) << 3;
  return memory === undefined ? [0xc0 | field | (rm & 7)] : [memory.modRm | field, ...memory.tail];
}

function immediateBytes(random: Random, code: string, { mode, bits }: Form): number[] {
  const { kind, width } = parseOperand(code);
  if (kind === 'O') {
    const address = littleEndian(BigInt(0x1000_8000 + random.below(0x2000)), 8);
    return address.slice(0, mode / 8);
  }
  if (kind === 'L') return [random.below(256)];
  if (kind !== 'I') return [];
  const byteLength = { b: 1, bs: 1, w: 2, d: 4, q: 8, v: bits / 8, z: Math.min(4, bits / 8) }[width] ?? 1;
  return littleEndian(random.integer(8 * byteLength), byteLength);
}
