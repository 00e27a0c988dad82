import { describe, expect, it } from 'vitest';
import { MSR, PAT_RESET } from '../../../../src/emulator/cpu/msr/registers.ts';
import { resetState } from '../../../../src/emulator/cpu/reset.ts';
import { CPL, MODE, REGISTER } from '../../../../src/emulator/cpu/state.ts';
import { cpuidLeaf, PROCESSOR_SIGNATURE } from '../../../../src/emulator/cpu/system/cpuid.ts';
import { SYSTEM_HANDLERS } from '../../../../src/emulator/cpu/system/handlers.ts';
import { edxEax, setEdxEax } from '../../../../src/emulator/cpu/system/registers.ts';
import { FakeProcessor, faultOf } from './fake-processor.ts';

function processor(): FakeProcessor {
  const cpu = new FakeProcessor();
  resetState(cpu.state);
  return cpu;
}

function read(cpu: FakeProcessor, number: number): bigint | string {
  cpu.state.setGpr32(REGISTER.RCX, number);
  const fault = faultOf(() => SYSTEM_HANDLERS.RDMSR(cpu));
  return fault === 'none' ? edxEax(cpu.state) : fault;
}

function write(cpu: FakeProcessor, number: number, value: bigint): string {
  cpu.state.setGpr32(REGISTER.RCX, number);
  setEdxEax(cpu.state, value);
  return faultOf(() => SYSTEM_HANDLERS.WRMSR(cpu));
}

describe('model-specific registers', () => {
  it('refuse what is unknown, with one line in the log', () => {
    const cpu = processor();
    expect(read(cpu, 0xc001_0015)).toBe('13(0)');
    expect(cpu.logs).toEqual(['msr-c0010015: RDMSR of unknown MSR 0xc001_0015: #GP']);
  });

  it('belong to the supervisor', () => {
    const cpu = processor();
    cpu.state.setU32(CPL, 3);
    expect(read(cpu, MSR.PAT)).toBe('13(0)');
  });

  it('check memory types in PAT and MTRRs', () => {
    const cpu = processor();
    expect(read(cpu, MSR.PAT)).toBe(PAT_RESET);
    expect(write(cpu, MSR.PAT, 0x0203n)).toBe('13(0)');
    expect(write(cpu, MSR.PAT, 0x0007_0106_0007_0106n)).toBe('none');
    expect(write(cpu, MSR.MTRR_DEF_TYPE, 0xc06n)).toBe('none');
    expect(write(cpu, MSR.MTRR_DEF_TYPE, 0xc02n)).toBe('13(0)');
    expect(write(cpu, MSR.MTRR_PHYSBASE0 + 15, (1n << 40n) | 0x800n)).toBe('13(0)');
    expect(write(cpu, MSR.MTRR_PHYSBASE0 + 15, 0xff_8000_0800n)).toBe('none');
    expect(read(cpu, MSR.MTRR_PHYSBASE0 + 15)).toBe(0xff_8000_0800n);
    expect(read(cpu, MSR.MTRR_PHYSBASE0 + 16)).toBe('13(0)');
  });

  it('move the time stamp counter and TSC_ADJUST together', () => {
    const cpu = processor();
    expect(write(cpu, MSR.TSC, 0n)).toBe('none');
    expect(read(cpu, MSR.TSC_ADJUST)).toBe(BigInt.asUintN(64, -1000n));
    cpu.bus.ticks = 1500;
    expect(read(cpu, MSR.TSC)).toBe(500n);
    expect(write(cpu, MSR.TSC_ADJUST, 0n)).toBe('none');
    SYSTEM_HANDLERS.RDTSC(cpu);
    expect(edxEax(cpu.state)).toBe(1500n);
  });

  it('refuse addresses that are not canonical and reserved EFER bits', () => {
    const cpu = processor();
    expect(write(cpu, MSR.LSTAR, 0x8000_0000_0000n)).toBe('13(0)');
    expect(write(cpu, MSR.GS_BASE, 0xffff_8000_0000_0000n)).toBe('none');
    expect(write(cpu, MSR.EFER, 1n << 12n)).toBe('13(0)');
    expect(write(cpu, MSR.EFER, 0xd01n)).toBe('none');
    expect(read(cpu, MSR.EFER)).toBe(0x901n);
  });

  it('show x2APIC registers only in x2APIC mode', () => {
    const cpu = processor();
    expect(read(cpu, 0x802)).toBe('13(0)');
    expect(write(cpu, MSR.APIC_BASE, 0xfee0_0400n)).toBe('13(0)');
    expect(write(cpu, MSR.APIC_BASE, 0xfee0_0d00n)).toBe('none');
    expect(read(cpu, 0x802)).toBe(0x1234n);
    expect(write(cpu, 0x80b, 0n)).toBe('none');
    expect(write(cpu, 0x80c, 0n)).toBe('13(0)');
    expect(write(cpu, MSR.APIC_BASE, 0xfee0_0900n)).toBe('13(0)');
    expect(write(cpu, MSR.APIC_BASE, 0xfee0_0000n)).toBe('none');
  });

  it('have four quiet machine-check banks', () => {
    const cpu = processor();
    expect(read(cpu, MSR.MCG_CAP)).toBe(0x104n);
    expect(write(cpu, MSR.MC0_CTL + 12, 0xffn)).toBe('13(0)');
    expect(write(cpu, MSR.MC0_CTL + 12, (1n << 64n) - 1n)).toBe('none');
    expect([read(cpu, MSR.MC0_CTL + 12), read(cpu, MSR.MC0_CTL + 13)]).toEqual([(1n << 64n) - 1n, 0n]);
    expect(write(cpu, MSR.MC0_CTL + 13, 1n)).toBe('13(0)');
    expect(read(cpu, MSR.MC0_CTL + 16)).toBe('13(0)');
  });
});

