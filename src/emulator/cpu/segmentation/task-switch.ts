import { CR0_BITS, DR6_BITS } from '../control-bits.ts';
import { VECTOR } from '../exceptions/vectors.ts';
import { isVirtual8086 } from '../modes.ts';
import { CPL, CR0, RFLAGS, SEGMENT_INDEX } from '../state.ts';
import { loadCr3ForTask } from '../system/control-registers.ts';
import type { CpuContext } from '../system-context.ts';
import { checkCodeOffset, isInvalidLongCode } from './code-segment.ts';
import {
  type Descriptor,
  descriptorBase,
  descriptorDpl,
  descriptorLimit,
  isCode,
  isConforming,
  isNullSelector,
  isPresent,
  isSystem,
  markAccessed,
  readDescriptor,
  SYSTEM_TYPE,
  selectorErrorCode,
  setSegmentFrom,
  systemType,
  TSS_BUSY,
} from './descriptor.ts';
import { checkStackSegment, loadDataSegment, loadRealSegment, setNullSegment } from './load-segment.ts';

/** What causes the switch: it decides about BUSY, NT and the back link (SDM vol. 3 table 7-2). */
export type TaskSwitchKind = 'jump' | 'call' | 'interrupt' | 'iret';

/** Offsets in a TSS (SDM vol. 3 figures 7-2 and 7-10) and the last byte that must lie inside. */
interface TaskLayout {
  readonly size: 2 | 4;
  readonly instructionPointer: number;
  readonly flags: number;
  /** AX CX DX BX SP BP SI DI. */
  readonly registers: number;
  /** ES CS SS DS (FS GS). */
  readonly segments: number;
  readonly segmentCount: number;
  readonly ldt: number;
  readonly minimumLimit: number;
}

const LAYOUT_32: TaskLayout = {
  size: 4,
  instructionPointer: 0x20,
  flags: 0x24,
  registers: 0x28,
  segments: 0x48,
  segmentCount: 6,
  ldt: 0x60,
  minimumLimit: 0x67,
};
const LAYOUT_16: TaskLayout = {
  size: 2,
  instructionPointer: 0x0e,
  flags: 0x10,
  registers: 0x12,
  segments: 0x22,
  segmentCount: 4,
  ldt: 0x2a,
  minimumLimit: 0x2b,
};
const CR3_OFFSET = 0x1c;
/** Its bit 0 is T: #DB in the new task. */
const TRAP_OFFSET = 0x64;

/** A TSS on its way in. */
interface IncomingTask {
  readonly cr3: number | undefined;
  readonly instructionPointer: number;
  readonly flags: number;
  readonly registers: readonly number[];
  /** In the order of the segment registers; a 16-bit TSS leaves FS and GS null. */
  readonly selectors: readonly number[];
  readonly ldt: number;
  readonly trap: boolean;
}

/**
 * Switches to the task of the TSS that `selector` names. `returnAddress` is what the old task goes on with (default NEXT_RIP). Checks on the TSS
 * itself fault in the old task; faults on the new task's segments belong to the new one: RIP is then already its own.
 */
