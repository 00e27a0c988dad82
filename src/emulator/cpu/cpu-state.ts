import {
  DIRECTION,
  FLAGS_AUX,
  FLAGS_RESULT,
  FLAGS_SYSTEM,
  GPR,
  NEXT_RIP,
  RFLAGS,
  RIP,
  SEGMENT,
  SEGMENTS,
  STATUS_FLAGS,
} from './state.ts';

/** Bits 63 and 62 of FLAGS_AUX in its high dword, and the low dword's AF, sign delta and parity delta. */
const AUX_CF = 0x8000_0000;
const AUX_CF_XOR_OF = 0x4000_0000;
const AUX_AF = 8;
const AUX_SIGN_DELTA = 1;

/** TypeScript's view of the processor state in Wasm memory. 64-bit values are unsigned bigints, everything else unsigned numbers. */
export class CpuState {
  readonly view: DataView;
  readonly bytes: Uint8Array;

  constructor(buffer: ArrayBufferLike) {
    this.view = new DataView(buffer);
    this.bytes = new Uint8Array(buffer);
  }

  u32(offset: number): number {
    return this.view.getUint32(offset, true);
  }

  setU32(offset: number, value: number): void {
    this.view.setUint32(offset, value, true);
  }

  u64(offset: number): bigint {
    return this.view.getBigUint64(offset, true);
  }

  setU64(offset: number, value: bigint): void {
    this.view.setBigUint64(offset, value, true);
  }

  /** General register `index` (0–15), all 64 bits. */
  gpr(index: number): bigint {
    return this.u64(GPR + index * 8);
  }

  setGpr(index: number, value: bigint): void {
    this.setU64(GPR + index * 8, value);
  }

  /** Low 32 bits of a general register. */
  gpr32(index: number): number {
    return this.u32(GPR + index * 8);
  }

  /** A 32-bit result: the upper half becomes 0, as in 64-bit mode. */
  setGpr32(index: number, value: number): void {
    this.setU32(GPR + index * 8, value);
    this.setU32(GPR + index * 8 + 4, 0);
  }

  get rip(): bigint {
    return this.u64(RIP);
  }

  set rip(value: bigint) {
    this.setU64(RIP, value);
  }

  get nextRip(): bigint {
    return this.u64(NEXT_RIP);
  }

  set nextRip(value: bigint) {
    this.setU64(NEXT_RIP, value);
  }

  selector(segment: number): number {
    return this.u32(SEGMENTS + segment * SEGMENT.BYTE_LENGTH + SEGMENT.SELECTOR);
  }

  segmentAttributes(segment: number): number {
    return this.u32(SEGMENTS + segment * SEGMENT.BYTE_LENGTH + SEGMENT.ATTRIBUTES);
  }

  segmentBase(segment: number): bigint {
    return this.u64(SEGMENTS + segment * SEGMENT.BYTE_LENGTH + SEGMENT.BASE);
  }

  segmentLimit(segment: number): number {
    return this.u32(SEGMENTS + segment * SEGMENT.BYTE_LENGTH + SEGMENT.LIMIT);
  }

  setSegment(segment: number, selector: number, attributes: number, base: bigint, limit: number): void {
    const offset = SEGMENTS + segment * SEGMENT.BYTE_LENGTH;
    this.setU32(offset + SEGMENT.SELECTOR, selector);
    this.setU32(offset + SEGMENT.ATTRIBUTES, attributes);
    this.setU64(offset + SEGMENT.BASE, base);
    this.setU32(offset + SEGMENT.LIMIT, limit);
  }

  /** RFLAGS with the lazy status flags computed. */
  rflags(): number {
    const resultLow = this.u32(FLAGS_RESULT);
    const resultHigh = this.view.getInt32(FLAGS_RESULT + 4, true);
    const auxLow = this.u32(FLAGS_AUX);
    const auxHigh = this.u32(FLAGS_AUX + 4);
    let flags = this.u32(FLAGS_SYSTEM);
    const carry = (auxHigh & AUX_CF) !== 0;
    const overflow = ((auxHigh & AUX_CF_XOR_OF) !== 0) !== carry;
    if (carry) flags |= RFLAGS.CF;
    if (overflow) flags |= RFLAGS.OF;
    if ((auxLow & AUX_AF) !== 0) flags |= RFLAGS.AF;
    if (resultLow === 0 && resultHigh === 0) flags |= RFLAGS.ZF;
    if (resultHigh < 0 !== ((auxLow & AUX_SIGN_DELTA) !== 0)) flags |= RFLAGS.SF;
    let parity = (resultLow ^ (auxLow >>> 8)) & 0xff;
    parity ^= parity >>> 4;
    if (((0x9669 >>> (parity & 0xf)) & 1) !== 0) flags |= RFLAGS.PF;
    return flags >>> 0;
  }

  /** Sets all of RFLAGS; bit 1 reads as 1. */
  setRflags(flags: number): void {
    this.setU32(FLAGS_SYSTEM, ((flags & ~STATUS_FLAGS) | 2) >>> 0);
    this.setU32(DIRECTION, (flags & RFLAGS.DF) !== 0 ? 0xffff_ffff : 1);
    const zero = (flags & RFLAGS.ZF) !== 0;
    const sign = (flags & RFLAGS.SF) !== 0;
    const parity = (flags & RFLAGS.PF) !== 0;
    const carry = (flags & RFLAGS.CF) !== 0;
    const overflow = (flags & RFLAGS.OF) !== 0;
    // The result is 0 for ZF, else 1: neither has a sign, so the delta carries SF; parity of 0 is even, of 1 odd.
    this.setU64(FLAGS_RESULT, zero ? 0n : 1n);
    const parityDelta = parity === zero ? 0 : 1;
    this.setU32(FLAGS_AUX, ((flags & RFLAGS.AF) !== 0 ? AUX_AF : 0) | (sign ? AUX_SIGN_DELTA : 0) | (parityDelta << 8));
    this.setU32(FLAGS_AUX + 4, ((carry ? AUX_CF : 0) | (carry !== overflow ? AUX_CF_XOR_OF : 0)) >>> 0);
  }
}