describe('CPUID', () => {
  const text = (words: readonly number[]) =>
    words
      .map((word) => String.fromCharCode(word & 0xff, (word >> 8) & 0xff, (word >> 16) & 0xff, word >>> 24))
      .join('');

  it('names vendor, signature and brand', () => {
    const [highest, ebx, ecx, edx] = cpuidLeaf(0, 0, true);
    expect([highest, text([ebx, edx, ecx])]).toEqual([0x16, 'GenuineIntel']);
    expect(cpuidLeaf(1, 0, true)[0]).toBe(PROCESSOR_SIGNATURE);
    const brand = [0x8000_0002, 0x8000_0003, 0x8000_0004].map((leaf) => text(cpuidLeaf(leaf, 0, true))).join('');
    expect(brand.replaceAll('\0', '')).toBe('Q35 reference processor @ 1.00GHz');
  });

  it('tells the TSC’s frequency so that nobody has to measure it', () => {
    const [denominator, numerator, crystal] = cpuidLeaf(0x15, 0, true);
    expect((crystal * numerator) / denominator).toBe(1_000_000_000);
    expect(cpuidLeaf(0x8000_0007, 0, true)[3]).toBe(0x100);
  });

  it('hides the APIC while its base MSR has it off, and answers unknown leaves as the highest', () => {
    const apic = 1 << 9;
    expect([cpuidLeaf(1, 0, true)[3] & apic, cpuidLeaf(1, 0, false)[3] & apic]).toEqual([apic, 0]);
    expect(cpuidLeaf(0x4000_0000, 0, true)).toEqual(cpuidLeaf(0x16, 0, true));
    expect(cpuidLeaf(4, 3, true)).toEqual([0, 0, 0, 0]);
  });
});

describe('reset', () => {
  it('starts in real mode at the reset vector', () => {
    const cpu = processor();
    const { state } = cpu;
    expect(state.segmentBase(1) + state.rip).toBe(0xffff_fff0n);
    expect([state.u32(MODE), state.rflags(), state.gpr32(REGISTER.RDX)]).toEqual([0, 2, PROCESSOR_SIGNATURE]);
  });
});