export function switchTask(
  cpu: CpuContext,
  selector: number,
  kind: TaskSwitchKind,
  options: { ext?: number; returnAddress?: bigint } = {},
): void {
  const { state } = cpu;
  const ext = options.ext ?? 0;
  const descriptor = readTaskDescriptor(cpu, selector, kind, ext);
  const layout = layoutOf(systemType(descriptor));
  if (descriptorLimit(descriptor) < layout.minimumLimit) cpu.fault(VECTOR.TS, selectorErrorCode(selector, ext));
  const base = descriptorBase(descriptor);
  const incoming = readTask(cpu, base, layout);
  saveTask(cpu, kind, options.returnAddress ?? state.nextRip);
  const oldSelector = state.selector(SEGMENT_INDEX.TR);
  if (kind === 'jump' || kind === 'iret') setBusy(cpu, readDescriptor(cpu, oldSelector), false);
  const nests = kind === 'call' || kind === 'interrupt';
  if (nests) cpu.memory.write(base, 2, oldSelector, 'supervisor');
  if (kind !== 'iret') setBusy(cpu, descriptor, true);

  // From here on it is the new task.
  const busy: Descriptor = { ...descriptor, high: descriptor.high | TSS_BUSY };
  setSegmentFrom(cpu, SEGMENT_INDEX.TR, selector, busy);
  state.setU32(CR0, (state.u32(CR0) | CR0_BITS.TS) >>> 0);
  if (incoming.cr3 !== undefined) loadCr3ForTask(cpu, incoming.cr3);
  state.setRflags(incoming.flags | (nests ? RFLAGS.NT : 0) | 2);
  for (let index = 0; index < 8; index++) state.setGpr(index, BigInt(incoming.registers[index]));
  state.rip = BigInt(incoming.instructionPointer);
  state.nextRip = state.rip;
  loadTaskSegments(cpu, incoming, ext);
  if (incoming.trap) cpu.debugTrap(DR6_BITS.BT);
}

function readTaskDescriptor(cpu: CpuContext, selector: number, kind: TaskSwitchKind, ext: number): Descriptor {
  const vector = kind === 'iret' ? VECTOR.TS : VECTOR.GP;
  const errorCode = selectorErrorCode(selector, ext);
  if (isNullSelector(selector) || (selector & 4) !== 0) cpu.fault(vector, errorCode);
  const descriptor = readDescriptor(cpu, selector, vector, ext);
  const type = systemType(descriptor);
  const wanted: readonly number[] =
    kind === 'iret' ? [SYSTEM_TYPE.TSS_16_BUSY, SYSTEM_TYPE.TSS_32_BUSY] : [SYSTEM_TYPE.TSS_16, SYSTEM_TYPE.TSS_32];
  if (!isSystem(descriptor) || !wanted.includes(type)) cpu.fault(vector, errorCode);
  if (!isPresent(descriptor)) cpu.fault(VECTOR.NP, errorCode);
  return descriptor;
}

const layoutOf = (type: number): TaskLayout => ((type & 8) !== 0 ? LAYOUT_32 : LAYOUT_16);

function setBusy(cpu: CpuContext, descriptor: Descriptor, busy: boolean): void {
  const byte = (descriptor.high >>> 8) & 0xff;
  cpu.memory.write(descriptor.address + 5n, 1, busy ? byte | 2 : byte & ~2, 'supervisor');
}

function readTask(cpu: CpuContext, base: bigint, layout: TaskLayout): IncomingTask {
  const field = (offset: number, size: 2 | 4) =>
    cpu.memory.read(BigInt.asUintN(32, base + BigInt(offset)), size, 'supervisor');
  const registers: number[] = [];
  for (let index = 0; index < 8; index++) {
    const value = field(layout.registers + index * layout.size, layout.size);
    registers.push(layout.size === 4 ? value : (0xffff_0000 | value) >>> 0);
  }
  const selectors: number[] = [];
  for (let index = 0; index < 6; index++) {
    selectors.push(index < layout.segmentCount ? field(layout.segments + index * layout.size, 2) : 0);
  }
  const paging = (cpu.state.u32(CR0) & CR0_BITS.PG) !== 0;
  return {
    cr3: layout.size === 4 && paging ? field(CR3_OFFSET, 4) : undefined,
    instructionPointer: field(layout.instructionPointer, layout.size),
    flags: field(layout.flags, layout.size),
    registers,
    selectors,
    ldt: field(layout.ldt, 2),
    trap: layout.size === 4 && (field(TRAP_OFFSET, 2) & 1) !== 0,
  };
}

