import { AlarmSlot } from '../machine/alarm-slot.ts';
import type { AlarmState, BusTarget, ByteSink, ByteSource, Clock, InterruptLine } from '../machine/ports.ts';
import { bytePorts } from './byte-ports.ts';

/** Register offsets (PC16550D §8.0); DLL and DLM stand at 0 and 1 while LCR.DLAB is set. */
const REGISTER = { DATA: 0, IER: 1, IIR_FCR: 2, LCR: 3, MCR: 4, LSR: 5, MSR: 6, SCR: 7 } as const;
const IER = { RDA: 1, THRE: 2, RLS: 4, MS: 8 } as const;
/** Interrupt identification, by descending priority: line status, data, time-out, transmitter, modem. */
const IIR = { NONE: 1, MS: 0x0, THRE: 0x2, RDA: 0x4, RLS: 0x6, TIMEOUT: 0xc, FIFO: 0xc0 } as const;
const FCR = { ENABLE: 1, CLEAR_RX: 2, CLEAR_TX: 4 } as const;
const LCR = { DLAB: 0x80 } as const;
const MCR = { DTR: 1, RTS: 2, OUT1: 4, OUT2: 8, LOOP: 0x10 } as const;
const LSR = { DR: 1, OE: 2, PE: 4, FE: 8, BI: 0x10, THRE: 0x20, TEMT: 0x40 } as const;
const MSR = { CTS: 0x10, DSR: 0x20, RI: 0x40, DCD: 0x80, TERI: 4 } as const;
/** Bytes in the receive FIFO that raise an interrupt, by FCR bits 7:6. */
const TRIGGER_LEVELS = [1, 4, 8, 14] as const;
const FIFO_BYTES = 16;
/** The clock input, Hz: 16 clocks a bit at divisor 1. */
const INPUT_CLOCK = 1_843_200;
/** The far end is a terminal that is always there. */
const MODEM_LINES = MSR.CTS | MSR.DSR | MSR.DCD;

export interface UartState {
  readonly received: readonly number[];
  readonly ier: number;
  readonly fcr: number;
  readonly lcr: number;
  readonly mcr: number;
  readonly scratch: number;
  readonly divisor: number;
  readonly lineErrors: number;
  readonly modemLines: number;
  readonly modemDeltas: number;
  readonly transmitterPending: boolean;
  readonly timeoutPending: boolean;
  readonly timeout?: AlarmState;
}

/**
 * 16550A serial port. Sent bytes reach the sink at once, so the transmitter is always empty; received ones wait in the source
 * until the FIFO has room. The baud rate serves the time-out of the receive FIFO only.
 */
export class Uart16550 {
  /** Eight ports. */
  readonly ports: BusTarget = bytePorts(this);
  readonly #clock: Clock;
  readonly #irq: InterruptLine;
  readonly #sink: ByteSink;
  readonly #source: ByteSource | undefined;
  #received: number[] = [];
  #ier = 0;
  #fcr = 0;
  #lcr = 0;
  #mcr: number = MCR.OUT2;
  #scratch = 0;
  #divisor = 12;
  /** Error bits of LSR, cleared by reading it. */
  #lineErrors = 0;
  #modemLines: number = MODEM_LINES;
  #modemDeltas = 0;
  #transmitterPending = false;
  #timeoutPending = false;
  readonly #timeout: AlarmSlot;

