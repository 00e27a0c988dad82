import { dataAddress, encode, type Mode, memoryAt, reg } from '../encode.ts';
import { anyF32, anyF64, anyF80 } from '../floats.ts';
import type { Random } from '../random.ts';
import type { CaseState, VectorRecorder } from '../recorder.ts';
import { DEFAULT_FPU, type FpuState } from '../vector.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly bigint[] ? bigint[] : T[K] };

/** Memory operands of D8–DF by opcode and ModRM.reg: name, what it holds, bytes. FISTTP is SSE3 and left out. */
const MEMORY_FORMS: Record<number, readonly (readonly [string, Content, number] | undefined)[]> = {
  216: arithmeticNames('m32fp', 'f32', 4),
  217: [
    ['FLD m32fp', 'f32', 4],
    ['D9 /1', 'any', 4],
    ['FST m32fp', 'any', 4],
    ['FSTP m32fp', 'any', 4],
    ['FLDENV', 'environment', 28],
    ['FLDCW', 'control', 2],
    ['FNSTENV', 'any', 28],
    ['FNSTCW', 'any', 2],
  ],
  218: arithmeticNames('m32int', 'integer', 4),
  219: [
    ['FILD m32int', 'integer', 4],
    undefined,
    ['FIST m32int', 'any', 4],
    ['FISTP m32int', 'any', 4],
    ['DB /4', 'any', 4],
    ['FLD m80fp', 'f80', 10],
    ['DB /6', 'any', 4],
    ['FSTP m80fp', 'any', 10],
  ],
  220: arithmeticNames('m64fp', 'f64', 8),
  221: [
    ['FLD m64fp', 'f64', 8],
    undefined,
    ['FST m64fp', 'any', 8],
    ['FSTP m64fp', 'any', 8],
    ['FRSTOR', 'environment', 108],
    ['DD /5', 'any', 8],
    ['FNSAVE', 'any', 108],
    ['FNSTSW m16', 'any', 2],
  ],
  222: arithmeticNames('m16int', 'integer', 2),
  223: [
    ['FILD m16int', 'integer', 2],
    undefined,
    ['FIST m16int', 'any', 2],
    ['FISTP m16int', 'any', 2],
    ['FBLD m80bcd', 'bcd', 10],
    ['FILD m64int', 'integer', 8],
    ['FBSTP m80bcd', 'any', 10],
    ['FISTP m64int', 'any', 8],
  ],
};

type Content = 'f32' | 'f64' | 'f80' | 'integer' | 'bcd' | 'control' | 'environment' | 'any';

function arithmeticNames(operand: string, content: Content, byteLength: number) {
  const integer = content === 'integer';
  return ['ADD', 'MUL', 'COM', 'COMP', 'SUB', 'SUBR', 'DIV', 'DIVR'].map(
    (name) => [`F${integer ? 'I' : ''}${name} ${operand}`, content, byteLength] as const,
  );
}

/** Register forms by opcode and ModRM.reg, with ST(i) in rm; those of D9 /2, /4–7, DB /4 and DF /4 have names of their own. */
const REGISTER_FORMS: Record<number, readonly (string | undefined)[]> = {
  216: ['FADD', 'FMUL', 'FCOM', 'FCOMP', 'FSUB', 'FSUBR', 'FDIV', 'FDIVR'].map((name) => `${name} ST, ST(i)`),
  217: ['FLD ST(i)', 'FXCH ST(i)', undefined, 'FSTP ST(i) (D9 alias)'],
  218: ['FCMOVB', 'FCMOVE', 'FCMOVBE', 'FCMOVU', 'DA E0', undefined, 'DA F0', 'DA F8'],
  219: ['FCMOVNB', 'FCMOVNE', 'FCMOVNBE', 'FCMOVNU', undefined, 'FUCOMI', 'FCOMI', 'DB F8'],
  220: ['FADD', 'FMUL', 'FCOM', 'FCOMP', 'FSUBR', 'FSUB', 'FDIVR', 'FDIV'].map((name) => `${name} ST(i), ST`),
  221: ['FFREE', 'FXCH (DD alias)', 'FST ST(i)', 'FSTP ST(i)', 'FUCOM', 'FUCOMP', 'DD F0', 'DD F8'],
  222: ['FADDP', 'FMULP', 'FCOMP (DE alias)', undefined, 'FSUBRP', 'FSUBP', 'FDIVRP', 'FDIVP'],
  223: ['FFREEP', 'FXCH (DF alias)', 'FSTP (DF D0)', 'FSTP (DF D8)', undefined, 'FUCOMIP', 'FCOMIP', 'DF F8'],
};

