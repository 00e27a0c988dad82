import { dataAddress, encode, type Mode, memoryAt, type OperandBits } from '../encode.ts';
import { anyF80 } from '../floats.ts';
import type { Random } from '../random.ts';
import { AF, type CaseState, OF, PF, SF, type VectorRecorder, wideSizes } from '../recorder.ts';
import { DEFAULT_FPU } from '../vector.ts';
import { f, recordForm, type SimdForm } from './simd.ts';

const aligned = { aligned: true } as const;
const any = { immediate: 'any' } as const;
const x38 = (opcode: number) => [0x0f, 0x38, opcode];
const x3a = (opcode: number) => [0x0f, 0x3a, opcode];
const at38 = (opcode: number, name: string, more: Partial<SimdForm> = {}, bytes = 16): SimdForm =>
  f(0x66, x38(opcode), name, 'x', 'x', bytes, 'i', { aligned: bytes === 16, ...more });
const at3a = (opcode: number, name: string, more: Partial<SimdForm> = {}, bytes = 16): SimdForm =>
  f(0x66, x3a(opcode), name, 'x', 'x', bytes, 'i', { aligned: bytes === 16, ...any, count: 12, ...more });

const SSSE3: readonly (readonly [number, string])[] = [
  [0x00, 'PSHUFB'],
  [0x01, 'PHADDW'],
  [0x02, 'PHADDD'],
  [0x03, 'PHADDSW'],
  [0x04, 'PMADDUBSW'],
  [0x05, 'PHSUBW'],
  [0x06, 'PHSUBD'],
  [0x07, 'PHSUBSW'],
  [0x08, 'PSIGNB'],
  [0x09, 'PSIGNW'],
  [0x0a, 'PSIGND'],
  [0x0b, 'PMULHRSW'],
  [0x1c, 'PABSB'],
  [0x1d, 'PABSW'],
  [0x1e, 'PABSD'],
];

function sse3(): SimdForm[] {
  const single = { aligned: true, count: 24 };
  return [
    f(0xf3, 0x12, 'MOVSLDUP', 'x', 'x', 16, 'i', aligned),
    f(0xf3, 0x16, 'MOVSHDUP', 'x', 'x', 16, 'i', aligned),
    f(0xf2, 0x12, 'MOVDDUP', 'x', 'x', 8, 'i'),
    f(0xf2, 0xf0, 'LDDQU', 'x', undefined, 16, 'i'),
    f(0xf2, 0xd0, 'ADDSUBPS', 'x', 'x', 16, 's', single),
    f(0x66, 0xd0, 'ADDSUBPD', 'x', 'x', 16, 'd', single),
    f(0xf2, 0x7c, 'HADDPS', 'x', 'x', 16, 's', single),
    f(0x66, 0x7c, 'HADDPD', 'x', 'x', 16, 'd', single),
    f(0xf2, 0x7d, 'HSUBPS', 'x', 'x', 16, 's', single),
    f(0x66, 0x7d, 'HSUBPD', 'x', 'x', 16, 'd', single),
  ];
}

function ssse3(): SimdForm[] {
  return [
    ...SSSE3.flatMap(([opcode, name]) => [
      f(0, x38(opcode), `${name} mm, mm/m64`, 'm', 'm', 8, 'i', { count: 10 }),
      at38(opcode, `${name} xmm, xmm/m128`, { count: 10 }),
    ]),
    f(0, x3a(0x0f), 'PALIGNR mm, mm/m64, imm8', 'm', 'm', 8, 'i', {
      immediate: [0, 1, 5, 8, 9, 15, 16, 17, 40],
      count: 12,
    }),
    at3a(0x0f, 'PALIGNR xmm, xmm/m128, imm8', { immediate: [0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 200], count: 16 }),
  ];
}

const xmm0 = (state: CaseState, random: Random): void => {
  (state.fpu!.xmm as bigint[])[0] = random.bits(128);
};

