import { dataAddress, encode, littleEndian, type Mode, memoryAt, type OperandBits, reg } from '../encode.ts';
import { anyF32, anyF64, anyF80 } from '../floats.ts';
import type { Random } from '../random.ts';
import { AF, type CaseState, OF, SF, type VectorRecorder } from '../recorder.ts';
import { DATA_BASE, DEFAULT_FPU, type FpuState } from '../vector.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly bigint[] ? bigint[] : T[K] };

/** A register file, or memory only. `r`: general register. */
type File = 'x' | 'm' | 'r';
/** What fills vectors: packed singles, doubles, integers, or (t) what the form's `setup` put there. */
export type Lanes = 's' | 'd' | 'i' | 't';

/** An MMX or SSE instruction: `reg` file, `rm` file (or memory of `memory` bytes), lanes. */
export interface SimdForm {
  readonly name: string;
  readonly prefix: 0 | 0x66 | 0xf3 | 0xf2;
  /** After 0F, or the whole opcode. */
  readonly opcode: number | readonly number[];
  readonly reg: File | number;
  readonly rm: File | undefined;
  /** Bytes of a memory operand; undefined: register only. */
  readonly memory?: number;
  readonly aligned?: boolean;
  readonly lanes: Lanes;
  readonly immediate?: readonly number[] | 'any';
  readonly wide?: boolean;
  readonly count?: number;
  readonly flags?: number;
  /** Implicit operands. */
  readonly setup?: (state: CaseState, random: Random) => void;
}

const PREFIX_NAMES = { 0: '', 102: '66 ', 243: 'F3 ', 242: 'F2 ' } as const;

/** Integer instructions that exist on MMX registers and, with 66h, on XMM registers. */
const BOTH: readonly (readonly [number, string])[] = [
  [0x60, 'PUNPCKLBW'],
  [0x61, 'PUNPCKLWD'],
  [0x62, 'PUNPCKLDQ'],
  [0x63, 'PACKSSWB'],
  [0x64, 'PCMPGTB'],
  [0x65, 'PCMPGTW'],
  [0x66, 'PCMPGTD'],
  [0x67, 'PACKUSWB'],
  [0x68, 'PUNPCKHBW'],
  [0x69, 'PUNPCKHWD'],
  [0x6a, 'PUNPCKHDQ'],
  [0x6b, 'PACKSSDW'],
  [0x74, 'PCMPEQB'],
  [0x75, 'PCMPEQW'],
  [0x76, 'PCMPEQD'],
  [0xd1, 'PSRLW'],
  [0xd2, 'PSRLD'],
  [0xd3, 'PSRLQ'],
  [0xd4, 'PADDQ'],
  [0xd5, 'PMULLW'],
  [0xd8, 'PSUBUSB'],
  [0xd9, 'PSUBUSW'],
  [0xda, 'PMINUB'],
  [0xdb, 'PAND'],
  [0xdc, 'PADDUSB'],
  [0xdd, 'PADDUSW'],
  [0xde, 'PMAXUB'],
  [0xdf, 'PANDN'],
  [0xe0, 'PAVGB'],
  [0xe1, 'PSRAW'],
  [0xe2, 'PSRAD'],
  [0xe3, 'PAVGW'],
  [0xe4, 'PMULHUW'],
  [0xe5, 'PMULHW'],
  [0xe8, 'PSUBSB'],
  [0xe9, 'PSUBSW'],
  [0xea, 'PMINSW'],
  [0xeb, 'POR'],
  [0xec, 'PADDSB'],
  [0xed, 'PADDSW'],
  [0xee, 'PMAXSW'],
  [0xef, 'PXOR'],
  [0xf1, 'PSLLW'],
  [0xf2, 'PSLLD'],
  [0xf3, 'PSLLQ'],
  [0xf4, 'PMULUDQ'],
  [0xf5, 'PMADDWD'],
  [0xf6, 'PSADBW'],
  [0xf8, 'PSUBB'],
  [0xf9, 'PSUBW'],
  [0xfa, 'PSUBD'],
  [0xfb, 'PSUBQ'],
  [0xfc, 'PADDB'],
  [0xfd, 'PADDW'],
  [0xfe, 'PADDD'],
];

