import { FIRST_PIRQ_GSI } from '../../emulator/machine/memory-map.ts';
import type { PlannedInterrupt } from './plan.ts';

export type InterruptPin = 1 | 2 | 3 | 4;

const PIRQA = 0;
const PIRQE = 4;

/** 8259 line that the firmware routes each of PIRQA–H to, as SeaBIOS does: two shared lines that no ISA device uses. */
export const PIRQ_IRQS: readonly number[] = [10, 10, 11, 11, 10, 10, 11, 11];

/**
 * PIRQ (0–7 for A–H) of a pin of a device on a root bus. Devices 0–0x18 start at PIRQE and rotate by device; 0x19–0x1d and 0x1f follow
 * DnnIR's reset value 0x3210, INTA–D to PIRQA–D; 0x1e is wired INTA–D to PIRQE–H (ICH9 §10.1.45 and QEMU's ich9_cc_init). Root buses
 * of further host bridges follow the same rule with the device number on their own bus: a PXB's slot on bus 0 does not enter.
 */
export function pirqOf(rootDevice: number, rootPin: InterruptPin): number {
  if (rootDevice <= 0x18) return PIRQE + ((rootDevice + rootPin - 1) & 3);
  return (rootDevice === 0x1e ? PIRQE : PIRQA) + rootPin - 1;
}

/** The pin of a bridge that its secondary bus' `device` drives with `pin` (PCI-to-PCI Bridge 1.2 §9.1). */
export function swizzle(device: number, pin: InterruptPin): InterruptPin {
  return (((device + pin - 1) & 3) + 1) as InterruptPin;
}

/**
 * Follows a pin to the root.
 * @param devices device numbers from the function itself up to the one on the root bus
 */
export function routeInterrupt(pin: InterruptPin, devices: readonly number[]): PlannedInterrupt {
  const rootDevice = devices[devices.length - 1];
  const rootPin = devices.slice(0, -1).reduce<InterruptPin>((reached, device) => swizzle(device, reached), pin);
  const pirq = pirqOf(rootDevice, rootPin);
  return { pin, rootPin, rootDevice, pirq, irq: PIRQ_IRQS[pirq], gsi: FIRST_PIRQ_GSI + pirq };
}
