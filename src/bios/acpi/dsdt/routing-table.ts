import { elseThen, ifThen, method, name, packageOf, ret } from '../../../aml/build.ts';
import type { AmlTerm } from '../../../aml/tree.ts';
import { type InterruptPin, pirqOf, swizzlePin } from '../../../emulator/machine/interrupt-routing.ts';
import { PIRQ_LETTERS } from './interrupt-links.ts';

const PINS: readonly InterruptPin[] = [1, 2, 3, 4];

/** PIRQ of a pin on some bus: composed from the root bus's rule and the swizzles of the bridges on the way. */
export type PirqRule = (device: number, pin: InterruptPin) => number;

/** Rule of a root bus: pcie.0, or the bus of the expander in `expanderSlot`. */
export function rootRule(expanderSlot: number | undefined): PirqRule {
  return (device, pin) => pirqOf(expanderSlot, device, pin);
}

/** Rule of the bus behind the bridge that sits in slot `bridgeDevice` of the bus that `parent` describes. */
export function secondaryRule(parent: PirqRule, bridgeDevice: number): PirqRule {
  return (device, pin) => parent(bridgeDevice, swizzlePin(device, pin));
}

/**
 * `_PRT` with its two packages (ACPI 6.5 §6.2.13): by PIC the links LNKx, by I/O APIC the links GSIx, as `_PIC` has stored the OS's choice
 * in PICF. One entry a pin of each slot in `slots`.
 */
export function routingTable(rule: PirqRule, slots: readonly number[]): AmlTerm[] {
  return [
    name('PRTP', routingPackage('LNK', rule, slots)),
    name('PRTA', routingPackage('GSI', rule, slots)),
    method('_PRT', 0, [ifThen('\\PICF', [ret('PRTA')]), elseThen([ret('PRTP')])]),
  ];
}

function routingPackage(link: 'LNK' | 'GSI', rule: PirqRule, slots: readonly number[]): AmlTerm {
  const entries = slots.flatMap((slot) =>
    PINS.map((pin) => {
      // Function 0xffff: every function of the slot.
      const address = slot * 0x1_0000 + 0xffff;
      return packageOf([address, pin - 1, `${link}${PIRQ_LETTERS[rule(slot, pin)]}`, 0]);
    }),
  );
  return packageOf(entries);
}
