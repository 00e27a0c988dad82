import type { CpuState } from '../cpu-state.ts';
import type { HelperName } from '../isa/helper-signatures.ts';
import { SimdFloatHelper } from '../simd/float-helper.ts';

/** The TypeScript side of HELPER_PARAMETERS. */
export function bindHelpers(state: CpuState): Readonly<Record<HelperName, (...parameters: number[]) => number>> {
  const simdFloat = new SimdFloatHelper(state);
  return {
    // Addresses beyond 2 GiB arrive as negative numbers.
    simdFloat: (operation, destination, source, immediate) =>
      simdFloat.run(operation, destination >>> 0, source >>> 0, immediate),
  };
}
