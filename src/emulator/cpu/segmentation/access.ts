import { VECTOR } from '../exceptions/vectors.ts';
import { isCanonical } from '../mmu/canonical.ts';
import { isCode64, isLongActive } from '../modes.ts';
import { SEGMENT_ATTRIBUTES, SEGMENT_INDEX } from '../state.ts';
import type { CpuContext } from '../system-context.ts';

/** True when [offset, offset + byteLength) lies inside a segment with these bounds. */
export function insideSegment(attributes: number, limit: number, offset: number, byteLength: number): boolean {
  const last = offset + byteLength - 1;
  const expandsDown = (attributes & 0x1c) === 0x14;
  if (!expandsDown) return last <= limit;
  const top = (attributes & SEGMENT_ATTRIBUTES.DB) !== 0 ? 0xffff_ffff : 0xffff;
  return offset > limit && last <= top;
}

/**
 * Linear address of `byteLength` bytes at `offset` in `segment`, after the segment's checks: #SS(0) for SS, else #GP(0). In 64-bit code only FS
 * and GS have a base, and nothing has a limit; the canonical check is made here.
 */
export function segmentLinear(
  cpu: CpuContext,
  segment: number,
  offset: bigint,
  byteLength: number,
  write: boolean,
): bigint {
  const { state } = cpu;
  const vector = segment === SEGMENT_INDEX.SS ? VECTOR.SS : VECTOR.GP;
  if (isCode64(state)) {
    const base = segment >= SEGMENT_INDEX.FS ? state.segmentBase(segment) : 0n;
    const linear = BigInt.asUintN(64, base + offset);
    if (!isCanonical(state, linear) || !isCanonical(state, linear + BigInt(byteLength - 1))) cpu.fault(vector, 0);
    return linear;
  }
  const attributes = state.segmentAttributes(segment);
  if ((attributes & SEGMENT_ATTRIBUTES.NULL_SEGMENT) !== 0) cpu.fault(vector, 0);
  const isCodeSegment = (attributes & 0x18) === 0x18;
  const allowed = write ? !isCodeSegment && (attributes & 2) !== 0 : !isCodeSegment || (attributes & 2) !== 0;
  if (!allowed) cpu.fault(vector, 0);
  if (!insideSegment(attributes, state.segmentLimit(segment), Number(offset), byteLength)) cpu.fault(vector, 0);
  return BigInt.asUintN(32, state.segmentBase(segment) + offset);
}

/** A linear address that system structures use: 32 bits outside long mode. */
export function systemLinear(cpu: CpuContext, linear: bigint): bigint {
  return BigInt.asUintN(isLongActive(cpu.state) ? 64 : 32, linear);
}