/** Whole ModRM bytes with a meaning of their own. `range`: exponents that suit a transcendental function. */
const FIXED_FORMS: readonly (readonly [number, number, string, Range?])[] = [
  [0xd9, 0xd0, 'FNOP'],
  [0xd9, 0xd1, 'D9 D1'],
  [0xd9, 0xe0, 'FCHS'],
  [0xd9, 0xe1, 'FABS'],
  [0xd9, 0xe2, 'D9 E2'],
  [0xd9, 0xe4, 'FTST'],
  [0xd9, 0xe5, 'FXAM'],
  [0xd9, 0xe8, 'FLD1'],
  [0xd9, 0xe9, 'FLDL2T'],
  [0xd9, 0xea, 'FLDL2E'],
  [0xd9, 0xeb, 'FLDPI'],
  [0xd9, 0xec, 'FLDLG2'],
  [0xd9, 0xed, 'FLDLN2'],
  [0xd9, 0xee, 'FLDZ'],
  [0xd9, 0xef, 'D9 EF'],
  [0xd9, 0xf0, 'F2XM1', 'fraction'],
  [0xd9, 0xf1, 'FYL2X', 'positive'],
  [0xd9, 0xf2, 'FPTAN', 'angle'],
  [0xd9, 0xf3, 'FPATAN', 'any'],
  [0xd9, 0xf4, 'FXTRACT'],
  [0xd9, 0xf5, 'FPREM1', 'near'],
  [0xd9, 0xf6, 'FDECSTP'],
  [0xd9, 0xf7, 'FINCSTP'],
  [0xd9, 0xf8, 'FPREM', 'near'],
  [0xd9, 0xf9, 'FYL2XP1', 'small'],
  [0xd9, 0xfa, 'FSQRT'],
  [0xd9, 0xfb, 'FSINCOS', 'angle'],
  [0xd9, 0xfc, 'FRNDINT'],
  [0xd9, 0xfd, 'FSCALE'],
  [0xd9, 0xfe, 'FSIN', 'angle'],
  [0xd9, 0xff, 'FCOS', 'angle'],
  [0xda, 0xe9, 'FUCOMPP'],
  [0xdb, 0xe0, 'FENI (no operation)'],
  [0xdb, 0xe1, 'FDISI (no operation)'],
  [0xdb, 0xe2, 'FNCLEX'],
  [0xdb, 0xe3, 'FNINIT'],
  [0xdb, 0xe4, 'FSETPM (no operation)'],
  [0xdb, 0xe5, 'DB E5'],
  [0xde, 0xd9, 'FCOMPP'],
  [0xde, 0xda, 'DE DA'],
  [0xdf, 0xe0, 'FNSTSW AX'],
  [0xdf, 0xe1, 'DF E1'],
];

type Range = 'fraction' | 'positive' | 'angle' | 'near' | 'small' | 'any';

