import { describe, expect, it } from 'vitest';
import { CR4_BITS } from '../../../../src/emulator/cpu/control-bits.ts';
import { MAX_CPU_MODEL } from '../../../../src/emulator/cpu/model/cpu-model.ts';
import { SeededEntropy } from '../../../../src/emulator/cpu/model/entropy.ts';
import { resetState } from '../../../../src/emulator/cpu/reset.ts';
import {
  AVX_TRAP,
  CPL,
  CR0,
  CR3,
  CR4,
  EFER,
  MXCSR,
  PKRU,
  SEGMENT_INDEX,
  XCR0,
  XMM,
} from '../../../../src/emulator/cpu/state.ts';
import { SYSTEM_HANDLERS } from '../../../../src/emulator/cpu/system/handlers.ts';
import { FakeProcessor, faultOf } from './fake-processor.ts';
import { operandsOf } from './operands.ts';

const AREA = 0x1000;
const MXCSR_IN_AREA = AREA + 24;
const XSTATE_BV = AREA + 512;
const XCOMP_BV = AREA + 520;
const UPPER_HALVES = AREA + 576;

/** 64-bit code at CPL 0 with CR4.OSXSAVE and XCR0 = 7. */
function processor(): FakeProcessor {
  const cpu = new FakeProcessor(0x10_0000, MAX_CPU_MODEL);
  resetState(cpu.state);
  cpu.state.setU32(CR0, 0x11);
  cpu.state.setU64(EFER, 0x500n);
  cpu.state.setU64(CR4, BigInt(CR4_BITS.OSXSAVE | CR4_BITS.OSFXSR | CR4_BITS.PAE));
  cpu.state.setU64(XCR0, 7n);
  cpu.state.setSegment(SEGMENT_INDEX.CS, 8, 0xa09b, 0n, 0xffff_ffff);
  cpu.modesChanged();
  return cpu;
}

const area = (cpu: FakeProcessor, linear = AREA) =>
  operandsOf(cpu, { isMemory: true, operandSize: 8, linear: () => BigInt(linear) });

describe('XCR0', () => {
  const write = (cpu: FakeProcessor, low: number, register = 0): string => {
    cpu.state.setGpr32(0, low);
    cpu.state.setGpr32(1, register);
    cpu.state.setGpr32(2, 0);
    return faultOf(() => SYSTEM_HANDLERS.XSETBV(cpu, operandsOf(cpu)));
  };

  it('always has x87, AVX only with SSE, and nothing unknown; it is the supervisor’s', () => {
    const cpu = processor();
    expect([6, 5, 0xf, 7].map((value) => write(cpu, value))).toEqual(['13(0)', '13(0)', '13(0)', 'none']);
    expect(write(cpu, 7, 1)).toBe('13(0)');
    cpu.state.setU32(CPL, 3);
    expect(write(cpu, 7)).toBe('13(0)');
    cpu.state.setU64(CR4, 0n);
    expect(write(cpu, 7)).toBe('6');
  });

  it('lets AVX instructions run or not', () => {
    const cpu = processor();
    expect(cpu.state.u32(AVX_TRAP)).toBe(0);
    write(cpu, 3);
    expect(cpu.state.u32(AVX_TRAP)).toBe(6);
    write(cpu, 7);
    cpu.state.setU32(CR0, 0x19);
    cpu.modesChanged();
    expect(cpu.state.u32(AVX_TRAP)).toBe(7);
  });
});

