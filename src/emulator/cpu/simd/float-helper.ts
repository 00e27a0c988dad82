import { CR4_BITS } from '../control-bits.ts';
import type { CpuState } from '../cpu-state.ts';
import { add, compare, divide, multiply, squareRoot } from '../softfloat/arithmetic.ts';
import { convertFloat, fromInteger, toInteger } from '../softfloat/convert.ts';
import { FloatUnit } from '../softfloat/float-unit.ts';
import { BINARY32, BINARY64, FLOAT_FLAG, KIND, ROUNDING, type Rounding } from '../softfloat/format.ts';
import type { Operand } from '../softfloat/operand.ts';
import { CR4, FAULT_ERROR_CODE, FAULT_VECTOR, MXCSR, RFLAGS, STATUS_FLAGS } from '../state.ts';
import { ARITHMETIC, CONVERSION_BASE, CONVERSION_LIST, type Conversion } from './operations.ts';

const { IE, DE, ZE } = FLOAT_FLAG;
const PRECOMPUTATION = IE | DE | ZE;
const DAZ = 0x40;
const FTZ = 0x8000;
const SIMD_EXCEPTION = 19;
const UNDEFINED_OPCODE = 6;
const NO_ERROR_CODE = 0xffff_ffff;
/** Comparison predicates that signal for a QNaN: LT, LE, NLT, NLE. */
const SIGNALLING = 0b0110_0110;

/**
 * SSE and SSE2 floating point with every flag and rounding: what generated code calls when its fast path does not apply. Addresses are
 * offsets in Wasm memory.
 */
export class SimdFloatHelper {
  readonly #state: CpuState;
  readonly #view: DataView;
  readonly #unit = new FloatUnit({ x87: false });
  /** The result before it is known that nothing traps. */
  readonly #result = new DataView(new ArrayBuffer(16));
  /** Flags of all lanes, before and after computation. */
  #before = 0;
  #after = 0;

  constructor(state: CpuState) {
    this.#state = state;
    this.#view = state.view;
  }

  /** Runs an operation of operations.ts; 1 when #XM (or #UD without CR4.OSXMMEXCPT) was recorded and nothing written. */
  run(operation: number, destination: number, source: number, immediate: number): number {
    const mxcsr = this.#state.u32(MXCSR);
    const unit = this.#unit;
    unit.rounding = ((mxcsr >>> 13) & 3) as Rounding;
    unit.masks = (mxcsr >>> 7) & 0x3f;
    unit.denormalsAreZero = (mxcsr & DAZ) !== 0;
    unit.flushToZero = (mxcsr & FTZ) !== 0;
    this.#before = 0;
    this.#after = 0;
    if (operation >= CONVERSION_BASE) {
      return this.#convert(CONVERSION_LIST[operation - CONVERSION_BASE], destination, source);
    }
    const kind = operation >> 2;
    const type = operation & 3;
    if (kind >= ARITHMETIC.COMI) return this.#compareToFlags(kind === ARITHMETIC.UCOMI, type, destination, source);
    const bytes = (type & 1) !== 0 ? 8 : 4;
    const byteLength = type < 2 ? 16 : bytes;
    for (let offset = 0; offset < byteLength; offset += bytes) {
      this.#lane(kind, bytes, destination + offset, source + offset, offset, immediate);
      this.#collect();
    }
    return this.#finish(destination, byteLength, false);
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
      case ARITHMETIC.CMP:
        this.#compareLane(bytes, offset, immediate & 7);
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
    const quiet = ((SIGNALLING >> predicate) & 1) === 0;
    const outcome = compare(unit, unit.a, unit.b, quiet);
    const holds = [outcome === 0, outcome === -1, outcome === -1 || outcome === 0, outcome === 2][predicate & 3];
    const mask = holds !== predicate >= 4 ? 0xffff_ffff : 0;
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
    const flags =
      outcome === 2 ? RFLAGS.ZF | RFLAGS.PF | RFLAGS.CF : outcome === 0 ? RFLAGS.ZF : outcome < 0 ? RFLAGS.CF : 0;
    this.#state.setRflags((this.#state.rflags() & ~STATUS_FLAGS) | flags);
    return 0;
  }

  #convert(conversion: Conversion, destination: number, source: number): number {
    const fromBytes = conversion.from.endsWith('64') ? 8 : 4;
    const toBytes = conversion.to.endsWith('64') ? 8 : 4;
    for (let lane = 0; lane < conversion.lanes; lane++) {
      this.#unit.flags = 0;
      this.#convertLane(conversion, source + lane * fromBytes, lane * toBytes, fromBytes, toBytes);
      this.#collect();
    }
    return this.#finish(destination, conversion.lanes * toBytes, conversion.clearsUpper === true);
  }

  #convertLane(conversion: Conversion, source: number, offset: number, fromBytes: number, toBytes: 4 | 8): void {
    const unit = this.#unit;
    const { a } = unit;
    if (conversion.from.startsWith('i')) {
      const view = this.#view;
      const value = fromBytes === 8 ? view.getBigInt64(source, true) : BigInt(view.getInt32(source, true));
      fromInteger(unit, toBytes === 4 ? BINARY32 : BINARY64, value, a);
      this.#store(offset, toBytes);
      return;
    }
    this.#load(a, fromBytes, source);
    if (conversion.to.startsWith('f')) {
      convertFloat(unit, toBytes === 4 ? BINARY32 : BINARY64, a);
      this.#store(offset, toBytes);
      return;
    }
    const rounding = conversion.truncates ? ROUNDING.TRUNCATE : unit.rounding;
    const value = toInteger(unit, a, toBytes === 8 ? 64 : 32, rounding);
    if (toBytes === 8) this.#result.setBigInt64(offset, value, true);
    else this.#result.setInt32(offset, Number(value), true);
  }
}

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
