import { quoted } from '../asl/text.ts';
/** I2C, SPI, UART and CSI-2 serial bus connections: ACPI 6.5 §6.4.3.8.2. */
import {
  type AslMacro,
  aslHex,
  bodyView,
  cString,
  type DescriptorCodec,
  indexOfKeyword,
  NAME_SLOT,
  type ResourceUsage,
  readCString,
  SHARE_TYPES,
  USAGES,
  u16,
  u32,
} from './descriptor.ts';
import { aslVendorData } from './gpio.ts';

export const SLAVE_MODES = ['ControllerInitiated', 'DeviceInitiated'] as const;
export const PARITIES = [
  'ParityTypeNone',
  'ParityTypeEven',
  'ParityTypeOdd',
  'ParityTypeMark',
  'ParityTypeSpace',
] as const;
export const STOP_BITS = ['StopBitsZero', 'StopBitsOne', 'StopBitsOnePlusHalf', 'StopBitsTwo'] as const;
export const DATA_BITS = ['DataBitsFive', 'DataBitsSix', 'DataBitsSeven', 'DataBitsEight', 'DataBitsNine'] as const;
export const FLOW_CONTROLS = ['FlowControlNone', 'FlowControlHardware', 'FlowControlXON'] as const;
export const ENDIANS = ['LittleEndian', 'BigEndian'] as const;
export const ADDRESSING_MODES = ['AddressingMode7Bit', 'AddressingMode10Bit'] as const;
export const DEVICE_POLARITIES = ['PolarityLow', 'PolarityHigh'] as const;
export const WIRE_MODES = ['FourWireMode', 'ThreeWireMode'] as const;
export const CLOCK_POLARITIES = ['ClockPolarityLow', 'ClockPolarityHigh'] as const;
export const CLOCK_PHASES = ['ClockPhaseFirst', 'ClockPhaseSecond'] as const;

/** The part that depends on the bus; speeds in Hz or baud. */
export type SerialBusConnection =
  | { readonly type: 'I2C'; readonly speed: number; readonly address: number; readonly tenBit: boolean }
  | {
      readonly type: 'SPI';
      readonly speed: number;
      readonly deviceSelection: number;
      readonly devicePolarity: (typeof DEVICE_POLARITIES)[number];
      readonly wireMode: (typeof WIRE_MODES)[number];
      readonly dataBits: number;
      readonly clockPolarity: (typeof CLOCK_POLARITIES)[number];
      readonly clockPhase: (typeof CLOCK_PHASES)[number];
    }
  | {
      readonly type: 'UART';
      readonly speed: number;
      readonly dataBits: (typeof DATA_BITS)[number];
      readonly stopBits: (typeof STOP_BITS)[number];
      readonly linesInUse: number;
      readonly endian: (typeof ENDIANS)[number];
      readonly parity: (typeof PARITIES)[number];
      readonly flowControl: (typeof FLOW_CONTROLS)[number];
      readonly receiveFifo: number;
      readonly transmitFifo: number;
    }
  | {
      /** ACPI 6.4 and later. */
      readonly type: 'CSI2';
      /** 0 for C-PHY, 1 for D-PHY. */
      readonly phyType: number;
      readonly localPort: number;
    };

export interface SerialBus {
  readonly kind: 'SerialBus';
  readonly connection: SerialBusConnection;
  /** 1 in ACPI 5.0's macros, 2 in the macros with V2 in their name, which add `share`. */
  readonly revision: 1 | 2;
  readonly slaveMode: (typeof SLAVE_MODES)[number];
  readonly usage: ResourceUsage;
  readonly share: (typeof SHARE_TYPES)[number];
  readonly source: string;
  readonly sourceIndex: number;
  readonly vendorData: readonly number[];
}

