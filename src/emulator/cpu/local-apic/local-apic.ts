import type { AccessSize, BusTarget, Clock, InterruptLine } from '../../machine/ports.ts';
import type { CpuLocalApic } from '../bus.ts';
import type { ApicBus, ApicBusMember, ApicMessage } from './apic-bus.ts';
import { ApicTimer, type ApicTimerState } from './apic-timer.ts';
import { isDestination, logicalX2apicId } from './destination.ts';
import { decodeInterruptCommand } from './interrupt-command.ts';
import { InterruptPriority, type PriorityState } from './interrupt-priority.ts';
import { LocalVectorTable, type LocalVectorTableState } from './local-vector-table.ts';
import {
  APIC,
  APIC_BASE,
  APIC_DEFAULT_BASE,
  APIC_VERSION,
  DELIVERY,
  type DeliveryMode,
  ESR,
  ICR,
  SHORTHAND,
  SVR_ENABLE,
  SVR_WRITABLE,
  X2APIC_UNREADABLE,
  X2APIC_UNWRITABLE,
  X2APIC_ZERO_ONLY,
} from './registers.ts';

/** What a local APIC asks of its processor. */
export interface ApicProcessor {
  /** `interruptPending` may have become true: look at it at the next instruction boundary. */
  interruptRaised(): void;
  nmi(): void;
  smi(): void;
  init(): void;
  /** Start-up IPI: begin at vector × 4 KiB. */
  startup(vector: number): void;
}

export interface LocalApicOptions {
  readonly apicId: number;
  /** The boot processor: BSP flag, and LINT0 passes the 8259's interrupts from reset on. */
  readonly bootProcessor: boolean;
  readonly bus: ApicBus;
  readonly clock: Clock;
  readonly processor: ApicProcessor;
  /** Interrupt acknowledge cycle at the 8259 pair: the vector. */
  readonly acknowledgeExternal: () => number;
}

export interface LocalApicState {
  readonly base: string;
  readonly id: number;
  readonly ldr: number;
  readonly dfr: number;
  readonly svr: number;
  readonly icrLow: number;
  readonly icrHigh: number;
  readonly errors: number;
  readonly errorsLatched: number;
  readonly extIntMessage: boolean;
  readonly priority: PriorityState;
  readonly lvt: LocalVectorTableState;
  readonly timer: ApicTimerState;
}

/** Local APIC of one processor (SDM Vol. 3 chapter 11): its MMIO page, MSRs, LINT pins, timer and place on the APIC bus. */
export class LocalApic implements CpuLocalApic, ApicBusMember {
  readonly apicId: number;
  /** The 4 KiB page at `mmioBase`, seen by this processor alone. */
  readonly page: BusTarget;
  /** INTR of the 8259 pair. */
  readonly lint0: InterruptLine;
  /** NMI sources of the board. */
  readonly lint1: InterruptLine;
  readonly #options: LocalApicOptions;
  readonly #processor: ApicProcessor;
  readonly #timer: ApicTimer;
  readonly #priority = new InterruptPriority();
  readonly #lvt: LocalVectorTable;
  #base = 0n;
  #id = 0;
  #ldr = 0;
  #dfr = 0xffff_ffff;
  #svr = 0xff;
  #icrLow = 0;
  #icrHigh = 0;
  #errors = 0;
  #errorsLatched = 0;
  /** An ExtINT message from an I/O APIC waits for its acknowledge cycle. */
  #extIntMessage = false;

