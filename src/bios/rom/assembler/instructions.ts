/**
 * The instructions that the assembler knows. A row is: operand codes as in the SDM's opcode maps (vol. 2 appendix A.2), opcode
 * bytes, where the register field of ModRM comes from, and notes. The first row that fits wins, so the short forms stand first.
 *
 * Operand codes: E r/m, R register in r/m, G register in ModRM, Z register in the opcode, M memory, S segment, C control, D debug register; sizes b 8,
 * w 16, d 32, q 64, v by operand size. Ib any 8 bits, Is 8 bits sign-extended, Iw 16, Iz 16/32 (sign-extended to 64), Iv full size.
 * `al cl dx 1 acc` are those very operands (acc: AX, EAX or RAX).
 */
// biome-ignore format: a table
export type OperandCode =
  | 'Eb' | 'Ew' | 'Ed' | 'Eq' | 'Ev' | 'Gb' | 'Gw' | 'Gd' | 'Gq' | 'Gv' | 'Zb' | 'Zv' | 'M' | 'Mq'
  | 'Rd' | 'Rq' | 'Sw' | 'Cy' | 'Dy' | 'Ib' | 'Is' | 'Iw' | 'Iz' | 'Iv' | 'al' | 'cl' | 'dx' | '1' | 'acc'
  | 'es' | 'cs' | 'ss' | 'ds' | 'fs' | 'gs';

/** `w64` is for 64-bit operands only, `o16`/`o32` fix the operand size, `d64` is 64-bit by default in long mode, the rest limit the mode. */
export type Note = 'w64' | 'o16' | 'o32' | 'd64' | 'not64' | 'only64';

export interface InstructionRow {
  readonly operands: readonly OperandCode[];
  readonly opcode: readonly number[];
  /** /0–/7: constant in ModRM.reg; without it the G (or S, C, D) operand stands there. */
  readonly extension?: number;
  readonly notes: readonly Note[];
}

type Notes = readonly Note[];

/** `r('Ev Gv', 0x01)`; `r('Eb Ib', 0x80, 4)` has an extension; negative or absent: none. */
function r(operands: string, opcode: number | readonly number[], extension = -1, ...notes: Notes): InstructionRow {
  return {
    operands: operands === '' ? [] : (operands.split(' ') as OperandCode[]),
    opcode: typeof opcode === 'number' ? [opcode] : opcode,
    extension: extension < 0 ? undefined : extension,
    notes,
  };
}

function arithmetic(number: number): InstructionRow[] {
  const base = number * 8;
  return [
    r('al Ib', base + 4),
    r('Ev Is', 0x83, number),
    r('acc Iz', base + 5),
    r('Eb Ib', 0x80, number),
    r('Ev Iz', 0x81, number),
    r('Eb Gb', base),
    r('Ev Gv', base + 1),
    r('Gb Eb', base + 2),
    r('Gv Ev', base + 3),
  ];
}

function shift(number: number): InstructionRow[] {
  return [
    r('Eb 1', 0xd0, number),
    r('Ev 1', 0xd1, number),
    r('Eb cl', 0xd2, number),
    r('Ev cl', 0xd3, number),
    r('Eb Ib', 0xc0, number),
    r('Ev Ib', 0xc1, number),
  ];
}

function unary(number: number): InstructionRow[] {
  return [r('Eb', 0xf6, number), r('Ev', 0xf7, number)];
}

function bitTest(number: number): InstructionRow[] {
  return [r('Ev Gv', [0x0f, 0x83 + number * 8]), r('Ev Ib', [0x0f, 0xba], number)];
}

function fixed(...opcode: number[]): InstructionRow[] {
  return [r('', opcode)];
}

/** String instructions and friends: byte, word, dword and qword forms are mnemonics of their own. */
function sized(opcode: number, note: Note): InstructionRow[] {
  return [r('', opcode, -1, note)];
}

