/** Tables of trust: TPMs, system management mode, secure devices, licences. */
import { byteAt, type Form, flags, list, raw, rest, structure, table, text, typed, wordAt } from './form.ts';

/** TCG ACPI specification 1.4 §8 */
export const TPM2 = table('TPM2', {
  PLATFORM_CLASS: 2,
  RESERVED: 2,
  CONTROL_AREA: 8,
  START_METHOD: 4,
  START_METHOD_PARAMETERS: 12,
  LOG_MINIMUM_LENGTH: 4,
  LOG_ADDRESS: 8,
});

/** TCG ACPI specification 1.2 §7.1, of clients */
export const TCPA = table('TCPA', { PLATFORM_CLASS: 2, LOG_MINIMUM_LENGTH: 4, LOG_ADDRESS: 8 });

/** Windows SMM Security Mitigations Table */
export const WSMT = table('WSMT', {
  PROTECTION_FLAGS: flags(4, {
    FIXED_COMM_BUFFERS: 0,
    COMM_BUFFER_NESTED_PTR_PROTECTION: 1,
    SYSTEM_RESOURCE_PROTECTION: 2,
  }),
});

/** Windows Platform Binary Table */
export const WPBT = table(
  'WPBT',
  { HANDOFF_SIZE: 4, HANDOFF_ADDRESS: 8, LAYOUT: 1, TYPE: 1, ARGUMENTS_LENGTH: 2 },
  rest('ARGUMENTS'),
);

const SECURE_DEVICE = { TYPE: 1, FLAGS: flags(1, { ALLOW_HANDOFF: 0 }), LENGTH: 2 };
const VENDOR_DATA = {
  kind: 'fieldAt',
  name: 'VENDOR_DATA',
  as: 'bytes',
  at: 'VENDOR_OFFSET',
  length: 'VENDOR_LENGTH',
} as const;

/** Secure Devices Table, ACPI 6.5 §5.2.26 */
export const SDEV = table(
  'SDEV',
  {},
  typed(byteAt(0), wordAt(2), {
    0: structure(
      'Namespace device',
      { ...SECURE_DEVICE, DEVICE_ID_OFFSET: 2, DEVICE_ID_LENGTH: 2, VENDOR_OFFSET: 2, VENDOR_LENGTH: 2 },
      { kind: 'fieldAt', name: 'DEVICE_ID', as: 'ascii', at: 'DEVICE_ID_OFFSET', length: 'DEVICE_ID_LENGTH' },
      VENDOR_DATA,
    ),
    1: structure(
      'PCI Express endpoint',
      {
        ...SECURE_DEVICE,
        SEGMENT: 2,
        START_BUS: 2,
        PATH_OFFSET: 2,
        PATH_LENGTH: 2,
        VENDOR_OFFSET: 2,
        VENDOR_LENGTH: 2,
      },
      {
        kind: 'listAt',
        form: structure('Path', { DEVICE: 1, FUNCTION: 1 }),
        at: 'PATH_OFFSET',
        length: 'PATH_LENGTH',
      },
      VENDOR_DATA,
    ),
  }),
);

/** Microsoft Software Licensing Tables: a public key and a marker */
export const SLIC: Form = table(
  'SLIC',
  {},
  typed(
    { offset: 0, byteLength: 4 },
    { offset: 4, byteLength: 4 },
    {
      0: structure('OEM public key', {
        TYPE: 4,
        LENGTH: 4,
        KEY_TYPE: 1,
        VERSION: 1,
        RESERVED: 2,
        ALGORITHM: 4,
        MAGIC: text(4),
        BIT_LENGTH: 4,
        EXPONENT: 4,
        MODULUS: raw(128),
      }),
      1: structure('Windows marker', {
        TYPE: 4,
        LENGTH: 4,
        VERSION: 4,
        OEM_ID: text(6),
        OEM_TABLE_ID: text(8),
        WINDOWS_FLAG: text(8),
        SLIC_VERSION: 4,
        RESERVED: raw(16),
        SIGNATURE: raw(128),
      }),
    },
  ),
);

/** Microsoft Software Licensing Tables: a product key */
export const MSDM = table(
  'MSDM',
  { VERSION: 4, RESERVED: 4, DATA_TYPE: 4, DATA_RESERVED: 4, DATA_LENGTH: 4 },
  rest('DATA', 'ascii'),
);

/** Maximum System Characteristics Table, ACPI 6.5 §5.2.19 */
export const MSCT = table(
  'MSCT',
  { PROXIMITY_OFFSET: 4, MAX_PROXIMITY_DOMAINS: 4, MAX_CLOCK_DOMAINS: 4, MAX_PHYSICAL_ADDRESS: 8 },
  list(
    structure('Proximity domain information', {
      REVISION: 1,
      LENGTH: 1,
      RANGE_START: 4,
      RANGE_END: 4,
      PROCESSOR_CAPACITY: 4,
      MEMORY_CAPACITY: 8,
    }),
    { length: byteAt(1) },
  ),
);
