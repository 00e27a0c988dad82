/** Tables of consoles, debug ports, and controllers for management. */
import { address, byteAt, dwordAt, list, rest, structure, table, typed, wordAt } from './form.ts';

/** Debug Port specification 1.0 */
export const DBGP = table('DBGP', { INTERFACE_TYPE: 1, RESERVED: 3, BASE_ADDRESS: address });

/** Debug Port Table 2 */
export const DBG2 = table(
  'DBG2',
  { INFO_OFFSET: 4, INFO_COUNT: 4 },
  list(
    structure(
      'Debug device',
      {
        REVISION: 1,
        LENGTH: 2,
        REGISTER_COUNT: 1,
        NAMESPACE_LENGTH: 2,
        NAMESPACE_OFFSET: 2,
        OEM_DATA_LENGTH: 2,
        OEM_DATA_OFFSET: 2,
        PORT_TYPE: 2,
        PORT_SUBTYPE: 2,
        RESERVED: 2,
        BASE_ADDRESS_OFFSET: 2,
        ADDRESS_SIZE_OFFSET: 2,
      },
      {
        kind: 'listAt',
        form: structure('Register', { BASE_ADDRESS: address }),
        at: 'BASE_ADDRESS_OFFSET',
        count: 'REGISTER_COUNT',
      },
      {
        kind: 'listAt',
        form: structure('Register size', { ADDRESS_SIZE: 4 }),
        at: 'ADDRESS_SIZE_OFFSET',
        count: 'REGISTER_COUNT',
      },
      { kind: 'fieldAt', name: 'NAMESPACE_PATH', as: 'ascii', at: 'NAMESPACE_OFFSET', length: 'NAMESPACE_LENGTH' },
      { kind: 'fieldAt', name: 'OEM_DATA', as: 'bytes', at: 'OEM_DATA_OFFSET', length: 'OEM_DATA_LENGTH' },
    ),
    { count: 'INFO_COUNT', length: wordAt(1) },
  ),
);

/** Serial Port Console Redirection 1.07 */
export const SPCR = table('SPCR', {
  INTERFACE_TYPE: 1,
  RESERVED: 3,
  BASE_ADDRESS: address,
  INTERRUPT_TYPE: 1,
  IRQ: 1,
  GSI: 4,
  BAUD_RATE: 1,
  PARITY: 1,
  STOP_BITS: 1,
  FLOW_CONTROL: 1,
  TERMINAL_TYPE: 1,
  LANGUAGE: 1,
  PCI_DEVICE_ID: 2,
  PCI_VENDOR_ID: 2,
  PCI_BUS: 1,
  PCI_DEVICE: 1,
  PCI_FUNCTION: 1,
  PCI_FLAGS: 4,
  PCI_SEGMENT: 1,
  UART_CLOCK_FREQUENCY: 4,
  PRECISE_BAUD_RATE: 4,
});

/** IPMI 2.0 appendix C3 */
export const SPMI = table('SPMI', {
  INTERFACE_TYPE: 1,
  RESERVED: 1,
  SPECIFICATION_REVISION: 2,
  INTERRUPT_TYPE: 1,
  GPE: 1,
  RESERVED_2: 1,
  PCI_DEVICE_FLAG: 1,
  GSI: 4,
  BASE_ADDRESS: address,
  PCI_SEGMENT: 1,
  PCI_BUS: 1,
  PCI_DEVICE: 1,
  PCI_FUNCTION: 1,
  RESERVED_3: 1,
});

const ASF_HEAD = { TYPE: 1, RESERVED: 1, LENGTH: 2 };
/** The last structure has bit 7 of its type set. */
const ASF_TYPE = byteAt(0, 0x7f);

/** Alert Standard Format 2.0 §4.1 */
export const ASF = table(
  'ASF!',
  {},
  typed(ASF_TYPE, wordAt(2), {
    0: structure('ASF information', {
      ...ASF_HEAD,
      MINIMUM_RESET: 1,
      MINIMUM_POLL: 1,
      SYSTEM_ID: 2,
      MANUFACTURER_ID: 4,
      FLAGS: 1,
      RESERVED_2: 3,
    }),
    1: structure(
      'ASF alerts',
      { ...ASF_HEAD, ASSERTION_MASK: 1, DEASSERTION_MASK: 1, ALERT_COUNT: 1, ALERT_LENGTH: 1 },
      list(
        structure('Alert', {
          ADDRESS: 1,
          COMMAND: 1,
          MASK: 1,
          VALUE: 1,
          SENSOR_TYPE: 1,
          EVENT_TYPE: 1,
          EVENT_OFFSET: 1,
          SOURCE_TYPE: 1,
          SEVERITY: 1,
          SENSOR_NUMBER: 1,
          ENTITY: 1,
          ENTITY_INSTANCE: 1,
        }),
        { count: 'ALERT_COUNT' },
      ),
    ),
    2: structure(
      'ASF remote control',
      { ...ASF_HEAD, CONTROL_COUNT: 1, CONTROL_LENGTH: 1, RESERVED_2: 2 },
      list(structure('Control', { FUNCTION: 1, ADDRESS: 1, COMMAND: 1, VALUE: 1 }), { count: 'CONTROL_COUNT' }),
    ),
    3: structure('ASF remote control capabilities', {
      ...ASF_HEAD,
      CAPABILITIES: 7,
      COMPLETION_CODE: 1,
      ENTERPRISE_ID: 4,
      COMMAND: 1,
      PARAMETER: 2,
      BOOT_OPTIONS: 2,
      OEM_PARAMETERS: 2,
    }),
    4: structure(
      'ASF fixed addresses',
      { ...ASF_HEAD, EEPROM_ADDRESS: 1, DEVICE_COUNT: 1 },
      list(structure('Device', { ADDRESS: 1 }), { count: 'DEVICE_COUNT' }),
    ),
  }),
);

const SHARED_INFO = structure('Shared information', {
  MAJOR_VERSION: 2,
  MINOR_VERSION: 2,
  MMIO_BASE_LOW: 4,
  MMIO_BASE_HIGH: 4,
  GSI: 4,
  INTERRUPT_POLARITY: 1,
  INTERRUPT_MODE: 1,
  CHANNELS: 1,
  DMA_ADDRESS_WIDTH: 1,
  BASE_REQUEST_LINE: 2,
  HANDSHAKE_SIGNALS: 2,
  MAXIMUM_BLOCK_SIZE: 4,
});

/** Core System Resource Table, Microsoft */
export const CSRT = table(
  'CSRT',
  {},
  list(
    structure(
      'Resource group',
      {
        LENGTH: 4,
        VENDOR_ID: 4,
        SUBVENDOR_ID: 4,
        DEVICE_ID: 2,
        SUBDEVICE_ID: 2,
        REVISION: 2,
        RESERVED: 2,
        SHARED_LENGTH: 4,
      },
      { kind: 'sized', form: SHARED_INFO, length: 'SHARED_LENGTH' },
      list(structure('Resource descriptor', { LENGTH: 4, TYPE: 2, SUBTYPE: 2, UID: 4 }, rest('DATA')), {
        length: dwordAt(0),
      }),
    ),
    { length: dwordAt(0) },
  ),
);