/** Floating-point arithmetic in all four precisions; `logical` ones only packed. */
const ARITHMETIC: readonly (readonly [number, string, 'all' | 'single' | 'logical'])[] = [
  [0x51, 'SQRT', 'all'],
  [0x52, 'RSQRT', 'single'],
  [0x53, 'RCP', 'single'],
  [0x54, 'AND', 'logical'],
  [0x55, 'ANDN', 'logical'],
  [0x56, 'OR', 'logical'],
  [0x57, 'XOR', 'logical'],
  [0x58, 'ADD', 'all'],
  [0x59, 'MUL', 'all'],
  [0x5c, 'SUB', 'all'],
  [0x5d, 'MIN', 'all'],
  [0x5e, 'DIV', 'all'],
  [0x5f, 'MAX', 'all'],
];

export const f = (
  prefix: SimdForm['prefix'],
  opcode: SimdForm['opcode'],
  name: string,
  regFile: File | number,
  rm: File | undefined,
  memory: number | undefined,
  lanes: Lanes,
  more: Partial<SimdForm> = {},
): SimdForm => ({
  name,
  prefix,
  opcode,
  reg: regFile,
  rm,
  ...(memory === undefined ? {} : { memory }),
  lanes,
  ...more,
});

function forms(mode: Mode): SimdForm[] {
  const list: SimdForm[] = [];
  for (const [opcode, name] of BOTH) {
    const count = /^P(S[LR]|SRA)/.test(name) ? 20 : 12;
    list.push(f(0, opcode, `${name} mm, mm/m64`, 'm', 'm', 8, 'i', { count }));
    list.push(f(0x66, opcode, `${name} xmm, xmm/m128`, 'x', 'x', 16, 'i', { aligned: true, count }));
  }
  for (const [opcode, name, kind] of ARITHMETIC) {
    const count = kind === 'logical' ? 8 : 40;
    list.push(f(0, opcode, `${name}PS xmm, xmm/m128`, 'x', 'x', 16, 's', { aligned: true, count }));
    if (kind !== 'logical') list.push(f(0xf3, opcode, `${name}SS xmm, xmm/m32`, 'x', 'x', 4, 's', { count }));
    if (kind === 'single') continue;
    list.push(f(0x66, opcode, `${name}PD xmm, xmm/m128`, 'x', 'x', 16, 'd', { aligned: true, count }));
    if (kind === 'all') list.push(f(0xf2, opcode, `${name}SD xmm, xmm/m64`, 'x', 'x', 8, 'd', { count }));
  }
  return [...list, ...moveForms(mode), ...shuffleForms(), ...compareForms(), ...convertForms(mode)];
}

