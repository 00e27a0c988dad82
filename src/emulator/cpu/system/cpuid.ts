import { CR4_BITS, PHYSICAL_ADDRESS_BITS } from '../control-bits.ts';
import { CR4, REGISTER } from '../state.ts';
import type { CpuContext } from '../system-context.ts';

/** TSC and core crystal, Hz: one instruction is one nanosecond of virtual time. */
export const TSC_HZ = 1_000_000_000;

/** EAX EBX ECX EDX of one leaf. */
export type CpuidLeaf = readonly [number, number, number, number];

const VENDOR = 'GenuineIntel';
/** 48 characters at most; the trailing frequency is what guests show when they measure nothing. */
const BRAND = 'Q35 reference processor @ 1.00GHz';

/**
 * Family 6, model 36h, stepping 8: an in-order core. Guests know that such cores do not speculate, which is true here, so they switch on no
 * mitigations; and no microcode update exists for this stepping.
 */
export const PROCESSOR_SIGNATURE = 0x0003_0668;

/** Leaf 1 ECX. */
const FEATURES_1_ECX = {
  CMPXCHG16B: 1 << 13,
  X2APIC: 1 << 21,
  TSC_DEADLINE: 1 << 24,
} as const;

/** Leaf 1 EDX. */
const FEATURES_1_EDX = {
  FPU: 1 << 0,
  DE: 1 << 2,
  PSE: 1 << 3,
  TSC: 1 << 4,
  MSR: 1 << 5,
  PAE: 1 << 6,
  MCE: 1 << 7,
  CMPXCHG8B: 1 << 8,
  APIC: 1 << 9,
  SEP: 1 << 11,
  MTRR: 1 << 12,
  PGE: 1 << 13,
  MCA: 1 << 14,
  CMOV: 1 << 15,
  PAT: 1 << 16,
  PSE36: 1 << 17,
  CLFLUSH: 1 << 19,
  MMX: 1 << 23,
  FXSR: 1 << 24,
  SSE: 1 << 25,
  SSE2: 1 << 26,
} as const;

/** Leaf 7.0 EBX and ECX. */
const FEATURES_7_EBX = { TSC_ADJUST: 1 << 1, SMEP: 1 << 7, SMAP: 1 << 20 } as const;
const FEATURES_7_ECX = { UMIP: 1 << 2 } as const;
/** SERIALIZE spares Linux an IRET to itself at each code patch, of which a boot has tens of thousands. */
const FEATURES_7_EDX = { SERIALIZE: 1 << 14 } as const;

/** Leaf 8000_0001h. */
const FEATURES_EXT_ECX = { LAHF: 1 << 0 } as const;
const FEATURES_EXT_EDX = { SYSCALL: 1 << 11, NX: 1 << 20, RDTSCP: 1 << 27, LM: 1 << 29 } as const;

/** Leaf 8000_0007h EDX. */
const INVARIANT_TSC = 1 << 8;

const sum = (features: Readonly<Record<string, number>>): number =>
  Object.values(features).reduce((mask, bit) => (mask | bit) >>> 0, 0);

function text32(text: string, index: number): number {
  let value = 0;
  for (let byte = 3; byte >= 0; byte--) {
    value = ((value << 8) | (text.padEnd(48, '\0').charCodeAt(index * 4 + byte) & 0xff)) >>> 0;
  }
  return value;
}

function brandLeaf(part: number): CpuidLeaf {
  const word = (index: number) => text32(BRAND, part * 4 + index);
  return [word(0), word(1), word(2), word(3)];
}

