import { PHYSICAL_ADDRESS_BITS } from '../control-bits.ts';
import { isCanonicalRegister } from '../mmu/canonical.ts';
import { EFER, SEGMENT_INDEX } from '../state.ts';
import { type StoredRegister, storedRegister } from '../stored-registers.ts';
import { writeEfer } from '../system/control-registers.ts';
import { setSegmentBase } from '../system/fast-calls.ts';
import { timeStamp } from '../system/time-stamp.ts';
import type { CpuContext } from '../system-context.ts';
import {
  MACHINE_CHECK_BANKS,
  MCG_CAP_VALUE,
  MSR,
  MTRRCAP_VALUE,
  VARIABLE_MTRRS,
  X2APIC_REGISTERS,
} from './registers.ts';

/** One MSR. `write` answers false for a value that the processor refuses (#GP). */
export interface MsrRow {
  readonly read: (cpu: CpuContext) => bigint;
  readonly write: (cpu: CpuContext, value: bigint) => boolean;
}

const ALL_ONES = (1n << 64n) - 1n;
const REFUSE = () => false;
const IGNORE = () => true;

/** A fixed value; writing it is refused, or ignored where guests do it in earnest. */
const constant = (value: bigint, accepts: (value: bigint) => boolean = REFUSE): MsrRow => ({
  read: () => value,
  write: (_cpu, written) => accepts(written),
});

/** Plain storage; `accepts` sees the whole value. */
function stored(name: StoredRegister, accepts: (value: bigint, cpu: CpuContext) => boolean = () => true): MsrRow {
  const offset = storedRegister(name);
  return {
    read: (cpu) => cpu.state.u64(offset),
    write: (cpu, value) => {
      if (!accepts(value, cpu)) return false;
      cpu.state.setU64(offset, value);
      return true;
    },
  };
}

const isAddress = (value: bigint, cpu: CpuContext): boolean => isCanonicalRegister(cpu, value);
const bits = (mask: bigint) => (value: bigint) => (value & ~mask) === 0n;

/** UC, WC, WT, WP, WB. */
const isMemoryType = (type: bigint): boolean => [0n, 1n, 4n, 5n, 6n].includes(type);

function everyByte(value: bigint, accepts: (byte: bigint) => boolean): boolean {
  for (let shift = 0n; shift < 64n; shift += 8n) if (!accepts((value >> shift) & 0xffn)) return false;
  return true;
}

const PHYSICAL_MASK = (1n << BigInt(PHYSICAL_ADDRESS_BITS)) - 1n;
const TSC_OFFSET = storedRegister('TSC_OFFSET');
const TSC_ADJUST = storedRegister('TSC_ADJUST');

/** Moves the counter by `delta`: the offset that reads add and TSC_ADJUST follow alike (SDM vol. 3 §17.17.3). */
function adjustTimeStamp(cpu: CpuContext, delta: bigint): void {
  const { state } = cpu;
  const offset = BigInt.asUintN(64, state.u64(TSC_OFFSET) + delta);
  state.setU64(TSC_OFFSET, offset);
  cpu.bus.localApic.setTscOffset(offset);
  state.setU64(TSC_ADJUST, BigInt.asUintN(64, state.u64(TSC_ADJUST) + delta));
}

const APIC_BASE_DEFINED = (PHYSICAL_MASK & ~0xfffn) | 0xd00n;
const APIC_ENABLE = 0x800n;
const APIC_X2 = 0x400n;

/** x2APIC needs the global enable, and is left only through "disabled" (SDM vol. 3 §10.12.1). */
function writeApicBase(cpu: CpuContext, value: bigint): boolean {
  const old = cpu.bus.localApic.baseMsr();
  if ((value & ~APIC_BASE_DEFINED) !== 0n) return false;
  const x2 = (value & APIC_X2) !== 0n;
  const enabled = (value & APIC_ENABLE) !== 0n;
  if (x2 && !enabled) return false;
  if ((old & APIC_X2) !== 0n && enabled && !x2) return false;
  if (x2 && (old & APIC_ENABLE) === 0n) return false;
  cpu.bus.localApic.setBaseMsr(value);
  return true;
}

function segmentBaseRow(segment: number): MsrRow {
  return {
    read: (cpu) => cpu.state.segmentBase(segment),
    write: (cpu, value) => {
      if (!isAddress(value, cpu)) return false;
      setSegmentBase(cpu, segment, value);
      return true;
    },
  };
}

