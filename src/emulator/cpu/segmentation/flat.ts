/** Limit of a flat segment, whose base is 0: all 4 GiB. */
export const FLAT_LIMIT = 0xffff_ffff;

/**
 * The segments that operating systems run in, and that fast system calls load without looking: flat, present, accessed; code is read/execute,
 * data read/write. Attributes as the state keeps them, DPL 0.
 */
export const FLAT_SEGMENT = { CODE_64: 0xa09b, CODE_32: 0xc09b, DATA: 0xc093 } as const;

const DPL_SHIFT = 5;

/** Attributes of one of FLAT_SEGMENT with another DPL. */
export function flatAttributes(segment: number, dpl: number): number {
  return segment | (dpl << DPL_SHIFT);
}

/** Its descriptor, 8 bytes. */
export function flatDescriptor(segment: number, dpl: number): bigint {
  const high = (flatAttributes(segment, dpl) << 8) | 0xf_0000;
  return (BigInt(high) << 32n) | 0xffffn;
}
