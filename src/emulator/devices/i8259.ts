import type { BusTarget, InterruptLine } from '../machine/ports.ts';
import { bytePorts } from './byte-ports.ts';

/** The master's input that the slave's INT output drives. */
const CASCADE_INPUT = 2;
/** No input of the eight. */
const NONE = -1;
/** Bits of ELCR1 and ELCR2 that can be set: IRQ 0, 1, 2, 8 and 13 are always edge (ICH9 §13.4.9, §13.4.10). */
export const ELCR_WRITABLE = { master: 0xf8, slave: 0xde } as const;

const ICW1 = { INIT: 0x10, LTIM: 0x08, SNGL: 0x02, IC4: 0x01 } as const;
const ICW4 = { SFNM: 0x10, AEOI: 0x02 } as const;
const OCW3 = { SELECT: 0x08, ESMM: 0x40, SMM: 0x20, P: 0x04, RR: 0x02, RIS: 0x01 } as const;

/** Which initialization word the data port expects next. */
type InitStep = 'operational' | 'ICW2' | 'ICW3' | 'ICW4';

export interface I8259State {
  readonly irr: number;
  readonly imr: number;
  readonly isr: number;
  readonly elcr: number;
  readonly inputs: number;
  readonly vectorBase: number;
  readonly highest: number;
  readonly step: InitStep;
  readonly needsIcw4: boolean;
  readonly single: boolean;
  readonly levelTriggered: boolean;
  readonly autoEoi: boolean;
  readonly rotateOnAutoEoi: boolean;
  readonly specialFullyNested: boolean;
  readonly specialMask: boolean;
  readonly poll: boolean;
  readonly readIsr: boolean;
}

/** One 8259A Programmable Interrupt Controller: 2 ports, 8 inputs. */
export class I8259 {
  readonly ports: BusTarget = bytePorts(this);
  readonly #isMaster: boolean;
  readonly #elcrWritable: number;
  readonly #onOutput: () => void;
  #irr = 0;
  #imr = 0;
  #isr = 0;
  #elcr = 0;
  /** Levels at the inputs, for the edge detectors. */
  #inputs = 0;
  #vectorBase = 0;
  /** The input that has the highest priority (0 until rotated). */
  #highest = 0;
  #step: InitStep = 'operational';
  #needsIcw4 = false;
  #single = false;
  #levelTriggered = false;
  #autoEoi = false;
  #rotateOnAutoEoi = false;
  #specialFullyNested = false;
  #specialMask = false;
  #poll = false;
  #readIsr = false;

  /** `onOutput` is called whenever INT may have changed. */
  constructor(isMaster: boolean, onOutput: () => void) {
    this.#isMaster = isMaster;
    this.#elcrWritable = isMaster ? ELCR_WRITABLE.master : ELCR_WRITABLE.slave;
    this.#onOutput = onOutput;
  }

  reset(): void {
    this.#elcr = 0;
    this.#irr = 0;
    this.#inputs = 0;
    this.#initialize(0);
    this.#step = 'operational';
    this.#onOutput();
  }

  snapshot(): I8259State {
    return {
      irr: this.#irr,
      imr: this.#imr,
      isr: this.#isr,
      elcr: this.#elcr,
      inputs: this.#inputs,
      vectorBase: this.#vectorBase,
      highest: this.#highest,
      step: this.#step,
      needsIcw4: this.#needsIcw4,
      single: this.#single,
      levelTriggered: this.#levelTriggered,
      autoEoi: this.#autoEoi,
      rotateOnAutoEoi: this.#rotateOnAutoEoi,
      specialFullyNested: this.#specialFullyNested,
      specialMask: this.#specialMask,
      poll: this.#poll,
      readIsr: this.#readIsr,
    };
  }

  /** Does not drive INT: the pair is restored as one. */
  restore(state: I8259State): void {
    this.#irr = state.irr;
    this.#imr = state.imr;
    this.#isr = state.isr;
    this.#elcr = state.elcr;
    this.#inputs = state.inputs;
    this.#vectorBase = state.vectorBase;
    this.#highest = state.highest;
    this.#step = state.step;
    this.#needsIcw4 = state.needsIcw4;
    this.#single = state.single;
    this.#levelTriggered = state.levelTriggered;
    this.#autoEoi = state.autoEoi;
    this.#rotateOnAutoEoi = state.rotateOnAutoEoi;
    this.#specialFullyNested = state.specialFullyNested;
    this.#specialMask = state.specialMask;
    this.#poll = state.poll;
    this.#readIsr = state.readIsr;
  }

