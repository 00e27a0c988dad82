import { COMFORTABLE, type Comfort, type Operand } from '../isa/float-watch.ts';
import type { F32, F64, I32, I64, V128 } from '../isa/semantics.ts';
import { LANE_TYPE, type LaneType } from '../simd/operations.ts';
import { MXCSR, MXCSR_FAST, ZERO_REGISTER } from '../state.ts';
import { f32, f64, i32, i64, v128 } from '../wasm/expr.ts';
import type { FunctionBuilder } from '../wasm/function-builder.ts';
import type { RegionVectors, Snapshot } from './region-vectors.ts';

/** Flush to zero: sums that underflow are not watched for. */
const MXCSR_FZ = 0x8000;
const MXCSR_SPAN = MXCSR_FAST.BITS | MXCSR_FZ;

/** SIMD opcodes on the dwords or quadwords that numbers are. */
interface Lanes {
  readonly shl: number;
  readonly add: number;
  /** Of numbers, and of integers. */
  readonly sub: number;
  readonly subtract: number;
  readonly ne: number;
  readonly bitmask: number;
  readonly splat: number;
  /** What turns bits shifted left by one into signed numbers that grow with the magnitude, zero the largest. */
  readonly bias: bigint;
  /** Top dword below which such a number belongs to what is too small. */
  readonly least: number;
}
const DOUBLES: Lanes = {
  shl: 0xcb,
  add: 0xce,
  sub: 0xf1,
  subtract: 0xd1,
  ne: 0x48,
  bitmask: 0xc4,
  splat: 0x12,
  bias: 0x7fff_ffff_ffff_ffffn,
  least: ((1023 - 510) << 21) ^ 0x8000_0000,
};
const SINGLES: Lanes = {
  shl: 0xab,
  add: 0xae,
  sub: 0xe5,
  subtract: 0xb1,
  ne: 0x42,
  bitmask: 0xa4,
  splat: 0x11,
  bias: 0x7fff_ffffn,
  least: ((127 - 62) << 24) ^ 0x8000_0000,
};
const DWORDS = { MIN_S: 0xb6, LT_S: 0x39, SPLAT: 0x11 } as const;

const ALL_ONES = v128.const(new Array(16).fill(0xff));

const isVector = (value: Operand): value is V128 => value.type === 'v128';
const lanesOf = (type: LaneType): Lanes => (type === LANE_TYPE.PD || type === LANE_TYPE.SD ? DOUBLES : SINGLES);
const isScalar = (type: LaneType): boolean => type === LANE_TYPE.SD || type === LANE_TYPE.SS;
const PACKED_OF: Partial<Readonly<Record<LaneType, LaneType>>> = {
  [LANE_TYPE.SD]: LANE_TYPE.PD,
  [LANE_TYPE.SS]: LANE_TYPE.PS,
};

/** A number in registers, and what will be known of it when the span has turned out well. */
interface Value {
  readonly comfort: Map<LaneType, Comfort>;
  /** Lanes that still have to be found finite. */
  open: LaneType | undefined;
}

/** Smallest magnitude, and what is not zero where a result was not finite. */
interface Watched {
  least: V128 | undefined;
  excess: V128 | undefined;
}

/** MXCSR lets spans be tried. */
export function allowsSpans(mxcsr: number): boolean {
  return (mxcsr & MXCSR_SPAN) === MXCSR_FAST.VALUE;
}

/**
 * A run of instructions whose numbers are looked at together (isa/float-watch.ts): integer instructions gather the smallest operand and what is not finite, one test
 * at the end asks for all. Where it fails, the vector registers go back to what they were and the interpreter does the run again, as it does whatever cannot go on
 * in its middle. So nothing but vector registers may change inside.
 */
export class FloatSpan {
  readonly #b: FunctionBuilder;
  readonly #vectors: RegionVectors;
  /** Micro-op that the run begins with; undefined: none is open. */
  #from: number | undefined;
  readonly #saved = new Map<number, Snapshot>();
  readonly #values = new Map<number, Value>();
  readonly #watched = new Map<LaneType, Watched>();
  /** Locals of the function that hold constants, so that V8 keeps them, and what MXCSR says. */
  readonly #biases = new Map<Lanes, V128>();
  readonly #leasts = new Map<Lanes, V128>();
  #isSlow: I32 | undefined;
  /** A double that waits for another one to be looked at with. */
  #odd: F64 | undefined;

