/**
 * TypeScript functions that semantics may call by name: i32 parameters, an i32 result. 64-bit values travel through state memory. The
 * engine binds them when it builds the interpreter.
 */
export const HELPER_PARAMETERS = {
  /** Operation, addresses of destination and source, immediate; 1: a fault was recorded. See simd/operations.ts. */
  simdFloat: 4,
} as const satisfies Readonly<Record<string, number>>;

export type HelperName = keyof typeof HELPER_PARAMETERS;
