import {
  gsiOfPirq,
  type InterruptPin,
  PIRQ_DEFAULT_IRQ,
  pirqOf,
  swizzlePin,
} from '../../emulator/machine/interrupt-routing.ts';
import type { PlannedInterrupt } from './plan.ts';

/**
 * Follows a pin to the root by the wiring of emulator/machine/interrupt-routing.ts.
 * @param devices device numbers from the function itself up to the one on the root bus
 * @param expanderSlot slot of the PXB on pcie.0 whose bus that root bus is; undefined for pcie.0
 */
export function routeInterrupt(
  pin: InterruptPin,
  devices: readonly number[],
  expanderSlot: number | undefined,
): PlannedInterrupt {
  const rootDevice = devices[devices.length - 1];
  const behind = devices.slice(0, -1);
  const rootPin = behind.reduce<InterruptPin>((reached, device) => swizzlePin(device, reached), pin);
  const pirq = pirqOf(expanderSlot, rootDevice, rootPin);
  return { pin, rootPin, rootDevice, pirq, irq: PIRQ_DEFAULT_IRQ[pirq], gsi: gsiOfPirq(pirq) };
}
