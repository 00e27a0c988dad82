import type { CpuState } from '../cpu-state.ts';
import type { HelperName } from '../isa/helper-signatures.ts';
import { crc32c } from '../simd/crc32.ts';
import { SimdFloatHelper } from '../simd/float-helper.ts';
import { VectorHelper } from '../simd/vector-helper.ts';

/** The TypeScript side of HELPER_PARAMETERS. */
export function bindHelpers(state: CpuState): Readonly<Record<HelperName, (...parameters: number[]) => number>> {
  const simdFloat = new SimdFloatHelper(state);
  const vector = new VectorHelper(state);
  return {
    // Addresses beyond 2 GiB arrive as negative numbers.
    simdFloat: (operation, destination, source, immediate) =>
      simdFloat.run(operation, destination >>> 0, source >>> 0, immediate),
    simdFused: (control, destination, x, y, z) =>
      simdFloat.runFused(control, destination >>> 0, x >>> 0, y >>> 0, z >>> 0),
    vector: (operation, destination, source, immediate) =>
      vector.run(operation, destination >>> 0, source >>> 0, immediate),
    crc32: crc32c,
  };
}
