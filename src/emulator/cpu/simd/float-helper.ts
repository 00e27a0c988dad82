import { CR4_BITS } from '../control-bits.ts';
import type { CpuState } from '../cpu-state.ts';
import { add, compare, divide, multiply, squareRoot } from '../softfloat/arithmetic.ts';
import { convertFloat, fromInteger, roundToIntegral, toInteger } from '../softfloat/convert.ts';
import { FloatUnit } from '../softfloat/float-unit.ts';
import {
  BINARY16,
  BINARY32,
  BINARY64,
  FLOAT_FLAG,
  type FloatFormat,
  KIND,
  ROUNDING,
  type Rounding,
} from '../softfloat/format.ts';
import { fusedMultiplyAdd } from '../softfloat/fused.ts';
import { Operand } from '../softfloat/operand.ts';
import { COMPARISON, CR4, FAULT_ERROR_CODE, FAULT_VECTOR, MXCSR } from '../state.ts';
import { ARITHMETIC, CONVERSION_BASE, CONVERSION_LIST, type Conversion, WIDE_OPERATION } from './operations.ts';

const { IE, DE, ZE } = FLOAT_FLAG;
const PRECOMPUTATION = IE | DE | ZE;
const DAZ = 0x40;
const FTZ = 0x8000;
const SIMD_EXCEPTION = 19;
const UNDEFINED_OPCODE = 6;
const NO_ERROR_CODE = 0xffff_ffff;
/** Comparison predicates 0–15 that signal for a QNaN: LT LE NLT NLE, NGE NGT GE GT (SDM vol. 2, CMPPD table 3-1). */
const SIGNALLING = 0b0110_0110_0110_0110;
/** Predicates 0–15 by outcome: bit 0 below, 1 equal, 2 above, 3 unordered. EQ LT LE UNORD NEQ NLT NLE ORD EQ_UQ NGE NGT FALSE NEQ_OQ GE GT TRUE. */
const PREDICATES = [2, 1, 3, 8, 13, 14, 12, 7, 10, 9, 11, 0, 5, 6, 4, 15];

/**
 * SSE and SSE2 floating point with every flag and rounding: what generated code calls when its fast path does not apply. Addresses are
 * offsets in Wasm memory.
 */
export class SimdFloatHelper {
  readonly #state: CpuState;
  readonly #view: DataView;
  readonly #unit = new FloatUnit({ x87: false });
  /** The result before it is known that nothing traps. */
  readonly #result = new DataView(new ArrayBuffer(32));
  readonly #scratch = new Operand();
  /** Flags of all lanes, before and after computation. */
  #before = 0;
  #after = 0;

  constructor(state: CpuState) {
    this.#state = state;
    this.#view = state.view;
  }

  /** Runs an operation of operations.ts; 1 when #XM (or #UD without CR4.OSXMMEXCPT) was recorded and nothing written. */
  run(operation: number, destination: number, source: number, immediate: number): number {
    this.#begin();
    const wide = (operation & WIDE_OPERATION) !== 0;
    const number = operation & ~WIDE_OPERATION;
    if (number >= CONVERSION_BASE) {
      return this.#convert(CONVERSION_LIST[number - CONVERSION_BASE], destination, source, wide, immediate);
    }
    const kind = number >> 2;
    const type = number & 3;
    if (kind === ARITHMETIC.COMI || kind === ARITHMETIC.UCOMI)
      return this.#compareToFlags(kind === ARITHMETIC.UCOMI, type, destination, source);
    const bytes = (type & 1) !== 0 ? 8 : 4;
    const byteLength = type < 2 ? (wide ? 32 : 16) : bytes;
    if (kind === ARITHMETIC.DP) return this.#dotProducts(bytes, byteLength, destination, source, immediate);
    for (let offset = 0; offset < byteLength; offset += bytes) {
      this.#lane(kind, bytes, destination + offset, source + offset, offset, immediate);
      this.#collect();
    }
    return this.#finish(destination, byteLength, false);
  }

