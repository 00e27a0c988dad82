import { CR0_BITS, CR4_BITS, EFER_BITS, PHYSICAL_ADDRESS_BITS } from '../control-bits.ts';
import { VECTOR } from '../exceptions/vectors.ts';
import { isCanonical } from '../mmu/canonical.ts';
import { readPhysical32 } from '../mmu/physical.ts';
import { isCode64, isLongActive } from '../modes.ts';
import { CR0, CR2, CR3, CR4, EFER, SEGMENT_INDEX } from '../state.ts';
import { PDPTE_REGISTERS } from '../stored-registers.ts';
import type { CpuContext, DecodedOperands } from '../system-context.ts';
import { requireSupervisor, requireUserInstructionAllowed } from './privilege.ts';

const CR0_DEFINED = Object.values(CR0_BITS).reduce((mask, bit) => (mask | bit) >>> 0, 0);
/** CR4 bits of the features that CPUID announces; the others are reserved. */
const CR4_DEFINED =
  CR4_BITS.TSD |
  CR4_BITS.DE |
  CR4_BITS.PSE |
  CR4_BITS.PAE |
  CR4_BITS.MCE |
  CR4_BITS.PGE |
  CR4_BITS.PCE |
  CR4_BITS.OSFXSR |
  CR4_BITS.OSXMMEXCPT |
  CR4_BITS.UMIP |
  CR4_BITS.SMEP |
  CR4_BITS.SMAP;

/** CR4 bits that only some models have. */
function definedCr4(cpu: CpuContext): number {
  const { features } = cpu.model;
  let defined = CR4_DEFINED;
  if (features.has('fsgsbase')) defined |= CR4_BITS.FSGSBASE;
  if (features.has('pcid')) defined |= CR4_BITS.PCIDE;
  if (features.has('xsave')) defined |= CR4_BITS.OSXSAVE;
  if (features.has('pku')) defined |= CR4_BITS.PKE;
  if (features.has('la57')) defined |= CR4_BITS.LA57;
  return defined;
}

const EFER_DEFINED = BigInt(EFER_BITS.SCE | EFER_BITS.LME | EFER_BITS.LMA | EFER_BITS.NXE);
/** A change of these drops all translations, global ones too. */
const CR4_TRANSLATION =
  CR4_BITS.PSE | CR4_BITS.PAE | CR4_BITS.PGE | CR4_BITS.SMEP | CR4_BITS.SMAP | CR4_BITS.PKE | CR4_BITS.LA57;
const KEEP_TRANSLATIONS = 1n << 63n;
const CR0_TRANSLATION = (CR0_BITS.PG | CR0_BITS.WP | CR0_BITS.PE) >>> 0;
/** Bits of a PDPTE that must be 0: 2:1 and 8:5, and everything above the physical address. */
const PDPTE_RESERVED_LOW = 0x1e6;
const PDPTE_RESERVED_HIGH = ~((1 << (PHYSICAL_ADDRESS_BITS - 32)) - 1);

/** MOV r, CRn (0F 20): register operands whatever ModRM.mod says. */
export function moveFromControlRegister(cpu: CpuContext, operands: DecodedOperands): void {
  requireSupervisor(cpu);
  const { state } = cpu;
  const value = readControlRegister(cpu, operands.reg);
  if (isCode64(state)) state.setGpr(operands.rm, value);
  else state.setGpr32(operands.rm, Number(value & 0xffff_ffffn));
}

function readControlRegister(cpu: CpuContext, register: number): bigint {
  const { state } = cpu;
  switch (register) {
    case 0:
      return state.u64(CR0);
    case 2:
      return state.u64(CR2);
    case 3:
      return state.u64(CR3);
    case 4:
      return state.u64(CR4);
    case 8:
      return BigInt(cpu.bus.localApic.taskPriorityClass());
    default:
      return cpu.fault(VECTOR.UD);
  }
}

/** MOV CRn, r (0F 22). */
export function moveToControlRegister(cpu: CpuContext, operands: DecodedOperands): void {
  requireSupervisor(cpu);
  const { state } = cpu;
  const value = isCode64(state) ? state.gpr(operands.rm) : BigInt(state.gpr32(operands.rm));
  switch (operands.reg) {
    case 0:
      if (value >> 32n !== 0n) cpu.fault(VECTOR.GP, 0);
      writeCr0(cpu, Number(value));
      break;
    case 2:
      state.setU64(CR2, value);
      break;
    case 3:
      writeCr3(cpu, value);
      break;
    case 4:
      if (value >> 32n !== 0n) cpu.fault(VECTOR.GP, 0);
      writeCr4(cpu, Number(value));
      break;
    case 8:
      if (value > 15n) cpu.fault(VECTOR.GP, 0);
      cpu.bus.localApic.setTaskPriorityClass(Number(value));
      break;
    default:
      cpu.fault(VECTOR.UD);
  }
}