function moveForms(mode: Mode): SimdForm[] {
  const aligned = { aligned: true };
  const list = [
    f(0, 0x10, 'MOVUPS xmm, xmm/m128', 'x', 'x', 16, 'i'),
    f(0, 0x11, 'MOVUPS xmm/m128, xmm', 'x', 'x', 16, 'i'),
    f(0x66, 0x10, 'MOVUPD xmm, xmm/m128', 'x', 'x', 16, 'i'),
    f(0x66, 0x11, 'MOVUPD xmm/m128, xmm', 'x', 'x', 16, 'i'),
    f(0xf3, 0x10, 'MOVSS xmm, xmm/m32', 'x', 'x', 4, 'i'),
    f(0xf3, 0x11, 'MOVSS xmm/m32, xmm', 'x', 'x', 4, 'i'),
    f(0xf2, 0x10, 'MOVSD xmm, xmm/m64', 'x', 'x', 8, 'i'),
    f(0xf2, 0x11, 'MOVSD xmm/m64, xmm', 'x', 'x', 8, 'i'),
    f(0, 0x12, 'MOVLPS/MOVHLPS', 'x', 'x', 8, 'i'),
    f(0, 0x13, 'MOVLPS m64, xmm', 'x', undefined, 8, 'i'),
    f(0x66, 0x12, 'MOVLPD xmm, m64', 'x', undefined, 8, 'i'),
    f(0x66, 0x13, 'MOVLPD m64, xmm', 'x', undefined, 8, 'i'),
    f(0, 0x16, 'MOVHPS/MOVLHPS', 'x', 'x', 8, 'i'),
    f(0, 0x17, 'MOVHPS m64, xmm', 'x', undefined, 8, 'i'),
    f(0x66, 0x16, 'MOVHPD xmm, m64', 'x', undefined, 8, 'i'),
    f(0x66, 0x17, 'MOVHPD m64, xmm', 'x', undefined, 8, 'i'),
    f(0, 0x28, 'MOVAPS xmm, xmm/m128', 'x', 'x', 16, 'i', aligned),
    f(0, 0x29, 'MOVAPS xmm/m128, xmm', 'x', 'x', 16, 'i', aligned),
    f(0x66, 0x28, 'MOVAPD xmm, xmm/m128', 'x', 'x', 16, 'i', aligned),
    f(0x66, 0x29, 'MOVAPD xmm/m128, xmm', 'x', 'x', 16, 'i', aligned),
    f(0, 0x2b, 'MOVNTPS m128, xmm', 'x', undefined, 16, 'i', aligned),
    f(0x66, 0x2b, 'MOVNTPD m128, xmm', 'x', undefined, 16, 'i', aligned),
    f(0, 0x50, 'MOVMSKPS r32, xmm', 'r', 'x', undefined, 'i'),
    f(0x66, 0x50, 'MOVMSKPD r32, xmm', 'r', 'x', undefined, 'i'),
    f(0, 0x6e, 'MOVD mm, r/m32', 'm', 'r', 4, 'i'),
    f(0x66, 0x6e, 'MOVD xmm, r/m32', 'x', 'r', 4, 'i'),
    f(0, 0x7e, 'MOVD r/m32, mm', 'm', 'r', 4, 'i'),
    f(0x66, 0x7e, 'MOVD r/m32, xmm', 'x', 'r', 4, 'i'),
    f(0, 0x6f, 'MOVQ mm, mm/m64', 'm', 'm', 8, 'i'),
    f(0, 0x7f, 'MOVQ mm/m64, mm', 'm', 'm', 8, 'i'),
    f(0x66, 0x6f, 'MOVDQA xmm, xmm/m128', 'x', 'x', 16, 'i', aligned),
    f(0x66, 0x7f, 'MOVDQA xmm/m128, xmm', 'x', 'x', 16, 'i', aligned),
    f(0xf3, 0x6f, 'MOVDQU xmm, xmm/m128', 'x', 'x', 16, 'i'),
    f(0xf3, 0x7f, 'MOVDQU xmm/m128, xmm', 'x', 'x', 16, 'i'),
    f(0xf3, 0x7e, 'MOVQ xmm, xmm/m64', 'x', 'x', 8, 'i'),
    f(0x66, 0xd6, 'MOVQ xmm/m64, xmm', 'x', 'x', 8, 'i'),
    f(0xf3, 0xd6, 'MOVQ2DQ xmm, mm', 'x', 'm', undefined, 'i'),
    f(0xf2, 0xd6, 'MOVDQ2Q mm, xmm', 'm', 'x', undefined, 'i'),
    f(0, 0xd7, 'PMOVMSKB r32, mm', 'r', 'm', undefined, 'i'),
    f(0x66, 0xd7, 'PMOVMSKB r32, xmm', 'r', 'x', undefined, 'i'),
    f(0, 0xe7, 'MOVNTQ m64, mm', 'm', undefined, 8, 'i'),
    f(0x66, 0xe7, 'MOVNTDQ m128, xmm', 'x', undefined, 16, 'i', aligned),
    f(0, 0xf7, 'MASKMOVQ mm, mm', 'm', 'm', undefined, 'i'),
    f(0x66, 0xf7, 'MASKMOVDQU xmm, xmm', 'x', 'x', undefined, 'i'),
  ];
  if (mode !== 64) return list;
  const wide = { wide: true };
  return [
    ...list,
    f(0, 0x6e, 'MOVQ mm, r/m64', 'm', 'r', 8, 'i', wide),
    f(0x66, 0x6e, 'MOVQ xmm, r/m64', 'x', 'r', 8, 'i', wide),
    f(0, 0x7e, 'MOVQ r/m64, mm', 'm', 'r', 8, 'i', wide),
    f(0x66, 0x7e, 'MOVQ r/m64, xmm', 'x', 'r', 8, 'i', wide),
  ];
}