  /** Level of the INT output. */
  get output(): boolean {
    return this.#pendingInput() !== NONE;
  }

  get elcr(): number {
    return this.#elcr;
  }

  set elcr(value: number) {
    this.#elcr = value & this.#elcrWritable;
  }

  setInput(input: number, asserted: boolean): void {
    const mask = 1 << input;
    if (asserted) {
      if (this.#isLevel(mask) || !(this.#inputs & mask)) this.#irr |= mask;
      this.#inputs |= mask;
    } else {
      // An edge request stays latched when its wire falls early; chips of the chipset era do, the first 8259A gave IR7 instead.
      // The cascade follows the slave, whose request can vanish with a level or by its mask.
      if (this.#isLevel(mask) || (this.#isMaster && input === CASCADE_INPUT)) this.#irr &= ~mask;
      this.#inputs &= ~mask;
    }
    this.#onOutput();
  }

  /** First INTA cycle: the input that won is now in service; 7 when the request has gone away (8259A §"Interrupt sequence"). */
  acknowledge(): number {
    const input = this.#pendingInput();
    if (input === NONE) return 7;
    const mask = 1 << input;
    if (!this.#autoEoi) this.#isr |= mask;
    else if (this.#rotateOnAutoEoi) this.#highest = (input + 1) & 7;
    if (!this.#isLevel(mask)) this.#irr &= ~mask;
    this.#onOutput();
    return input;
  }

  /** Vector of `input` on the bus. */
  vector(input: number): number {
    return this.#vectorBase | input;
  }

  readByte(offset: number): number {
    if (this.#poll) {
      this.#poll = false;
      return this.output ? 0x80 | this.acknowledge() : 0;
    }
    if (offset & 1) return this.#imr;
    return this.#readIsr ? this.#isr : this.#irr;
  }

  writeByte(offset: number, value: number): void {
    if (offset & 1) this.#writeData(value);
    else if (value & ICW1.INIT) {
      this.#initialize(value);
      this.#step = 'ICW2';
    } else if (value & OCW3.SELECT) this.#writeOcw3(value);
    else this.#writeOcw2(value);
    this.#onOutput();
  }

  #isLevel(mask: number): boolean {
    return this.#levelTriggered || (this.#elcr & mask) !== 0;
  }

  /** ICW1 clears masks, service and edge sense; level requests still stand at their wires. */
  #initialize(icw1: number): void {
    this.#irr &= this.#elcr;
    this.#inputs &= this.#elcr;
    this.#imr = 0;
    this.#isr = 0;
    this.#highest = 0;
    this.#vectorBase = 0;
    this.#readIsr = false;
    this.#poll = false;
    this.#specialMask = false;
    this.#autoEoi = false;
    this.#rotateOnAutoEoi = false;
    this.#specialFullyNested = false;
    this.#needsIcw4 = (icw1 & ICW1.IC4) !== 0;
    this.#single = (icw1 & ICW1.SNGL) !== 0;
    this.#levelTriggered = (icw1 & ICW1.LTIM) !== 0;
  }

  #writeData(value: number): void {
    const afterIcw3 = this.#needsIcw4 ? 'ICW4' : 'operational';
    switch (this.#step) {
      case 'operational':
        this.#imr = value;
        break;
      case 'ICW2':
        this.#vectorBase = value & 0xf8;
        this.#step = this.#single ? afterIcw3 : 'ICW3';
        break;
      case 'ICW3':
        // The cascade is wired: master input 2, slave identity 2.
        this.#step = afterIcw3;
        break;
      case 'ICW4':
        this.#specialFullyNested = (value & ICW4.SFNM) !== 0;
        this.#autoEoi = (value & ICW4.AEOI) !== 0;
        this.#step = 'operational';
        break;
    }
  }

  #writeOcw2(value: number): void {
    const level = value & 7;
    switch (value >> 5) {
      case 0:
        this.#rotateOnAutoEoi = false;
        break;
      case 4:
        this.#rotateOnAutoEoi = true;
        break;
      case 1:
        this.#endOfInterrupt(this.#highestOf(this.#isr), false);
        break;
      case 5:
        this.#endOfInterrupt(this.#highestOf(this.#isr), true);
        break;
      case 3:
        this.#endOfInterrupt(level, false);
        break;
      case 7:
        this.#endOfInterrupt(level, true);
        break;
      case 6:
        this.#highest = (level + 1) & 7;
        break;
    }
  }

  #writeOcw3(value: number): void {
    if (value & OCW3.P) this.#poll = true;
    if (value & OCW3.RR) this.#readIsr = (value & OCW3.RIS) !== 0;
    if (value & OCW3.ESMM) this.#specialMask = (value & OCW3.SMM) !== 0;
  }