/** Writes CR0 with all its rules (SDM vol. 3 §2.5, §9.8.5): enters and leaves long mode, loads PDPTEs. */
function writeCr0(cpu: CpuContext, wanted: number): void {
  const { state } = cpu;
  const old = state.u32(CR0);
  const value = ((wanted & CR0_DEFINED) | CR0_BITS.ET) >>> 0;
  const has = (bit: number) => (value & bit) !== 0;
  if (has(CR0_BITS.PG) && !has(CR0_BITS.PE)) cpu.fault(VECTOR.GP, 0);
  if (has(CR0_BITS.NW) && !has(CR0_BITS.CD)) cpu.fault(VECTOR.GP, 0);
  const efer = state.u32(EFER);
  const pagingStarts = has(CR0_BITS.PG) && (old & CR0_BITS.PG) === 0;
  const pagingEnds = !has(CR0_BITS.PG) && (old & CR0_BITS.PG) !== 0;
  let newEfer = efer;
  // Leaving paging with identifiers on is refused.
  if (pagingEnds && (state.u32(CR4) & CR4_BITS.PCIDE) !== 0) cpu.fault(VECTOR.GP, 0);
  if (pagingStarts && (efer & EFER_BITS.LME) !== 0) {
    const wrongCode = (state.segmentAttributes(SEGMENT_INDEX.CS) & 0x2000) !== 0;
    const wrongTask = (state.segmentAttributes(SEGMENT_INDEX.TR) & 0x1_0008) === 0;
    if ((state.u32(CR4) & CR4_BITS.PAE) === 0 || wrongCode || wrongTask) cpu.fault(VECTOR.GP, 0);
    newEfer = efer | EFER_BITS.LMA;
  } else if (pagingEnds && isLongActive(state)) {
    if (isCode64(state)) cpu.fault(VECTOR.GP, 0);
    newEfer = efer & ~EFER_BITS.LMA;
  }
  const cachingChanged = ((old ^ value) & (CR0_BITS.CD | CR0_BITS.NW | CR0_BITS.PG)) !== 0;
  const pae = (state.u32(CR4) & CR4_BITS.PAE) !== 0 && (newEfer & EFER_BITS.LMA) === 0;
  if (cachingChanged && pae && has(CR0_BITS.PG)) loadPdptes(cpu, state.u64(CR3));
  state.setU32(EFER, newEfer);
  state.setU32(CR0, value);
  if (((old ^ value) & CR0_TRANSLATION) !== 0) cpu.flushTranslations({ global: true });
  cpu.modesChanged();
}

function writeCr3(cpu: CpuContext, value: bigint): void {
  const { state } = cpu;
  let wanted = value;
  if (isLongActive(state)) {
    // Bit 63 asks to keep the translations of the identifier; dropping them all the same is allowed (SDM vol. 3 §4.10.4.1).
    if ((state.u32(CR4) & CR4_BITS.PCIDE) !== 0) wanted &= ~KEEP_TRANSLATIONS;
    if (wanted >> BigInt(PHYSICAL_ADDRESS_BITS) !== 0n) cpu.fault(VECTOR.GP, 0);
  } else if (usesPdptes(cpu)) loadPdptes(cpu, wanted);
  state.setU64(CR3, wanted);
  cpu.flushTranslations({ global: false });
}

/** CR3 out of a TSS: the PDPTEs are loaded, faults there are #GP(0) of the new task. */
export function loadCr3ForTask(cpu: CpuContext, value: number): void {
  writeCr3(cpu, BigInt(value));
}

function writeCr4(cpu: CpuContext, value: number): void {
  const { state } = cpu;
  const old = state.u32(CR4);
  if ((value & ~definedCr4(cpu)) !== 0) cpu.fault(VECTOR.GP, 0);
  // SDM vol. 3 §4.10.1: process-context identifiers begin in long mode, with identifier 0.
  const startsPcid = (value & ~old & CR4_BITS.PCIDE) !== 0;
  if (startsPcid && (!isLongActive(state) || (state.u32(CR3) & 0xfff) !== 0)) cpu.fault(VECTOR.GP, 0);
  if (isLongActive(state) && (value & CR4_BITS.PAE) === 0) cpu.fault(VECTOR.GP, 0);
  const changed = old ^ value;
  if (isLongActive(state) && (changed & CR4_BITS.LA57) !== 0) cpu.fault(VECTOR.GP, 0);
  const paging = (state.u32(CR0) & CR0_BITS.PG) !== 0;
  const reload = CR4_BITS.PAE | CR4_BITS.PSE | CR4_BITS.PGE | CR4_BITS.SMEP;
  if (paging && !isLongActive(state) && (value & CR4_BITS.PAE) !== 0 && (changed & reload) !== 0) {
    loadPdptes(cpu, state.u64(CR3));
  }
  state.setU32(CR4, value);
  if ((changed & CR4_TRANSLATION) !== 0) cpu.flushTranslations({ global: true });
  cpu.modesChanged();
}

