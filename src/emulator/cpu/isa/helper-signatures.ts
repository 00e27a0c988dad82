/**
 * TypeScript functions that semantics may call by name: i32 parameters, an i32 result. 64-bit values travel through state memory. The
 * engine binds them when it builds the interpreter.
 */
export const HELPER_PARAMETERS = {
  /** Operation, addresses of destination and source, immediate; 1: a fault was recorded. See simd/operations.ts. */
  simdFloat: 4,
  /** Control, addresses of the destination and of x, y, z in x × y + z; 1: a fault was recorded. See simd/float-helper.ts. */
  simdFused: 5,
  /** Operation, addresses of destination and source, immediate. See simd/vector-operations.ts. */
  vector: 4,
  /** CRC-32C: the sum so far, data, bytes of it (1–4). */
  crc32: 3,
} as const satisfies Readonly<Record<string, number>>;

export type HelperName = keyof typeof HELPER_PARAMETERS;
