import { describe, expect, it } from 'vitest';
import type { EventKind } from '../../../../src/emulator/cpu/exceptions/event.ts';
import { ExceptionUnit } from '../../../../src/emulator/cpu/exceptions/exception-unit.ts';
import { resetState } from '../../../../src/emulator/cpu/reset.ts';
import {
  BRANCH_RING,
  BRANCH_RING_POSITION,
  CR0,
  GDTR_BASE,
  GDTR_LIMIT,
  HALTED,
  IDTR_BASE,
  IDTR_LIMIT,
  REGISTER,
  SEGMENT_INDEX,
} from '../../../../src/emulator/cpu/state.ts';
import { isNmiBlocked, unblockNmi } from '../../../../src/emulator/cpu/stored-registers.ts';
import { autopsyReport } from '../../../../src/emulator/debug/autopsy.ts';
import { FakeProcessor } from './fake-processor.ts';

const GDT = 0x1000;
const IDT = 0x2000;
const PRESENT = 0x8e00;

/** Flat protected mode at CPL 0; every gate leads to 8:(1_0000 + vector). `absent` gates are not present. */
function protectedMode(absent: readonly number[]): { cpu: FakeProcessor; unit: ExceptionUnit } {
  const cpu = new FakeProcessor();
  resetState(cpu.state);
  cpu.state.setU32(CR0, 0x11);
  cpu.poke64(GDT + 8, 0x00cf_9b00_0000_ffffn);
  cpu.poke64(GDT + 16, 0x00cf_9300_0000_ffffn);
  cpu.state.setU64(GDTR_BASE, BigInt(GDT));
  cpu.state.setU32(GDTR_LIMIT, 0x17);
  cpu.state.setU64(IDTR_BASE, BigInt(IDT));
  cpu.state.setU32(IDTR_LIMIT, 0x1ff);
  for (let vector = 0; vector < 64; vector++) {
    cpu.poke32(IDT + vector * 8, 0x0008_0000 + vector);
    cpu.poke32(IDT + vector * 8 + 4, 0x0001_0000 | (absent.includes(vector) ? 0x0e00 : PRESENT));
  }
  cpu.state.setSegment(SEGMENT_INDEX.CS, 8, 0xc09b, 0n, 0xffff_ffff);
  for (const segment of [0, 2, 3]) cpu.state.setSegment(segment, 16, 0xc093, 0n, 0xffff_ffff);
  cpu.state.setGpr(REGISTER.RSP, 0x9000n);
  cpu.state.rip = 0x4000n;
  cpu.state.nextRip = 0x4002n;
  cpu.modesChanged();
  return { cpu, unit: new ExceptionUnit(cpu) };
}

/** Which handler ran in the end: its vector, or what became of the processor. */
function outcome(first: number, kind: EventKind, absent: readonly number[]): string {
  const { cpu, unit } = protectedMode(absent);
  const errorCode = kind === 'fault' && [10, 11, 12, 13, 14].includes(first) ? 0 : -1;
  if (unit.deliver({ vector: first, errorCode, kind }) === 'shutdown') return 'shutdown';
  const vector = Number(cpu.state.rip) - 0x1_0000;
  const hasCode = [8, 10, 11, 12, 13, 14].includes(vector);
  return hasCode ? `${vector}(${cpu.peek32(Number(cpu.state.gpr(REGISTER.RSP))).toString(16)})` : `${vector}`;
}

describe('faults on the way to a handler (SDM table 6-5)', () => {
  it.each([
    ['a fault arrives', 13, 'fault', [], '13(0)'],
    ['benign, then contributory: serially, EXT set', 6, 'fault', [6], '11(33)'],
    ['contributory, then contributory: #DF', 13, 'fault', [13], '8(0)'],
    ['#DE counts as contributory', 0, 'fault', [0], '8(0)'],
    ['#PF, then contributory: #DF', 14, 'fault', [14], '8(0)'],
    ['#DF, then contributory: shutdown', 13, 'fault', [13, 8], 'shutdown'],
    ['benign, contributory, contributory: #DF', 6, 'fault', [6, 11], '8(0)'],
    ['an external interrupt is benign, EXT set', 0x30, 'external', [0x30], '11(183)'],
    ['INT n is benign, EXT clear', 0x30, 'software', [0x30], '11(182)'],
  ] as const)('%s', (_name, first, kind, absent, expected) => {
    expect(outcome(first, kind, absent)).toBe(expected);
  });
});