function shuffleForms(): SimdForm[] {
  const any = { immediate: 'any' } as const;
  const aligned = { aligned: true };
  const shifts = (opcode: number, name: string, extension: number): SimdForm[] =>
    ([0, 0x66] as const)
      .filter((prefix) => prefix === 0x66 || !name.endsWith('DQ'))
      .map((prefix) =>
        f(prefix, opcode, `${name} ${prefix ? 'x' : ''}mm, imm8`, extension, prefix ? 'x' : 'm', undefined, 'i', {
          immediate: [0, 1, 3, 7, 8, 15, 16, 17, 31, 32, 63, 64, 255],
          count: 14,
        }),
      );
  return [
    f(0, 0x14, 'UNPCKLPS', 'x', 'x', 16, 'i', aligned),
    f(0x66, 0x14, 'UNPCKLPD', 'x', 'x', 16, 'i', aligned),
    f(0, 0x15, 'UNPCKHPS', 'x', 'x', 16, 'i', aligned),
    f(0x66, 0x15, 'UNPCKHPD', 'x', 'x', 16, 'i', aligned),
    f(0x66, 0x6c, 'PUNPCKLQDQ', 'x', 'x', 16, 'i', aligned),
    f(0x66, 0x6d, 'PUNPCKHQDQ', 'x', 'x', 16, 'i', aligned),
    f(0, 0xc6, 'SHUFPS', 'x', 'x', 16, 'i', { ...any, aligned: true, count: 16 }),
    f(0x66, 0xc6, 'SHUFPD', 'x', 'x', 16, 'i', { ...any, aligned: true, count: 12 }),
    f(0, 0x70, 'PSHUFW', 'm', 'm', 8, 'i', { ...any, count: 16 }),
    f(0x66, 0x70, 'PSHUFD', 'x', 'x', 16, 'i', { ...any, aligned: true, count: 16 }),
    f(0xf3, 0x70, 'PSHUFHW', 'x', 'x', 16, 'i', { ...any, aligned: true, count: 16 }),
    f(0xf2, 0x70, 'PSHUFLW', 'x', 'x', 16, 'i', { ...any, aligned: true, count: 16 }),
    f(0, 0xc4, 'PINSRW mm, r32/m16', 'm', 'r', 2, 'i', { ...any, count: 12 }),
    f(0x66, 0xc4, 'PINSRW xmm, r32/m16', 'x', 'r', 2, 'i', { ...any, count: 14 }),
    f(0, 0xc5, 'PEXTRW r32, mm', 'r', 'm', undefined, 'i', { ...any, count: 12 }),
    f(0x66, 0xc5, 'PEXTRW r32, xmm', 'r', 'x', undefined, 'i', { ...any, count: 14 }),
    ...shifts(0x71, 'PSRLW', 2),
    ...shifts(0x71, 'PSRAW', 4),
    ...shifts(0x71, 'PSLLW', 6),
    ...shifts(0x72, 'PSRLD', 2),
    ...shifts(0x72, 'PSRAD', 4),
    ...shifts(0x72, 'PSLLD', 6),
    ...shifts(0x73, 'PSRLQ', 2),
    ...shifts(0x73, 'PSRLDQ', 3),
    ...shifts(0x73, 'PSLLQ', 6),
    ...shifts(0x73, 'PSLLDQ', 7),
  ];
}

function compareForms(): SimdForm[] {
  const immediate = { immediate: [0, 1, 2, 3, 4, 5, 6, 7], count: 48 };
  const flags = { flags: OF | SF | AF, count: 40 };
  return [
    f(0, 0xc2, 'CMPPS', 'x', 'x', 16, 's', { ...immediate, aligned: true }),
    f(0x66, 0xc2, 'CMPPD', 'x', 'x', 16, 'd', { ...immediate, aligned: true }),
    f(0xf3, 0xc2, 'CMPSS', 'x', 'x', 4, 's', immediate),
    f(0xf2, 0xc2, 'CMPSD', 'x', 'x', 8, 'd', immediate),
    f(0, 0x2e, 'UCOMISS', 'x', 'x', 4, 's', { ...flags, flags: 0 }),
    f(0x66, 0x2e, 'UCOMISD', 'x', 'x', 8, 'd', { ...flags, flags: 0 }),
    f(0, 0x2f, 'COMISS', 'x', 'x', 4, 's', { ...flags, flags: 0 }),
    f(0x66, 0x2f, 'COMISD', 'x', 'x', 8, 'd', { ...flags, flags: 0 }),
  ];
}