/** Condition codes in the order of their numbers (SDM vol. 1 appendix B). */
export const CONDITIONS = [
  'o',
  'no',
  'b',
  'ae',
  'z',
  'nz',
  'be',
  'a',
  's',
  'ns',
  'p',
  'np',
  'l',
  'ge',
  'le',
  'g',
] as const;
export type Condition = (typeof CONDITIONS)[number];

function perCondition<Prefix extends string>(
  prefix: Prefix,
  row: (code: number) => InstructionRow,
): Record<`${Prefix}${Condition}`, InstructionRow[]> {
  const entries = CONDITIONS.map((condition, code) => [`${prefix}${condition}`, [row(code)]]);
  return Object.fromEntries(entries) as Record<`${Prefix}${Condition}`, InstructionRow[]>;
}

export const INSTRUCTIONS = {
  mov: [
    r('Eb Gb', 0x88),
    r('Ev Gv', 0x89),
    r('Gb Eb', 0x8a),
    r('Gv Ev', 0x8b),
    r('Ev Sw', 0x8c),
    r('Sw Ew', 0x8e),
    r('Sw Ed', 0x8e),
    r('Zb Ib', 0xb0),
    r('Ev Iz', 0xc7, 0, 'w64'),
    r('Zv Iv', 0xb8),
    r('Eb Ib', 0xc6, 0),
    r('Ev Iz', 0xc7, 0),
    r('Rq Cy', [0x0f, 0x20], -1, 'only64'),
    r('Rd Cy', [0x0f, 0x20], -1, 'not64'),
    r('Cy Rq', [0x0f, 0x22], -1, 'only64'),
    r('Cy Rd', [0x0f, 0x22], -1, 'not64'),
    r('Rq Dy', [0x0f, 0x21], -1, 'only64'),
    r('Rd Dy', [0x0f, 0x21], -1, 'not64'),
    r('Dy Rq', [0x0f, 0x23], -1, 'only64'),
    r('Dy Rd', [0x0f, 0x23], -1, 'not64'),
  ],
  movzx: [r('Gv Eb', [0x0f, 0xb6]), r('Gv Ew', [0x0f, 0xb7])],
  movsx: [r('Gv Eb', [0x0f, 0xbe]), r('Gv Ew', [0x0f, 0xbf])],
  movsxd: [r('Gv Ed', 0x63, -1, 'w64')],
  lea: [r('Gv M', 0x8d)],
  xchg: [r('acc Zv', 0x90), r('Zv acc', 0x90), r('Eb Gb', 0x86), r('Ev Gv', 0x87), r('Gb Eb', 0x86), r('Gv Ev', 0x87)],
  push: [
    r('Zv', 0x50, -1, 'd64'),
    r('Is', 0x6a, -1, 'd64'),
    r('Iz', 0x68, -1, 'd64'),
    r('es', 0x06, -1, 'not64'),
    r('cs', 0x0e, -1, 'not64'),
    r('ss', 0x16, -1, 'not64'),
    r('ds', 0x1e, -1, 'not64'),
    r('fs', [0x0f, 0xa0]),
    r('gs', [0x0f, 0xa8]),
    r('Ev', 0xff, 6, 'd64'),
  ],
  pop: [
    r('Zv', 0x58, -1, 'd64'),
    r('es', 0x07, -1, 'not64'),
    r('ss', 0x17, -1, 'not64'),
    r('ds', 0x1f, -1, 'not64'),
    r('fs', [0x0f, 0xa1]),
    r('gs', [0x0f, 0xa9]),
    r('Ev', 0x8f, 0, 'd64'),
  ],
  pusha: sized(0x60, 'o16'),
  pushad: sized(0x60, 'o32'),
  popa: sized(0x61, 'o16'),
  popad: sized(0x61, 'o32'),
  pushf: fixed(0x9c),
  popf: fixed(0x9d),
  pushfd: [r('', 0x9c, -1, 'o32', 'not64')],
  popfd: [r('', 0x9d, -1, 'o32', 'not64')],
  add: arithmetic(0),
  or: arithmetic(1),
  adc: arithmetic(2),
  sbb: arithmetic(3),
  and: arithmetic(4),
  sub: arithmetic(5),
  xor: arithmetic(6),
  cmp: arithmetic(7),
  test: [
    r('al Ib', 0xa8),
    r('acc Iz', 0xa9),
    r('Eb Ib', 0xf6, 0),
    r('Ev Iz', 0xf7, 0),
    r('Eb Gb', 0x84),
    r('Ev Gv', 0x85),
  ],
  inc: [r('Zv', 0x40, -1, 'not64'), r('Eb', 0xfe, 0), r('Ev', 0xff, 0)],
  dec: [r('Zv', 0x48, -1, 'not64'), r('Eb', 0xfe, 1), r('Ev', 0xff, 1)],
  not: unary(2),
  neg: unary(3),
  mul: unary(4),
  imul: [...unary(5), r('Gv Ev', [0x0f, 0xaf]), r('Gv Ev Is', 0x6b), r('Gv Ev Iz', 0x69)],
  div: unary(6),
  idiv: unary(7),
  rol: shift(0),
  ror: shift(1),
  rcl: shift(2),
  rcr: shift(3),
  shl: shift(4),
  shr: shift(5),
  sar: shift(7),
  shld: [r('Ev Gv Ib', [0x0f, 0xa4]), r('Ev Gv cl', [0x0f, 0xa5])],
  shrd: [r('Ev Gv Ib', [0x0f, 0xac]), r('Ev Gv cl', [0x0f, 0xad])],
  bt: bitTest(4),
  bts: bitTest(5),
  btr: bitTest(6),
  btc: bitTest(7),
  bsf: [r('Gv Ev', [0x0f, 0xbc])],
  bsr: [r('Gv Ev', [0x0f, 0xbd])],
  bswap: [r('Zv', [0x0f, 0xc8])],
  xadd: [r('Eb Gb', [0x0f, 0xc0]), r('Ev Gv', [0x0f, 0xc1])],
  cmpxchg: [r('Eb Gb', [0x0f, 0xb0]), r('Ev Gv', [0x0f, 0xb1])],
  cmpxchg8b: [r('Mq', [0x0f, 0xc7], 1)],
  cmpxchg16b: [r('M', [0x0f, 0xc7], 1, 'w64')],
  cbw: sized(0x98, 'o16'),
  cwde: sized(0x98, 'o32'),
  cdqe: sized(0x98, 'w64'),
  cwd: sized(0x99, 'o16'),
  cdq: sized(0x99, 'o32'),
  cqo: sized(0x99, 'w64'),
  lahf: fixed(0x9f),
  sahf: fixed(0x9e),
  xlatb: fixed(0xd7),
  leave: fixed(0xc9),
  ret: [r('', 0xc3), r('Iw', 0xc2)],
  retf: [r('', 0xcb), r('Iw', 0xca)],
  retfd: sized(0xcb, 'o32'),
  retfq: sized(0xcb, 'w64'),
  iret: fixed(0xcf),
  iretd: sized(0xcf, 'o32'),
  iretq: sized(0xcf, 'w64'),
  int: [r('Ib', 0xcd)],
  int3: fixed(0xcc),
  nop: fixed(0x90),
  pause: fixed(0xf3, 0x90),
  hlt: fixed(0xf4),
  cli: fixed(0xfa),
  sti: fixed(0xfb),
  cld: fixed(0xfc),
  std: fixed(0xfd),
  clc: fixed(0xf8),
  stc: fixed(0xf9),
  cmc: fixed(0xf5),
  /** Prefixes, written as an instruction of their own before the one they change. */
  rep: fixed(0xf3),
  repne: fixed(0xf2),
  lock: fixed(0xf0),
  movsb: fixed(0xa4),
  movsw: sized(0xa5, 'o16'),
  movsd: sized(0xa5, 'o32'),
  movsq: sized(0xa5, 'w64'),
  cmpsb: fixed(0xa6),
  cmpsd: sized(0xa7, 'o32'),
  stosb: fixed(0xaa),
  stosw: sized(0xab, 'o16'),
  stosd: sized(0xab, 'o32'),
  stosq: sized(0xab, 'w64'),
  lodsb: fixed(0xac),
  lodsw: sized(0xad, 'o16'),
  lodsd: sized(0xad, 'o32'),
  lodsq: sized(0xad, 'w64'),
  scasb: fixed(0xae),
  scasd: sized(0xaf, 'o32'),
  insb: fixed(0x6c),
  insd: sized(0x6d, 'o32'),
  outsb: fixed(0x6e),
  outsd: sized(0x6f, 'o32'),
  /** The accumulator's size is the access size; DX or an 8-bit port number. */
  in: [r('al dx', 0xec), r('acc dx', 0xed), r('al Ib', 0xe4), r('acc Ib', 0xe5)],
  out: [r('dx al', 0xee), r('dx acc', 0xef), r('Ib al', 0xe6), r('Ib acc', 0xe7)],
  /** Indirect forms; direct ones are `Assembler.jump`, `branch` and `call`. */
  jmpIndirect: [r('Ev', 0xff, 4, 'd64')],
  callIndirect: [r('Ev', 0xff, 2, 'd64')],
  /** m16:16 or m16:32 by `o32`. */
  jmpFar: [r('M', 0xff, 5)],
  jmpFarD: [r('M', 0xff, 5, 'o32')],
  lgdt: [r('M', [0x0f, 0x01], 2)],
  lidt: [r('M', [0x0f, 0x01], 3)],
  /** With a full 32-bit base from 16-bit code. */
  lgdtd: [r('M', [0x0f, 0x01], 2, 'o32', 'not64')],
  lidtd: [r('M', [0x0f, 0x01], 3, 'o32', 'not64')],
  sgdt: [r('M', [0x0f, 0x01], 0)],
  sidt: [r('M', [0x0f, 0x01], 1)],
  lldt: [r('Ew', [0x0f, 0x00], 2)],
  ltr: [r('Ew', [0x0f, 0x00], 3)],
  str: [r('Ev', [0x0f, 0x00], 1)],
  smsw: [r('Ev', [0x0f, 0x01], 4)],
  lmsw: [r('Ew', [0x0f, 0x01], 6)],
  invlpg: [r('M', [0x0f, 0x01], 7)],
  clts: fixed(0x0f, 0x06),
  invd: fixed(0x0f, 0x08),
  wbinvd: fixed(0x0f, 0x09),
  ud2: fixed(0x0f, 0x0b),
  rdmsr: fixed(0x0f, 0x32),
  wrmsr: fixed(0x0f, 0x30),
  rdtsc: fixed(0x0f, 0x31),
  rdtscp: fixed(0x0f, 0x01, 0xf9),
  cpuid: fixed(0x0f, 0xa2),
  swapgs: fixed(0x0f, 0x01, 0xf8),
  syscall: fixed(0x0f, 0x05),
  sysretq: [r('', [0x0f, 0x07], -1, 'w64')],
  lfence: fixed(0x0f, 0xae, 0xe8),
  mfence: fixed(0x0f, 0xae, 0xf0),
  sfence: fixed(0x0f, 0xae, 0xf8),
  fninit: fixed(0xdb, 0xe3),
  ...perCondition('set', (code) => r('Eb', [0x0f, 0x90 + code], 0)),
  ...perCondition('cmov', (code) => r('Gv Ev', [0x0f, 0x40 + code])),
} as const satisfies Record<string, readonly InstructionRow[]>;

export type Mnemonic = keyof typeof INSTRUCTIONS;