/** Every x87 opcode on operands of every class, full and empty stacks, all roundings and precisions, masked and unmasked. */
export function recordX87(recorder: VectorRecorder, mode: Mode, scale = 1): void {
  const count = (cases: number) => Math.ceil(cases * scale);
  for (const [opcode, forms] of Object.entries(MEMORY_FORMS)) {
    forms.forEach((form, extension) => {
      if (!form) return;
      for (let index = 0; index < count(28); index++) recordMemory(recorder, mode, Number(opcode), extension, form);
    });
  }
  for (const [opcode, forms] of Object.entries(REGISTER_FORMS)) {
    forms.forEach((name, extension) => {
      if (name === undefined) return;
      for (let index = 0; index < count(28); index++) {
        const rm = recorder.random.below(8);
        recordRegister(recorder, mode, name, Number(opcode), 0xc0 | (extension << 3) | rm);
      }
    });
  }
  for (const [opcode, modRm, name, range] of FIXED_FORMS) {
    const cases = range ? 60 : /^(FLD|F[ND]|FIN|FE|D)/.test(name) ? 10 : 32;
    for (let index = 0; index < count(cases); index++) recordRegister(recorder, mode, name, opcode, modRm, range);
  }
  for (let index = 0; index < count(4); index++) {
    const state = x87State(recorder, mode, [0]);
    recorder.add('FWAIT', mode, [0x9b], state);
    const pending = x87State(recorder, mode, [0]);
    pending.fpu = {
      ...pending.fpu!,
      controlWord: 0x37f & ~(1 << (index % 6)),
      statusWord: 0x8080 | (1 << (index % 6)),
    };
    for (const [name, bytes] of PENDING) recorder.add(`${name} (exception pending)`, mode, bytes, pending);
  }
}

const PENDING = [
  ['FWAIT', [0x9b]],
  ['FADD ST, ST(1)', [0xd8, 0xc1]],
  ['FLD1', [0xd9, 0xe8]],
  ['FNCLEX', [0xdb, 0xe2]],
  ['FNINIT', [0xdb, 0xe3]],
  ['FNSTSW AX', [0xdf, 0xe0]],
  ['EMMS', [0x0f, 0x77]],
  ['PXOR mm, mm', [0x0f, 0xef, 0xc1]],
] as const;

function recordMemory(
  recorder: VectorRecorder,
  mode: Mode,
  opcode: number,
  extension: number,
  [name, content, byteLength]: readonly [string, Content, number],
): void {
  const { random } = recorder;
  const state = x87State(recorder, mode, [0]);
  const address = dataAddress(random, byteLength);
  const memory = memoryAt(random, mode, address);
  state.point(memory);
  // The operand size picks the format of environments, and changes nothing else; REX.W neither.
  const choice = random.below(4);
  const bits = choice === 0 ? 16 : choice === 1 && mode === 64 ? 64 : mode === 16 && choice < 3 ? 16 : 32;
  if (content === 'environment') storeEnvironment(random, state, address, byteLength, bits);
  else state.store(address, contentOf(random, content, byteLength), byteLength);
  if (name.startsWith('FIST') || name.startsWith('FBSTP')) setTop(state, nearInteger(random, name, byteLength));
  recorder.add(name, mode, encode({ mode, bits, opcode: [opcode], reg: extension, rm: memory }), state);
}

function contentOf(random: Random, content: Content, byteLength: number): bigint {
  switch (content) {
    case 'f32':
      return anyF32(random);
    case 'f64':
      return anyF64(random);
    case 'f80':
      return anyF80(random);
    case 'integer':
      return random.integer(byteLength * 8);
    case 'control':
      return BigInt(controlWord(random));
    case 'bcd': {
      let digits = 0n;
      for (let index = 0; index < 18; index++) digits = (digits << 4n) | BigInt(random.below(10));
      return (BigInt(random.below(2)) << 79n) | (digits >> BigInt(4 * random.below(18)));
    }
    default:
      return random.bits(byteLength * 8);
  }
}

/** Values whose integer is near the limits of the destination. */
function nearInteger(random: Random, name: string, byteLength: number): bigint {
  if (random.below(4) === 0) return anyF80(random);
  const exponent = BigInt(16383 - 3 + random.below(name.startsWith('FB') ? 64 : byteLength * 8 + 4));
  const significand = (1n << 63n) | (random.below(3) === 0 ? random.bits(8) << 55n : random.bits(63));
  return (BigInt(random.below(2)) << 79n) | (exponent << 64n) | significand;
}