function convertForms(mode: Mode): SimdForm[] {
  const count = { count: 30 };
  const aligned = { aligned: true, count: 30 };
  const list = [
    f(0, 0x5a, 'CVTPS2PD', 'x', 'x', 8, 's', count),
    f(0x66, 0x5a, 'CVTPD2PS', 'x', 'x', 16, 'd', aligned),
    f(0xf3, 0x5a, 'CVTSS2SD', 'x', 'x', 4, 's', count),
    f(0xf2, 0x5a, 'CVTSD2SS', 'x', 'x', 8, 'd', count),
    f(0, 0x5b, 'CVTDQ2PS', 'x', 'x', 16, 'i', aligned),
    f(0x66, 0x5b, 'CVTPS2DQ', 'x', 'x', 16, 's', aligned),
    f(0xf3, 0x5b, 'CVTTPS2DQ', 'x', 'x', 16, 's', aligned),
    f(0xf3, 0xe6, 'CVTDQ2PD', 'x', 'x', 8, 'i', count),
    f(0x66, 0xe6, 'CVTTPD2DQ', 'x', 'x', 16, 'd', aligned),
    f(0xf2, 0xe6, 'CVTPD2DQ', 'x', 'x', 16, 'd', aligned),
    f(0, 0x2a, 'CVTPI2PS', 'x', 'm', 8, 'i', count),
    f(0x66, 0x2a, 'CVTPI2PD', 'x', 'm', 8, 'i', count),
    f(0, 0x2c, 'CVTTPS2PI', 'm', 'x', 8, 's', count),
    f(0x66, 0x2c, 'CVTTPD2PI', 'm', 'x', 16, 'd', aligned),
    f(0, 0x2d, 'CVTPS2PI', 'm', 'x', 8, 's', count),
    f(0x66, 0x2d, 'CVTPD2PI', 'm', 'x', 16, 'd', aligned),
  ];
  for (const wide of mode === 64 ? [false, true] : [false]) {
    const bits = wide ? 64 : 32;
    const more = { wide, count: 30 };
    list.push(
      f(0xf3, 0x2a, `CVTSI2SS xmm, r/m${bits}`, 'x', 'r', bits / 8, 'i', more),
      f(0xf2, 0x2a, `CVTSI2SD xmm, r/m${bits}`, 'x', 'r', bits / 8, 'i', more),
      f(0xf3, 0x2c, `CVTTSS2SI r${bits}, xmm/m32`, 'r', 'x', 4, 's', more),
      f(0xf2, 0x2c, `CVTTSD2SI r${bits}, xmm/m64`, 'r', 'x', 8, 'd', more),
      f(0xf3, 0x2d, `CVTSS2SI r${bits}, xmm/m32`, 'r', 'x', 4, 's', more),
      f(0xf2, 0x2d, `CVTSD2SI r${bits}, xmm/m64`, 'r', 'x', 8, 'd', more),
    );
  }
  return list;
}

/** Every MMX, SSE and SSE2 opcode, FXSAVE, FXRSTOR and MXCSR moves. */
export function recordSimd(recorder: VectorRecorder, mode: Mode, scale = 1): void {
  for (const form of forms(mode)) {
    const count = Math.ceil((form.count ?? 8) * scale);
    for (let index = 0; index < count; index++) recordForm(recorder, mode, form, index);
    if (form.aligned && form.memory !== undefined) recordForm(recorder, mode, form, -1);
  }
  recordControl(recorder, mode);
}