  constructor(b: FunctionBuilder, vectors: RegionVectors) {
    this.#b = b;
    this.#vectors = vectors;
  }

  /** Where a run that cannot go on is to be left to; undefined: no run is open. */
  get from(): number | undefined {
    return this.#from;
  }

  /** The micro-op at `uop` belongs to a run. */
  open(uop: number): void {
    this.#from ??= uop;
  }

  needs(xmm: number, value: Operand, type: LaneType, comfort: Comfort): void {
    const known = this.#values.get(xmm);
    if (comfortOf(known, type) < comfort) {
      this.#watchLeast(value, type);
      if (xmm >= 0) this.#valueOf(xmm).comfort.set(type, COMFORTABLE);
    }
    // What is not finite shows in the result.
    if (known !== undefined && (known.open === type || PACKED_OF[known.open!] === type)) known.open = undefined;
  }

  comfortOf(xmm: number, type: LaneType): Comfort | 0 {
    return comfortOf(this.#values.get(xmm), type);
  }

  makes(xmm: number, type: LaneType, comfort: Comfort | 0): void {
    this.#values.set(xmm, { comfort: new Map(comfort === 0 ? [] : [[type, comfort]]), open: type });
  }

  needsLargeResult(xmm: number, value: Operand, type: LaneType): void {
    const vector = isVector(value) ? value : this.#inAllLanes(value);
    // Less by one than zero's place at the top: the lowest.
    const magnitude = v128.binary(lanesOf(type).subtract, this.#magnitude(vector, type), ALL_ONES);
    this.#watchMagnitude(magnitude, type);
    this.#valueOf(xmm).comfort.set(type, COMFORTABLE);
  }

  /** Register `xmm` is about to change. */
  beforeChange(xmm: number): void {
    if (this.#from === undefined) return;
    const value = this.#values.get(xmm);
    this.#values.delete(xmm);
    if (value?.open !== undefined && ![...this.#values.values()].includes(value)) this.#watchFinite(xmm, value);
    if (!this.#saved.has(xmm)) this.#saved.set(xmm, this.#vectors.snapshot(xmm));
  }

  /** Register `to` now holds what `from` does. */
  moved(to: number, from: number): void {
    if (this.#from !== undefined) this.#values.set(to, this.#valueOf(from));
  }

  /** Emits what takes the run back. */
  retreat(): void {
    for (const [xmm, old] of this.#saved) this.#vectors.restore(xmm, old);
  }

  /** Ends the run. `again` emits what does it in the interpreter, from micro-op `from` on. */
  settle(again: (from: number) => void): void {
    const from = this.#from;
    if (from === undefined) return;
    for (const [xmm, value] of this.#values) if (value.open !== undefined) this.#watchFinite(xmm, value);
    this.#watchOdd();
    const doubt = this.#doubt();
    this.#b.plainIf(
      doubt,
      () => {
        this.#vectors.mergeAll();
        this.retreat();
        again(from);
        this.#vectors.reloadLows();
      },
      undefined,
      'unlikely',
    );
    this.#from = undefined;
    this.#saved.clear();
    this.#values.clear();
    this.#watched.clear();
  }

  /** Constants, at the function's beginning. To be emitted late. */
  prepare(): void {
    // V8 makes constants anew at each use; what comes from memory it keeps.
    const zero: I64 = i64.load(i32.const(ZERO_REGISTER));
    for (const [lanes, local] of this.#biases) {
      const bias = i64.xor(zero, i64.const(lanes.bias));
      this.#b.set(local, v128.splat(lanes.splat, lanes === SINGLES ? i32.wrap(bias) : bias));
    }
    for (const [lanes, local] of this.#leasts)
      this.#b.set(local, v128.splat(DWORDS.SPLAT, i32.wrap(i64.xor(zero, i64.const(lanes.least)))));
  }

  /** What depends on MXCSR. To be emitted late, wherever that may have changed. */
  load(): void {
    if (this.#isSlow === undefined) return;
    const bits = i32.and(i32.load(i32.const(MXCSR)), i32.const(MXCSR_SPAN));
    this.#b.set(this.#isSlow, i32.ne(bits, i32.const(MXCSR_FAST.VALUE)));
  }

  /** Not zero: what was watched, or MXCSR, is not as it has to be. */
  #doubt(): I32 {
    this.#isSlow ??= this.#b.permanentLocal('i32');
    let doubt = this.#isSlow;
    for (const [type, { least, excess }] of this.#watched) {
      const lanes = lanesOf(type);
      const tests: V128[] = [];
      if (least !== undefined) tests.push(v128.binary(DWORDS.LT_S, least, this.#constant(this.#leasts, lanes)));
      if (excess !== undefined) tests.push(v128.binary(lanes.ne, excess, excess));
      const failed = v128.test(
        lanes.bitmask,
        tests.reduce((left, right) => v128.or(left, right)),
      );
      doubt = i32.or(isScalar(type) ? i32.and(failed, i32.const(1)) : failed, doubt);
    }
    return doubt;
  }

  #valueOf(xmm: number): Value {
    let value = this.#values.get(xmm);
    if (value === undefined) {
      value = { comfort: new Map(), open: undefined };
      this.#values.set(xmm, value);
    }
    return value;
  }

  #watch(type: LaneType): Watched {
    let watched = this.#watched.get(type);
    if (watched === undefined) {
      watched = { least: undefined, excess: undefined };
      this.#watched.set(type, watched);
    }
    return watched;
  }

  /** Doubles are looked at in pairs. */
  #watchLeast(value: Operand, type: LaneType): void {
    if (isVector(value)) this.#watchMagnitude(this.#magnitude(value, type), type);
    else if (value.type === 'f32') this.#watchMagnitude(this.#magnitude(this.#inAllLanes(value), type), type);
    else if (this.#odd === undefined) this.#odd = this.#b.let(value as F64);
    else {
      const pair = v128.replace(0x22, this.#inAllLanes(this.#odd), 1, value);
      this.#odd = undefined;
      this.#watchMagnitude(this.#magnitude(pair, LANE_TYPE.PD), LANE_TYPE.PD);
    }
  }

  #watchOdd(): void {
    if (this.#odd === undefined) return;
    this.#watchMagnitude(this.#magnitude(this.#inAllLanes(this.#odd), LANE_TYPE.PD), LANE_TYPE.PD);
    this.#odd = undefined;
  }

  #inAllLanes(value: F32 | F64): V128 {
    return v128.splat(value.type === 'f32' ? 0x13 : 0x14, value);
  }

  /** Numbers by magnitude, zero the largest. */
  #magnitude(value: V128, type: LaneType): V128 {
    const lanes = lanesOf(type);
    const shifted = v128.shift(lanes.shl, value, i32.const(1));
    return v128.binary(lanes.add, shifted, this.#constant(this.#biases, lanes));
  }

  #watchMagnitude(magnitude: V128, type: LaneType): void {
    const watched = this.#watch(type);
    if (watched.least === undefined) watched.least = this.#b.let(magnitude);
    else this.#b.set(watched.least, v128.binary(DWORDS.MIN_S, watched.least, magnitude));
  }

  #watchFinite(xmm: number, value: Value): void {
    const type = value.open!;
    value.open = undefined;
    const difference = this.#difference(xmm, type);
    const watched = this.#watch(type);
    if (watched.excess === undefined) watched.excess = this.#b.let(difference);
    else this.#b.set(watched.excess, v128.or(watched.excess, difference));
  }

  /** A register less itself: zero, unless there is a number that is not finite. */
  #difference(xmm: number, type: LaneType): V128 {
    if (isScalar(type)) {
      const low = this.#vectors.low(xmm, type === LANE_TYPE.SD ? 'f64' : 'f32');
      return this.#inAllLanes(low.type === 'f64' ? f64.sub(low as F64, low as F64) : f32.sub(low as F32, low as F32));
    }
    const number = this.#vectors.get(xmm);
    return v128.binary(lanesOf(type).sub, number, number);
  }

  /** The local of the function that holds a constant of `lanes`. */
  #constant(locals: Map<Lanes, V128>, lanes: Lanes): V128 {
    let local = locals.get(lanes);
    if (local === undefined) {
      local = this.#b.permanentLocal('v128');
      locals.set(lanes, local);
    }
    return local;
  }
}

function comfortOf(value: Value | undefined, type: LaneType): Comfort | 0 {
  const packed = PACKED_OF[type];
  const own = value?.comfort.get(type) ?? 0;
  const all = (packed === undefined ? undefined : value?.comfort.get(packed)) ?? 0;
  return Math.max(own, all) as Comfort | 0;
}