function usesPdptes(cpu: CpuContext): boolean {
  const { state } = cpu;
  const paging = (state.u32(CR0) & CR0_BITS.PG) !== 0;
  return paging && !isLongActive(state) && (state.u32(CR4) & CR4_BITS.PAE) !== 0;
}

/** Loads the four page-directory-pointer entries; #GP(0) when a present one has a reserved bit (SDM vol. 3 §4.4.1). */
function loadPdptes(cpu: CpuContext, cr3: bigint): void {
  const table = Number(cr3 & 0xffff_ffe0n);
  const entries: number[] = [];
  for (let index = 0; index < 4; index++) {
    const low = readPhysical32(cpu, table + index * 8);
    const high = readPhysical32(cpu, table + index * 8 + 4);
    const reserved = (low & PDPTE_RESERVED_LOW) !== 0 || (high & PDPTE_RESERVED_HIGH) !== 0;
    if ((low & 1) !== 0 && reserved) cpu.fault(VECTOR.GP, 0);
    entries.push(low, high);
  }
  entries.forEach((entry, index) => {
    cpu.state.setU32(PDPTE_REGISTERS + index * 4, entry);
  });
}

/** LMSW: the low four bits of CR0; PE can be set, never cleared. */
export function loadMachineStatusWord(cpu: CpuContext, operands: DecodedOperands): void {
  requireSupervisor(cpu);
  const value = Number(operands.readRm(2)) & 0xf;
  const old = cpu.state.u32(CR0);
  writeCr0(cpu, ((old & ~0xe) | value) >>> 0);
}

/** SMSW: 16 bits to memory, the whole of CR0 to a wider register. */
export function storeMachineStatusWord(cpu: CpuContext, operands: DecodedOperands): void {
  requireUserInstructionAllowed(cpu);
  const size = operands.isMemory ? 2 : operands.operandSize;
  operands.writeRm(size, BigInt.asUintN(size * 8, cpu.state.u64(CR0)));
}

export function clearTaskSwitched(cpu: CpuContext): void {
  requireSupervisor(cpu);
  cpu.state.setU32(CR0, (cpu.state.u32(CR0) & ~CR0_BITS.TS) >>> 0);
  cpu.modesChanged();
}

/** INVLPG: drops the page at the operand's address, whose segment is not checked; non-canonical: nothing. */
export function invalidatePage(cpu: CpuContext, operands: DecodedOperands): void {
  requireSupervisor(cpu);
  const { state } = cpu;
  const code64 = isCode64(state);
  const hasBase = !code64 || operands.segment >= SEGMENT_INDEX.FS;
  const base = hasBase ? state.segmentBase(operands.segment) : 0n;
  const linear = BigInt.asUintN(code64 ? 64 : 32, base + operands.effectiveAddress);
  cpu.flushTranslations({ linear, global: true });
}

/**
 * INVPCID (SDM vol. 2): the descriptor holds an identifier and a linear address. All kinds drop more than they must, which is allowed.
 */
export function invalidateByIdentifier(cpu: CpuContext, operands: DecodedOperands): void {
  requireSupervisor(cpu);
  const { state, memory } = cpu;
  const kind = isCode64(state) ? state.gpr(operands.reg) : BigInt(state.gpr32(operands.reg));
  const at = operands.linear();
  const identifier = memory.read64(at);
  const linear = memory.read64(BigInt.asUintN(64, at + 8n));
  if (kind > 3n) cpu.fault(VECTOR.GP, 0);
  if (kind < 2n) {
    if (identifier >> 12n !== 0n) cpu.fault(VECTOR.GP, 0);
    const usesIdentifiers = (state.u32(CR4) & CR4_BITS.PCIDE) !== 0;
    if (!usesIdentifiers && identifier !== 0n) cpu.fault(VECTOR.GP, 0);
  }
  if (kind === 0n && !isCanonical(state, linear)) cpu.fault(VECTOR.GP, 0);
  cpu.flushTranslations({ global: kind === 2n });
}

/** IA32_EFER: LME cannot change under paging, LMA is the processor's. False: #GP. */
export function writeEfer(cpu: CpuContext, value: bigint): boolean {
  const { state } = cpu;
  if ((value & ~EFER_DEFINED) !== 0n) return false;
  const old = state.u32(EFER);
  const wanted = (Number(value) & ~EFER_BITS.LMA) | (old & EFER_BITS.LMA);
  const paging = (state.u32(CR0) & CR0_BITS.PG) !== 0;
  if (paging && ((old ^ wanted) & EFER_BITS.LME) !== 0) return false;
  state.setU64(EFER, BigInt(wanted));
  if (((old ^ wanted) & EFER_BITS.NXE) !== 0) cpu.flushTranslations({ global: true });
  return true;
}

/** INVD and WBINVD: there are no caches. */
export function invalidateCaches(cpu: CpuContext): void {
  requireSupervisor(cpu);
}

/** Not announced, or undefined on purpose. */
export function undefinedInstruction(cpu: CpuContext): void {
  cpu.fault(VECTOR.UD);
}