export const laneValue = (random: Random, lanes: Lanes, bits: number): bigint => {
  if (lanes === 'i') {
    const pattern = random.below(4);
    const part = pattern === 0 ? 8 : pattern === 1 ? 16 : pattern === 2 ? 32 : 64;
    let value = 0n;
    for (let have = 0; have < bits; have += part) value = (value << BigInt(part)) | random.integer(part);
    return BigInt.asUintN(bits, value);
  }
  let value = 0n;
  for (let have = 0; have < bits; have += lanes === 's' ? 32 : 64) {
    value = lanes === 's' ? (value << 32n) | anyF32(random) : (value << 64n) | anyF64(random);
  }
  return BigInt.asUintN(bits, value);
};

export function mxcsr(random: Random, lanes: Lanes): number {
  if (lanes === 'i' && random.below(4) !== 0) return 0x1f80;
  const rounding = random.below(2) ? 0 : random.below(4) << 13;
  const masks = random.below(4) ? 0x1f80 : random.below(64) << 7;
  // The inexact flag is set in most programs; the engine's fast path asks for it.
  const inexact = random.below(2) ? 0x20 : 0;
  const sticky = (random.below(3) ? inexact : random.below(64)) & (masks >> 7);
  const modes = random.below(3) ? 0 : random.pick([0x40, 0x8000, 0x8040]);
  return rounding | masks | sticky | modes;
}

const opcodeText = (opcode: SimdForm['opcode']): string =>
  (typeof opcode === 'number' ? [0x0f, opcode] : opcode)
    .map((byte) => byte.toString(16).toUpperCase().padStart(2, '0'))
    .join(' ');

export function recordForm(recorder: VectorRecorder, mode: Mode, form: SimdForm, index: number): void {
  const { random } = recorder;
  const state = recorder.state(mode);
  const st = DEFAULT_FPU.st.map(() => 0n);
  const xmm = DEFAULT_FPU.xmm.map(() => 0n);
  const fpu: Writable<FpuState> = { ...DEFAULT_FPU, mxcsr: mxcsr(random, form.lanes), st, xmm };
  state.fpu = fpu;
  form.setup?.(state, random);
  const registers = mode === 64 ? 16 : 8;
  const useMemory = form.memory !== undefined && (form.rm === undefined || index % 2 !== 0);
  const mmx = form.reg === 'm' || form.rm === 'm';
  const pick = (file: File) =>
    file === 'x' ? random.below(registers) : file === 'm' ? random.below(8) : random.pick([0, 1, 2]);
  const own = typeof form.reg === 'number' ? form.reg : pick(form.reg);
  if (typeof form.reg !== 'number') fill(random, state, form.reg, own, form.lanes, form.wide ? 64 : 32);
  let memory: ReturnType<typeof memoryAt> | undefined;
  let other = 0;
  if (useMemory) {
    const address = dataAddress(random, form.memory!, form.aligned) + (index < 0 ? 4 : 0);
    memory = memoryAt(random, mode, address);
    state.point(memory);
    const value = form.lanes === 't' ? fpu.xmm[15]! : laneValue(random, form.lanes, form.memory! * 8);
    state.store(address, value, form.memory!);
  } else {
    other = pick(form.rm!);
    fill(random, state, form.rm!, other, /^P?S[LR][LA]/.test(form.name) ? 'i' : form.lanes, form.wide ? 64 : 32);
    if (/^PS(LL|RL|RA)[WDQ] x?mm, x?mm/.test(form.name) && index % 4 !== 0) setCount(random, fpu, form.rm!, other);
  }
  if (mmx) {
    if (random.below(4) === 0) fpu.statusWord = random.below(8) << 11;
    fpu.validMask = random.below(256);
  }
  if (form.name.startsWith('MASKMOV')) state.gpr[7] = BigInt(dataAddress(random, 16) - (mode === 16 ? 0x1000_0000 : 0));
  const immediate =
    form.immediate === undefined
      ? []
      : [
          form.immediate === 'any'
            ? random.below(256)
            : index >= 0 && form.immediate.length <= 14
              ? form.immediate[index % form.immediate.length]!
              : random.pick(form.immediate),
        ];
  const bytes = encode({
    mode,
    ...(form.wide ? { bits: 64 as OperandBits } : {}),
    // An operand-size prefix before F3 or F2 says nothing.
    prefixes:
      form.prefix === 0xf3 || form.prefix === 0xf2
        ? [...(index % 7 === 6 ? [0x66] : []), form.prefix]
        : form.prefix
          ? [form.prefix]
          : [],
    opcode: typeof form.opcode === 'number' ? [0x0f, form.opcode] : form.opcode,
    reg: own,
    rm: memory ?? reg(other),
    immediate,
  });
  recorder.add(
    `${form.name} (${PREFIX_NAMES[form.prefix]}${opcodeText(form.opcode)})`,
    mode,
    bytes,
    state,
    form.flags ?? 0,
  );
}

