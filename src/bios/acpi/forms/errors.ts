/** Tables of the ACPI platform error interfaces (ACPI 6.5 §18). */
import { address, flags, type LengthOf, list, readWord, structure, table, typed, wordAt } from './form.ts';

/** §18.3.1 */
export const BERT = table('BERT', { REGION_LENGTH: 4, REGION_ADDRESS: 8 });

/** §18.3.2.10, of 28 bytes. */
const NOTIFICATION = {
  NOTIFY_TYPE: 1,
  NOTIFY_LENGTH: 1,
  NOTIFY_WRITE_ENABLE: 2,
  NOTIFY_POLL_INTERVAL: 4,
  NOTIFY_VECTOR: 4,
  NOTIFY_SWITCH_VALUE: 4,
  NOTIFY_SWITCH_WINDOW: 4,
  NOTIFY_ERROR_VALUE: 4,
  NOTIFY_ERROR_WINDOW: 4,
};
const FLAGS = flags(1, { FIRMWARE_FIRST: 0, GLOBAL: 1, GHES_ASSIST: 2 });
const SOURCE = { TYPE: 2, SOURCE_ID: 2, RESERVED: 2, FLAGS, ENABLED: 1, RECORDS: 4, SECTIONS: 4 };
const AER = {
  ...SOURCE,
  BUS: 4,
  DEVICE: 2,
  FUNCTION: 2,
  DEVICE_CONTROL: 2,
  RESERVED_2: 2,
  UNCORRECTABLE_MASK: 4,
  UNCORRECTABLE_SEVERITY: 4,
  CORRECTABLE_MASK: 4,
  ADVANCED_CAPABILITIES: 4,
};
const BANK = structure('Error bank', {
  BANK: 1,
  CLEAR_STATUS: 1,
  STATUS_FORMAT: 1,
  RESERVED: 1,
  CONTROL_REGISTER: 4,
  CONTROL_DATA: 8,
  STATUS_REGISTER: 4,
  ADDRESS_REGISTER: 4,
  MISC_REGISTER: 4,
});
const BANKS = list(BANK, { count: 'BANK_COUNT' });
const CORRECTED = { ...SOURCE, ...NOTIFICATION, BANK_COUNT: 1, RESERVED_2: 3 };
const GENERIC = {
  TYPE: 2,
  SOURCE_ID: 2,
  RELATED_ID: 2,
  FLAGS: 1,
  ENABLED: 1,
  RECORDS: 4,
  SECTIONS: 4,
  RAW_DATA_LENGTH: 4,
  ERROR_STATUS: address,
  ...NOTIFICATION,
  STATUS_BLOCK_LENGTH: 4,
};

const SOURCES = {
  0: structure(
    'Machine check exception',
    { ...SOURCE, GLOBAL_CAPABILITY: 8, GLOBAL_CONTROL: 8, BANK_COUNT: 1, RESERVED_2: 7 },
    BANKS,
  ),
  1: structure('Corrected machine check', CORRECTED, BANKS),
  2: structure('Non-maskable interrupt', {
    TYPE: 2,
    SOURCE_ID: 2,
    RESERVED: 4,
    RECORDS: 4,
    SECTIONS: 4,
    RAW_DATA_LENGTH: 4,
  }),
  6: structure('PCI Express root port AER', { ...AER, ROOT_ERROR_COMMAND: 4 }),
  7: structure('PCI Express device AER', AER),
  8: structure('PCI Express bridge AER', {
    ...AER,
    SECONDARY_UNCORRECTABLE_MASK: 4,
    SECONDARY_UNCORRECTABLE_SEVERITY: 4,
    SECONDARY_ADVANCED_CAPABILITIES: 4,
  }),
  9: structure('Generic hardware error', GENERIC),
  10: structure('Generic hardware error, version 2', {
    ...GENERIC,
    READ_ACK: address,
    READ_ACK_PRESERVE: 8,
    READ_ACK_WRITE: 8,
  }),
  11: structure('Deferred machine check', CORRECTED, BANKS),
};

/** Sources state no length: it lies in the type and the number of banks. */
const sourceLength: LengthOf = (table, offset) => {
  const type = readWord(table, offset, wordAt(0)) as keyof typeof SOURCES;
  const form = SOURCES[type];
  if (!form) return 0;
  const count = form.layout.fields.BANK_COUNT;
  const banks = count ? (table[offset + count.offset] ?? 0) : 0;
  return form.layout.byteLength + banks * BANK.layout.byteLength;
};

/** §18.3.2 */
export const HEST = table(
  'HEST',
  { SOURCE_COUNT: 4 },
  typed(wordAt(0), sourceLength, SOURCES, { count: 'SOURCE_COUNT' }),
);

const INSTRUCTION = {
  ACTION: 1,
  INSTRUCTION: 1,
  FLAGS: flags(1, { PRESERVE_REGISTER: 0 }),
  RESERVED: 1,
  REGISTER: address,
};
const STEP = structure('Instruction', { ...INSTRUCTION, VALUE: 8, MASK: 8 });

/** §18.5.1 */
export const ERST = table(
  'ERST',
  { SERIALIZATION_HEADER_LENGTH: 4, RESERVED: 4, INSTRUCTION_COUNT: 4 },
  list(STEP, { count: 'INSTRUCTION_COUNT' }),
);

/** §18.6.1 */
export const EINJ = table(
  'EINJ',
  { INJECTION_HEADER_LENGTH: 4, FLAGS: 1, RESERVED: 3, INSTRUCTION_COUNT: 4 },
  list(STEP, { count: 'INSTRUCTION_COUNT' }),
);

/** Microsoft, Hardware Watchdog Timers Design Specification. */
export const WDAT = table(
  'WDAT',
  {
    HEADER_LENGTH: 4,
    SEGMENT: 2,
    BUS: 1,
    DEVICE: 1,
    FUNCTION: 1,
    RESERVED: 3,
    TIMER_PERIOD: 4,
    MAXIMUM_COUNT: 4,
    MINIMUM_COUNT: 4,
    FLAGS: flags(1, { ENABLED: 0, STOPPED_IN_SLEEP: 7 }),
    RESERVED_2: 3,
    INSTRUCTION_COUNT: 4,
  },
  list(structure('Instruction', { ACTION: 1, INSTRUCTION: 1, RESERVED: 2, REGISTER: address, VALUE: 4, MASK: 4 }), {
    count: 'INSTRUCTION_COUNT',
  }),
);