describe('XSAVE and XRSTOR', () => {
  it('bring back what was saved, component by component', () => {
    const cpu = processor();
    const { state } = cpu;
    state.setU64(XMM + 32, 0x1111n);
    state.setU64(XMM + 32 + 16, 0x2222n);
    state.setU32(MXCSR, 0x1f81);
    state.setGpr32(0, 7);
    SYSTEM_HANDLERS.XSAVE(cpu, area(cpu));
    expect(cpu.peek64(XSTATE_BV)).toBe(7n);
    expect(cpu.peek64(UPPER_HALVES + 16)).toBe(0x2222n);
    state.bytes.fill(0, XMM, XMM + 512);
    state.setU32(MXCSR, 0x1f80);
    state.setGpr32(0, 4);
    SYSTEM_HANDLERS.XRSTOR(cpu, area(cpu));
    expect([state.u64(XMM + 32), state.u64(XMM + 48), state.u32(MXCSR)]).toEqual([0n, 0x2222n, 0x1f81]);
    state.setGpr32(0, 2);
    SYSTEM_HANDLERS.XRSTOR(cpu, area(cpu));
    expect(state.u64(XMM + 32)).toBe(0x1111n);
  });

  it('initialize what the area does not hold', () => {
    const cpu = processor();
    cpu.state.setU64(XMM, 5n);
    cpu.state.setU64(XMM + 16, 6n);
    cpu.poke32(MXCSR_IN_AREA, 0x1f80);
    cpu.state.setGpr32(0, 7);
    SYSTEM_HANDLERS.XRSTOR(cpu, area(cpu));
    expect([cpu.state.u64(XMM), cpu.state.u64(XMM + 16)]).toEqual([0n, 0n]);
  });

  it('refuse misaligned areas, unknown formats and components, and reserved MXCSR bits', () => {
    const cpu = processor();
    cpu.state.setGpr32(0, 7);
    const restore = (linear = AREA) => faultOf(() => SYSTEM_HANDLERS.XRSTOR(cpu, area(cpu, linear)));
    expect(restore(AREA + 32)).toBe('13(0)');
    for (const wrong of [1n, (1n << 63n) | 8n]) {
      cpu.poke64(XCOMP_BV, wrong);
      expect(restore()).toBe('13(0)');
    }
    cpu.poke64(XCOMP_BV, 0n);
    cpu.poke64(XSTATE_BV, 8n);
    expect(restore()).toBe('13(0)');
    cpu.poke64(XSTATE_BV, 2n);
    cpu.poke32(MXCSR_IN_AREA, 0x1_0000);
    expect(restore()).toBe('13(0)');
  });
});

describe('the compacted format', () => {
  /** Everything that XCR0 can have, and rights of the keys. */
  function withKeys(): FakeProcessor {
    const cpu = processor();
    cpu.state.setU64(XCR0, 0x207n);
    cpu.state.setU32(PKRU, 0x5555_5554);
    cpu.state.setU64(XMM, 0x1234n);
    cpu.state.setU64(XMM + 16, 0x5678n);
    return cpu;
  }

  it('packs what is asked for, and XRSTOR and XRSTORS take it apart', () => {
    const cpu = withKeys();
    cpu.state.setGpr32(0, 0x202);
    SYSTEM_HANDLERS.XSAVEC(cpu, area(cpu));
    expect([cpu.peek64(XSTATE_BV), cpu.peek64(XCOMP_BV)]).toEqual([0x202n, (1n << 63n) | 0x202n]);
    // Without AVX the keys come first.
    expect(cpu.peek64(UPPER_HALVES)).toBe(0x5555_5554n);
    for (const name of ['XRSTOR', 'XRSTORS'] as const) {
      cpu.state.setU32(PKRU, 0);
      cpu.state.setU64(XMM, 0n);
      cpu.state.setGpr32(0, 0x207);
      SYSTEM_HANDLERS[name](cpu, area(cpu));
      expect([cpu.state.u32(PKRU), cpu.state.u64(XMM), cpu.state.u64(XMM + 16)]).toEqual([0x5555_5554, 0x1234n, 0n]);
    }
  });

  it('belongs to the supervisor as XSAVES and XRSTORS, which take no other', () => {
    const cpu = withKeys();
    cpu.state.setGpr32(0, 0x207);
    SYSTEM_HANDLERS.XSAVES(cpu, area(cpu));
    expect(cpu.peek64(UPPER_HALVES + 256)).toBe(0x5555_5554n);
    cpu.poke64(XCOMP_BV, 0n);
    expect(faultOf(() => SYSTEM_HANDLERS.XRSTORS(cpu, area(cpu)))).toBe('13(0)');
    cpu.state.setU32(CPL, 3);
    expect(faultOf(() => SYSTEM_HANDLERS.XSAVES(cpu, area(cpu)))).toBe('13(0)');
    expect(faultOf(() => SYSTEM_HANDLERS.XRSTORS(cpu, area(cpu)))).toBe('13(0)');
  });

  it('refuses components that it has no place for, and reserved bytes', () => {
    const cpu = withKeys();
    cpu.state.setGpr32(0, 0x207);
    const restore = () => faultOf(() => SYSTEM_HANDLERS.XRSTOR(cpu, area(cpu)));
    cpu.poke64(XCOMP_BV, (1n << 63n) | 3n);
    cpu.poke64(XSTATE_BV, 4n);
    expect(restore()).toBe('13(0)');
    cpu.poke64(XSTATE_BV, 0n);
    cpu.poke64(XSTATE_BV + 56, 1n);
    expect(restore()).toBe('13(0)');
    cpu.poke64(XSTATE_BV + 56, 0n);
    expect(restore()).toBe('none');
    expect(cpu.state.u32(MXCSR)).toBe(0x1f80);
  });
});

