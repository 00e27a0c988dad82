import type { CpuState } from '../cpu-state.ts';
import type { HelperName } from '../isa/helper-signatures.ts';

/** The TypeScript side of HELPER_PARAMETERS. */
export function bindHelpers(_state: CpuState): Readonly<Record<HelperName, (...parameters: number[]) => number>> {
  return {};
}