function buildTable(): ReadonlyMap<number, MsrRow> {
  const rows = new Map<number, MsrRow>([
    [MSR.P5_MC_ADDR, constant(0n, IGNORE)],
    [MSR.P5_MC_TYPE, constant(0n, IGNORE)],
    [
      MSR.TSC,
      {
        read: timeStamp,
        write: (cpu, value) => {
          adjustTimeStamp(cpu, value - timeStamp(cpu));
          return true;
        },
      },
    ],
    [MSR.PLATFORM_ID, constant(0n)],
    [MSR.APIC_BASE, { read: (cpu) => cpu.bus.localApic.baseMsr(), write: writeApicBase }],
    [MSR.EBL_CR_POWERON, constant(0n, IGNORE)],
    // The lock bit is set from reset on.
    [MSR.FEATURE_CONTROL, { ...stored('FEATURE_CONTROL'), write: REFUSE }],
    [
      MSR.TSC_ADJUST,
      {
        read: (cpu) => cpu.state.u64(TSC_ADJUST),
        write: (cpu, value) => {
          adjustTimeStamp(cpu, value - cpu.state.u64(TSC_ADJUST));
          return true;
        },
      },
    ],
    [MSR.BIOS_UPDT_TRIG, constant(0n, IGNORE)],
    // Microcode revision 1; guests write 0 before CPUID fills it in.
    [MSR.BIOS_SIGN_ID, constant(1n << 32n, IGNORE)],
    [MSR.FSB_FREQ, constant(0n)],
    // Maximum non-turbo ratio 10 × 100 MHz.
    [MSR.PLATFORM_INFO, constant(0x0a00n)],
    [MSR.MTRRCAP, constant(MTRRCAP_VALUE)],
    [MSR.BBL_CR_CTL3, constant(0n, IGNORE)],
    // No CPUID faulting, no MWAIT in ring 3.
    [MSR.MISC_FEATURES_ENABLES, { read: () => 0n, write: (_cpu, value) => value === 0n }],
    [MSR.SYSENTER_CS, stored('SYSENTER_CS')],
    [MSR.SYSENTER_ESP, stored('SYSENTER_ESP', isAddress)],
    [MSR.SYSENTER_EIP, stored('SYSENTER_EIP', isAddress)],
    [MSR.MCG_CAP, constant(MCG_CAP_VALUE)],
    [MSR.MCG_STATUS, stored('MCG_STATUS', bits(7n))],
    [MSR.MCG_CTL, stored('MCG_CTL')],
    [MSR.PERF_STATUS, constant(0x0a00n)],
    [MSR.PERF_CTL, constant(0x0a00n, IGNORE)],
    [MSR.CLOCK_MODULATION, constant(0n, IGNORE)],
    [MSR.THERM_INTERRUPT, constant(0n, IGNORE)],
    [MSR.THERM_STATUS, constant(0n, IGNORE)],
    [MSR.MISC_ENABLE, stored('MISC_ENABLE')],
    [MSR.DEBUGCTL, stored('DEBUGCTL', bits(0xdfc3n))],
    [MSR.LASTBRANCHFROMIP, constant(0n)],
    [MSR.LASTBRANCHTOIP, constant(0n)],
    [MSR.LASTINTFROMIP, constant(0n)],
    [MSR.LASTINTTOIP, constant(0n)],
    [MSR.PAT, stored('PAT', (value) => everyByte(value, (byte) => byte === 7n || isMemoryType(byte)))],
    [MSR.MTRR_DEF_TYPE, stored('MTRR_DEF_TYPE', (value) => bits(0xcffn)(value) && isMemoryType(value & 0xffn))],
    // There are no supervisor components.
    [MSR.XSS, constant(0n, (value) => value === 0n)],
    [
      MSR.TSC_DEADLINE,
      {
        read: (cpu) => cpu.bus.localApic.tscDeadline(),
        write: (cpu, value) => {
          cpu.bus.localApic.setTscDeadline(value);
          return true;
        },
      },
    ],
    [MSR.EFER, { read: (cpu) => cpu.state.u64(EFER), write: writeEfer }],
    [MSR.STAR, stored('STAR')],
    [MSR.LSTAR, stored('LSTAR', isAddress)],
    [MSR.CSTAR, stored('CSTAR', isAddress)],
    [MSR.SFMASK, stored('SFMASK', bits(0xffff_ffffn))],
    [MSR.FS_BASE, segmentBaseRow(SEGMENT_INDEX.FS)],
    [MSR.GS_BASE, segmentBaseRow(SEGMENT_INDEX.GS)],
    [MSR.KERNEL_GS_BASE, stored('KERNEL_GS_BASE', isAddress)],
    [MSR.TSC_AUX, stored('TSC_AUX', bits(0xffff_ffffn))],
  ]);
  addMemoryTypeRanges(rows);
  addMachineCheckBanks(rows);
  addLocalApicRegisters(rows);
  return rows;
}

