import { describe, expect, test } from 'vitest';
import { decode } from '../../../src/emulator/cpu/decode/decoder.ts';
import { DEFAULT_CPU_MODEL, parseCpuModel } from '../../../src/emulator/cpu/model/cpu-model.ts';
import { cpuidLeaf } from '../../../src/emulator/cpu/system/cpuid.ts';
import { UserError } from '../../../src/shared/errors.ts';

const codeOf = (text: string): string => {
  try {
    parseCpuModel(text);
  } catch (error) {
    if (error instanceof UserError) return `${error.code}: ${error.mend}`;
  }
  return 'accepted';
};

describe('processor models', () => {
  test('unknown models and features are refused with the list', () => {
    expect(codeOf('pentium')).toBe('CPU_MODEL: write one of qemu64, x86-64-v1, x86-64-v2, x86-64-v3, max');
    expect(codeOf('max,-mmx')).toMatch(/^CPU_FEATURE: write \+ or - before one of sse3, pclmulqdq, /);
    expect(codeOf('max,avx')).toMatch(/^CPU_FEATURE/);
    expect(codeOf('x86-64-v2,+aes,-sse4_2')).toBe('accepted');
  });

  test('a feature brings what it requires and takes along what requires it', () => {
    expect([...parseCpuModel('x86-64-v1,+sse4.2').features]).toEqual(
      expect.arrayContaining(['sse4.2', 'sse4.1', 'ssse3', 'sse3']),
    );
    const without = parseCpuModel('x86-64-v3,-xsave').features;
    expect(['avx', 'avx2', 'fma', 'f16c'].some((name) => without.has(name as never))).toBe(false);
  });

  test('CPUID follows the model; OSXSAVE is not the model’s', () => {
    expect(cpuidLeaf(1, 0, true)[2]).toBe(0x0120_2000);
    expect(cpuidLeaf(1, 0, true, parseCpuModel('x86-64-v2'))[2]).toBe(0x0120_2000 | 0x0098_0201);
    expect(cpuidLeaf(7, 0, true, parseCpuModel('x86-64-v3'))[1] & 0x128).toBe(0x128);
    expect(cpuidLeaf(13, 0, true, parseCpuModel('x86-64-v3'))).toEqual([7, 832, 832, 0]);
    expect(cpuidLeaf(13, 0, true)).toEqual([0, 0, 0, 0]);
    expect(cpuidLeaf(13, 0, true, parseCpuModel('max'))).toEqual([0x207, 840, 840, 0]);
    expect(cpuidLeaf(13, 9, true, parseCpuModel('max'))).toEqual([8, 832, 0, 0]);
    // Widths of physical and linear addresses.
    expect(cpuidLeaf(0x8000_0008, 0, true)[0]).toBe(0x3028);
    expect(cpuidLeaf(0x8000_0008, 0, true, parseCpuModel('x86-64-v1,+la57'))[0]).toBe(0x3928);
  });

  test('an instruction that the model lacks is undefined, or what its bytes meant before', () => {
    const popcnt = Uint8Array.from([0xf3, 0x0f, 0xb8, 0xc1]);
    const lzcnt = Uint8Array.from([0xf3, 0x0f, 0xbd, 0xc1]);
    const name = (bytes: Uint8Array, model = DEFAULT_CPU_MODEL) => {
      const decoded = decode(bytes, 0, bytes.length, 2, model.features);
      return typeof decoded === 'string' ? decoded : decoded.entry.row.mnemonic;
    };
    expect([name(popcnt), name(popcnt, parseCpuModel('x86-64-v2'))]).toEqual(['undefined', 'POPCNT']);
    expect([name(lzcnt), name(lzcnt, parseCpuModel('max'))]).toEqual(['BSR', 'LZCNT']);
  });
});