  /**
   * Fused multiply-add: x × y + z by lanes into `destination`, all by address. `control`: bits 1:0 LANE_TYPE, bit 2 negates the product,
   * bit 3 the addend, bit 4 every even lane's addend as well; bit 5: 32 bytes.
   */
  runFused(control: number, destination: number, x: number, y: number, z: number): number {
    this.#begin();
    const type = control & 3;
    const bytes = (type & 1) !== 0 ? 8 : 4;
    const byteLength = type < 2 ? ((control & 32) !== 0 ? 32 : 16) : bytes;
    const format = bytes === 4 ? BINARY32 : BINARY64;
    const { a, b } = this.#unit;
    const c = this.#scratch;
    for (let offset = 0; offset < byteLength; offset += bytes) {
      this.#unit.flags = 0;
      this.#load(a, bytes, x + offset);
      this.#load(b, bytes, y + offset);
      this.#load(c, bytes, z + offset);
      const even = ((offset / bytes) & 1) === 0;
      const negateProduct = (control & 4) !== 0;
      const negateAddend = ((control & 8) !== 0) !== (even && (control & 16) !== 0);
      fusedMultiplyAdd(this.#unit, format, { a, b, c, negateProduct, negateAddend });
      this.#store(offset, bytes);
      this.#collect();
    }
    return this.#finish(destination, byteLength, false);
  }

  #begin(): void {
    const mxcsr = this.#state.u32(MXCSR);
    const unit = this.#unit;
    unit.rounding = ((mxcsr >>> 13) & 3) as Rounding;
    unit.masks = (mxcsr >>> 7) & 0x3f;
    unit.denormalsAreZero = (mxcsr & DAZ) !== 0;
    unit.flushToZero = (mxcsr & FTZ) !== 0;
    this.#before = 0;
    this.#after = 0;
  }

  /** DPPS, DPPD: products by the immediate's high bits, summed in pairs, copied by its low bits. An exception of the products comes first. */
  #dotProducts(bytes: 4 | 8, byteLength: number, destination: number, source: number, immediate: number): number {
    const halves = byteLength === 32 ? [0, 16] : [0];
    this.#products(bytes, byteLength, destination, source, immediate);
    // Each step goes over both halves before its exceptions count.
    const steps =
      bytes === 4
        ? [
            [0, 1, 0, 2, 3, 1],
            [0, 1, 0],
          ]
        : [[0, 1, 0]];
    for (const step of steps) {
      if (this.#traps()) return this.#finish(destination, byteLength, false);
      this.#keepFlags();
      for (const half of halves) {
        for (let at = 0; at < step.length; at += 3) {
          this.#addResults(bytes, half + step[at] * bytes, half + step[at + 1] * bytes, half + step[at + 2] * bytes);
        }
      }
    }
    for (const half of halves) {
      const sum = bytes === 4 ? BigInt(this.#result.getUint32(half, true)) : this.#result.getBigUint64(half, true);
      for (let lane = 0; lane < 16 / bytes; lane++) {
        const value = ((immediate >> lane) & 1) === 0 ? 0n : sum;
        if (bytes === 4) this.#result.setUint32(half + lane * 4, Number(value), true);
        else this.#result.setBigUint64(half + lane * 8, value, true);
      }
    }
    return this.#finish(destination, byteLength, false);
  }

  #products(bytes: 4 | 8, byteLength: number, destination: number, source: number, immediate: number): void {
    const unit = this.#unit;
    const format = bytes === 4 ? BINARY32 : BINARY64;
    for (let offset = 0; offset < byteLength; offset += bytes) {
      const lane = (offset & 15) / bytes;
      unit.flags = 0;
      if (((immediate >> (4 + lane)) & 1) === 0) unit.setZero(format, 0);
      else {
        this.#load(unit.a, bytes, destination + offset);
        this.#load(unit.b, bytes, source + offset);
        multiply(unit, format, unit.a, unit.b);
        this.#collect();
      }
      this.#store(offset, bytes);
    }
  }