const BUS_TYPES = ['', 'I2C', 'SPI', 'UART', 'CSI2'] as const;
/** Behind tag and length: revision, source index, bus type, flags, type flags, type revision, type data length. */
const FIXED_LENGTH = 9;
const TYPE_DATA_LENGTHS = { I2C: 6, SPI: 9, UART: 10, CSI2: 0 } as const;

function encodeConnection(connection: SerialBusConnection): { flags: number; data: number[] } {
  switch (connection.type) {
    case 'I2C':
      return { flags: Number(connection.tenBit), data: [...u32(connection.speed), ...u16(connection.address)] };
    case 'SPI':
      return {
        flags:
          indexOfKeyword(WIRE_MODES, connection.wireMode) |
          (indexOfKeyword(DEVICE_POLARITIES, connection.devicePolarity) << 1),
        data: [
          ...u32(connection.speed),
          connection.dataBits,
          indexOfKeyword(CLOCK_PHASES, connection.clockPhase),
          indexOfKeyword(CLOCK_POLARITIES, connection.clockPolarity),
          ...u16(connection.deviceSelection),
        ],
      };
    case 'UART':
      return {
        flags:
          indexOfKeyword(FLOW_CONTROLS, connection.flowControl) |
          (indexOfKeyword(STOP_BITS, connection.stopBits) << 2) |
          (indexOfKeyword(DATA_BITS, connection.dataBits) << 4) |
          (indexOfKeyword(ENDIANS, connection.endian) << 7),
        data: [
          ...u32(connection.speed),
          ...u16(connection.receiveFifo),
          ...u16(connection.transmitFifo),
          indexOfKeyword(PARITIES, connection.parity),
          connection.linesInUse,
        ],
      };
    case 'CSI2':
      return { flags: connection.phyType | (connection.localPort << 2), data: [] };
  }
}

function decodeConnection(
  type: SerialBusConnection['type'],
  flags: number,
  data: Uint8Array,
): SerialBusConnection | undefined {
  if (type === 'CSI2') return { type, phyType: flags & 3, localPort: (flags >> 2) & 0x3f };
  const view = bodyView(data);
  const speed = view.getUint32(0, true);
  if (type === 'I2C') return { type, speed, address: view.getUint16(4, true), tenBit: (flags & 1) !== 0 };
  if (type === 'SPI') {
    const clockPhase = CLOCK_PHASES[data[5]];
    const clockPolarity = CLOCK_POLARITIES[data[6]];
    if (clockPhase === undefined || clockPolarity === undefined) return undefined;
    return {
      type,
      speed,
      deviceSelection: view.getUint16(7, true),
      devicePolarity: DEVICE_POLARITIES[(flags >> 1) & 1],
      wireMode: WIRE_MODES[flags & 1],
      dataBits: data[4],
      clockPolarity,
      clockPhase,
    };
  }
  const dataBits = DATA_BITS[(flags >> 4) & 7];
  const flowControl = FLOW_CONTROLS[flags & 3];
  const parity = PARITIES[data[8]];
  if (dataBits === undefined || flowControl === undefined || parity === undefined) return undefined;
  return {
    type,
    speed,
    dataBits,
    stopBits: STOP_BITS[(flags >> 2) & 3],
    linesInUse: data[9],
    endian: ENDIANS[(flags >> 7) & 1],
    parity,
    flowControl,
    receiveFifo: view.getUint16(4, true),
    transmitFifo: view.getUint16(6, true),
  };
}

/** The macros of revision 1 have no sharing, UART's no mode, and CSI-2's is of revision 1. */
function isSayable({ connection, revision, share, slaveMode }: SerialBus): boolean {
  if (revision === 1 && share !== 'Exclusive') return false;
  if (connection.type === 'UART') return slaveMode === 'ControllerInitiated';
  return connection.type !== 'CSI2' || revision === 1;
}

