import { describe, expect, it } from 'vitest';
import { CR0_BITS, CR4_BITS, EFER_BITS } from '../../../../src/emulator/cpu/control-bits.ts';
import { ACCESS, MMU } from '../../../../src/emulator/cpu/mmu/page-walk.ts';
import { CR0, CR2, CR3, CR4, EFER, MMU_INDEX, PKRU } from '../../../../src/emulator/cpu/state.ts';
import { PDPTE_REGISTERS } from '../../../../src/emulator/cpu/stored-registers.ts';
import { FakeProcessor, faultOf } from './fake-processor.ts';

const P = 1;
const W = 2;
const U = 4;
const A = 0x20;
const D = 0x40;
const PS = 0x80;
const G = 0x100;

/** 4-level tables at 0x1000–0x4fff; the linear address 0x40_5000 maps to `leaf`. */
function longMode(leaf: bigint, options: { upper?: number; cr4?: number; wp?: boolean; efer?: number } = {}) {
  const cpu = new FakeProcessor();
  const upper = BigInt(options.upper ?? P | W | U);
  cpu.state.setU64(CR0, BigInt((CR0_BITS.PG | CR0_BITS.PE | (options.wp === false ? 0 : CR0_BITS.WP)) >>> 0));
  cpu.state.setU64(CR3, 0x1000n);
  cpu.state.setU64(CR4, BigInt(CR4_BITS.PAE | (options.cr4 ?? 0)));
  cpu.state.setU64(EFER, BigInt(EFER_BITS.LME | EFER_BITS.LMA | (options.efer ?? EFER_BITS.NXE)));
  cpu.poke64(0x1000, 0x2000n | upper);
  cpu.poke64(0x2000, 0x3000n | upper);
  cpu.poke64(0x3000 + 2 * 8, 0x4000n | upper);
  cpu.poke64(0x4000 + 5 * 8, leaf);
  return cpu;
}

/** `code` of the #PF in hex, or 'ok'. */
function walk(cpu: FakeProcessor, access: number, mmu: number, linear = 0x40_5000): string {
  return cpu.walker.walk(linear, 0, access, mmu) ? 'ok' : cpu.walker.errorCode.toString(16);
}

