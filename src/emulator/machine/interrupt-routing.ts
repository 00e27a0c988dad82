import { FIRST_PIRQ_GSI } from './memory-map.ts';

/**
 * How INTx wires run on this board: from a function's pin through bridges to one of PIRQA–H. The machine wires it, the plan states it
 * and `_PRT` tells the OS. Pins count from 1 (INTA), PIRQs from 0 (PIRQA). The wiring is QEMU's q35, so that the same tables hold there.
 */
export type InterruptPin = 1 | 2 | 3 | 4;

/** 8259 line that the firmware routes PIRQA–H to, as SeaBIOS does. */
export const PIRQ_DEFAULT_IRQ = [10, 10, 11, 11, 10, 10, 11, 11] as const;

/** The pin at a bridge's primary side of `pin` of the device in slot `device` behind it (PCI-to-PCI Bridge 1.2 §9.1). */
export function swizzlePin(device: number, pin: InterruptPin): InterruptPin {
  return (((pin - 1 + device) & 3) + 1) as InterruptPin;
}

/**
 * PIRQ of `pin` of a device on pcie.0: slots 0–24 and 30 start at PIRQE, 25–29 and 31 at PIRQA; 0–24 rotate by slot (reset values of
 * the D25IR–D31IR registers, ICH9 §10.1.45–10.1.51).
 */
export function rootBusPirq(device: number, pin: InterruptPin): number {
  const index = pin - 1;
  if (device <= 24) return 4 + ((device + index) & 3);
  return device === 30 ? 4 + index : index;
}

/**
 * PIRQ of `pin` of a device on the root bus of an expander (PXB) whose own function stands in slot `expanderSlot` of pcie.0.
 * DEVIATION(spec): QEMU subtracts the slot from the swizzled pin and then looks the sum up in its table of pcie.0 by slot, so that the
 * row before is hit as well; the wiring of this board is what comes out, because the same tables must hold on QEMU's machine.
 */
export function expanderBusPirq(expanderSlot: number, device: number, pin: InterruptPin): number {
  const entry = 4 * expanderSlot + (swizzlePin(device, pin) - 1) - expanderSlot;
  return 4 + (((entry >> 2) + entry) & 3);
}

/** PIRQ of `pin` of a device on a root bus: pcie.0, or the bus of the expander in `expanderSlot`. */
export function pirqOf(expanderSlot: number | undefined, device: number, pin: InterruptPin): number {
  return expanderSlot === undefined ? rootBusPirq(device, pin) : expanderBusPirq(expanderSlot, device, pin);
}

/** GSI of a PIRQ: I/O APIC pins 16–23. */
export function gsiOfPirq(pirq: number): number {
  return FIRST_PIRQ_GSI + pirq;
}
