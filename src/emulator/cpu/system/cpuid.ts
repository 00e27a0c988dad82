import { CR4_BITS, PHYSICAL_ADDRESS_BITS } from '../control-bits.ts';
import { type CpuModel, DEFAULT_CPU_MODEL } from '../model/cpu-model.ts';
import { CPU_FEATURES } from '../model/features.ts';
import { CR4, REGISTER, XCR0 } from '../state.ts';
import type { CpuContext } from '../system-context.ts';
import { withTopology } from './cpuid-topology.ts';
import { compactedBytes, EXTENDED_COMPONENTS, standardBytes, supportedComponents } from './xsave-components.ts';

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

/** Leaf 8000_0007h EDX. */
const INVARIANT_TSC = 1 << 8;

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

/** What does not change while the guest runs, without the feature bits. Subleaves under `leaf.subleaf`. */
const FIXED_LEAVES: Readonly<Record<string, CpuidLeaf>> = {
  '0.0': [0x16, text32(VENDOR, 0), text32(VENDOR, 2), text32(VENDOR, 1)],
  // EBX: CLFLUSH line 64 bytes. How many processors there are, here and in leaves 4 and 0Bh, is cpuid-topology.ts's matter.
  '1.0': [PROCESSOR_SIGNATURE, 0x0001_0800, 0, 0],
  // One descriptor byte ffh: caches are in leaf 4.
  '2.0': [0x0000_ff01, 0, 0, 0],
  // 32 KiB L1 data, 32 KiB L1 code, 512 KiB L2: 8 ways of 64-byte lines.
  '4.0': [0x0000_0121, 0x01c0_003f, 63, 1],
  '4.1': [0x0000_0122, 0x01c0_003f, 63, 1],
  '4.2': [0x0000_0143, 0x01c0_003f, 1023, 1],
  // The APIC timer runs in every idle state.
  '6.0': [0x4, 0, 0, 0],
  '7.0': [0, 0, 0, 0],
  '11.0': [0, 1, 0x0000_0100, 0],
  '11.1': [0, 1, 0x0000_0201, 0],
  // TSC = crystal × 1 / 1.
  '21.0': [1, 1, TSC_HZ, 0],
  // Base, maximum and bus frequency, MHz.
  '22.0': [1000, 1000, 100, 0],
  '2147483648.0': [0x8000_0008, 0, 0, 0],
  '2147483649.0': [0, 0, 0, 0],
  '2147483650.0': brandLeaf(0),
  '2147483651.0': brandLeaf(1),
  '2147483652.0': brandLeaf(2),
  // L2: 512 KiB, 8 ways, 64-byte lines.
  '2147483654.0': [0, 0, 0x0200_6040, 0],
  '2147483655.0': [0, 0, 0, INVARIANT_TSC],
  '2147483656.0': [0x3000 | PHYSICAL_ADDRESS_BITS, 0, 0, 0],
};

/** Leaf 0Dh (SDM vol. 1 §13.2): what XCR0 may hold, and where XSAVE puts it. */
function xsaveLeaves(model: CpuModel): Readonly<Record<string, CpuidLeaf>> {
  if (!model.features.has('xsave')) return {};
  const supported = supportedComponents(model);
  const present = EXTENDED_COMPONENTS.filter(({ bit }) => (supported & bit) !== 0);
  return {
    // EBX: with all of it in XCR0; `identify` knows better.
    '13.0': [supported, standardBytes(supported), standardBytes(supported), 0],
    '13.1': [0, 0, 0, 0],
    ...Object.fromEntries(
      present.map(({ number, byteLength, offset }) => [`13.${number}`, [byteLength, offset, 0, 0] as CpuidLeaf]),
    ),
  };
}

const REGISTERS = ['eax', 'ebx', 'ecx', 'edx'] as const;
/** Leaves that answer the same at every subleaf. */
const HAS_SUBLEAVES = new Set([4, 7, 11, 13]);