function sse41(mode: Mode): SimdForm[] {
  const chains: [number, string, number][] = [
    [0x20, 'PMOVSXBW', 8],
    [0x21, 'PMOVSXBD', 4],
    [0x22, 'PMOVSXBQ', 2],
    [0x23, 'PMOVSXWD', 8],
    [0x24, 'PMOVSXWQ', 4],
    [0x25, 'PMOVSXDQ', 8],
  ];
  const floats = { aligned: true, count: 40, immediate: [0, 1, 2, 3, 4, 8, 9, 10, 11, 12] };
  const products = { aligned: true, count: 40, ...any };
  return [
    at38(0x10, 'PBLENDVB', { setup: xmm0 }),
    at38(0x14, 'BLENDVPS', { setup: xmm0 }),
    at38(0x15, 'BLENDVPD', { setup: xmm0 }),
    at38(0x17, 'PTEST', { count: 16 }),
    f(0x66, x38(0x2a), 'MOVNTDQA', 'x', undefined, 16, 'i', aligned),
    ...chains.flatMap(([opcode, name, bytes]) => [
      at38(opcode, name, {}, bytes),
      at38(opcode + 0x10, name.replace('SX', 'ZX'), {}, bytes),
    ]),
    ...[
      [0x28, 'PMULDQ'],
      [0x29, 'PCMPEQQ'],
      [0x2b, 'PACKUSDW'],
      [0x37, 'PCMPGTQ'],
      [0x38, 'PMINSB'],
      [0x39, 'PMINSD'],
      [0x3a, 'PMINUW'],
      [0x3b, 'PMINUD'],
      [0x3c, 'PMAXSB'],
      [0x3d, 'PMAXSD'],
      [0x3e, 'PMAXUW'],
      [0x3f, 'PMAXUD'],
      [0x40, 'PMULLD'],
      [0x41, 'PHMINPOSUW'],
    ].map(([opcode, name]) => at38(opcode as number, name as string)),
    at3a(0x08, 'ROUNDPS', { lanes: 's', ...floats }),
    at3a(0x09, 'ROUNDPD', { lanes: 'd', ...floats }),
    at3a(0x0a, 'ROUNDSS', { lanes: 's', ...floats, aligned: false }, 4),
    at3a(0x0b, 'ROUNDSD', { lanes: 'd', ...floats, aligned: false }, 8),
    at3a(0x0c, 'BLENDPS'),
    at3a(0x0d, 'BLENDPD'),
    at3a(0x0e, 'PBLENDW'),
    f(0x66, x3a(0x14), 'PEXTRB r32/m8, xmm, imm8', 'x', 'r', 1, 'i', any),
    f(0x66, x3a(0x15), 'PEXTRW r32/m16, xmm, imm8', 'x', 'r', 2, 'i', any),
    f(0x66, x3a(0x16), 'PEXTRD r/m32, xmm, imm8', 'x', 'r', 4, 'i', any),
    f(0x66, x3a(0x17), 'EXTRACTPS r/m32, xmm, imm8', 'x', 'r', 4, 'i', any),
    f(0x66, x3a(0x20), 'PINSRB xmm, r32/m8, imm8', 'x', 'r', 1, 'i', any),
    at3a(0x21, 'INSERTPS', { aligned: false, count: 20 }, 4),
    f(0x66, x3a(0x22), 'PINSRD xmm, r/m32, imm8', 'x', 'r', 4, 'i', any),
    ...(mode === 64
      ? [
          f(0x66, x3a(0x16), 'PEXTRQ r/m64, xmm, imm8', 'x', 'r', 8, 'i', { ...any, wide: true }),
          f(0x66, x3a(0x22), 'PINSRQ xmm, r/m64, imm8', 'x', 'r', 8, 'i', { ...any, wide: true }),
        ]
      : []),
    at3a(0x40, 'DPPS', { lanes: 's', ...products }),
    at3a(0x41, 'DPPD', { lanes: 'd', ...products }),
    at3a(0x42, 'MPSADBW'),
  ];
}

/** Few different characters, and zeros, so that strings match and end. */
function text(random: Random, bits: 8 | 16): bigint {
  let value = 0n;
  const letters = 2 + random.below(4);
  const zeros = random.below(3) === 0 ? 0 : 5 + random.below(20);
  for (let have = 0; have < 128; have += bits) {
    const letter =
      zeros !== 0 && random.below(zeros) === 0 ? 0 : random.below(12) === 0 ? 0xf0 : 0x40 + random.below(letters);
    value = (value << BigInt(bits)) | BigInt(letter);
  }
  return value;
}

export const strings = (state: CaseState, random: Random): void => {
  const xmm = state.fpu!.xmm as bigint[];
  const bits = random.below(2) ? 8 : 16;
  for (let index = 0; index < 16; index++) xmm[index] = text(random, bits);
  const length = () => (random.below(6) === 0 ? random.integer(32) : BigInt.asUintN(32, BigInt(random.below(40) - 20)));
  state.gpr[0] = length() | (random.below(2) ? 0xffff_ffff_0000_0000n : 0n);
  state.gpr[2] = length() | (random.below(2) ? 0xffff_ffff_0000_0000n : 0n);
};

function sse42(mode: Mode): SimdForm[] {
  const kinds = [
    [0x60, 'PCMPESTRM'],
    [0x61, 'PCMPESTRI'],
    [0x62, 'PCMPISTRM'],
    [0x63, 'PCMPISTRI'],
  ] as const;
  return kinds.flatMap(([opcode, name]) => {
    const more = { ...any, count: 120, setup: strings, lanes: 't' as const, aligned: false };
    const form = at3a(opcode, name, more);
    return mode === 64 && opcode < 0x62 ? [form, { ...form, name: `${name} (REX.W)`, wide: true, count: 20 }] : [form];
  });
}