export const SERIAL_BUS: DescriptorCodec<SerialBus> = {
  kind: 'SerialBus',
  tags: [0x8e],
  encode(bus) {
    const { flags, data } = encodeConnection(bus.connection);
    const general =
      indexOfKeyword(SLAVE_MODES, bus.slaveMode) |
      (indexOfKeyword(USAGES, bus.usage) << 1) |
      (indexOfKeyword(SHARE_TYPES, bus.share) << 2);
    const type = BUS_TYPES.indexOf(bus.connection.type);
    const typeLength = u16(data.length + bus.vendorData.length);
    const fixed = [bus.revision, bus.sourceIndex, type, general, ...u16(flags), 1, ...typeLength];
    return { tag: 0x8e, body: [...fixed, ...data, ...bus.vendorData, ...cString(bus.source)] };
  },
  decode(body) {
    const type = BUS_TYPES[body[2]];
    if (body.length < FIXED_LENGTH || body[0] < 1 || body[0] > 2 || type === undefined || type === '') return undefined;
    const view = bodyView(body);
    const typeLength = view.getUint16(7, true);
    const sourceOffset = FIXED_LENGTH + typeLength;
    if (typeLength < TYPE_DATA_LENGTHS[type] || sourceOffset > body.length) return undefined;
    const connection = decodeConnection(type, view.getUint16(4, true), body.subarray(FIXED_LENGTH, sourceOffset));
    if (!connection) return undefined;
    return {
      kind: 'SerialBus',
      connection,
      revision: body[0] as 1 | 2,
      slaveMode: SLAVE_MODES[body[3] & 1],
      usage: USAGES[(body[3] >> 1) & 1],
      share: SHARE_TYPES[(body[3] >> 2) & 1],
      source: readCString(body, sourceOffset),
      sourceIndex: body[1],
      vendorData: [...body.subarray(FIXED_LENGTH + TYPE_DATA_LENGTHS[type], sourceOffset)],
    };
  },
  asl(bus): AslMacro | undefined {
    const { connection, slaveMode } = bus;
    if (!isSayable(bus)) return undefined;
    const source = [quoted(bus.source), aslHex(bus.sourceIndex, 2)];
    const share = bus.revision === 2 ? [bus.share] : [];
    const suffix = bus.revision === 2 ? 'V2' : '';
    const tail = [...source, bus.usage, NAME_SLOT, ...share, aslVendorData(bus.vendorData)];
    switch (connection.type) {
      case 'CSI2': {
        const port = [aslHex(connection.phyType, 2), aslHex(connection.localPort, 2)];
        return {
          name: 'Csi2Bus',
          args: [slaveMode, ...port, ...source, bus.usage, NAME_SLOT, aslVendorData(bus.vendorData)],
        };
      }
      case 'I2C': {
        const speed = aslHex(connection.speed, 8);
        const mode = ADDRESSING_MODES[Number(connection.tenBit)];
        return {
          name: `I2cSerialBus${suffix}`,
          args: [aslHex(connection.address, 4), slaveMode, speed, mode, ...tail],
        };
      }
      case 'SPI': {
        const { deviceSelection, devicePolarity, wireMode, dataBits, clockPolarity, clockPhase } = connection;
        const speed = aslHex(connection.speed, 8);
        const device = [aslHex(deviceSelection, 4), devicePolarity, wireMode, aslHex(dataBits, 2)];
        return {
          name: `SpiSerialBus${suffix}`,
          args: [...device, slaveMode, speed, clockPolarity, clockPhase, ...tail],
        };
      }
      case 'UART': {
        const { dataBits, stopBits, linesInUse, endian, parity, flowControl } = connection;
        const speed = aslHex(connection.speed, 8);
        const format = [dataBits, stopBits, aslHex(linesInUse, 2), endian, parity, flowControl];
        const fifos = [aslHex(connection.receiveFifo, 4), aslHex(connection.transmitFifo, 4)];
        return { name: `UartSerialBus${suffix}`, args: [speed, ...format, ...fifos, ...tail] };
      }
    }
  },
};
