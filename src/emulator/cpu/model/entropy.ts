import type { CpuState } from '../cpu-state.ts';
import { storedRegister } from '../stored-registers.ts';

/** Where RDRAND and RDSEED get their numbers: the same for the same run. */
export interface EntropySource {
  /** The next 64 bits. */
  next(state: CpuState): bigint;
}

const STATE = storedRegister('ENTROPY');
const STEP = 0x9e37_79b9_7f4a_7c15n;
const MASK = (1n << 64n) - 1n;

/** SplitMix64 over a counter in the processor's state, so that snapshots hold it and a reset starts it again. */
export class SeededEntropy implements EntropySource {
  readonly #seed: bigint;

  constructor(seed = 0x5133_5133_5133_5133n) {
    this.#seed = seed;
  }

  next(state: CpuState): bigint {
    const counter = (state.u64(STATE) + STEP) & MASK;
    state.setU64(STATE, counter);
    let mixed = counter ^ this.#seed;
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & MASK;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d0_49bb_1331_11ebn) & MASK;
    return mixed ^ (mixed >> 31n);
  }
}
