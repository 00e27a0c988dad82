/** Tables of power, performance and time. */
import { address, byteAt, dwordAt, flags, rest, structure, table, typed } from './form.ts';

/** ACPI 6.5 §5.2.14 */
export const SBST = table('SBST', { WARNING_LEVEL: 4, LOW_LEVEL: 4, CRITICAL_LEVEL: 4 });

/** ACPI 6.5 §5.2.15 */
export const ECDT = table(
  'ECDT',
  { EC_CONTROL: address, EC_DATA: address, UID: 4, GPE_BIT: 1 },
  rest('EC_ID', 'ascii'),
);

/** ACPI Low Power S0 Idle Table */
export const LPIT = table(
  'LPIT',
  {},
  typed(dwordAt(0), dwordAt(4), {
    0: structure('Native C-state', {
      TYPE: 4,
      LENGTH: 4,
      UNIQUE_ID: 2,
      RESERVED: 2,
      FLAGS: flags(4, { DISABLED: 0, COUNTER_NOT_AVAILABLE: 1 }),
      ENTRY_TRIGGER: address,
      RESIDENCY: 4,
      LATENCY: 4,
      RESIDENCY_COUNTER: address,
      COUNTER_FREQUENCY: 8,
    }),
  }),
);

const CHANNEL = { BASE: 8, REGION_LENGTH: 8, DOORBELL: address, DOORBELL_PRESERVE: 8, DOORBELL_WRITE: 8 };
const PACE = { LATENCY: 4, MAXIMUM_RATE: 4, MINIMUM_TURNAROUND: 2 };
const INTERRUPT = { TYPE: 1, LENGTH: 1, GSI: 4, GSI_FLAGS: flags(1, { ACTIVE_LOW: 0, EDGE: 1 }), RESERVED: 1 };
const EXTENDED = {
  ...INTERRUPT,
  BASE: 8,
  REGION_LENGTH: 4,
  DOORBELL: address,
  DOORBELL_PRESERVE: 8,
  DOORBELL_WRITE: 8,
  LATENCY: 4,
  MAXIMUM_RATE: 4,
  MINIMUM_TURNAROUND: 4,
  ACKNOWLEDGE: address,
  ACKNOWLEDGE_PRESERVE: 8,
  ACKNOWLEDGE_SET: 8,
  RESERVED_2: 8,
  COMPLETE: address,
  COMPLETE_MASK: 8,
  UPDATE: address,
  UPDATE_PRESERVE: 8,
  UPDATE_SET: 8,
  ERROR_STATUS: address,
  ERROR_MASK: 8,
};

/** ACPI 6.5 §14.1 */
export const PCCT = table(
  'PCCT',
  { FLAGS: flags(4, { PLATFORM_INTERRUPT: 0 }), RESERVED: 8 },
  typed(byteAt(0), byteAt(1), {
    0: structure('Generic subspace', { TYPE: 1, LENGTH: 1, RESERVED: 6, ...CHANNEL, ...PACE }),
    1: structure('Reduced hardware subspace', { ...INTERRUPT, ...CHANNEL, ...PACE }),
    2: structure('Reduced hardware subspace 2', {
      ...INTERRUPT,
      ...CHANNEL,
      ...PACE,
      ACKNOWLEDGE: address,
      ACKNOWLEDGE_PRESERVE: 8,
      ACKNOWLEDGE_WRITE: 8,
    }),
    3: structure('Extended initiator subspace', EXTENDED),
    4: structure('Extended responder subspace', EXTENDED),
  }),
);

/** Microsoft, Hardware Watchdog Timers: the resource table */
export const WDRT = table('WDRT', {
  CONTROL_REGISTER: address,
  COUNT_REGISTER: address,
  PCI_DEVICE_ID: 2,
  PCI_VENDOR_ID: 2,
  PCI_BUS: 1,
  PCI_DEVICE: 1,
  PCI_FUNCTION: 1,
  PCI_SEGMENT: 1,
  MAXIMUM_COUNT: 2,
  UNITS: 1,
});

/** Intel, Watchdog Descriptor Table */
export const WDDT = table('WDDT', {
  SPECIFICATION_VERSION: 2,
  TABLE_VERSION: 2,
  PCI_VENDOR_ID: 2,
  REGISTER: address,
  MAXIMUM_COUNT: 2,
  MINIMUM_COUNT: 2,
  PERIOD: 2,
  STATUS: flags(2, { AVAILABLE: 0, ACTIVE: 1, OWNED_BY_FIRMWARE: 2, USER_RESET: 11, WATCHDOG_RESET: 12 }),
  CAPABILITY: flags(2, { AUTO_RESET: 0, ALERT_SUPPORT: 1 }),
});
