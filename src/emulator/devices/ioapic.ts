import type { ApicMessage } from '../cpu/local-apic/apic-bus.ts';
import { DELIVERY, type DeliveryMode } from '../cpu/local-apic/registers.ts';
import type { AccessSize, BusTarget, InterruptLine } from '../machine/ports.ts';

/** Memory-mapped registers (ICH9 §13.5.1). */
const WINDOW = { IOREGSEL: 0x00, IOWIN: 0x10, EOI: 0x40 } as const;
/** Index registers (ICH9 §13.5.2). */
const INDEX = { ID: 0x00, VERSION: 0x01, ARBITRATION: 0x02, REDIRECTION: 0x10 } as const;
/** Version 0x20: has the EOI register (ICH9 §13.5.6). */
const IOAPIC_VERSION = 0x20;

/** Low half of a redirection entry (ICH9 §13.5.7). */
const REDIRECTION = {
  VECTOR: 0xff,
  LOGICAL: 0x800,
  DELIVERY_STATUS: 0x1000,
  POLARITY_LOW: 0x2000,
  REMOTE_IRR: 0x4000,
  LEVEL: 0x8000,
  MASK: 0x1_0000,
  WRITABLE: 0x1_afff,
} as const;

export interface IoApicState {
  /** Redirection entries, and the pins' levels and edges that are still to be sent, by pin. */
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly level: readonly boolean[];
  readonly edge: readonly boolean[];
  readonly select: number;
  readonly id: number;
}

/** The bus to the local APICs, as an I/O APIC uses it. */
export interface IoApicBus {
  deliver(message: ApicMessage): void;
  onEoi(listener: (vector: number) => void): void;
}

/**
 * I/O APIC: pins with edge or level sense, a redirection entry each. A pin's line carries "asserted"; POLARITY_LOW says how the wire
 * shows that and is stored without effect, since a line that means its own level would be inverted twice.
 */
export class IoApic {
  /** The registers' page. */
  readonly page: BusTarget;
  readonly #bus: IoApicBus;
  readonly #low: Uint32Array;
  readonly #high: Uint32Array;
  readonly #level: boolean[];
  /** Edges that are still to be sent. */
  readonly #edge: boolean[];
  #select = 0;
  #id = 0;

  constructor(bus: IoApicBus, pins: number) {
    this.#bus = bus;
    this.#low = new Uint32Array(pins);
    this.#high = new Uint32Array(pins);
    this.#level = new Array<boolean>(pins).fill(false);
    this.#edge = new Array<boolean>(pins).fill(false);
    this.page = {
      read: (offset, size) => this.#read(offset, size),
      write: (offset, _size, value) => this.#write(offset, value >>> 0),
    };
    bus.onEoi((vector) => this.#endOfInterrupt(vector));
    this.reset();
  }

  reset(): void {
    this.#low.fill(REDIRECTION.MASK);
    this.#high.fill(0);
    this.#edge.fill(false);
    this.#select = 0;
    this.#id = 0;
  }

  snapshot(): IoApicState {
    return {
      low: [...this.#low],
      high: [...this.#high],
      level: [...this.#level],
      edge: [...this.#edge],
      select: this.#select,
      id: this.#id,
    };
  }

  /** After the devices, whose wires leave edges behind as they are restored. */
  restore(state: IoApicState): void {
    this.#low.set(state.low);
    this.#high.set(state.high);
    for (let pin = 0; pin < this.#level.length; pin++) {
      this.#level[pin] = state.level[pin];
      this.#edge[pin] = state.edge[pin];
    }
    this.#select = state.select;
    this.#id = state.id;
  }

  /** The wire of pin 0 to `pins` − 1. */
  pin(index: number): InterruptLine {
    return { set: (asserted) => this.#setPin(index, asserted) };
  }

  #setPin(index: number, asserted: boolean): void {
    const rising = asserted && !this.#level[index];
    this.#level[index] = asserted;
    const entry = this.#low[index];
    // An edge on a masked pin is lost (82093AA §3.2.4, "Interrupt Mask").
    if (!(entry & REDIRECTION.LEVEL) && rising && !(entry & REDIRECTION.MASK)) this.#edge[index] = true;
    this.#service(index);
  }

  /** Sends what pin `index` wants and its entry allows. */
  #service(index: number): void {
    const entry = this.#low[index];
    if (entry & REDIRECTION.MASK) return;
    const level = (entry & REDIRECTION.LEVEL) !== 0;
    if (level) {
      if (!this.#level[index] || entry & REDIRECTION.REMOTE_IRR) return;
      this.#low[index] |= REDIRECTION.REMOTE_IRR;
    } else {
      if (!this.#edge[index]) return;
      this.#edge[index] = false;
    }
    const deliveryMode = ((entry >> 8) & 7) as DeliveryMode;
    this.#bus.deliver({
      vector: entry & REDIRECTION.VECTOR,
      deliveryMode,
      logical: (entry & REDIRECTION.LOGICAL) !== 0,
      destination: this.#high[index] >>> 24,
      wide: false,
      level: level && (deliveryMode === DELIVERY.FIXED || deliveryMode === DELIVERY.LOWEST),
    });
  }

  #endOfInterrupt(vector: number): void {
    for (let index = 0; index < this.#low.length; index++) {
      const entry = this.#low[index];
      if ((entry & REDIRECTION.VECTOR) !== vector || !(entry & REDIRECTION.REMOTE_IRR)) continue;
      this.#low[index] &= ~REDIRECTION.REMOTE_IRR;
      this.#service(index);
    }
  }

  #read(offset: number, size: AccessSize): number {
    const register = offset & ~3;
    let value = 0;
    if (register === WINDOW.IOREGSEL) value = this.#select;
    else if (register === WINDOW.IOWIN) value = this.#readIndex();
    const part = value >>> (8 * (offset & 3));
    return size === 4 ? part : part & (2 ** (8 * size) - 1);
  }

  #write(offset: number, value: number): void {
    if (offset === WINDOW.IOREGSEL) this.#select = value & 0xff;
    else if (offset === WINDOW.IOWIN) this.#writeIndex(value);
    else if (offset === WINDOW.EOI) this.#endOfInterrupt(value & 0xff);
  }

  #readIndex(): number {
    switch (this.#select) {
      case INDEX.ID:
      case INDEX.ARBITRATION:
        return this.#id << 24;
      case INDEX.VERSION:
        return IOAPIC_VERSION | ((this.#low.length - 1) << 16);
      default: {
        const pin = (this.#select - INDEX.REDIRECTION) >> 1;
        if (pin < 0 || pin >= this.#low.length) return 0;
        return this.#select & 1 ? this.#high[pin] : this.#low[pin];
      }
    }
  }

  #writeIndex(value: number): void {
    if (this.#select === INDEX.ID) {
      this.#id = (value >>> 24) & 0xf;
      return;
    }
    const pin = (this.#select - INDEX.REDIRECTION) >> 1;
    if (pin < 0 || pin >= this.#low.length) return;
    if (this.#select & 1) this.#high[pin] = value & 0xff00_0000;
    else this.#writeRedirection(pin, value);
  }

  #writeRedirection(pin: number, value: number): void {
    let entry = (value & REDIRECTION.WRITABLE) | (this.#low[pin] & REDIRECTION.REMOTE_IRR);
    if (!(entry & REDIRECTION.LEVEL)) {
      // Edge sense ends a level interrupt that never saw its EOI; Linux clears Remote IRR this way on version 0x11.
      entry &= ~REDIRECTION.REMOTE_IRR;
    } else this.#edge[pin] = false;
    this.#low[pin] = entry;
    this.#service(pin);
  }
}