  /** Adds two elements of the result. */
  #addResults(bytes: 4 | 8, left: number, right: number, to: number): void {
    const unit = this.#unit;
    unit.flags = 0;
    this.#loadResult(unit.a, bytes, left);
    this.#loadResult(unit.b, bytes, right);
    add(unit, bytes === 4 ? BINARY32 : BINARY64, unit.a, unit.b);
    this.#collect();
    this.#store(to, bytes);
  }

  #traps(): boolean {
    return ((this.#before | this.#after) & ~this.#unit.masks) !== 0;
  }

  /** A step that did not trap has set its flags, whatever the next one does. */
  #keepFlags(): void {
    this.#state.setU32(MXCSR, this.#state.u32(MXCSR) | this.#before | this.#after);
    this.#before = 0;
    this.#after = 0;
  }

  #loadResult(operand: Operand, bytes: 4 | 8, offset: number): void {
    const daz = this.#unit.denormalsAreZero;
    if (bytes === 4) operand.fromF32(this.#result.getUint32(offset, true), daz);
    else operand.fromF64(this.#result.getBigUint64(offset, true), daz);
  }

  /** Takes the lane's flags. */
  #collect(): void {
    const { flags } = this.#unit;
    this.#before |= flags & PRECOMPUTATION;
    this.#after |= flags & ~PRECOMPUTATION;
  }

  /** Sets MXCSR's flags; writes the result unless one of them traps. */
  #finish(destination: number, byteLength: number, clearsUpper: boolean): number {
    if (this.#raise()) return 1;
    for (let offset = 0; offset < byteLength; offset += 4) {
      this.#view.setUint32(destination + offset, this.#result.getUint32(offset, true), true);
    }
    if (clearsUpper) this.#view.setBigUint64(destination + 8, 0n, true);
    return 0;
  }

  /** True when an exception is not masked (SDM vol. 1 §11.5.2): later flags are not set when an operand's exception traps. */
  #raise(): boolean {
    const { masks } = this.#unit;
    const early = (this.#before & ~masks) !== 0;
    const flags = early ? this.#before : this.#before | this.#after;
    const state = this.#state;
    state.setU32(MXCSR, state.u32(MXCSR) | flags);
    if ((flags & ~masks) === 0) return false;
    state.setU32(FAULT_VECTOR, (state.u32(CR4) & CR4_BITS.OSXMMEXCPT) !== 0 ? SIMD_EXCEPTION : UNDEFINED_OPCODE);
    state.setU32(FAULT_ERROR_CODE, NO_ERROR_CODE);
    return true;
  }

  #load(operand: Operand, bytes: number, address: number): void {
    if (bytes === 4) operand.fromF32(this.#view.getUint32(address, true), this.#unit.denormalsAreZero);
    else operand.fromF64(this.#view.getBigUint64(address, true), this.#unit.denormalsAreZero);
  }

  #store(offset: number, bytes: number): void {
    if (bytes === 4) this.#result.setUint32(offset, this.#unit.f32, true);
    else this.#result.setBigUint64(offset, this.#unit.f64, true);
  }

  /** HADD, HSUB: neighbours of the destination, then of the source, in each 16 bytes. */
  #loadNeighbours(bytes: number, destination: number, source: number, offset: number): void {
    const { a, b } = this.#unit;
    const within = offset & 15;
    const base = (within < 8 ? destination : source) - within + (within & 7) * 2;
    this.#load(a, bytes, base);
    this.#load(b, bytes, base + bytes);
  }

  #round(format: FloatFormat, immediate: number): void {
    const unit = this.#unit;
    const own = unit.rounding;
    if ((immediate & 4) === 0) unit.rounding = (immediate & 3) as Rounding;
    // A denormal raises nothing here.
    unit.b.denormal = false;
    roundToIntegral(unit, format, unit.b, this.#scratch);
    if ((immediate & 8) !== 0) unit.flags &= ~FLOAT_FLAG.PE;
    unit.rounding = own;
  }

  #lane(kind: number, bytes: number, destination: number, source: number, offset: number, immediate: number): void {
    const unit = this.#unit;
    const { a, b } = unit;
    const format = bytes === 4 ? BINARY32 : BINARY64;
    unit.flags = 0;
    this.#load(b, bytes, source);
    if (kind === ARITHMETIC.RCP || kind === ARITHMETIC.RSQRT) {
      this.#result.setUint32(offset, approximate(kind === ARITHMETIC.RSQRT, this.#view.getUint32(source, true)), true);
      return;
    }
    this.#load(a, bytes, destination);
    switch (kind) {
      case ARITHMETIC.ADD:
        add(unit, format, a, b);
        break;
      case ARITHMETIC.SUB:
        add(unit, format, a, b, true);
        break;
      case ARITHMETIC.MUL:
        multiply(unit, format, a, b);
        break;
      case ARITHMETIC.DIV:
        divide(unit, format, a, b);
        break;
      case ARITHMETIC.SQRT:
        squareRoot(unit, format, b);
        break;
      case ARITHMETIC.HADD:
      case ARITHMETIC.HSUB:
        this.#loadNeighbours(bytes, destination, source, offset);
        add(unit, format, a, b, kind === ARITHMETIC.HSUB);
        break;
      case ARITHMETIC.ADDSUB:
        add(unit, format, a, b, ((offset / bytes) & 1) === 0);
        break;
      case ARITHMETIC.ROUND:
        this.#round(format, immediate);
        break;
      case ARITHMETIC.CMP:
        this.#compareLane(bytes, offset, immediate & 31);
        return;
      default:
        this.#select(bytes, destination, source, offset, kind === ARITHMETIC.MAX);
        return;
    }
    this.#store(offset, bytes);
  }

  /** MIN, MAX: the bits of the source unless the destination is truly below (above) it; any NaN is invalid. */
  #select(bytes: number, destination: number, source: number, offset: number, isMax: boolean): void {
    const { a, b } = this.#unit;
    const outcome = compare(this.#unit, a, b, false);
    const first = outcome === (isMax ? 1 : -1);
    const address = first ? destination : source;
    const chosen = first ? a : b;
    for (let part = 0; part < bytes; part += 4) {
      // A denormal that counts as 0 comes out as 0.
      const isTop = part === bytes - 4;
      const zero = isTop ? (chosen.sign << 31) >>> 0 : 0;
      const bits = chosen.kind === KIND.ZERO ? zero : this.#view.getUint32(address + part, true);
      this.#result.setUint32(offset + part, bits, true);
    }
  }

  #compareLane(bytes: number, offset: number, predicate: number): void {
    const unit = this.#unit;
    // Predicates 16–31 are 0–15 with the other answer to quiet NaNs.
    const quiet = (((SIGNALLING >> (predicate & 15)) & 1) === 0) === predicate < 16;
    const outcome = compare(unit, unit.a, unit.b, quiet);
    const mask = (PREDICATES[predicate & 15] & (outcome === 2 ? 8 : 1 << (outcome + 1))) !== 0 ? 0xffff_ffff : 0;
    this.#result.setUint32(offset, mask, true);
    if (bytes === 8) this.#result.setUint32(offset + 4, mask, true);
  }

  #compareToFlags(quiet: boolean, type: number, destination: number, source: number): number {
    const unit = this.#unit;
    const bytes = (type & 1) !== 0 ? 8 : 4;
    unit.flags = 0;
    this.#load(unit.a, bytes, destination);
    this.#load(unit.b, bytes, source);
    const outcome = compare(unit, unit.a, unit.b, quiet);
    this.#collect();
    if (this.#raise()) return 1;
    this.#state.setU32(COMPARISON.ZERO, outcome === 0 || outcome === 2 ? 1 : 0);
    this.#state.setU32(COMPARISON.CARRY, outcome < 0 || outcome === 2 ? 1 : 0);
    return 0;
  }

  #convert(conversion: Conversion, destination: number, source: number, wide: boolean, immediate: number): number {
    const fromBytes = bytesOf(conversion.from);
    const toBytes = bytesOf(conversion.to);
    const lanes = conversion.lanes * (wide ? 2 : 1);
    if (toBytes === 2 && (immediate & 4) === 0) this.#unit.rounding = (immediate & 3) as Rounding;
    // Half precision knows denormals whatever MXCSR says (SDM vol. 1 §14.4.1).
    if (toBytes === 2) this.#unit.flushToZero = false;
    for (let lane = 0; lane < lanes; lane++) {
      this.#unit.flags = 0;
      this.#convertLane(conversion, source + lane * fromBytes, lane * toBytes, fromBytes, toBytes);
      this.#collect();
    }
    return this.#finish(destination, lanes * toBytes, conversion.clearsUpper === true && !wide);
  }

  #convertLane(conversion: Conversion, source: number, offset: number, fromBytes: number, toBytes: 2 | 4 | 8): void {
    const unit = this.#unit;
    const { a } = unit;
    if (conversion.from.startsWith('i')) {
      const view = this.#view;
      const value = fromBytes === 8 ? view.getBigInt64(source, true) : BigInt(view.getInt32(source, true));
      fromInteger(unit, toBytes === 4 ? BINARY32 : BINARY64, value, a);
      this.#store(offset, toBytes);
      return;
    }
    if (fromBytes === 2) loadHalf(a, this.#view.getUint16(source, true));
    else this.#load(a, fromBytes, source);
    if (conversion.to.startsWith('f')) {
      convertFloat(unit, FORMATS[toBytes], a);
      if (toBytes === 2) this.#result.setUint16(offset, halfOf(unit), true);
      else this.#store(offset, toBytes);
      return;
    }
    const rounding = conversion.truncates ? ROUNDING.TRUNCATE : unit.rounding;
    const value = toInteger(unit, a, toBytes === 8 ? 64 : 32, rounding);
    if (toBytes === 8) this.#result.setBigInt64(offset, value, true);
    else this.#result.setInt32(offset, Number(value), true);
  }
}