  constructor(clock: Clock, irq: InterruptLine, sink: ByteSink, source?: ByteSource) {
    this.#clock = clock;
    this.#irq = irq;
    this.#sink = sink;
    this.#source = source;
    this.#timeout = new AlarmSlot(clock, () => {
      this.#timeoutPending = true;
      this.#update();
    });
    source?.onData(() => this.#receive());
  }

  snapshot(): UartState {
    return {
      received: [...this.#received],
      ier: this.#ier,
      fcr: this.#fcr,
      lcr: this.#lcr,
      mcr: this.#mcr,
      scratch: this.#scratch,
      divisor: this.#divisor,
      lineErrors: this.#lineErrors,
      modemLines: this.#modemLines,
      modemDeltas: this.#modemDeltas,
      transmitterPending: this.#transmitterPending,
      timeoutPending: this.#timeoutPending,
      timeout: this.#timeout.snapshot(),
    };
  }

  /** Bytes that the source holds are the host's matter: they arrive as they would have. */
  restore(state: UartState): void {
    this.#received = [...state.received];
    this.#ier = state.ier;
    this.#fcr = state.fcr;
    this.#lcr = state.lcr;
    this.#mcr = state.mcr;
    this.#scratch = state.scratch;
    this.#divisor = state.divisor;
    this.#lineErrors = state.lineErrors;
    this.#modemLines = state.modemLines;
    this.#modemDeltas = state.modemDeltas;
    this.#transmitterPending = state.transmitterPending;
    this.#timeoutPending = state.timeoutPending;
    this.#timeout.restore(state.timeout);
    this.#update();
  }

  reset(): void {
    this.#timeout.cancel();
    this.#received = [];
    this.#ier = 0;
    this.#fcr = 0;
    this.#lcr = 0;
    this.#mcr = MCR.OUT2;
    this.#divisor = 12;
    this.#lineErrors = 0;
    this.#modemLines = MODEM_LINES;
    this.#modemDeltas = 0;
    this.#transmitterPending = false;
    this.#timeoutPending = false;
    this.#update();
  }

  readByte(offset: number): number {
    const latch = (this.#lcr & LCR.DLAB) !== 0;
    switch (offset) {
      case REGISTER.DATA:
        return latch ? this.#divisor & 0xff : this.#readData();
      case REGISTER.IER:
        return latch ? this.#divisor >> 8 : this.#ier;
      case REGISTER.IIR_FCR:
        return this.#readIir();
      case REGISTER.LCR:
        return this.#lcr;
      case REGISTER.MCR:
        return this.#mcr;
      case REGISTER.LSR:
        return this.#readLsr();
      case REGISTER.MSR:
        return this.#readMsr();
      default:
        return this.#scratch;
    }
  }

  writeByte(offset: number, value: number): void {
    const latch = (this.#lcr & LCR.DLAB) !== 0;
    switch (offset) {
      case REGISTER.DATA:
        if (latch) this.#divisor = (this.#divisor & 0xff00) | value;
        else this.#transmit(value);
        break;
      case REGISTER.IER:
        if (latch) this.#divisor = (this.#divisor & 0xff) | (value << 8);
        else this.#writeIer(value & 0x0f);
        break;
      case REGISTER.IIR_FCR:
        this.#writeFcr(value);
        break;
      case REGISTER.LCR:
        this.#lcr = value;
        break;
      case REGISTER.MCR:
        this.#writeMcr(value & 0x1f);
        break;
      case REGISTER.SCR:
        this.#scratch = value;
        break;
    }
    this.#update();
  }

  get #looped(): boolean {
    return (this.#mcr & MCR.LOOP) !== 0;
  }

  get #capacity(): number {
    return this.#fcr & FCR.ENABLE ? FIFO_BYTES : 1;
  }

  get #triggerLevel(): number {
    return this.#fcr & FCR.ENABLE ? TRIGGER_LEVELS[this.#fcr >> 6] : 1;
  }

  #transmit(value: number): void {
    if (this.#looped) this.#push(value);
    else this.#sink.write(value);
    // The holding register is empty again at once: a new event for THRE.
    this.#transmitterPending = true;
  }

  /** Takes what the source has, as far as it fits. */
  #receive(): void {
    while (this.#source && !this.#looped && this.#received.length < this.#capacity) {
      const byte = this.#source.read();
      if (byte < 0) break;
      this.#push(byte);
    }
    this.#update();
  }

  #push(byte: number): void {
    if (this.#received.length >= this.#capacity) {
      this.#lineErrors |= LSR.OE;
      return;
    }
    this.#received.push(byte);
    this.#armTimeout();
  }

  #readData(): number {
    const byte = this.#received.shift() ?? 0;
    this.#timeoutPending = false;
    this.#armTimeout();
    this.#receive();
    return byte;
  }

  /** Four characters without a read leave the FIFO's rest to the time-out interrupt (PC16550D §8.7). */
  #armTimeout(): void {
    this.#timeout.cancel();
    if (!(this.#fcr & FCR.ENABLE) || this.#received.length === 0) return;
    const character = (10 * 16 * 1e9 * Math.max(1, this.#divisor)) / INPUT_CLOCK;
    this.#timeout.arm(this.#clock.now() + Math.round(4 * character));
  }

  #writeIer(value: number): void {
    // Enabling THRE with an empty transmitter interrupts, which drivers rely on to start.
    if (value & IER.THRE & ~this.#ier) this.#transmitterPending = true;
    if (!(value & IER.THRE)) this.#transmitterPending = false;
    this.#ier = value;
  }

  #writeFcr(value: number): void {
    const switched = ((value ^ this.#fcr) & FCR.ENABLE) !== 0;
    if (switched || value & FCR.CLEAR_RX) {
      this.#received = [];
      this.#timeoutPending = false;
      this.#timeout.cancel();
    }
    if (switched || value & FCR.CLEAR_TX) this.#transmitterPending = true;
    this.#fcr = value & FCR.ENABLE ? value & 0xc9 : 0;
    this.#receive();
  }

  #writeMcr(value: number): void {
    this.#mcr = value;
    const lines = this.#looped ? loopedLines(value) : MODEM_LINES;
    const changed = lines ^ this.#modemLines;
    this.#modemDeltas |= (changed >> 4) & 0xb;
    // Ring counts when it ends.
    if (changed & MSR.RI && !(lines & MSR.RI)) this.#modemDeltas |= MSR.TERI;
    this.#modemLines = lines;
    if (!this.#looped) this.#receive();
  }

  #readLsr(): number {
    const value = (this.#received.length > 0 ? LSR.DR : 0) | this.#lineErrors | LSR.THRE | LSR.TEMT;
    this.#lineErrors = 0;
    this.#update();
    return value;
  }

  #readMsr(): number {
    const value = this.#modemLines | this.#modemDeltas;
    this.#modemDeltas = 0;
    this.#update();
    return value;
  }

  #readIir(): number {
    const identification = this.#identification();
    if (identification === IIR.THRE) {
      this.#transmitterPending = false;
      this.#update();
    }
    return identification | (this.#fcr & FCR.ENABLE ? IIR.FIFO : 0);
  }

  #identification(): number {
    if (this.#ier & IER.RLS && this.#lineErrors) return IIR.RLS;
    if (this.#ier & IER.RDA && this.#timeoutPending) return IIR.TIMEOUT;
    if (this.#ier & IER.RDA && this.#received.length >= this.#triggerLevel) return IIR.RDA;
    if (this.#ier & IER.THRE && this.#transmitterPending) return IIR.THRE;
    if (this.#ier & IER.MS && this.#modemDeltas) return IIR.MS;
    return IIR.NONE;
  }

  /** On a PC, OUT2 gates the interrupt; QEMU and most chipsets' UARTs drive it regardless, and so does this one. */
  #update(): void {
    this.#irq.set(this.#identification() !== IIR.NONE);
  }
}

/** Modem control outputs looped to the status inputs (PC16550D §8.6.7). */
function loopedLines(mcr: number): number {
  return (
    (mcr & MCR.RTS ? MSR.CTS : 0) |
    (mcr & MCR.DTR ? MSR.DSR : 0) |
    (mcr & MCR.OUT1 ? MSR.RI : 0) |
    (mcr & MCR.OUT2 ? MSR.DCD : 0)
  );
}