function crypto(): SimdForm[] {
  const sha = (opcode: number, name: string): SimdForm => f(0, x38(opcode), name, 'x', 'x', 16, 'i', aligned);
  return [
    at38(0xdb, 'AESIMC'),
    at38(0xdc, 'AESENC'),
    at38(0xdd, 'AESENCLAST'),
    at38(0xde, 'AESDEC'),
    at38(0xdf, 'AESDECLAST'),
    at3a(0xdf, 'AESKEYGENASSIST'),
    at3a(0x44, 'PCLMULQDQ'),
    sha(0xc8, 'SHA1NEXTE'),
    sha(0xc9, 'SHA1MSG1'),
    sha(0xca, 'SHA1MSG2'),
    { ...sha(0xcb, 'SHA256RNDS2'), setup: xmm0 },
    sha(0xcc, 'SHA256MSG1'),
    sha(0xcd, 'SHA256MSG2'),
    f(0, x3a(0xcc), 'SHA1RNDS4', 'x', 'x', 16, 'i', { ...aligned, ...any, count: 12 }),
  ];
}

/** FISTTP, which came with SSE3. */
function recordTruncation(recorder: VectorRecorder, mode: Mode, scale: number): void {
  const { random } = recorder;
  for (const [opcode, bytes] of [
    [0xdf, 2],
    [0xdb, 4],
    [0xdd, 8],
  ] as const) {
    for (let index = 0; index < Math.ceil(24 * scale); index++) {
      const state = recorder.state(mode);
      const top = random.below(8);
      state.fpu = {
        ...DEFAULT_FPU,
        controlWord: (random.below(4) ? 0x37f : random.below(64) | 0x340) | (random.below(4) << 10),
        statusWord: top << 11,
        validMask: random.below(6) ? 0xff : 0,
        st: DEFAULT_FPU.st.map(() => anyF80(random)),
      };
      const memory = memoryAt(random, mode, dataAddress(random, bytes));
      state.point(memory);
      recorder.add(`FISTTP m${bytes * 8}`, mode, encode({ mode, opcode: [opcode], reg: 1, rm: memory }), state);
    }
  }
}

function recordScalar(recorder: VectorRecorder, mode: Mode, scale: number): void {
  const counts = Math.ceil(12 * scale);
  for (const bits of wideSizes(mode)) {
    const both = { mode, bits, rm: 'both', count: counts, reg: { bits } } as const;
    const zeroCounts = OF | SF | PF | AF;
    recorder.rm({ ...both, name: `POPCNT r${bits}, r/m${bits}`, prefixes: [0xf3], opcode: [0x0f, 0xb8] });
    recorder.rm({
      ...both,
      name: `TZCNT r${bits}, r/m${bits}`,
      prefixes: [0xf3],
      opcode: [0x0f, 0xbc],
      undefinedFlags: zeroCounts,
    });
    recorder.rm({
      ...both,
      name: `LZCNT r${bits}, r/m${bits}`,
      prefixes: [0xf3],
      opcode: [0x0f, 0xbd],
      undefinedFlags: zeroCounts,
    });
    recorder.rm({ ...both, rm: 'memory', name: `MOVBE r${bits}, m${bits}`, opcode: x38(0xf0) });
    recorder.rm({ ...both, rm: 'memory', name: `MOVBE m${bits}, r${bits}`, opcode: x38(0xf1) });
    recorder.rm({ ...both, name: `CRC32 r32, r/m${bits}`, prefixes: [0xf2], opcode: x38(0xf1) });
    if (bits === 16) continue;
    recorder.rm({ ...both, rmBits: 8, name: `CRC32 r${bits}, r/m8`, prefixes: [0xf2], opcode: x38(0xf0) });
    // Without 66h or F3h the size is the mode's own: mandatory prefixes choose the instruction.
    const size: OperandBits = bits;
    recorder.rm({
      ...both,
      bits: mode === 16 ? 16 : size,
      rmBits: size,
      reg: { bits: size },
      name: `ADCX r${bits}, r/m${bits}`,
      prefixes: [0x66],
      opcode: x38(0xf6),
    });
    recorder.rm({
      ...both,
      bits: mode === 16 ? 16 : size,
      rmBits: size,
      reg: { bits: size },
      name: `ADOX r${bits}, r/m${bits}`,
      prefixes: [0xf3],
      opcode: x38(0xf6),
    });
  }
}

/** What x86-64-v2 adds to the baseline, AES-NI, PCLMULQDQ, SHA, and the scalar instructions of v3 without VEX. */
export function recordExtensions(recorder: VectorRecorder, mode: Mode, scale = 1): void {
  const forms = [...sse3(), ...ssse3(), ...sse41(mode), ...sse42(mode), ...crypto()];
  for (const form of forms) {
    const count = Math.ceil((form.count ?? 8) * scale);
    for (let index = 0; index < count; index++) recordForm(recorder, mode, form, index);
    // SHA's misaligned operands: #GP by the SDM, none on the processor that records.
    if (form.aligned && form.memory !== undefined && !form.name.startsWith('SHA')) recordForm(recorder, mode, form, -1);
  }
  recordTruncation(recorder, mode, scale);
  recordScalar(recorder, mode, scale);
  for (const [name, extension] of [
    ['CLFLUSHOPT m8', 7],
    ['CLWB m8', 6],
  ] as const) {
    const opcode = [0x0f, 0xae];
    recorder.rm({ name, mode, bits: 8, prefixes: [0x66], opcode, reg: { extension }, rm: 'memory', count: 2 });
  }
}