  constructor(options: LocalApicOptions) {
    this.#options = options;
    this.#processor = options.processor;
    this.apicId = options.apicId;
    this.#lvt = new LocalVectorTable((vector, mode, level) =>
      this.accept({ ...this.#ownMessage(vector, mode), level }),
    );
    this.#timer = new ApicTimer(options.clock, () => this.#lvt.raise(APIC.LVT_TIMER));
    this.page = {
      read: (offset, size) => this.#readPage(offset, size),
      write: (offset, size, value) => this.#writePage(offset, size, value),
    };
    this.lint0 = { set: (asserted) => this.#setLint0(asserted) };
    this.lint1 = { set: (asserted) => this.#setLint1(asserted) };
    options.bus.attach(this);
    this.reset();
  }

  /** Power-up or INIT state; IA32_APIC_BASE too. */
  reset(): void {
    this.#timer.tscOffset = 0n;
    this.#base = APIC_DEFAULT_BASE | APIC_BASE.EN | (this.#options.bootProcessor ? APIC_BASE.BSP : 0n);
    this.#resetRegisters();
  }

  /** INIT keeps IA32_APIC_BASE and the APIC ID (SDM Vol. 3 §11.4.7.3). */
  #resetRegisters(): void {
    this.#id = this.#x2apic ? this.apicId : this.apicId & 0xff;
    this.#ldr = 0;
    this.#dfr = 0xffff_ffff;
    this.#svr = 0xff;
    this.#icrLow = 0;
    this.#icrHigh = 0;
    this.#errors = 0;
    this.#errorsLatched = 0;
    this.#extIntMessage = false;
    this.#priority.reset();
    this.#lvt.reset(this.#options.bootProcessor);
    this.#timer.reset();
  }

  snapshot(): LocalApicState {
    return {
      base: `0x${this.#base.toString(16)}`,
      id: this.#id,
      ldr: this.#ldr,
      dfr: this.#dfr,
      svr: this.#svr,
      icrLow: this.#icrLow,
      icrHigh: this.#icrHigh,
      errors: this.#errors,
      errorsLatched: this.#errorsLatched,
      extIntMessage: this.#extIntMessage,
      priority: this.#priority.snapshot(),
      lvt: this.#lvt.snapshot(),
      timer: this.#timer.snapshot(),
    };
  }

  /** After everything that sends interrupts. */
  restore(state: LocalApicState): void {
    this.#base = BigInt(state.base);
    this.#id = state.id;
    this.#ldr = state.ldr;
    this.#dfr = state.dfr;
    this.#svr = state.svr;
    this.#icrLow = state.icrLow;
    this.#icrHigh = state.icrHigh;
    this.#errors = state.errors;
    this.#errorsLatched = state.errorsLatched;
    this.#extIntMessage = state.extIntMessage;
    this.#priority.restore(state.priority);
    this.#lvt.restore(state.lvt);
    this.#timer.restore(state.timer);
  }

  // The processor's side

  /** INTR towards the processor's core. */
  interruptPending(): boolean {
    if (!this.#globallyEnabled) return this.#lvt.lint0Level;
    return this.#deliverable() >= 0 || this.#externalPending();
  }

  /** Vector of the interrupt to take now, or −1 when none is left. */
  acknowledgeInterrupt(): number {
    if (!this.#globallyEnabled) return this.#lvt.lint0Level ? this.#options.acknowledgeExternal() : -1;
    const vector = this.#deliverable();
    if (vector >= 0) {
      this.#priority.serve(vector);
      return vector;
    }
    if (!this.#externalPending()) return -1;
    this.#extIntMessage = false;
    return this.#options.acknowledgeExternal();
  }

  /** Where `page` lies now, or undefined while disabled or in x2APIC mode. */
  get mmioBase(): number | undefined {
    return this.#globallyEnabled && !this.#x2apic ? Number(this.#base & APIC_BASE.ADDRESS) : undefined;
  }

  baseMsr(): bigint {
    return this.#base;
  }

  setBaseMsr(value: bigint): void {
    const enable = (value & APIC_BASE.EN) !== 0n;
    const extended = (value & APIC_BASE.EXTD) !== 0n;
    // x2APIC without EN, and the way back to xAPIC, are illegal (SDM Vol. 3 figure 11-27).
    if ((extended && !enable) || (this.#x2apic && enable && !extended)) return;
    const wasX2apic = this.#x2apic;
    if (!enable && this.#globallyEnabled) this.#resetRegisters();
    this.#base = (value & (APIC_BASE.ADDRESS | APIC_BASE.EN | APIC_BASE.EXTD)) | (this.#base & APIC_BASE.BSP);
    if (extended && !wasX2apic) this.#id = this.apicId;
    this.#notify();
  }

  taskPriorityClass(): number {
    return this.#priority.tpr >> 4;
  }

  setTaskPriorityClass(value: number): void {
    this.#priority.tpr = (value & 0xf) << 4;
    this.#notify();
  }

  tscDeadline(): bigint {
    return this.#timer.deadline;
  }

  setTscDeadline(value: bigint): void {
    this.#timer.deadline = value;
  }

  setTscOffset(offset: bigint): void {
    this.#timer.tscOffset = offset;
  }

  readMsr(register: number): bigint | undefined {
    if (!this.#x2apic || X2APIC_UNREADABLE.has(register)) return undefined;
    if (register === APIC.ICR_LOW) return (BigInt(this.#icrHigh) << 32n) | BigInt(this.#icrLow);
    const value = this.#readRegister(register);
    return value === undefined ? undefined : BigInt(value);
  }

  writeMsr(register: number, value: bigint): boolean {
    if (!this.#x2apic || X2APIC_UNWRITABLE.has(register)) return false;
    const low = Number(value & 0xffff_ffffn);
    const high = Number(value >> 32n);
    if (register === APIC.ICR_LOW) this.#icrHigh = high;
    else if (high !== 0 || (X2APIC_ZERO_ONLY.has(register) && low !== 0)) return false;
    if (register !== APIC.SELF_IPI) return this.#writeRegister(register, low);
    if (low > 0xff) return false;
    this.accept(this.#ownMessage(low, DELIVERY.FIXED));
    return true;
  }

  // The bus's side

  get enabled(): boolean {
    return this.#globallyEnabled && (this.#svr & SVR_ENABLE) !== 0;
  }

  get processorPriority(): number {
    return this.#priority.ppr;
  }

  matches(destination: number, logical: boolean, wide: boolean): boolean {
    const identity = { id: this.#id, x2apic: this.#x2apic, ldr: this.#ldr, dfr: this.#dfr };
    return this.#globallyEnabled && isDestination(identity, destination, logical, wide);
  }

  accept(message: ApicMessage): void {
    switch (message.deliveryMode) {
      case DELIVERY.FIXED:
      case DELIVERY.LOWEST:
        this.#request(message.vector, message.level);
        break;
      case DELIVERY.SMI:
        this.#processor.smi();
        break;
      case DELIVERY.NMI:
        this.#processor.nmi();
        break;
      case DELIVERY.INIT:
        this.#resetRegisters();
        this.#processor.init();
        break;
      case DELIVERY.STARTUP:
        this.#processor.startup(message.vector);
        break;
      case DELIVERY.EXTINT:
        this.#extIntMessage = true;
        this.#notify();
        break;
    }
  }

  // Interrupt requests

  get #globallyEnabled(): boolean {
    return (this.#base & APIC_BASE.EN) !== 0n;
  }

  get #x2apic(): boolean {
    return (this.#base & APIC_BASE.EXTD) !== 0n;
  }

  #deliverable(): number {
    return this.#svr & SVR_ENABLE ? this.#priority.deliverable : -1;
  }

  #externalPending(): boolean {
    return this.#extIntMessage || (this.#lvt.lint0Level && this.#lvt.externalOpen);
  }

  #notify(): void {
    if (this.interruptPending()) this.#processor.interruptRaised();
  }

  #request(vector: number, level: boolean): void {
    if (!this.enabled) return;
    if (vector < 16) {
      this.#reportError(ESR.RECEIVE_ILLEGAL_VECTOR);
      return;
    }
    this.#priority.request(vector, level);
    this.#notify();
  }

  #setLint0(asserted: boolean): void {
    const passes = !this.#globallyEnabled || this.#lvt.mode(APIC.LVT_LINT0) === DELIVERY.EXTINT;
    if (this.#lvt.setLint0(asserted) && !passes) this.#lvt.raise(APIC.LVT_LINT0);
    if (asserted && passes) this.#notify();
  }

  #setLint1(asserted: boolean): void {
    if (!this.#lvt.setLint1(asserted)) return;
    if (this.#globallyEnabled) this.#lvt.raise(APIC.LVT_LINT1);
    else this.#processor.nmi();
  }

  #endOfInterrupt(): void {
    const vector = this.#priority.end();
    if (vector < 0) return;
    if (this.#priority.tmr.has(vector)) {
      this.#lvt.endOfInterrupt(vector);
      this.#options.bus.broadcastEoi(vector);
    }
    this.#notify();
  }

  #reportError(error: number): void {
    const known = (this.#errors & error) !== 0;
    this.#errors |= error;
    if (!known) this.#lvt.raise(APIC.LVT_ERROR);
  }

  #ownMessage(vector: number, deliveryMode: DeliveryMode): ApicMessage {
    return { vector, deliveryMode, logical: false, destination: this.#id, wide: this.#x2apic, level: false };
  }

  /** Sends the interprocessor interrupt that ICR describes (SDM Vol. 3 §11.6.1). */
  #sendIpi(): void {
    const command = decodeInterruptCommand(this.#icrLow, this.#icrHigh, this.#x2apic);
    const { message } = command;
    if (command.levelDeassert) return;
    const needsVector = message.deliveryMode === DELIVERY.FIXED || message.deliveryMode === DELIVERY.LOWEST;
    if (needsVector && message.vector < 16) this.#reportError(ESR.SEND_ILLEGAL_VECTOR);
    else if (command.shorthand === SHORTHAND.NONE) this.#options.bus.deliver(message);
    else if (command.shorthand === SHORTHAND.SELF) this.accept(message);
    else this.#options.bus.deliverToAll(message, command.shorthand === SHORTHAND.OTHERS ? this : undefined);
  }

  // Registers

  /** Only aligned 32-bit accesses are defined (SDM Vol. 3 §11.4.1); parts of a slot read as parts of its register. */
  #readPage(offset: number, size: AccessSize): number {
    if (offset & 0xc) return 0;
    const value = this.#readRegister(offset >> 4);
    if (value === undefined) this.#reportError(ESR.ILLEGAL_REGISTER);
    const part = (value ?? 0) >>> (8 * (offset & 3));
    return size === 4 ? part : part & (2 ** (8 * size) - 1);
  }

  #writePage(offset: number, size: AccessSize, value: number): void {
    if (offset & 0xf || size !== 4) return;
    const slot = offset >> 4;
    if (slot === APIC.SELF_IPI || !this.#writeRegister(slot, value >>> 0)) this.#reportError(ESR.ILLEGAL_REGISTER);
  }

  #readRegister(slot: number): number | undefined {
    if (slot >= APIC.LVT_TIMER && slot <= APIC.LVT_ERROR) return this.#lvt.read(slot);
    if (slot >= APIC.ISR && slot < APIC.TMR) return this.#priority.isr.word(slot - APIC.ISR);
    if (slot >= APIC.TMR && slot < APIC.IRR) return this.#priority.tmr.word(slot - APIC.TMR);
    if (slot >= APIC.IRR && slot < APIC.ESR) return this.#priority.irr.word(slot - APIC.IRR);
    switch (slot) {
      case APIC.ID:
        return this.#x2apic ? this.#id : (this.#id << 24) >>> 0;
      case APIC.VERSION:
        return APIC_VERSION;
      case APIC.TPR:
        return this.#priority.tpr;
      case APIC.APR:
      case APIC.RRD:
      case APIC.EOI:
        return 0;
      case APIC.PPR:
        return this.processorPriority;
      case APIC.LDR:
        return this.#x2apic ? logicalX2apicId(this.#id) : this.#ldr;
      case APIC.DFR:
        return this.#dfr;
      case APIC.SVR:
        return this.#svr;
      case APIC.ESR:
        return this.#errorsLatched;
      case APIC.ICR_LOW:
        return this.#icrLow;
      case APIC.ICR_HIGH:
        return this.#icrHigh;
      case APIC.INITIAL_COUNT:
        return this.#timer.initialCount;
      case APIC.CURRENT_COUNT:
        return this.#timer.currentCount;
      case APIC.DIVIDE:
        return this.#timer.divideRegister;
      default:
        return undefined;
    }
  }

  /** False when there is no such register, or none that can be written. */
  #writeRegister(slot: number, value: number): boolean {
    if (slot >= APIC.LVT_TIMER && slot <= APIC.LVT_ERROR) {
      this.#writeLvt(slot, value);
      return true;
    }
    switch (slot) {
      case APIC.ID:
        this.#id = value >>> 24;
        return true;
      case APIC.TPR:
        this.#priority.tpr = value & 0xff;
        this.#notify();
        return true;
      case APIC.EOI:
        this.#endOfInterrupt();
        return true;
      case APIC.LDR:
        this.#ldr = (value & 0xff00_0000) >>> 0;
        return true;
      case APIC.DFR:
        this.#dfr = (value | 0x0fff_ffff) >>> 0;
        return true;
      case APIC.SVR:
        this.#writeSvr(value & SVR_WRITABLE);
        return true;
      case APIC.ESR:
        this.#errorsLatched = this.#errors;
        this.#errors = 0;
        return true;
      case APIC.ICR_LOW:
        this.#icrLow = value & ICR.WRITABLE;
        this.#sendIpi();
        return true;
      case APIC.ICR_HIGH:
        this.#icrHigh = (value & 0xff00_0000) >>> 0;
        return true;
      case APIC.INITIAL_COUNT:
        this.#timer.initialCount = value;
        return true;
      case APIC.DIVIDE:
        this.#timer.divideRegister = value;
        return true;
      default:
        return false;
    }
  }

  #writeSvr(value: number): void {
    this.#svr = value;
    if (!(value & SVR_ENABLE)) this.#lvt.maskAll();
    this.#notify();
  }

  #writeLvt(slot: number, value: number): void {
    this.#lvt.write(slot, value, (this.#svr & SVR_ENABLE) !== 0);
    if (slot === APIC.LVT_TIMER) this.#timer.mode = (this.#lvt.read(slot) >> 17) & 3;
    if (slot === APIC.LVT_LINT0) this.#notify();
  }
}
