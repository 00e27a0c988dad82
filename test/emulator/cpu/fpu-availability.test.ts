import { expect, test } from 'vitest';
import { CR0_BITS, CR4_BITS } from '../../../src/emulator/cpu/control-bits.ts';
import type { CpuState } from '../../../src/emulator/cpu/cpu-state.ts';
import { CR0, CR4, MXCSR } from '../../../src/emulator/cpu/state.ts';
import { EngineHarness } from '../../oracle/cpu-vectors/engine-harness.ts';
import { type CpuVector, DEFAULT_FPU, DEFAULT_GPR, DEFAULT_RIP } from '../../oracle/cpu-vectors/vector.ts';

const UD = 6;
const NM = 7;
const XM = 19;
const harness = new EngineHarness();

function vectorOf(bytes: readonly number[], fpu = DEFAULT_FPU): CpuVector {
  const before = { gpr: DEFAULT_GPR, rflags: 0x202, rip: BigInt(DEFAULT_RIP), memory: [], fpu };
  return { name: 'single', mode: 64, bytes: Uint8Array.from(bytes), before, after: before, undefinedFlags: 0 };
}

const set = (register: number, bits: number) => (state: CpuState) => state.setU32(register, state.u32(register) | bits);
const clear = (register: number, bits: number) => (state: CpuState) =>
  state.setU32(register, state.u32(register) & ~bits);

const INSTRUCTIONS = {
  FLD1: [0xd9, 0xe8],
  FNINIT: [0xdb, 0xe3],
  FWAIT: [0x9b],
  'PXOR mm': [0x0f, 0xef, 0xc0],
  EMMS: [0x0f, 0x77],
  'PXOR xmm': [0x66, 0x0f, 0xef, 0xc0],
  ADDSD: [0xf2, 0x0f, 0x58, 0xc1],
  'STMXCSR [rsp]': [0x0f, 0xae, 0x1c, 0x24],
  'FXSAVE [rsp-512]': [0x0f, 0xae, 0x84, 0x24, 0, 0xfe, 0xff, 0xff],
} as const;

// SDM vol. 3 table 2-2 and §13.1; vol. 2, the exceptions of each instruction.
const EXPECTED: Record<keyof typeof INSTRUCTIONS, { ts: number | undefined; em: number | undefined; noFxsr?: number }> =
  {
    FLD1: { ts: NM, em: NM },
    FNINIT: { ts: NM, em: NM },
    // TS alone stops WAIT only together with MP, which the harness sets.
    FWAIT: { ts: NM, em: undefined },
    'PXOR mm': { ts: NM, em: UD },
    EMMS: { ts: NM, em: UD },
    'PXOR xmm': { ts: NM, em: UD, noFxsr: UD },
    ADDSD: { ts: NM, em: UD, noFxsr: UD },
    'STMXCSR [rsp]': { ts: NM, em: UD, noFxsr: UD },
    'FXSAVE [rsp-512]': { ts: NM, em: UD },
  };

test.each(Object.entries(INSTRUCTIONS))('%s asks CR0 and CR4 before anything else', (name, bytes) => {
  const vector = vectorOf(bytes);
  const { ts, em, noFxsr } = EXPECTED[name as keyof typeof INSTRUCTIONS];
  expect(harness.run(vector).fault?.vector).toBeUndefined();
  expect(harness.run(vector, set(CR0, CR0_BITS.TS)).fault?.vector).toBe(ts);
  expect(harness.run(vector, set(CR0, CR0_BITS.EM)).fault?.vector).toBe(em);
  expect(harness.run(vector, clear(CR4, CR4_BITS.OSFXSR)).fault?.vector).toBe(noFxsr);
});

test('an unmasked SIMD exception is #XM with OSXMMEXCPT, else #UD; MXCSR tells it either way', () => {
  // 0/0 with invalid unmasked.
  const vector = vectorOf([0xf2, 0x0f, 0x5e, 0xc1], { ...DEFAULT_FPU, mxcsr: 0x1f00 });
  expect(harness.run(vector).fault?.vector).toBe(XM);
  expect(harness.run(vector, clear(CR4, CR4_BITS.OSXMMEXCPT)).fault?.vector).toBe(UD);
  expect(harness.state.u32(MXCSR)).toBe(0x1f01);
});
