import type { ApicMessage } from './apic-bus.ts';
import { DELIVERY, type DeliveryMode, ICR } from './registers.ts';

/** What the interrupt command register asks for. */
export interface InterruptCommand {
  readonly message: ApicMessage;
  /** One of `SHORTHAND`. */
  readonly shorthand: number;
  /** INIT level de-assert: it only synchronizes arbitration ids, which no APIC since the Pentium 4 has. */
  readonly levelDeassert: boolean;
}

/** Decodes ICR (SDM Vol. 3 figures 11-12, 11-28). `x2apic`: the destination is the whole high half. */
export function decodeInterruptCommand(low: number, high: number, x2apic: boolean): InterruptCommand {
  const deliveryMode = ((low >> 8) & 7) as DeliveryMode;
  return {
    message: {
      vector: low & 0xff,
      deliveryMode,
      logical: (low & ICR.LOGICAL) !== 0,
      destination: x2apic ? high : high >>> 24,
      wide: x2apic,
      level: false,
    },
    shorthand: (low >> 18) & 3,
    levelDeassert: deliveryMode === DELIVERY.INIT && (low & ICR.LEVEL) !== 0 && (low & ICR.ASSERT) === 0,
  };
}