  #endOfInterrupt(input: number, rotate: boolean): void {
    if (input === NONE) return;
    this.#isr &= ~(1 << input);
    if (rotate) this.#highest = (input + 1) & 7;
  }

  /** The set bit of highest priority, or NONE. */
  #highestOf(bits: number): number {
    for (let rank = 0; rank < 8; rank++) {
      const input = (this.#highest + rank) & 7;
      if (bits & (1 << input)) return input;
    }
    return NONE;
  }

  #rank(input: number): number {
    return input === NONE ? 8 : (input - this.#highest) & 7;
  }

  #pendingInput(): number {
    const request = this.#highestOf(this.#irr & ~this.#imr);
    if (request === NONE) return NONE;
    let blocking = this.#isr;
    if (this.#specialMask) blocking &= ~this.#imr;
    // A slave whose request is in service may ask again when fully nested.
    if (this.#specialFullyNested && this.#isMaster) blocking &= ~(1 << CASCADE_INPUT);
    return this.#rank(request) < this.#rank(this.#highestOf(blocking)) ? request : NONE;
  }
}

/** The two cascaded 8259s of a PC with their edge/level control registers: 15 interrupt lines, IRQ 2 is the cascade. */
export class I8259Pair {
  /** Ports 0x20–0x21. */
  readonly masterPorts: BusTarget;
  /** Ports 0xa0–0xa1. */
  readonly slavePorts: BusTarget;
  /** Ports 0x4d0–0x4d1. */
  readonly elcrPorts: BusTarget;
  readonly #master: I8259;
  readonly #slave: I8259;

  /** `intr` is the wire to LINT0 of the local APICs, or to the processor's INTR pin. */
  constructor(intr: InterruptLine) {
    this.#master = new I8259(true, () => intr.set(this.#master.output));
    this.#slave = new I8259(false, () => this.#master.setInput(CASCADE_INPUT, this.#slave.output));
    this.masterPorts = this.#master.ports;
    this.slavePorts = this.#slave.ports;
    this.elcrPorts = bytePorts({
      readByte: (offset) => this.#chip(offset).elcr,
      writeByte: (offset, value) => {
        this.#chip(offset).elcr = value;
      },
    });
  }

  /** The wire of IRQ 0–15; IRQ 2 is the cascade and not connected. */
  line(irq: number): InterruptLine {
    const chip = irq < 8 ? this.#master : this.#slave;
    return {
      set(asserted: boolean): void {
        if (irq !== CASCADE_INPUT) chip.setInput(irq & 7, asserted);
      },
    };
  }

  /** Interrupt acknowledge: the vector, from the spurious input 7 when nothing is requested any more. */
  acknowledge(): number {
    const input = this.#master.acknowledge();
    if (input !== CASCADE_INPUT) return this.#master.vector(input);
    const vector = this.#slave.vector(this.#slave.acknowledge());
    // INT falls at the end of the acknowledge, so that a further request of the slave is a new edge for the master.
    this.#master.setInput(CASCADE_INPUT, false);
    this.#master.setInput(CASCADE_INPUT, this.#slave.output);
    return vector;
  }

  reset(): void {
    this.#slave.reset();
    this.#master.reset();
  }

  snapshot(): { readonly master: I8259State; readonly slave: I8259State } {
    return { master: this.#master.snapshot(), slave: this.#slave.snapshot() };
  }

  /** After the devices, whose wires leave edges behind as they are restored; INTR is restored where it leads. */
  restore(state: { readonly master: I8259State; readonly slave: I8259State }): void {
    this.#master.restore(state.master);
    this.#slave.restore(state.slave);
  }

  #chip(offset: number): I8259 {
    return offset & 1 ? this.#slave : this.#master;
  }
}