describe('what is pushed', () => {
  it('a fault points at its instruction with RF, a trap behind it, and HLT ends', () => {
    const fault = protectedMode([]);
    fault.cpu.state.setU32(HALTED, 1);
    fault.unit.deliver({ vector: 6, errorCode: -1, kind: 'fault' });
    expect([fault.cpu.peek32(0x8ff4), fault.cpu.peek32(0x8ffc), fault.cpu.state.u32(HALTED)]).toEqual([
      0x4000, 0x1_0002, 0,
    ]);
    const trap = protectedMode([]);
    trap.unit.deliver({ vector: 1, errorCode: -1, kind: 'trap' });
    expect([trap.cpu.peek32(0x8ff4), trap.cpu.peek32(0x8ffc)]).toEqual([0x4002, 2]);
  });

  it('an NMI blocks the next until IRET', () => {
    const { cpu, unit } = protectedMode([]);
    unit.deliver({ vector: 2, errorCode: -1, kind: 'nmi' });
    expect(isNmiBlocked(cpu.state)).toBe(true);
    unblockNmi(cpu.state);
    expect(isNmiBlocked(cpu.state)).toBe(false);
  });

  it('real mode pushes no error code and minds the IVT’s limit', () => {
    const cpu = new FakeProcessor();
    resetState(cpu.state);
    cpu.state.setU32(IDTR_LIMIT, 0x3f);
    cpu.state.setGpr(REGISTER.RSP, 0x8000n);
    cpu.poke32(13 * 4, 0x1234_5678);
    const unit = new ExceptionUnit(cpu);
    expect(unit.deliver({ vector: 0x20, errorCode: -1, kind: 'external' })).toBe('delivered');
    expect([cpu.state.selector(SEGMENT_INDEX.CS), cpu.state.rip]).toEqual([0x1234, 0x5678n]);
    expect(cpu.state.gpr(REGISTER.RSP)).toBe(0x7ffan);
  });
});

describe('the autopsy of a triple fault', () => {
  it('names the cause, the chain, gates, segments and branches', () => {
    const { cpu, unit } = protectedMode([8]);
    cpu.poke64(IDT + 13 * 8, 0n);
    cpu.state.setU64(BRANCH_RING, 0x3ff0n);
    cpu.state.setU64(BRANCH_RING + 8, 0x4000n);
    cpu.state.setU32(BRANCH_RING_POSITION, 1);
    expect(unit.deliver({ vector: 13, errorCode: 0x50, kind: 'fault' })).toBe('shutdown');
    const report = autopsyReport(cpu, unit.chain);
    expect(report).toContain(
      'It began with #GP (general protection) at 0x0008:0x4000, stack 0x0010:0x9000, error code 0x0050.',
    );
    expect(report).toContain('#GP could not be delivered: the entry of vector 13 is empty: no handler was set.');
    expect(report).toContain('#DF could not be delivered: the gate of vector 8 is not present.');
    expect(report).toContain('interrupt gate to 0x0008:0x1_0008, DPL 0, NOT PRESENT');
    expect(report).toContain('GDT[0x1]: 32-bit code, base 0x0, limit 0xffff_ffff, DPL 0, present');
    expect(report).toContain('0x3ff0 → 0x4000');
  });

  it('says so when there is no IDT', () => {
    const { cpu, unit } = protectedMode([]);
    cpu.state.setU32(IDTR_LIMIT, 0);
    unit.deliver({ vector: 6, errorCode: -1, kind: 'fault' });
    expect(autopsyReport(cpu, unit.chain)).toContain('before the entry of vector 6 (no IDT is loaded)');
  });
});