describe('4-level walk', () => {
  it('sets A everywhere and D on a write, and reports the page', () => {
    const cpu = longMode(0x8000n | BigInt(P | W | U | G), { cr4: CR4_BITS.PGE });
    expect(walk(cpu, ACCESS.READ, MMU.USER)).toBe('ok');
    expect(cpu.walker).toMatchObject({ gpa: 0x8000, readable: true, writable: false, user: true, global: true });
    expect([cpu.peek32(0x1000) & A, cpu.peek32(0x2000) & A, cpu.peek32(0x3010) & A]).toEqual([A, A, A]);
    expect(cpu.peek32(0x4028) & (A | D)).toBe(A);
    expect(walk(cpu, ACCESS.WRITE, MMU.USER)).toBe('ok');
    expect(cpu.walker.writable).toBe(true);
    expect(cpu.peek32(0x4028) & (A | D)).toBe(A | D);
  });

  it('answers each denied access with the right error code', () => {
    const none = longMode(0n);
    expect([walk(none, ACCESS.READ, MMU.SUPERVISOR), walk(none, ACCESS.WRITE, MMU.USER)]).toEqual(['0', '6']);
    expect(walk(none, ACCESS.EXECUTE, MMU.USER)).toBe('14');
    const supervisor = longMode(0x8000n | BigInt(P | W));
    expect([walk(supervisor, ACCESS.READ, MMU.USER), walk(supervisor, ACCESS.WRITE, MMU.USER)]).toEqual(['5', '7']);
    const readOnly = longMode(0x8000n | BigInt(P | U));
    expect([walk(readOnly, ACCESS.WRITE, MMU.USER), walk(readOnly, ACCESS.WRITE, MMU.SUPERVISOR)]).toEqual(['7', '3']);
    const noExecute = longMode((1n << 63n) | 0x8000n | BigInt(P | U));
    expect([walk(noExecute, ACCESS.EXECUTE, MMU.USER), walk(noExecute, ACCESS.EXECUTE, MMU.SUPERVISOR)]).toEqual([
      '15',
      '11',
    ]);
  });

  it('lets the supervisor write read-only pages when WP is clear', () => {
    const cpu = longMode(0x8000n | BigInt(P | U), { wp: false });
    expect([walk(cpu, ACCESS.WRITE, MMU.SUPERVISOR), walk(cpu, ACCESS.WRITE, MMU.USER)]).toEqual(['ok', '7']);
  });

  it('takes rights from the narrowest level', () => {
    const cpu = longMode(0x8000n | BigInt(P | W | U), { upper: P | W });
    expect(walk(cpu, ACCESS.READ, MMU.USER)).toBe('5');
    expect(walk(cpu, ACCESS.READ, MMU.SUPERVISOR)).toBe('ok');
  });

  it('keeps the supervisor out of user pages with SMEP and SMAP', () => {
    const cpu = longMode(0x8000n | BigInt(P | W | U), { cr4: CR4_BITS.SMEP | CR4_BITS.SMAP });
    expect(walk(cpu, ACCESS.EXECUTE, MMU.SUPERVISOR_OVER_SMAP)).toBe('11');
    expect(walk(cpu, ACCESS.READ, MMU.SUPERVISOR)).toBe('1');
    expect(walk(cpu, ACCESS.WRITE, MMU.SUPERVISOR)).toBe('3');
    expect(walk(cpu, ACCESS.WRITE, MMU.SUPERVISOR_OVER_SMAP)).toBe('ok');
  });

  it('faults on reserved bits', () => {
    expect(walk(longMode((1n << 45n) | 0x8000n | BigInt(P)), ACCESS.READ, MMU.SUPERVISOR)).toBe('9');
    const noNxe = longMode((1n << 63n) | 0x8000n | BigInt(P), { efer: 0 });
    expect(walk(noNxe, ACCESS.READ, MMU.SUPERVISOR)).toBe('9');
    expect(walk(noNxe, ACCESS.EXECUTE, MMU.SUPERVISOR)).toBe('9');
    const gigabyte = longMode(0n);
    gigabyte.poke64(0x2000, 0x4000_0000n | BigInt(P | PS));
    expect(walk(gigabyte, ACCESS.READ, MMU.SUPERVISOR)).toBe('9');
  });

  it('keeps page tables in mind until a flush, but never lets them cause a fault', () => {
    const cpu = longMode(0x8000n | BigInt(P | W | U));
    expect(walk(cpu, ACCESS.READ, MMU.USER)).toBe('ok');
    cpu.poke64(0x3010, 0x6000n | BigInt(P | W | U));
    cpu.poke64(0x6000 + 5 * 8, 0x9000n | BigInt(P | W | U));
    expect([walk(cpu, ACCESS.READ, MMU.USER), cpu.walker.gpa]).toEqual(['ok', 0x8000]);
    cpu.walker.flush();
    expect([walk(cpu, ACCESS.READ, MMU.USER), cpu.walker.gpa]).toEqual(['ok', 0x9000]);
    cpu.poke64(0x3010, 0x4000n | BigInt(P | U));
    cpu.walker.flush();
    expect(walk(cpu, ACCESS.WRITE, MMU.USER)).toBe('7');
    cpu.poke64(0x3010, 0x4000n | BigInt(P | W | U));
    expect(walk(cpu, ACCESS.WRITE, MMU.USER)).toBe('ok');
  });

  it('maps 2 MiB pages and physical memory above 4 GiB', () => {
    const cpu = longMode(0n);
    cpu.poke64(0x3010, 0x12_0060_0000n | BigInt(P | W | PS));
    expect(walk(cpu, ACCESS.WRITE, MMU.SUPERVISOR, 0x41_2345)).toBe('ok');
    expect(cpu.walker).toMatchObject({ gpa: 0x12_0061_2000, pageShift: 21, writable: true });
    expect(cpu.peek32(0x3010) & (A | D)).toBe(A | D);
  });
});

describe('PAE, 32-bit and no paging', () => {
  it('walks PAE from the PDPTE registers and reserves 62:52', () => {
    const cpu = longMode(0n, { efer: EFER_BITS.NXE });
    cpu.state.setU64(EFER, BigInt(EFER_BITS.NXE));
    cpu.state.setU64(PDPTE_REGISTERS + 3 * 8, 0x3001n);
    cpu.poke64(0x3010, 0x4000n | BigInt(P | W | U));
    cpu.poke64(0x4028, (1n << 63n) | 0x1_0000_8000n | BigInt(P | W));
    expect(walk(cpu, ACCESS.WRITE, MMU.SUPERVISOR, 0xc040_5000)).toBe('ok');
    expect(cpu.walker.gpa).toBe(0x1_0000_8000);
    expect(walk(cpu, ACCESS.EXECUTE, MMU.SUPERVISOR, 0xc040_5000)).toBe('11');
    expect(walk(cpu, ACCESS.READ, MMU.SUPERVISOR, 0x8040_5000)).toBe('0');
    cpu.poke64(0x4028, (1n << 52n) | 0x8000n | BigInt(P | W));
    expect(walk(cpu, ACCESS.READ, MMU.SUPERVISOR, 0xc040_5000)).toBe('9');
  });

  it('walks 32-bit tables, 4 MiB pages and PSE-36', () => {
    const cpu = longMode(0n);
    cpu.state.setU64(EFER, 0n);
    cpu.state.setU64(CR4, BigInt(CR4_BITS.PSE));
    cpu.poke32(0x1000 + 3 * 4, 0x2000 | P | W | U);
    cpu.poke32(0x2000 + 7 * 4, 0x9000 | P | U);
    cpu.poke32(0x1000 + 4 * 4, 0x0040_0000 | (5 << 13) | P | W | PS);
    expect(walk(cpu, ACCESS.READ, MMU.USER, 0xc0_7abc)).toBe('ok');
    expect(cpu.walker.gpa).toBe(0x9000);
    expect(walk(cpu, ACCESS.WRITE, MMU.USER, 0xc0_7abc)).toBe('7');
    expect(walk(cpu, ACCESS.EXECUTE, MMU.SUPERVISOR, 0x100_3000)).toBe('ok');
    expect(cpu.walker).toMatchObject({ gpa: 0x5_0040_3000, pageShift: 22 });
    cpu.poke32(0x1000 + 4 * 4, 0x0060_0000 | P | PS);
    expect(walk(cpu, ACCESS.READ, MMU.SUPERVISOR, 0x100_3000)).toBe('9');
    cpu.state.setU64(CR4, 0n);
    expect(walk(cpu, ACCESS.EXECUTE, MMU.USER, 0x200_3000)).toBe('4');
  });

  it('gates A20 without paging', () => {
    const cpu = new FakeProcessor();
    expect(walk(cpu, ACCESS.READ, MMU.SUPERVISOR, 0x10_1234)).toBe('ok');
    expect(cpu.walker.gpa).toBe(0x10_1000);
    cpu.walker.a20Enabled = false;
    walk(cpu, ACCESS.READ, MMU.SUPERVISOR, 0x10_1234);
    expect(cpu.walker.gpa).toBe(0x1000);
  });
});