const FIXED_RANGES: readonly (readonly [number, StoredRegister])[] = [
  [MSR.MTRR_FIX64K_00000, 'MTRR_FIX64K_00000'],
  [MSR.MTRR_FIX16K_80000, 'MTRR_FIX16K_80000'],
  [MSR.MTRR_FIX16K_A0000, 'MTRR_FIX16K_A0000'],
  [MSR.MTRR_FIX4K_C0000, 'MTRR_FIX4K_C0000'],
  [MSR.MTRR_FIX4K_C0000 + 1, 'MTRR_FIX4K_C8000'],
  [MSR.MTRR_FIX4K_C0000 + 2, 'MTRR_FIX4K_D0000'],
  [MSR.MTRR_FIX4K_C0000 + 3, 'MTRR_FIX4K_D8000'],
  [MSR.MTRR_FIX4K_C0000 + 4, 'MTRR_FIX4K_E0000'],
  [MSR.MTRR_FIX4K_C0000 + 5, 'MTRR_FIX4K_E8000'],
  [MSR.MTRR_FIX4K_C0000 + 6, 'MTRR_FIX4K_F0000'],
  [MSR.MTRR_FIX4K_C0000 + 7, 'MTRR_FIX4K_F8000'],
];

function addMemoryTypeRanges(rows: Map<number, MsrRow>): void {
  for (const [number, name] of FIXED_RANGES) {
    rows.set(
      number,
      stored(name, (value) => everyByte(value, isMemoryType)),
    );
  }
  for (let index = 0; index < VARIABLE_MTRRS; index++) {
    const base = bits((PHYSICAL_MASK & ~0xfffn) | 0xffn);
    const mask = bits((PHYSICAL_MASK & ~0xfffn) | 0x800n);
    const acceptsBase = (value: bigint) => base(value) && isMemoryType(value & 0xffn);
    rows.set(MSR.MTRR_PHYSBASE0 + index * 2, stored(`MTRR_PHYSBASE${index}` as StoredRegister, acceptsBase));
    rows.set(MSR.MTRR_PHYSBASE0 + index * 2 + 1, stored(`MTRR_PHYSMASK${index}` as StoredRegister, mask));
  }
}

/** CTL takes all zeros or all ones, STATUS only 0; ADDR and MISC store (SDM vol. 3 §15.3.2). */
function addMachineCheckBanks(rows: Map<number, MsrRow>): void {
  const clearOnly: MsrRow = { read: () => 0n, write: (_cpu, value) => value === 0n };
  for (let bank = 0; bank < MACHINE_CHECK_BANKS; bank++) {
    const first = MSR.MC0_CTL + bank * 4;
    const allOrNone = (value: bigint) => value === 0n || value === ALL_ONES;
    rows.set(first, stored(`MC${bank}_CTL` as StoredRegister, allOrNone));
    rows.set(first + 1, clearOnly);
    rows.set(first + 2, stored(`MC${bank}_ADDR` as StoredRegister));
    rows.set(first + 3, stored(`MC${bank}_MISC` as StoredRegister));
  }
}

/** Only in x2APIC mode; otherwise #GP, as for registers that do not exist. */
function addLocalApicRegisters(rows: Map<number, MsrRow>): void {
  for (let register = 0; register < X2APIC_REGISTERS; register++) {
    rows.set(MSR.X2APIC + register, {
      read: (cpu) => {
        const value = inX2Mode(cpu) ? cpu.bus.localApic.readMsr(register) : undefined;
        return value ?? cpu.fault(13, 0);
      },
      write: (cpu, value) => inX2Mode(cpu) && cpu.bus.localApic.writeMsr(register, value),
    });
  }
}

const inX2Mode = (cpu: CpuContext): boolean => {
  const both = APIC_ENABLE | APIC_X2;
  return (cpu.bus.localApic.baseMsr() & both) === both;
};

/** Every MSR of this processor by number. */
export const MSR_TABLE: ReadonlyMap<number, MsrRow> = buildTable();