/** An environment that leaves no exception pending: the harness's own x87 code would meet it. */
function storeEnvironment(random: Random, state: CaseState, address: number, byteLength: number, bits: number): void {
  const wide = bits === 16 ? 2 : 4;
  state.store(address, random.bits(Math.min(byteLength * 8, 4096)), byteLength);
  state.store(address, BigInt(controlWord(random) | 0x3f), 2);
  state.store(address + wide, random.bits(16) & 0x7f7fn, 2);
  state.store(address + 2 * wide, random.bits(16), 2);
}

function recordRegister(
  recorder: VectorRecorder,
  mode: Mode,
  name: string,
  opcode: number,
  modRm: number,
  range?: Range,
): void {
  const state = x87State(recorder, mode, [0, 1, modRm & 7]);
  if (range) setRange(recorder.random, state, range);
  const bytes = encode({ mode, opcode: [opcode], reg: (modRm >> 3) & 7, rm: reg(modRm & 7) });

  recorder.add(name, mode, bytes, state);
}

function setRange(random: Random, state: CaseState, range: Range): void {
  if (random.below(5) === 0) return;
  const number = (low: number, high: number, signed = true) =>
    (BigInt(signed ? random.below(2) : 0) << 79n) |
    (BigInt(16383 + low + random.below(high - low + 1)) << 64n) |
    (1n << 63n) |
    (random.below(5) === 0 ? 0n : random.bits(63));
  const fpu = state.fpu as Writable<FpuState>;
  switch (range) {
    case 'fraction':
      fpu.st[0] = number(random.below(2) ? -70 : -4, -1);
      break;
    case 'positive':
      fpu.st[0] = number(random.below(2) ? -1 : -200, random.below(2) ? 0 : 200, false);
      fpu.st[1] = number(-6, 6);
      break;
    case 'angle':
      fpu.st[0] = number(random.below(3) ? -3 : -70, random.below(3) ? 4 : 62);
      break;
    case 'near':
      fpu.st[0] = number(-4, random.below(2) ? 40 : 200);
      fpu.st[1] = number(-4, 4);
      break;
    case 'small':
      fpu.st[0] = number(-70, -3);
      fpu.st[1] = number(-6, 6);
      break;
    default:
      fpu.st[0] = number(-10, 10);
      fpu.st[1] = number(-10, 10);
  }
}

function controlWord(random: Random): number {
  const precision = random.pick([0, 2, 3, 3, 3, 3, 3]) << 8;
  const rounding = random.below(2) ? 0 : random.below(4) << 10;
  const masks = random.below(4) ? 0x3f : random.below(64);
  return 0x40 | precision | rounding | masks;
}

function setTop(state: CaseState, value: bigint): void {
  (state.fpu as Writable<FpuState>).st[0] = value;
}

/** Registers `used` hold anything (now and then they are empty), the others 1 or nothing. */
export function x87State(recorder: VectorRecorder, mode: Mode, used: readonly number[]): CaseState {
  const { random } = recorder;
  const state = recorder.state(mode);
  const control = controlWord(random);
  const top = random.below(8);
  const sticky = random.below(3) === 0 ? random.below(64) & control & 0x3f : 0;
  const conditions = random.below(2) ? random.bits(16) & 0x4700n : 0n;
  const st = DEFAULT_FPU.st.map((_, index) => (used.includes(index) ? anyF80(random) : 0x3fff_8000_0000_0000_0000n));
  let valid = 0;
  for (let index = 0; index < 8; index++) {
    const full = used.includes(index) ? random.below(14) !== 0 : random.below(6) === 0;
    if (full) valid |= 1 << ((top + index) & 7);
  }
  state.fpu = {
    ...DEFAULT_FPU,
    controlWord: control,
    statusWord: (top << 11) | sticky | Number(conditions),
    validMask: valid,
    st,
  };
  return state;
}