/** What does not change while the guest runs. Subleaves under `leaf.subleaf` where a leaf has several. */
export const CPUID_LEAVES: Readonly<Record<string, CpuidLeaf>> = {
  '0': [0x16, text32(VENDOR, 0), text32(VENDOR, 2), text32(VENDOR, 1)],
  // EBX: CLFLUSH line 64 bytes, one logical processor, initial APIC id 0.
  '1': [PROCESSOR_SIGNATURE, 0x0001_0800, sum(FEATURES_1_ECX), sum(FEATURES_1_EDX)],
  // One descriptor byte ffh: caches are in leaf 4.
  '2': [0x0000_ff01, 0, 0, 0],
  // 32 KiB L1 data, 32 KiB L1 code, 512 KiB L2: 8 ways of 64-byte lines.
  '4.0': [0x0000_0121, 0x01c0_003f, 63, 1],
  '4.1': [0x0000_0122, 0x01c0_003f, 63, 1],
  '4.2': [0x0000_0143, 0x01c0_003f, 1023, 1],
  // The APIC timer runs in every idle state.
  '6': [0x4, 0, 0, 0],
  '7.0': [0, sum(FEATURES_7_EBX), sum(FEATURES_7_ECX), sum(FEATURES_7_EDX)],
  // x2APIC topology: one thread a core, one core.
  '11.0': [0, 1, 0x0000_0100, 0],
  '11.1': [0, 1, 0x0000_0201, 0],
  // TSC = crystal × 1 / 1.
  '21': [1, 1, TSC_HZ, 0],
  // Base, maximum and bus frequency, MHz.
  '22': [1000, 1000, 100, 0],
  '2147483648': [0x8000_0008, 0, 0, 0],
  '2147483649': [0, 0, sum(FEATURES_EXT_ECX), sum(FEATURES_EXT_EDX)],
  '2147483650': brandLeaf(0),
  '2147483651': brandLeaf(1),
  '2147483652': brandLeaf(2),
  // L2: 512 KiB, 8 ways, 64-byte lines.
  '2147483654': [0, 0, 0x0200_6040, 0],
  '2147483655': [0, 0, 0, INVARIANT_TSC],
  '2147483656': [0x3000 | PHYSICAL_ADDRESS_BITS, 0, 0, 0],
};

const ABSENT: CpuidLeaf = [0, 0, 0, 0];
const OSXSAVE = 1 << 27;
const APIC = FEATURES_1_EDX.APIC;

/** The answer for EAX = `leaf`, ECX = `subleaf`; `apicEnabled` shows in leaf 1. A leaf above the highest basic one answers as that one. */
export function cpuidLeaf(leaf: number, subleaf: number, apicEnabled: boolean): CpuidLeaf {
  const isBasic = leaf < 0x4000_0000;
  const highestBasic = CPUID_LEAVES['0'][0];
  const outOfRange = isBasic ? leaf > highestBasic : leaf > CPUID_LEAVES['2147483648'][0] || leaf < 0x8000_0000;
  const effective = outOfRange ? highestBasic : leaf;
  const answer = CPUID_LEAVES[`${effective}`] ?? CPUID_LEAVES[`${effective}.${subleaf}`] ?? ABSENT;
  if (effective === 1 && !apicEnabled) return [answer[0], answer[1], answer[2], answer[3] & ~APIC];
  // Leaf 0Bh answers ECX 7:0 as it was asked, even past its last level.
  if (effective === 0x0b && answer === ABSENT) return [0, 0, subleaf & 0xff, 0];
  return answer;
}

/** CPUID: serves every privilege level and mode. */
export function identify(cpu: CpuContext): void {
  const { state } = cpu;
  const apicEnabled = (cpu.bus.localApic.baseMsr() & 0x800n) !== 0n;
  const leaf = state.gpr32(REGISTER.RAX);
  const [eax, ebx, ecx, edx] = cpuidLeaf(leaf, state.gpr32(REGISTER.RCX), apicEnabled);
  state.setGpr32(REGISTER.RAX, eax);
  state.setGpr32(REGISTER.RBX, ebx);
  const osxsave = leaf === 1 && (state.u32(CR4) & CR4_BITS.OSXSAVE) !== 0;
  state.setGpr32(REGISTER.RCX, osxsave ? ecx | OSXSAVE : ecx);
  state.setGpr32(REGISTER.RDX, edx);
}