/** Writes the running task into the current TSS. */
function saveTask(cpu: CpuContext, kind: TaskSwitchKind, returnAddress: bigint): void {
  const { state } = cpu;
  const layout = layoutOf(state.segmentAttributes(SEGMENT_INDEX.TR) & 0xf);
  const base = state.segmentBase(SEGMENT_INDEX.TR);
  const put = (offset: number, size: 2 | 4, value: number) =>
    cpu.memory.write(BigInt.asUintN(32, base + BigInt(offset)), size, value, 'supervisor');
  put(layout.instructionPointer, layout.size, Number(returnAddress & 0xffff_ffffn));
  const flags = state.rflags();
  put(layout.flags, layout.size, kind === 'iret' ? flags & ~RFLAGS.NT : flags);
  for (let index = 0; index < 8; index++) {
    put(layout.registers + index * layout.size, layout.size, state.gpr32(index));
  }
  for (let index = 0; index < layout.segmentCount; index++) {
    put(layout.segments + index * layout.size, 2, state.selector(index));
  }
}

function loadTaskSegments(cpu: CpuContext, task: IncomingTask, ext: number): void {
  const { state } = cpu;
  const { selectors } = task;
  // Until its descriptor is loaded a segment is unusable under its new selector.
  for (let segment = 0; segment < 6; segment++) setNullSegment(cpu, segment, selectors[segment]);
  loadTaskLdt(cpu, task.ldt, ext);
  if (isVirtual8086(state)) {
    for (let segment = 0; segment < 6; segment++) loadRealSegment(cpu, segment, selectors[segment]);
    cpu.modesChanged();
    return;
  }
  state.setU32(CPL, selectors[SEGMENT_INDEX.CS] & 3);
  cpu.modesChanged();
  const code = checkTaskCode(cpu, selectors[SEGMENT_INDEX.CS], ext);
  setSegmentFrom(cpu, SEGMENT_INDEX.CS, selectors[SEGMENT_INDEX.CS], markAccessed(cpu, code));
  const stackSelector = selectors[SEGMENT_INDEX.SS];
  if (isNullSelector(stackSelector)) cpu.fault(VECTOR.TS, selectorErrorCode(stackSelector, ext));
  const stack = checkStackSegment(cpu, stackSelector, state.u32(CPL), VECTOR.TS, ext);
  setSegmentFrom(cpu, SEGMENT_INDEX.SS, stackSelector, stack);
  for (const segment of [SEGMENT_INDEX.DS, SEGMENT_INDEX.ES, SEGMENT_INDEX.FS, SEGMENT_INDEX.GS]) {
    loadDataSegment(cpu, segment, selectors[segment], VECTOR.TS, ext);
  }
  cpu.modesChanged();
  checkCodeOffset(cpu, code, state.nextRip, ext);
}

function loadTaskLdt(cpu: CpuContext, selector: number, ext: number): void {
  setNullSegment(cpu, SEGMENT_INDEX.LDTR, selector);
  if (isNullSelector(selector)) return;
  const errorCode = selectorErrorCode(selector, ext);
  if ((selector & 4) !== 0) cpu.fault(VECTOR.TS, errorCode);
  const descriptor = readDescriptor(cpu, selector, VECTOR.TS, ext);
  if (!isSystem(descriptor) || systemType(descriptor) !== SYSTEM_TYPE.LDT || !isPresent(descriptor)) {
    cpu.fault(VECTOR.TS, errorCode);
  }
  setSegmentFrom(cpu, SEGMENT_INDEX.LDTR, selector, descriptor);
}

function checkTaskCode(cpu: CpuContext, selector: number, ext: number): Descriptor {
  const errorCode = selectorErrorCode(selector, ext);
  if (isNullSelector(selector)) cpu.fault(VECTOR.TS, errorCode);
  const code = readDescriptor(cpu, selector, VECTOR.TS, ext);
  if (!isCode(code) || isInvalidLongCode(cpu, code)) cpu.fault(VECTOR.TS, errorCode);
  const rpl = selector & 3;
  const dpl = descriptorDpl(code);
  if (isConforming(code) ? dpl > rpl : dpl !== rpl) cpu.fault(VECTOR.TS, errorCode);
  if (!isPresent(code)) cpu.fault(VECTOR.NP, errorCode);
  return code;
}
