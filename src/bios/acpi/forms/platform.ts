/** Tables of the boot and of memory. */
import { byteAt, flags, raw, rest, structure, table, typed, wordAt } from './form.ts';

/** ACPI 6.5 §5.2.23 */
export const BGRT = table('BGRT', {
  VERSION: 2,
  STATUS: flags(1, { DISPLAYED: 0 }),
  IMAGE_TYPE: 1,
  IMAGE_ADDRESS: 8,
  IMAGE_OFFSET_X: 4,
  IMAGE_OFFSET_Y: 4,
});

/** Simple Boot Flag specification 2.1 */
export const BOOT = table('BOOT', { CMOS_INDEX: 1, RESERVED: 3 });

/** UEFI 2.10 appendix O */
export const UEFI = table('UEFI', { IDENTIFIER: raw(16), DATA_OFFSET: 2 }, rest('DATA'));

const RECORD_HEAD = { TYPE: 2, LENGTH: 1, REVISION: 1 };
const RECORD = { ...RECORD_HEAD, RESERVED: 4, ADDRESS: 8 };

/** ACPI 6.5 §5.2.24 */
export const FPDT = table(
  'FPDT',
  {},
  typed(
    wordAt(0),
    byteAt(2),
    {
      0: structure('Firmware basic boot record', RECORD),
      1: structure('S3 performance record', RECORD),
    },
    { other: structure('Record', RECORD_HEAD, rest('DATA')) },
  ),
);

/** ACPI 6.5 §5.2.20 */
export const RASF = table('RASF', { CHANNEL_ID: 12 });

const HEAD = { TYPE: 2, LENGTH: 2 };
const ADDRESS_RANGE = {
  RANGE_INDEX: 2,
  FLAGS: flags(2, { HOT_ADD_ONLY: 0, PROXIMITY_VALID: 1, COOKIE_VALID: 2 }),
  RESERVED: 4,
  PROXIMITY_DOMAIN: 4,
  RANGE_TYPE: raw(16),
  BASE: 8,
  RANGE_LENGTH: 8,
  MAPPING_ATTRIBUTE: 8,
  LOCATION_COOKIE: 8,
};

/** NVDIMM Firmware Interface Table, ACPI 6.5 §5.2.25 */
export const NFIT = table(
  'NFIT',
  { RESERVED: 4 },
  typed(wordAt(0), wordAt(2), {
    0: structure('System physical address range', { ...HEAD, ...ADDRESS_RANGE }),
    1: structure('NVDIMM region mapping', {
      ...HEAD,
      DEVICE_HANDLE: 4,
      PHYSICAL_ID: 2,
      REGION_ID: 2,
      RANGE_INDEX: 2,
      CONTROL_REGION_INDEX: 2,
      REGION_SIZE: 8,
      REGION_OFFSET: 8,
      PHYSICAL_ADDRESS: 8,
      INTERLEAVE_INDEX: 2,
      INTERLEAVE_WAYS: 2,
      STATE_FLAGS: 2,
      RESERVED: 2,
    }),
    2: structure(
      'Interleave',
      { ...HEAD, INTERLEAVE_INDEX: 2, RESERVED: 2, LINE_COUNT: 4, LINE_SIZE: 4 },
      rest('LINES'),
    ),
    3: structure('SMBIOS management information', { ...HEAD, RESERVED: 4 }, rest('DATA')),
    4: structure('NVDIMM control region', {
      ...HEAD,
      CONTROL_REGION_INDEX: 2,
      VENDOR_ID: 2,
      DEVICE_ID: 2,
      REVISION_ID: 2,
      SUBSYSTEM_VENDOR_ID: 2,
      SUBSYSTEM_DEVICE_ID: 2,
      SUBSYSTEM_REVISION_ID: 2,
      VALID_FIELDS: 1,
      MANUFACTURING_LOCATION: 1,
      MANUFACTURING_DATE: 2,
      RESERVED: 2,
      SERIAL_NUMBER: 4,
      INTERFACE_CODE: 2,
      WINDOW_COUNT: 2,
      WINDOW_SIZE: 8,
      COMMAND_OFFSET: 8,
      COMMAND_SIZE: 8,
      STATUS_OFFSET: 8,
      STATUS_SIZE: 8,
      FLAGS: 2,
      RESERVED_2: 6,
    }),
    5: structure('NVDIMM block data window', {
      ...HEAD,
      CONTROL_REGION_INDEX: 2,
      WINDOW_COUNT: 2,
      WINDOW_OFFSET: 8,
      WINDOW_SIZE: 8,
      CAPACITY: 8,
      START_ADDRESS: 8,
    }),
    6: structure('Flush hint addresses', { ...HEAD, DEVICE_HANDLE: 4, HINT_COUNT: 2, RESERVED: 6 }, rest('HINTS')),
    7: structure('Platform capabilities', { ...HEAD, HIGHEST_VALID: 1, RESERVED: 3, CAPABILITIES: 4, RESERVED_2: 4 }),
  }),
);
