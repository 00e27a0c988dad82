import { expanderBusPirq, gsiOfPirq, type InterruptPin, rootBusPirq } from '../../machine/interrupt-routing.ts';
import { IOAPIC_PINS } from '../../machine/memory-map.ts';
import type { InterruptLine } from '../../machine/ports.ts';
import type { RegisterFile } from '../../registers/register-file.ts';
import { INTERRUPT_ROUTE_FIELDS, PIRQ_ROUTES } from './registers.ts';

/** Lines of the 8259 pair. */
const PIC_LINES = 16;
/** IRQ 0 comes in at pin 2 of the I/O APIC, as the MADT's override says. */
const TIMER_PIN = 2;

/** The two interrupt controllers' inputs. */
export interface InterruptControllers {
  /** Inputs 0–15 of the 8259 pair. */
  picLine(irq: number): InterruptLine;
  /** Inputs 0–23 of the I/O APIC. */
  ioApicPin(pin: number): InterruptLine;
}

/** A node that several wires pull; it is asserted while any of them is. */
interface Node {
  asserted: number;
  /** PIRQ 0–7 that the node feeds now. */
  readonly pirq: () => number;
}

/**
 * Brings every interrupt wire of the board to its controller inputs: INTx of root-bus devices to PIRQA–H, those to the 8259 lines that
 * LPC's routing registers name and to I/O APIC pins 16–23, ISA interrupts and the SCI to both.
 */
export class InterruptRouter {
  readonly #lpc: RegisterFile;
  readonly #rcba: RegisterFile;
  readonly #picLines: readonly InterruptLine[];
  readonly #pins: readonly InterruptLine[];
  readonly #nodes = new Map<string, Node>();
  /** Wires asserted on each ISA interrupt or SCI, by controller input. */
  readonly #isa = new Array<number>(PIC_LINES).fill(0);
  /** Wires asserted on an I/O APIC pin alone. */
  readonly #pinOnly = new Array<number>(IOAPIC_PINS).fill(0);
  #sci = false;
  #sciInterrupt: number | undefined;

  constructor(lpc: RegisterFile, rcba: RegisterFile, controllers: InterruptControllers) {
    this.#lpc = lpc;
    this.#rcba = rcba;
    this.#picLines = Array.from({ length: PIC_LINES }, (_, irq) => controllers.picLine(irq));
    this.#pins = Array.from({ length: IOAPIC_PINS }, (_, pin) => controllers.ioApicPin(pin));
  }

  /** A further wire onto INTx of a device on pcie.0. */
  rootBusLine(device: number, pin: InterruptPin): InterruptLine {
    return this.#wire(`pcie.0 ${device} ${pin}`, () => this.#rootPirq(device, pin));
  }

  /** A further wire onto INTx of a device on the bus of the expander in slot `expanderSlot`. */
  expanderLine(expanderSlot: number, device: number, pin: InterruptPin): InterruptLine {
    const pirq = expanderBusPirq(expanderSlot, device, pin);
    return this.#wire(`expander ${expanderSlot} ${device} ${pin}`, () => pirq);
  }

  /** A further wire onto ISA interrupt `irq`: the 8259 line and the I/O APIC pin of that number (pin 2 for IRQ 0). */
  isaLine(irq: number): InterruptLine {
    let level = false;
    return {
      set: (asserted) => {
        if (asserted === level) return;
        level = asserted;
        this.#isa[irq] += asserted ? 1 : -1;
        this.#drivePic(irq);
        this.#drivePin(irq === 0 ? TIMER_PIN : irq);
      },
    };
  }

  /** A further wire onto global system interrupt `gsi`: an ISA interrupt, or an I/O APIC pin that the 8259 does not have. */
  gsiLine(gsi: number): InterruptLine {
    if (gsi < PIC_LINES && gsi !== TIMER_PIN) return this.isaLine(gsi);
    let level = false;
    return {
      set: (asserted) => {
        if (asserted === level) return;
        level = asserted;
        this.#pinOnly[gsi] += asserted ? 1 : -1;
        this.#drivePin(gsi);
      },
    };
  }

  /** The SCI and where ACPI_CNTL sends it now (undefined: nowhere). */
  setSci(asserted: boolean, interrupt: number | undefined): void {
    const before = this.#sciInterrupt;
    this.#sci = asserted;
    this.#sciInterrupt = interrupt;
    for (const input of new Set([before, interrupt])) if (input !== undefined) this.#driveInput(input);
  }

  /** Routing registers changed, or all wires were just restored: drives every input anew. */
  update(): void {
    for (let irq = 0; irq < PIC_LINES; irq++) this.#drivePic(irq);
    for (let pin = 0; pin < IOAPIC_PINS; pin++) this.#drivePin(pin);
  }

  #wire(key: string, pirq: () => number): InterruptLine {
    let node = this.#nodes.get(key);
    if (node === undefined) {
      node = { asserted: 0, pirq };
      this.#nodes.set(key, node);
    }
    const shared = node;
    let level = false;
    return {
      set: (asserted) => {
        if (asserted === level) return;
        level = asserted;
        shared.asserted += asserted ? 1 : -1;
        this.#drivePirq(shared.pirq());
      },
    };
  }

  /** Devices 25–29 and 31 by their DxxIR register, the rest by their fixed wiring. */
  #rootPirq(device: number, pin: InterruptPin): number {
    const register = `D${device}IR`;
    if (this.#rcba.map.registers[register] === undefined) return rootBusPirq(device, pin);
    return this.#rcba.field(register, INTERRUPT_ROUTE_FIELDS[pin - 1]);
  }

  #drivePirq(pirq: number): void {
    this.#drivePin(gsiOfPirq(pirq));
    const irq = this.#pirqRoute(pirq);
    if (irq !== undefined) this.#drivePic(irq);
  }

  #driveInput(input: number): void {
    if (input < PIC_LINES) this.#drivePic(input);
    this.#drivePin(input);
  }

  #drivePic(irq: number): void {
    const pirqs = PIRQ_ROUTES.some((_, pirq) => this.#pirqRoute(pirq) === irq && this.#pirqAsserted(pirq));
    this.#picLines[irq].set(this.#isa[irq] > 0 || pirqs || this.#sciAt(irq));
  }

  #drivePin(pin: number): void {
    const isa = pin === TIMER_PIN ? 0 : pin;
    const fromIsa = this.#pinOnly[pin] > 0 || (pin < PIC_LINES && pin !== 0 && this.#isa[isa] > 0);
    const fromPirq = pin >= gsiOfPirq(0) && this.#pirqAsserted(pin - gsiOfPirq(0));
    this.#pins[pin].set(fromIsa || fromPirq || this.#sciAt(pin));
  }

  #sciAt(input: number): boolean {
    return this.#sci && this.#sciInterrupt === input;
  }

  /** 8259 line of a PIRQ, or undefined while it is routed to the I/O APIC alone. */
  #pirqRoute(pirq: number): number | undefined {
    const register = PIRQ_ROUTES[pirq];
    return this.#lpc.field(register, 'IRQEN') === 0 ? this.#lpc.field(register, 'ROUTE') : undefined;
  }

  #pirqAsserted(pirq: number): boolean {
    for (const node of this.#nodes.values()) if (node.asserted > 0 && node.pirq() === pirq) return true;
    return false;
  }
}