const FORMATS = { 2: BINARY16, 4: BINARY32, 8: BINARY64 } as const;

function bytesOf(type: string): 2 | 4 | 8 {
  return type.endsWith('64') ? 8 : type.endsWith('32') ? 4 : 2;
}

/** Takes a binary16 apart; its denormals raise nothing. */
function loadHalf(operand: Operand, bits: number) {
  const sign = (bits >>> 15) as 0 | 1;
  const field = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (field === 0 && fraction === 0) return operand.setZero(sign);
  if (field === 0) return operand.setFinite(sign, BigInt(fraction), -24);
  if (field !== 0x1f) return operand.setFinite(sign, BigInt(0x400 | fraction), field - 25);
  // Infinity and NaN go by the encoding of the next wider format.
  operand.fromF32(((sign << 31) | 0x7f80_0000 | (fraction << 13)) >>> 0);
}

const halfOf = (unit: FloatUnit): number =>
  (unit.sign << 15) | (unit.exponentField << 10) | (Number(unit.significand) & 0x3ff);

const scratch = new DataView(new ArrayBuffer(4));

/**
 * RCPSS and RSQRTSS: a relative error of at most 1.5 × 2^−12 is allowed, ours is a rounding. Denormals count as 0, results below the
 * normal numbers become 0; no exceptions.
 */
function approximate(isRoot: boolean, bits: number): number {
  const exponent = (bits >>> 23) & 0xff;
  const sign = bits & 0x8000_0000;
  if (exponent === 0xff && (bits & 0x7f_ffff) !== 0) return (bits | 0x40_0000) >>> 0;
  if (exponent === 0) return (sign | 0x7f80_0000) >>> 0;
  if (isRoot && sign !== 0) return 0xffc0_0000;
  scratch.setUint32(0, bits);
  const value = scratch.getFloat32(0);
  scratch.setFloat32(0, isRoot ? 1 / Math.sqrt(value) : 1 / value);
  const result = scratch.getUint32(0);
  return ((result >>> 23) & 0xff) === 0 ? sign >>> 0 : result;
}
