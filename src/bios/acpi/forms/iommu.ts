/** Tables of input-output memory management units. */
import { byteAt, type Form, flags, list, rest, structure, table, text, typed, wordAt } from './form.ts';

/** VT-d 4.1 §8.3.1 */
const DEVICE_SCOPE = structure(
  'Device scope',
  { TYPE: 1, LENGTH: 1, FLAGS: 2, ENUMERATION_ID: 1, START_BUS: 1 },
  list(structure('Path', { DEVICE: 1, FUNCTION: 1 })),
);
const SCOPES = typed(byteAt(0), byteAt(1), {
  1: DEVICE_SCOPE,
  2: DEVICE_SCOPE,
  3: DEVICE_SCOPE,
  4: DEVICE_SCOPE,
  5: DEVICE_SCOPE,
});

/** VT-d 4.1 §8.1 */
export const DMAR = table(
  'DMAR',
  {
    HOST_ADDRESS_WIDTH: 1,
    FLAGS: flags(1, { INTR_REMAP: 0, X2APIC_OPT_OUT: 1, DMA_CTRL_PLATFORM_OPT_IN: 2 }),
    RESERVED: 10,
  },
  typed(wordAt(0), wordAt(2), {
    0: structure(
      'Hardware unit',
      { TYPE: 2, LENGTH: 2, FLAGS: flags(1, { INCLUDE_PCI_ALL: 0 }), SIZE: 1, SEGMENT: 2, REGISTER_BASE: 8 },
      SCOPES,
    ),
    1: structure('Reserved memory region', { TYPE: 2, LENGTH: 2, RESERVED: 2, SEGMENT: 2, BASE: 8, LIMIT: 8 }, SCOPES),
    2: structure(
      'Root port ATS capability',
      { TYPE: 2, LENGTH: 2, FLAGS: flags(1, { ALL_PORTS: 0 }), RESERVED: 1, SEGMENT: 2 },
      SCOPES,
    ),
    3: structure('Remapping hardware affinity', {
      TYPE: 2,
      LENGTH: 2,
      RESERVED: 4,
      REGISTER_BASE: 8,
      PROXIMITY_DOMAIN: 4,
    }),
    4: structure(
      'ACPI namespace device',
      { TYPE: 2, LENGTH: 2, RESERVED: 3, DEVICE_NUMBER: 1 },
      rest('OBJECT_NAME', 'ascii'),
    ),
    5: structure(
      'SoC integrated address translation cache',
      { TYPE: 2, LENGTH: 2, FLAGS: flags(1, { ATC_REQUIRED: 0 }), RESERVED: 1, SEGMENT: 2 },
      SCOPES,
    ),
    6: structure('SoC integrated device property', { TYPE: 2, LENGTH: 2, RESERVED: 2, SEGMENT: 2 }, SCOPES),
  }),
);

const DEVICE = { TYPE: 1, DEVICE_ID: 2, DATA: 1 };
const ALIAS = { ...DEVICE, RESERVED: 1, SOURCE_ID: 2, RESERVED_2: 1 };
const EXTENDED = { ...DEVICE, EXTENDED_DATA: 4 };
const ACPI_DEVICE = 0xf0;

/** AMD IOMMU 48882 §5.2.2: the length lies in the type, but for devices by name. */
function deviceEntryLength(table: Uint8Array, offset: number): number {
  const type = table[offset];
  if (type === ACPI_DEVICE) return 22 + (table[offset + 21] ?? 0);
  return [4, 8, 16, 32][type >> 6];
}

const DEVICE_ENTRIES = typed(byteAt(0), deviceEntryLength, {
  0: structure('Padding', DEVICE),
  1: structure('All devices', DEVICE),
  2: structure('Device', DEVICE),
  3: structure('Start of range', DEVICE),
  4: structure('End of range', DEVICE),
  64: structure('Padding of 8 bytes', EXTENDED),
  66: structure('Alias', ALIAS),
  67: structure('Start of alias range', ALIAS),
  70: structure('Device with extended setting', EXTENDED),
  71: structure('Start of range with extended setting', EXTENDED),
  72: structure('Special device', { ...DEVICE, HANDLE: 1, SOURCE_ID: 2, VARIETY: 1 }),
  [ACPI_DEVICE]: structure(
    'Device by name',
    { ...DEVICE, HARDWARE_ID: text(8), COMPATIBLE_ID: text(8), UID_FORMAT: 1, UID_LENGTH: 1 },
    rest('UID', 'ascii'),
  ),
});

const UNIT = {
  TYPE: 1,
  FLAGS: 1,
  LENGTH: 2,
  DEVICE_ID: 2,
  CAPABILITY_OFFSET: 2,
  BASE: 8,
  SEGMENT: 2,
  INFO: 2,
};
const WIDE_UNIT: Form = structure(
  'Hardware definition with feature image',
  { ...UNIT, ATTRIBUTES: 4, FEATURES: 8, FEATURES_2: 8 },
  DEVICE_ENTRIES,
);
const MEMORY = structure('Memory definition', {
  TYPE: 1,
  FLAGS: 1,
  LENGTH: 2,
  DEVICE_ID: 2,
  AUXILIARY_DATA: 2,
  RESERVED: 8,
  START: 8,
  MEMORY_LENGTH: 8,
});

/** AMD IOMMU 48882 §5.2: hardware definitions of types 10h, 11h and 40h, memory definitions of types 20h to 22h. */
export const IVRS = table(
  'IVRS',
  { IVINFO: 4, RESERVED: 8 },
  typed(
    byteAt(0),
    wordAt(2),
    {
      16: structure('Hardware definition', { ...UNIT, FEATURES: 4 }, DEVICE_ENTRIES),
      17: WIDE_UNIT,
      64: WIDE_UNIT,
      32: MEMORY,
      33: MEMORY,
      34: MEMORY,
    },
    { other: structure('Definition', { TYPE: 1, FLAGS: 1, LENGTH: 2, DEVICE_ID: 2 }, rest('DATA')) },
  ),
);