describe('protection keys', () => {
  it('are there with CR4.PKE, by RDPKRU and WRPKRU', () => {
    const cpu = processor();
    const run = (name: 'RDPKRU' | 'WRPKRU', eax = 0, ecx = 0, edx = 0): string => {
      cpu.state.setGpr32(0, eax);
      cpu.state.setGpr32(1, ecx);
      cpu.state.setGpr32(2, edx);
      return faultOf(() => SYSTEM_HANDLERS[name](cpu, operandsOf(cpu)));
    };
    expect([run('RDPKRU'), run('WRPKRU')]).toEqual(['6', '6']);
    cpu.state.setU64(CR4, cpu.state.u64(CR4) | BigInt(CR4_BITS.PKE));
    expect([run('RDPKRU', 0, 1), run('WRPKRU', 0, 1), run('WRPKRU', 0, 0, 1)]).toEqual(['13(0)', '13(0)', '13(0)']);
    expect([run('WRPKRU', 12), run('RDPKRU', 0, 0, 7)]).toEqual(['none', 'none']);
    expect([cpu.state.gpr32(0), cpu.state.gpr32(2)]).toEqual([12, 0]);
  });
});

describe('process-context identifiers', () => {
  it('begin in long mode with identifier 0, and CR3 may ask to keep translations', () => {
    const cpu = processor();
    const write = (register: number, value: bigint): string => {
      cpu.state.setGpr(1, value);
      return faultOf(() => SYSTEM_HANDLERS.MOV_TO_CR(cpu, operandsOf(cpu, { reg: register, rm: 1 })));
    };
    const cr4 = cpu.state.u64(CR4);
    expect(write(3, (1n << 63n) | 0x2000n)).toBe('13(0)');
    cpu.state.setU64(CR3, 0x2001n);
    expect(write(4, cr4 | BigInt(CR4_BITS.PCIDE))).toBe('13(0)');
    cpu.state.setU64(CR3, 0x2000n);
    expect(write(4, cr4 | BigInt(CR4_BITS.PCIDE))).toBe('none');
    expect(write(3, (1n << 63n) | 0x3005n)).toBe('none');
    expect(cpu.state.u64(CR3)).toBe(0x3005n);
  });
});

describe('random numbers', () => {
  it('are the same in every run and not the same twice', () => {
    const [first, second] = [processor(), processor()].map((cpu) => {
      const entropy = new SeededEntropy();
      return [entropy.next(cpu.state), entropy.next(cpu.state)];
    });
    expect(first).toEqual(second);
    expect(first[0]).not.toBe(first[1]);
  });

  it('RDRAND sets CF alone', () => {
    const cpu = processor();
    cpu.state.setRflags(0x8d6);
    SYSTEM_HANDLERS.RDRAND(cpu, operandsOf(cpu, { rm: 3, operandSize: 8 }));
    expect(cpu.state.rflags() & 0x8d5).toBe(1);
    expect(cpu.state.gpr(3)).not.toBe(0n);
  });
});
