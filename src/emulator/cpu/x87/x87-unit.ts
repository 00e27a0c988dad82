import { CR0_BITS } from '../control-bits.ts';
import type { CpuState } from '../cpu-state.ts';
import { FloatUnit } from '../softfloat/float-unit.ts';
import {
  EXTENDED,
  EXTENDED_TO_24,
  EXTENDED_TO_53,
  FLOAT_FLAG,
  type FloatFormat,
  type Rounding,
} from '../softfloat/format.ts';
import type { Operand } from '../softfloat/operand.ts';
import {
  CR0,
  RIP,
  X87_CONTROL,
  X87_LAST_CS,
  X87_LAST_DP,
  X87_LAST_DS,
  X87_LAST_IP,
  X87_LAST_OPCODE,
  X87_REGISTERS,
  X87_STATUS,
  X87_TOP,
  X87_VALID,
} from '../state.ts';
import type { CpuContext, DecodedOperands } from '../system-context.ts';

/** Status word (SDM vol. 1 §8.1.3). TOP, bits 13:11, lives apart. */
export const STATUS = {
  IE: 1,
  DE: 2,
  ZE: 4,
  OE: 8,
  UE: 0x10,
  PE: 0x20,
  /** Stack fault; C1 then tells overflow (1) from underflow. */
  SF: 0x40,
  /** Some unmasked exception is pending. */
  ES: 0x80,
  C0: 0x100,
  C1: 0x200,
  C2: 0x400,
  C3: 0x4000,
  B: 0x8000,
} as const;

export const CONDITIONS = STATUS.C0 | STATUS.C2 | STATUS.C3;
const PRECOMPUTATION = FLOAT_FLAG.IE | FLOAT_FLAG.DE | FLOAT_FLAG.ZE;
const RANGE = FLOAT_FLAG.OE | FLOAT_FLAG.UE;
/** The 80-bit QNaN indefinite. */
const INDEFINITE = { signExponent: 0xffff, significand: 0xc000_0000_0000_0000n } as const;

/** The register formats that precision control chooses; 01 is reserved and acts as extended. */
const PRECISIONS: readonly FloatFormat[] = [EXTENDED_TO_24, EXTENDED, EXTENDED_TO_53, EXTENDED];

const DEVICE_NOT_AVAILABLE = 7;
const FLOATING_POINT_ERROR = 16;

/**
 * The x87 of the state block while one instruction runs: registers by stack position, exceptions as the status word wants them. It keeps
 * nothing between instructions.
 */
export class X87Unit {
  readonly unit = new FloatUnit({ x87: true });
  cpu!: CpuContext;
  operands!: DecodedOperands;
  state!: CpuState;

  begin(cpu: CpuContext, operands: DecodedOperands) {
    this.cpu = cpu;
    this.operands = operands;
    this.state = cpu.state;
    const control = this.control;
    const { unit } = this;
    unit.flags = 0;
    unit.masks = control & 0x3f;
    unit.rounding = ((control >>> 10) & 3) as Rounding;
    unit.roundedUp = false;
  }

  /** #NM when the operating system wants to be asked, #MF when an exception waits (not for the no-wait control instructions). */
  checkAvailable(waits: boolean) {
    if ((this.state.u32(CR0) & (CR0_BITS.EM | CR0_BITS.TS)) !== 0) this.cpu.fault(DEVICE_NOT_AVAILABLE);
    if (waits && (this.status & STATUS.ES) !== 0) this.cpu.fault(FLOATING_POINT_ERROR);
  }

  /** Last instruction and operand pointers (SDM vol. 1 §8.1.8). */
  recordPointers() {
    const { state, operands } = this;
    // Halves: no bigint for every instruction.
    state.setU32(X87_LAST_IP, state.u32(RIP));
    state.setU32(X87_LAST_IP + 4, state.u32(RIP + 4));
    state.setU32(X87_LAST_CS, state.selector(1));
    state.setU32(X87_LAST_OPCODE, ((operands.opcode & 7) << 8) | operands.modRm);
    if (!operands.isMemory) return;
    state.setU64(X87_LAST_DP, operands.effectiveAddress);
    state.setU32(X87_LAST_DS, state.selector(operands.segment));
  }

  get control(): number {
    return this.state.u32(X87_CONTROL);
  }

  get status(): number {
    return this.state.u32(X87_STATUS);
  }

  set status(value: number) {
    this.state.setU32(X87_STATUS, value);
  }

