import { DR7_BITS } from '../control-bits.ts';
import type { CpuState } from '../cpu-state.ts';
import { DR, DR6, DR7 } from '../state.ts';

const PAGE = 0x1000n;
const COUNT = 4;
/** Where a breakpoint's R/W and LEN stand in DR7, 4 bits each. */
const CONDITIONS_SHIFT = 16;
const CONDITION = { EXECUTE: 0, WRITE: 1, ACCESS: 3 } as const;
const LENGTHS = [1n, 2n, 8n, 4n] as const;

interface Watched {
  /** Its bit in DR6. */
  readonly bit: number;
  readonly first: bigint;
  readonly last: bigint;
  readonly writesOnly: boolean;
}

const inPageOf = (page: bigint, { first, last }: Watched): boolean => first < page + PAGE && page <= last;

/**
 * The enabled breakpoints of DR0–DR3 (SDM vol. 3 §17.2). They cost nothing but where they are: a page with a watched datum never enters the
 * TLB, code in a page with a watched instruction runs one instruction at a time.
 *
 * DEVIATION(spec): RF is neither kept nor needed: the instruction at which a breakpoint has hit runs when its handler returns to it. Accesses by
 * system instructions and by the delivery of events, and those of CR4.DE to ports, hit nothing.
 */
export class Breakpoints {
  readonly #state: CpuState;
  #instructions: readonly Watched[] = [];
  #data: readonly Watched[] = [];
  /** Bits for DR6 of traps that the current instruction leaves: data that it has touched, a task with the T bit. */
  #traps = 0;
  /** The instruction breakpoint that hit last: its address is let pass once. */
  #passed: bigint | undefined;

  constructor(state: CpuState) {
    this.#state = state;
  }

  /** Takes up DR0–DR3 and DR7; true when there are breakpoints, or were. */
  derive(): boolean {
    const had = this.#instructions.length + this.#data.length > 0;
    const state = this.#state;
    const control = state.u32(DR7);
    this.#passed = undefined;
    this.#traps = 0;
    if (!had && (control & DR7_BITS.ENABLES) === 0) return false;
    const all = Array.from({ length: COUNT }, (_, index) => {
      const conditions = (control >>> (CONDITIONS_SHIFT + index * 4)) & 15;
      const length = LENGTHS[conditions >>> 2];
      const first = state.u64(DR + index * 8) & -length;
      const condition = conditions & 3;
      return {
        bit: 1 << index,
        first,
        last: first + length - 1n,
        writesOnly: condition === CONDITION.WRITE,
        condition,
        isEnabled: ((control >>> (2 * index)) & 3) !== 0,
      };
    }).filter(({ isEnabled }) => isEnabled);
    this.#instructions = all.filter(({ condition }) => condition === CONDITION.EXECUTE);
    this.#data = all.filter(({ condition }) => condition === CONDITION.WRITE || condition === CONDITION.ACCESS);
    return true;
  }

  /** Data in this linear page are watched: accesses must be seen. Halves are 32-bit numbers of any sign. */
  watchesData(low: number, high: number): boolean {
    if (this.#data.length === 0) return false;
    const page = linear(low, high) & -PAGE;
    return this.#data.some((watched) => inPageOf(page, watched));
  }

  /** Instructions in this linear page are watched. */
  watchesCode(low: number, high: number): boolean {
    if (this.#instructions.length === 0) return false;
    const page = linear(low, high) & -PAGE;
    return this.#instructions.some((watched) => inPageOf(page, watched));
  }

  /** An instruction reads or writes these bytes; true when a breakpoint is hit, which is told after the instruction. */
  note(low: number, high: number, byteLength: number, write: boolean): boolean {
    if (this.#data.length === 0) return false;
    const first = linear(low, high);
    const last = first + BigInt(byteLength) - 1n;
    const bits = this.#data
      .filter((watched) => first <= watched.last && watched.first <= last && (write || !watched.writesOnly))
      .reduce((all, { bit }) => all | bit, 0);
    this.#traps |= bits;
    return bits !== 0;
  }

  /** The current instruction leaves a trap for another reason of DR6's. */
  trap(bits: number): void {
    this.#traps |= bits;
  }

  /** The instruction faulted, and will begin anew. */
  forget(): void {
    this.#traps = 0;
  }

  /** Puts what the last instruction left into DR6; true when it left anything, so that #DB is due. */
  takeTraps(): boolean {
    const bits = this.#traps;
    this.#traps = 0;
    return this.#raise(bits);
  }

  /** Puts a breakpoint at this instruction into DR6; true when #DB is due before it. */
  takeInstruction(low: number, high: number): boolean {
    const address = linear(low, high);
    const isPassed = this.#passed === address;
    this.#passed = undefined;
    if (isPassed) return false;
    const bits = this.#instructions.filter(({ first }) => first === address).reduce((all, { bit }) => all | bit, 0);
    if (bits !== 0) this.#passed = address;
    return this.#raise(bits);
  }

  #raise(bits: number): boolean {
    if (bits !== 0) this.#state.setU32(DR6, (this.#state.u32(DR6) | bits) >>> 0);
    return bits !== 0;
  }
}

function linear(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
