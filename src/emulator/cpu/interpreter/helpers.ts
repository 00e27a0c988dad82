import type { CpuState } from '../cpu-state.ts';
import type { HelperName } from '../isa/helper-signatures.ts';
import { SimdFloatHelper } from '../simd/float-helper.ts';

/** The TypeScript side of HELPER_PARAMETERS. */
export function bindHelpers(state: CpuState): Readonly<Record<HelperName, (...parameters: number[]) => number>> {
  const simdFloat = new SimdFloatHelper(state);
  return {
    simdFloat: (operation, destination, source, immediate) => simdFloat.run(operation, destination, source, immediate),
  };
}
