import { describe, expect, it } from 'vitest';
import { CR0_BITS, CR4_BITS, EFER_BITS } from '../../../../src/emulator/cpu/control-bits.ts';
import { resetState } from '../../../../src/emulator/cpu/reset.ts';
import { CPL, CR0, CR3, CR4, DR, EFER, SEGMENT_INDEX } from '../../../../src/emulator/cpu/state.ts';
import { PDPTE_REGISTERS } from '../../../../src/emulator/cpu/stored-registers.ts';
import { SYSTEM_HANDLERS } from '../../../../src/emulator/cpu/system/handlers.ts';
import { FakeProcessor, faultOf } from './fake-processor.ts';
import { operandsOf } from './operands.ts';

/** A processor after reset, in protected mode with flat segments. */
function protectedMode(): FakeProcessor {
  const cpu = new FakeProcessor();
  resetState(cpu.state);
  cpu.state.setU32(CR0, 0x11);
  cpu.state.setSegment(SEGMENT_INDEX.CS, 8, 0xc09b, 0n, 0xffff_ffff);
  cpu.modesChanged();
  return cpu;
}

function write(cpu: FakeProcessor, register: number, value: number): string {
  cpu.state.setGpr(1, BigInt(value));
  return faultOf(() => SYSTEM_HANDLERS.MOV_TO_CR(cpu, operandsOf(cpu, { reg: register, rm: 1 })));
}

describe('CR0', () => {
  it('refuses PG without PE and NW without CD', () => {
    const cpu = protectedMode();
    expect(write(cpu, 0, CR0_BITS.PG + 0x10)).toBe('13(0)');
    expect(write(cpu, 0, 0x2000_0011)).toBe('13(0)');
    expect(cpu.state.u32(CR0)).toBe(0x11);
  });

  it('enters long mode with LME and PAE, and not without PAE', () => {
    const cpu = protectedMode();
    cpu.state.setU64(EFER, BigInt(EFER_BITS.LME));
    expect(write(cpu, 0, CR0_BITS.PG + 0x11)).toBe('13(0)');
    expect(write(cpu, 4, CR4_BITS.PAE)).toBe('none');
    expect(write(cpu, 0, CR0_BITS.PG + 0x11)).toBe('none');
    expect(cpu.state.u32(EFER)).toBe(EFER_BITS.LME | EFER_BITS.LMA);
    expect(write(cpu, 4, 0)).toBe('13(0)');
    expect(write(cpu, 0, 0x11)).toBe('none');
    expect(cpu.state.u32(EFER)).toBe(EFER_BITS.LME);
  });

  it('keeps paging on in 64-bit code', () => {
    const cpu = protectedMode();
    cpu.state.setU64(EFER, BigInt(EFER_BITS.LME | EFER_BITS.LMA));
    cpu.state.setU64(CR4, BigInt(CR4_BITS.PAE));
    cpu.state.setU32(CR0, CR0_BITS.PG + 0x11);
    cpu.state.setSegment(SEGMENT_INDEX.CS, 8, 0xa09b, 0n, 0xffff_ffff);
    expect(write(cpu, 0, 0x11)).toBe('13(0)');
  });

  it('is the supervisor’s', () => {
    const cpu = protectedMode();
    cpu.state.setU32(CPL, 3);
    expect(write(cpu, 0, 0x11)).toBe('13(0)');
    expect(faultOf(() => SYSTEM_HANDLERS.CLTS(cpu))).toBe('13(0)');
  });
});

describe('CR3, CR4 and the PDPTEs', () => {
  it('loads four entries with CR3 and refuses reserved bits in them', () => {
    const cpu = protectedMode();
    write(cpu, 4, CR4_BITS.PAE);
    for (let index = 0; index < 4; index++) cpu.poke64(0x5020 + index * 8, BigInt(0x1_0000 * (index + 1)) | 1n);
    cpu.state.setU64(CR3, 0x5020n);
    expect(write(cpu, 0, CR0_BITS.PG + 0x11)).toBe('none');
    expect(cpu.state.u64(PDPTE_REGISTERS + 24)).toBe(0x4_0001n);
    cpu.poke64(0x5020, 0x1_0003n);
    expect(write(cpu, 3, 0x5020)).toBe('13(0)');
    expect(cpu.state.u64(PDPTE_REGISTERS)).toBe(0x1_0001n);
  });

  it('refuses CR4 bits of features that CPUID does not announce, and CR1', () => {
    const cpu = protectedMode();
    for (const bit of [CR4_BITS.VME, CR4_BITS.PCIDE, CR4_BITS.LA57, CR4_BITS.OSXSAVE]) {
      expect(write(cpu, 4, bit)).toBe('13(0)');
    }
    expect(write(cpu, 1, 0)).toBe('6');
  });

  it('says which translations go', () => {
    const cpu = protectedMode();
    write(cpu, 4, CR4_BITS.PGE);
    write(cpu, 3, 0x1000);
    SYSTEM_HANDLERS.INVLPG(cpu, operandsOf(cpu, { isMemory: true, effectiveAddress: 0x7123n }));
    expect(cpu.flushes).toEqual([{ global: true }, { global: false }, { linear: 0x7123n, global: true }]);
  });
});

describe('debug registers', () => {
  it('keep fixed bits and trap under general detect', () => {
    const cpu = protectedMode();
    cpu.state.setGpr(1, 0xffff_ffffn);
    const move = (reg: number) => faultOf(() => SYSTEM_HANDLERS.MOV_TO_DR(cpu, operandsOf(cpu, { reg, rm: 1 })));
    expect(move(6)).toBe('none');
    expect(cpu.state.u32(DR + 48)).toBe(0xffff_efff);
    cpu.state.setGpr(1, 0x2000n);
    expect(move(7)).toBe('none');
    expect(cpu.state.u32(DR + 56)).toBe(0x2400);
    expect(move(0)).toBe('1');
    expect(cpu.state.u32(DR + 56)).toBe(0x400);
    expect(cpu.state.u32(DR + 48) & 0x2000).toBe(0x2000);
  });

  it('DR4 is undefined with CR4.DE', () => {
    const cpu = protectedMode();
    write(cpu, 4, CR4_BITS.DE);
    expect(faultOf(() => SYSTEM_HANDLERS.MOV_FROM_DR(cpu, operandsOf(cpu, { reg: 4 })))).toBe('6');
  });
});

describe('system segments', () => {
  it('LTR refuses the null selector', () => {
    const cpu = protectedMode();
    expect(faultOf(() => SYSTEM_HANDLERS.LTR(cpu, operandsOf(cpu)))).toBe('13(0)');
  });
});
