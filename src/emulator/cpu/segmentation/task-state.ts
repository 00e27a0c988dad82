import { VECTOR } from '../exceptions/vectors.ts';
import { isLongActive } from '../modes.ts';
import { SEGMENT_ATTRIBUTES, SEGMENT_INDEX } from '../state.ts';
import type { CpuContext } from '../system-context.ts';
import { isNullSelector, selectorErrorCode } from './descriptor.ts';

/** A stack that the TSS holds for an inner level. */
export interface TaskStack {
  readonly selector: number;
  readonly pointer: bigint;
}

/** The current TSS is a 32-bit one (types 9 and 11). */
export function isTaskState32(cpu: CpuContext): boolean {
  return (cpu.state.segmentAttributes(SEGMENT_INDEX.TR) & 0x8) !== 0;
}

/** SS:ESP (or SS:SP of a 16-bit TSS) for `privilege`; outside the TSS, or null, #TS. Protected mode. */
export function innerStack(cpu: CpuContext, privilege: number, ext = 0): TaskStack {
  const wide = isTaskState32(cpu);
  const offset = wide ? 4 + privilege * 8 : 2 + privilege * 4;
  const base = taskStateField(cpu, offset, wide ? 6 : 4, ext);
  const pointer = cpu.memory.read(base, wide ? 4 : 2, 'supervisor');
  const selector = cpu.memory.read(base + (wide ? 4n : 2n), 2, 'supervisor');
  if (isNullSelector(selector)) cpu.fault(VECTOR.TS, selectorErrorCode(selector, ext));
  return { selector, pointer: BigInt(pointer) };
}

/** RSP0–RSP2 of the 64-bit TSS. */
export function innerStack64(cpu: CpuContext, privilege: number, ext = 0): bigint {
  return cpu.memory.read64(taskStateField(cpu, 4 + privilege * 8, 8, ext), 'supervisor');
}

/** IST1–IST7 of the 64-bit TSS. */
export function interruptStack(cpu: CpuContext, index: number, ext = 0): bigint {
  return cpu.memory.read64(taskStateField(cpu, 0x1c + index * 8, 8, ext), 'supervisor');
}

/** Linear address of a field of the current TSS that must lie inside it, else #TS(TR). */
function taskStateField(cpu: CpuContext, offset: number, byteLength: number, ext: number): bigint {
  const { state } = cpu;
  if (offset + byteLength - 1 > state.segmentLimit(SEGMENT_INDEX.TR)) {
    cpu.fault(VECTOR.TS, selectorErrorCode(state.selector(SEGMENT_INDEX.TR), ext));
  }
  const linear = state.segmentBase(SEGMENT_INDEX.TR) + BigInt(offset);
  return BigInt.asUintN(isLongActive(state) ? 64 : 32, linear);
}

/**
 * The I/O permission bitmap of the current TSS allows all `size` ports from `port` (SDM vol. 1 §19.5.2). Two bytes are read always, so that
 * the last port needs a byte of ones behind the map.
 */
export function portsPermitted(cpu: CpuContext, port: number, size: number): boolean {
  const { state, memory } = cpu;
  const attributes = state.segmentAttributes(SEGMENT_INDEX.TR);
  const limit = state.segmentLimit(SEGMENT_INDEX.TR);
  const usable = (attributes & (SEGMENT_ATTRIBUTES.P | SEGMENT_ATTRIBUTES.NULL_SEGMENT)) === SEGMENT_ATTRIBUTES.P;
  if (!usable || !isTaskState32(cpu) || limit < 103) return false;
  const base = state.segmentBase(SEGMENT_INDEX.TR);
  const width = isLongActive(state) ? 64 : 32;
  const mapOffset = memory.read(BigInt.asUintN(width, base + 102n), 2, 'supervisor');
  const byteOffset = mapOffset + (port >>> 3);
  if (byteOffset + 1 > limit) return false;
  const bits = memory.read(BigInt.asUintN(width, base + BigInt(byteOffset)), 2, 'supervisor');
  const mask = ((1 << size) - 1) << (port & 7);
  return (bits & mask) === 0;
}