describe('linear memory', () => {
  it('changes nothing when the second page of a write faults', () => {
    const cpu = longMode(0x8000n | BigInt(P | W));
    cpu.state.setU32(MMU_INDEX, MMU.SUPERVISOR);
    expect(faultOf(() => cpu.memory.write(0x40_5ffen, 4, 0x1122_3344))).toBe('14(2)');
    expect(cpu.state.u64(CR2)).toBe(0x40_6000n);
    expect(cpu.peek32(0x8ffc)).toBe(0);
    cpu.poke64(0x4030, 0xa003n);
    cpu.memory.write64(0x40_5ffcn, 0x1122_3344_5566_7788n);
    expect([cpu.peek32(0x8ffc), cpu.peek32(0xa000)]).toEqual([0x5566_7788, 0x1122_3344]);
    expect(cpu.memory.read64(0x40_5ffcn)).toBe(0x1122_3344_5566_7788n);
    expect(cpu.memory.read(0x40_5fffn, 2)).toBe(0x4455);
  });

  it('refuses non-canonical addresses', () => {
    const cpu = longMode(0x8000n | BigInt(P | W));
    expect(faultOf(() => cpu.memory.read(0x8000_0000_0000n, 4))).toBe('13(0)');
  });
});

describe('protection keys', () => {
  const KEY_3 = 3n << 59n;
  const keyed = (disabled: number, options: { upper?: number; wp?: boolean } = {}) => {
    const cpu = longMode(KEY_3 | 0x8000n | BigInt(P | W | U), { ...options, cr4: CR4_BITS.PKE });
    cpu.state.setU32(PKRU, disabled << 6);
    return cpu;
  };

  it('take accesses or writes to the user’s pages away, from fetches nothing', () => {
    const closed = keyed(1);
    expect([walk(closed, ACCESS.READ, MMU.USER), walk(closed, ACCESS.WRITE, MMU.USER)]).toEqual(['25', '27']);
    expect([walk(closed, ACCESS.READ, MMU.SUPERVISOR), walk(closed, ACCESS.EXECUTE, MMU.USER)]).toEqual(['21', 'ok']);
    expect(closed.walker).toMatchObject({ readable: false, writable: false, executable: true });
    const readOnly = keyed(2);
    expect([walk(readOnly, ACCESS.READ, MMU.USER), walk(readOnly, ACCESS.WRITE, MMU.USER)]).toEqual(['ok', '27']);
    expect(walk(readOnly, ACCESS.WRITE, MMU.SUPERVISOR)).toBe('23');
  });

  it('let the supervisor write where WP is clear, and have no say over its own pages', () => {
    expect(walk(keyed(2, { wp: false }), ACCESS.WRITE, MMU.SUPERVISOR)).toBe('ok');
    expect(walk(keyed(1, { upper: P | W }), ACCESS.READ, MMU.SUPERVISOR)).toBe('ok');
  });

  it('do not count without CR4.PKE', () => {
    const cpu = longMode(KEY_3 | 0x8000n | BigInt(P | W | U));
    cpu.state.setU32(PKRU, 0xffff_ffff);
    expect(walk(cpu, ACCESS.WRITE, MMU.USER)).toBe('ok');
  });
});

describe('5-level walk', () => {
  it('goes through one table more, by bits 56:48', () => {
    const cpu = longMode(0x8000n | BigInt(P | W | U), { cr4: CR4_BITS.LA57 });
    cpu.state.setU64(CR3, 0x6000n);
    cpu.poke64(0x6000 + 0x1ff * 8, 0x1000n | BigInt(P | W | U));
    expect(walk(cpu, ACCESS.READ, MMU.USER)).toBe('4');
    expect(cpu.walker.walk(0x40_5000, 0xffff_0000 | 0, ACCESS.READ, MMU.USER)).toBe(true);
    expect(cpu.walker.gpa).toBe(0x8000);
  });
});
