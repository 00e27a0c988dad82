import {
  and,
  arg,
  elseThen,
  ifThen,
  lEqual,
  lNotEqual,
  local,
  method,
  or,
  ret,
  store,
  uuid,
} from '../../../aml/build.ts';
import { createDWordField } from '../../../aml/build-fields.ts';
import type { AmlTerm } from '../../../aml/tree.ts';

/** PCI host bridge `_OSC` (PCI Firmware 3.3 §4.5.1). */
export const OSC_UUID = '33db4d5b-1ff7-401c-9657-7441c03dd766';

/** Control field, DWORD 3 (PCI Firmware 3.3 table 4-6): what the OS may take over. */
export const OSC_CONTROL = {
  EXPRESS_HOT_PLUG: 1 << 0,
  SHPC_HOT_PLUG: 1 << 1,
  POWER_MANAGEMENT_EVENTS: 1 << 2,
  ADVANCED_ERROR_REPORTING: 1 << 3,
  EXPRESS_CAPABILITY: 1 << 4,
  LATENCY_TOLERANCE_REPORTING: 1 << 5,
} as const;

/** The firmware keeps nothing for itself: hotplug, PME and AER are native. */
export const OSC_GRANTED = Object.values(OSC_CONTROL).reduce((all, bit) => all | bit, 0);

/** Status bits of DWORD 1 (ACPI 6.5 §6.2.11). */
const UNRECOGNIZED_UUID = 1 << 2;
const UNRECOGNIZED_REVISION = 1 << 3;
const CAPABILITIES_MASKED = 1 << 4;

/** `_OSC`: grants `OSC_GRANTED`, masks the rest and says so. */
export function oscMethod(): AmlTerm {
  return method(
    '_OSC',
    4,
    [
      createDWordField(arg(3), 0, 'CDW1'),
      ifThen(lEqual(arg(0), uuid(OSC_UUID)), [
        createDWordField(arg(3), 8, 'CDW3'),
        and('CDW3', OSC_GRANTED, local(0)),
        ifThen(lNotEqual(arg(1), 1), [or('CDW1', UNRECOGNIZED_REVISION, 'CDW1')]),
        ifThen(lNotEqual('CDW3', local(0)), [or('CDW1', CAPABILITIES_MASKED, 'CDW1')]),
        store(local(0), 'CDW3'),
      ]),
      elseThen([or('CDW1', UNRECOGNIZED_UUID, 'CDW1')]),
      ret(arg(3)),
    ],
    { serialized: true },
  );
}