function fill(random: Random, state: CaseState, file: File, index: number, lanes: Lanes, bits: number): void {
  const fpu = state.fpu as Writable<FpuState>;
  if (lanes === 't') return;
  if (file === 'x') fpu.xmm[index] = laneValue(random, lanes, 128);
  else if (file === 'm')
    fpu.st[index] = (random.below(2) ? 0xffffn << 64n : 0x3fffn << 64n) | laneValue(random, lanes, 64);
  else state.setRegister(index, bits, random.integer(bits));
}

/** Shift counts about the widths of elements. */
function setCount(random: Random, fpu: Writable<FpuState>, file: File, index: number): void {
  const count = BigInt(random.pick([0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 255]));
  if (file === 'x') fpu.xmm[index] = (random.bits(64) << 64n) | count;
  else fpu.st[index] = (0xffffn << 64n) | count;
}

function recordControl(recorder: VectorRecorder, mode: Mode): void {
  const { random } = recorder;
  const fresh = () => {
    const state = recorder.state(mode);
    state.fpu = {
      ...DEFAULT_FPU,
      controlWord: 0x27f | (random.below(4) << 10),
      statusWord: random.below(8) << 11,
      validMask: random.below(256),
      mxcsr: mxcsr(random, 's'),
      st: DEFAULT_FPU.st.map(() => anyF80(random)),
      xmm: DEFAULT_FPU.xmm.map(() => random.bits(128)),
    };
    return state;
  };
  for (let index = 0; index < 6; index++) {
    for (const [name, extension, byteLength, wide] of [
      ['FXSAVE', 0, 512, false],
      ['FXRSTOR', 1, 512, false],
      ['FXSAVE64', 0, 512, true],
      ['FXRSTOR64', 1, 512, true],
      ['LDMXCSR', 2, 4, false],
      ['STMXCSR', 3, 4, false],
    ] as const) {
      if (wide && mode !== 64) continue;
      const state = extension === 2 || extension === 3 ? recorder.state(mode) : fresh();
      state.fpu ??= { ...DEFAULT_FPU, mxcsr: mxcsr(random, 's') };
      const unaligned = byteLength === 512 && index === 5 ? 8 : 0;
      const address =
        byteLength === 512 ? DATA_BASE + 0x200 + random.below(32) * 16 + unaligned : dataAddress(random, 4);
      const memory = memoryAt(random, mode, address);
      state.point(memory);
      if (extension === 2) state.store(address, BigInt(index === 4 ? 0x1_1f80 : mxcsr(random, 's')), 4);
      if (extension === 1) storeImage(random, state, address);
      const bytes = encode({
        mode,
        ...(wide ? { bits: 64 as OperandBits } : {}),
        opcode: [0x0f, 0xae],
        reg: extension,
        rm: memory,
      });
      recorder.add(name, mode, bytes, state);
    }
  }
  for (let index = 0; index < 4; index++) recorder.add('EMMS', mode, [0x0f, 0x77], fresh());
}

/** An FXSAVE image; reserved MXCSR bits (→ #GP) now and then. */
function storeImage(random: Random, state: CaseState, address: number): void {
  const bytes = new Uint8Array(512);
  for (let index = 0; index < 464; index++) bytes[index] = random.below(256);
  bytes.set(
    [...littleEndian(BigInt(0x27f | (random.below(4) << 10)), 2), ...littleEndian(random.bits(16) & 0x7f7fn, 2)],
    0,
  );
  bytes[5] = 0;
  bytes.set(littleEndian(BigInt(random.below(6) === 0 ? 0x1_1f80 : mxcsr(random, 's')), 4), 24);
  state.memory.push({ address, bytes });
}