/** All leaves of a model, feature bits set. */
function leavesOf(model: CpuModel): Readonly<Record<string, CpuidLeaf>> {
  const leaves: Record<string, CpuidLeaf> = { ...FIXED_LEAVES, ...xsaveLeaves(model) };
  if (model.features.has('la57')) leaves['2147483656.0'] = [0x3900 | PHYSICAL_ADDRESS_BITS, 0, 0, 0];
  for (const feature of model.features) {
    const { leaf, subleaf, register, bit } = CPU_FEATURES[feature];
    const index = REGISTERS.indexOf(register);
    const key = `${leaf}.${subleaf}`;
    const answer = [...(leaves[key] ?? ABSENT)] as [number, number, number, number];
    answer[index] = (answer[index] | (1 << bit)) >>> 0;
    leaves[key] = answer;
  }
  return leaves;
}

const LEAVES = new WeakMap<CpuModel, Readonly<Record<string, CpuidLeaf>>>();

function leaves(model: CpuModel): Readonly<Record<string, CpuidLeaf>> {
  let found = LEAVES.get(model);
  if (found === undefined) {
    found = leavesOf(model);
    LEAVES.set(model, found);
  }
  return found;
}

const ABSENT: CpuidLeaf = [0, 0, 0, 0];
const OSXSAVE = 1 << 27;
const OSPKE = 1 << 4;
const APIC = 1 << CPU_FEATURES.apic.bit;

/** The answer for EAX = `leaf`, ECX = `subleaf`; `apicEnabled` shows in leaf 1. A leaf above the highest basic one answers as that one. */
export function cpuidLeaf(
  leaf: number,
  subleaf: number,
  apicEnabled: boolean,
  model: CpuModel = DEFAULT_CPU_MODEL,
): CpuidLeaf {
  const all = leaves(model);
  const isBasic = leaf < 0x4000_0000;
  const highestBasic = all['0.0'][0];
  const outOfRange = isBasic ? leaf > highestBasic : leaf > all['2147483648.0'][0] || leaf < 0x8000_0000;
  const effective = outOfRange ? highestBasic : leaf;
  const answer = all[`${effective}.${HAS_SUBLEAVES.has(effective) ? subleaf : 0}`] ?? ABSENT;
  if (effective === 1 && !apicEnabled) return [answer[0], answer[1], answer[2], answer[3] & ~APIC];
  // Leaf 0Bh answers ECX 7:0 as it was asked, even past its last level.
  if (effective === 0x0b && answer === ABSENT) return [0, 0, subleaf & 0xff, 0];
  return answer;
}

/** Leaf 0Dh EBX: the bytes that XCR0 as it stands asks for, in the standard and in the compacted format. */
function areaBytes({ state, model }: CpuContext, subleaf: number, otherwise: number): number {
  const components = state.u32(XCR0);
  if (subleaf === 0) return standardBytes(components);
  return subleaf === 1 && model.features.has('xsavec') ? compactedBytes(components) : otherwise;
}

/** OSXSAVE and OSPKE: bits of ECX that show what the operating system has switched on. */
function enabledByCr4(cr4: number, leaf: number, subleaf: number): number {
  if (leaf === 1) return (cr4 & CR4_BITS.OSXSAVE) !== 0 ? OSXSAVE : 0;
  return leaf === 7 && subleaf === 0 && (cr4 & CR4_BITS.PKE) !== 0 ? OSPKE : 0;
}

/** CPUID: serves every privilege level and mode. */
export function identify(cpu: CpuContext): void {
  const { state } = cpu;
  const apicEnabled = (cpu.bus.localApic.baseMsr() & 0x800n) !== 0n;
  const leaf = state.gpr32(REGISTER.RAX);
  const subleaf = state.gpr32(REGISTER.RCX);
  const single = cpuidLeaf(leaf, subleaf, apicEnabled, cpu.model);
  const [eax, ebx, ecx, edx] = withTopology(leaf, subleaf, single, cpu.topology, cpu.apicId);
  state.setGpr32(REGISTER.RAX, eax);
  state.setGpr32(REGISTER.RBX, leaf === 13 && cpu.model.features.has('xsave') ? areaBytes(cpu, subleaf, ebx) : ebx);
  state.setGpr32(REGISTER.RCX, (ecx | enabledByCr4(state.u32(CR4), leaf, subleaf)) >>> 0);
  state.setGpr32(REGISTER.RDX, edx);
}