  get top(): number {
    return this.state.u32(X87_TOP);
  }

  set top(value: number) {
    this.state.setU32(X87_TOP, value & 7);
  }

  get valid(): number {
    return this.state.u32(X87_VALID);
  }

  set valid(value: number) {
    this.state.setU32(X87_VALID, value & 0xff);
  }

  /** Format that precision control gives to add, subtract, multiply, divide and square root. */
  get format(): FloatFormat {
    return PRECISIONS[(this.control >>> 8) & 3];
  }

  /** ST(i) is empty. */
  isEmpty(index: number): boolean {
    return ((this.valid >>> ((this.top + index) & 7)) & 1) === 0;
  }

  #address(index: number): number {
    return X87_REGISTERS + ((this.top + index) & 7) * 16;
  }

  signExponent(index: number): number {
    return this.state.u32(this.#address(index) + 8) & 0xffff;
  }

  significand(index: number): bigint {
    return this.state.u64(this.#address(index));
  }

  load(index: number, into: Operand) {
    into.fromF80(this.signExponent(index), this.significand(index));
  }

  /** Writes ST(i) and marks it valid. */
  write(index: number, signExponent: number, significand: bigint) {
    const address = this.#address(index);
    this.state.setU64(address, significand);
    this.state.setU32(address + 8, signExponent);
    this.valid |= 1 << ((this.top + index) & 7);
  }

  /** Changes sign and exponent of ST(i) alone. */
  setSignExponent(index: number, signExponent: number) {
    this.state.setU32(this.#address(index) + 8, signExponent);
  }

  /** ST(i) from the float unit's result. */
  writeResult(index: number) {
    this.write(index, this.unit.signExponent, this.unit.significand80);
  }

  writeIndefinite(index: number) {
    this.write(index, INDEFINITE.signExponent, INDEFINITE.significand);
  }

  /** Marks ST(i) empty. */
  free(index: number) {
    this.valid &= ~(1 << ((this.top + index) & 7));
  }

  pop() {
    this.free(0);
    this.top += 1;
  }

  setConditions(bits: number, mask: number = CONDITIONS) {
    this.status = (this.status & ~mask) | bits;
  }

  /** Takes the float unit's flags over into the status word; C1 tells whether the result was rounded up (unless it is to stay). */
  raise(setsC1 = true) {
    const { unit } = this;
    const kept = setsC1 ? this.status & ~STATUS.C1 : this.status;
    this.status = kept | unit.flags | (setsC1 && unit.roundedUp ? STATUS.C1 : 0);
    this.summarize();
  }

  /** ES and B follow from the flags and the masks. */
  summarize() {
    const pending = (this.status & ~this.control & 0x3f) !== 0;
    this.status = pending ? this.status | STATUS.ES | STATUS.B : this.status & ~(STATUS.ES | STATUS.B);
  }

  /** An unmasked exception of the operands: the result is not to be stored, nothing is pushed or popped. */
  get blocked(): boolean {
    return (this.unit.unmasked & PRECOMPUTATION) !== 0;
  }

  /** The same for stores to memory, which unmasked overflow and underflow stop as well. */
  get storeBlocked(): boolean {
    return (this.unit.unmasked & (PRECOMPUTATION | RANGE)) !== 0;
  }

  /** Writes the result to ST(i) unless an exception stops it, and raises flags. True when it was written. */
  complete(index: number): boolean {
    const written = !this.blocked;
    if (written) this.writeResult(index);
    this.raise();
    return written;
  }

  /** Stack overflow or underflow. True when it is masked: the instruction goes on with the indefinite. */
  stackFault(overflow: boolean): boolean {
    this.status = (this.status & ~STATUS.C1) | STATUS.IE | STATUS.SF | (overflow ? STATUS.C1 : 0);
    this.summarize();
    return (this.control & STATUS.IE) !== 0;
  }

  /** Makes room for a push: false when the instruction is done because the stack is full (the indefinite was pushed if masked). */
  room(): boolean {
    if (((this.valid >>> ((this.top - 1) & 7)) & 1) === 0) return true;
    if (this.stackFault(true)) {
      this.top -= 1;
      this.writeIndefinite(0);
    }
    return false;
  }

  /** Pushes the float unit's result unless an exception stops it, and raises flags. */
  pushResult() {
    if (!this.blocked) {
      this.top -= 1;
      this.writeResult(0);
    }
    this.raise();
  }
}

/** Operation on the x87. */
export type X87Operation = (x: X87Unit) => void;
