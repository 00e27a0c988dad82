/** Resource macros of ASL to descriptors: ACPI 6.5 §19.6, each macro by its own arguments. */
import { REGION_SPACES } from '../opcodes.ts';
import {
  type AddressSpace,
  type AddressWidth,
  CACHE_TYPES,
  DENSITIES,
  ISA_RANGES,
  MEMORY_TYPES,
  type RangeType,
  TRANSLATIONS,
} from '../resources/address-space.ts';
import { CLOCK_MODES, CLOCK_SCALES } from '../resources/clock-input.ts';
import {
  ACCESS_TYPES,
  POLARITIES,
  type ResourceSource,
  SHARE_AND_WAKE_TYPES,
  SHARE_TYPES,
  TRIGGERS,
  USAGES,
} from '../resources/descriptor.ts';
import { GPIO_POLARITIES, IO_RESTRICTIONS } from '../resources/gpio.ts';
import { IO_DECODES } from '../resources/io-port.ts';
import { BUS_MASTERING, DMA_TRANSFERS, DMA_TYPES, FIXED_DMA_WIDTHS } from '../resources/irq-dma.ts';
import type { ResourceDescriptor } from '../resources/resource-template.ts';
import {
  ADDRESSING_MODES,
  CLOCK_PHASES,
  CLOCK_POLARITIES,
  DATA_BITS,
  DEVICE_POLARITIES,
  ENDIANS,
  FLOW_CONTROLS,
  PARITIES,
  type SerialBusConnection,
  SLAVE_MODES,
  STOP_BITS,
  WIRE_MODES,
} from '../resources/serial-bus.ts';
import { PIN_MACROS, pullAt } from './resource-macros-pins.ts';

/** One macro's arguments, read by position; each may be omitted when a default is given. */
export interface MacroArguments {
  readonly count: number;
  has(index: number): boolean;
  /** A constant; `fallback` for an omitted one. */
  big(index: number, fallback?: bigint): bigint;
  number(index: number, fallback?: number): number;
  text(index: number): string | undefined;
  /** One of `keywords`; the first, or `fallback`, for an omitted one. */
  keyword<Keyword extends string>(index: number, keywords: readonly Keyword[], fallback?: Keyword): Keyword;
  /** A keyword, or nothing when a number stands there. */
  maybeKeyword<Keyword extends string>(index: number, keywords: readonly Keyword[]): Keyword | undefined;
  /** Bytes of a RawDataBuffer argument. */
  raw(index: number): readonly number[];
  /** Constants in braces behind the arguments. */
  readonly list: readonly number[];
}

export type MacroParser = (args: MacroArguments) => ResourceDescriptor;

const DECODES = ['PosDecode', 'SubDecode'] as const;
const MIN_FIXED = ['MinNotFixed', 'MinFixed'] as const;
const MAX_FIXED = ['MaxNotFixed', 'MaxFixed'] as const;

function sourceAt(args: MacroArguments, index: number): ResourceSource | undefined {
  const name = args.text(index + 1);
  if (!args.has(index) && name === undefined) return undefined;
  const source = { index: args.number(index, 0) };
  return name === undefined ? source : { ...source, name };
}

interface RangeLayout {
  readonly decode: number;
  readonly min: number;
  readonly max: number;
  /** Index of the granularity. */
  readonly numbers: number;
}

function addressSpace(
  width: AddressWidth,
  layout: RangeLayout,
  args: MacroArguments,
  range: RangeType,
  usage = 0,
): AddressSpace {
  const [granularity, minimum, maximum, translation, length] = [0, 1, 2, 3, 4].map((step) =>
    args.big(layout.numbers + step),
  );
  const source = width === 'Extended' ? undefined : sourceAt(args, layout.numbers + 5);
  return {
    kind: 'AddressSpace',
    width,
    range,
    usage: args.keyword(usage, USAGES, 'ResourceConsumer'),
    decode: args.keyword(layout.decode, DECODES),
    minFixed: args.keyword(layout.min, MIN_FIXED) === 'MinFixed',
    maxFixed: args.keyword(layout.max, MAX_FIXED) === 'MaxFixed',
    granularity,
    minimum,
    maximum,
    translation,
    length,
    ...(source && { source }),
    ...(width === 'Extended' && { attributes: args.big(layout.numbers + 5, 0n) }),
  };
}

const memory =
  (width: AddressWidth): MacroParser =>
  (args) => {
    const tail = width === 'Extended' ? 13 : 14;
    const range: RangeType = {
      type: 'Memory',
      cache: args.keyword(4, CACHE_TYPES),
      access: args.keyword(5, ACCESS_TYPES, 'ReadWrite'),
      memoryType: args.keyword(tail, MEMORY_TYPES),
      translationType: args.keyword(tail + 1, TRANSLATIONS),
    };
    return addressSpace(width, { decode: 1, min: 2, max: 3, numbers: 6 }, args, range);
  };

const ioRange =
  (width: AddressWidth): MacroParser =>
  (args) => {
    const tail = width === 'Extended' ? 12 : 13;
    const range: RangeType = {
      type: 'IO',
      ranges: args.keyword(
        4,
        ISA_RANGES.slice(1) as ('NonISAOnlyRanges' | 'ISAOnlyRanges' | 'EntireRange')[],
        'EntireRange',
      ),
      translationType: args.keyword(tail, TRANSLATIONS),
      density: args.keyword(tail + 1, DENSITIES),
    };
    return addressSpace(width, { decode: 3, min: 1, max: 2, numbers: 5 }, args, range);
  };

const space =
  (width: AddressWidth): MacroParser =>
  (args) => {
    const [value, flags] = [args.number(0), args.number(5)];
    const range: RangeType = value === 2 && flags === 0 ? { type: 'BusNumber' } : { type: 'Other', value, flags };
    return addressSpace(width, { decode: 2, min: 3, max: 4, numbers: 6 }, args, range, 1);
  };

const movableMemory =
  (kind: 'Memory24' | 'Memory32'): MacroParser =>
  (args) => ({
    kind,
    access: args.keyword(0, ACCESS_TYPES, 'ReadWrite'),
    minimum: args.number(1),
    maximum: args.number(2),
    alignment: args.number(3),
    byteLength: args.number(4),
  });

const vendor =
  (size: 'short' | 'long'): MacroParser =>
  ({ list }) => ({ kind: 'Vendor', size, bytes: list });

/** The tail that GPIO macros share, from the ResourceSource on. */
const gpioTail = (args: MacroArguments, index: number) => ({
  source: args.text(index) ?? '',
  sourceIndex: args.number(index + 1, 0),
  usage: args.keyword(index + 2, USAGES, 'ResourceConsumer'),
  pins: args.list,
  vendorData: args.raw(index + 4),
});

const serialBus =
  (
    revision: 1 | 2,
    layout: { readonly slaveMode: number; readonly source: number },
    connection: (args: MacroArguments) => SerialBusConnection,
  ): MacroParser =>
  (args) => {
    const { source } = layout;
    return {
      kind: 'SerialBus',
      revision,
      connection: connection(args),
      slaveMode: layout.slaveMode < 0 ? 'ControllerInitiated' : args.keyword(layout.slaveMode, SLAVE_MODES),
      source: args.text(source) ?? '',
      sourceIndex: args.number(source + 1, 0),
      usage: args.keyword(source + 2, USAGES, 'ResourceConsumer'),
      share: revision === 2 ? args.keyword(source + 4, SHARE_TYPES) : 'Exclusive',
      vendorData: args.raw(source + (revision === 2 ? 5 : 4)),
    };
  };

const i2c = (args: MacroArguments): SerialBusConnection => ({
  type: 'I2C',
  address: args.number(0),
  speed: args.number(2),
  tenBit: args.keyword(3, ADDRESSING_MODES) === 'AddressingMode10Bit',
});

const spi = (args: MacroArguments): SerialBusConnection => ({
  type: 'SPI',
  deviceSelection: args.number(0),
  devicePolarity: args.keyword(1, DEVICE_POLARITIES),
  wireMode: args.keyword(2, WIRE_MODES),
  dataBits: args.number(3),
  speed: args.number(5),
  clockPolarity: args.keyword(6, CLOCK_POLARITIES),
  clockPhase: args.keyword(7, CLOCK_PHASES),
});

/** ACPI 6.4's, which has no revision 2. */
const csi2 = (args: MacroArguments): SerialBusConnection => ({
  type: 'CSI2',
  phyType: args.number(1, 0),
  localPort: args.number(2, 0),
});

const uart = (args: MacroArguments): SerialBusConnection => ({
  type: 'UART',
  speed: args.number(0),
  dataBits: args.keyword(1, DATA_BITS, 'DataBitsEight'),
  stopBits: args.keyword(2, STOP_BITS, 'StopBitsOne'),
  linesInUse: args.number(3),
  endian: args.keyword(4, ENDIANS),
  parity: args.keyword(5, PARITIES),
  flowControl: args.keyword(6, FLOW_CONTROLS),
  receiveFifo: args.number(7),
  transmitFifo: args.number(8),
});

/** By the macro's name. */
export const RESOURCE_MACROS: Readonly<Record<string, MacroParser>> = {
  IRQ: (args) => ({
    kind: 'IRQ',
    irqs: args.list,
    mode: {
      trigger: args.keyword(0, TRIGGERS, 'Edge'),
      polarity: args.keyword(1, POLARITIES),
      share: args.keyword(2, SHARE_AND_WAKE_TYPES),
    },
  }),
  IRQNoFlags: ({ list }) => ({ kind: 'IRQ', irqs: list }),
  DMA: (args) => ({
    kind: 'DMA',
    type: args.keyword(0, DMA_TYPES),
    busMaster: args.keyword(1, BUS_MASTERING, 'BusMaster') === 'BusMaster',
    transfer: args.keyword(2, DMA_TRANSFERS),
    channels: args.list,
  }),
  FixedDMA: (args) => ({
    kind: 'FixedDMA',
    requestLine: args.number(0),
    channel: args.number(1),
    width: args.keyword(2, FIXED_DMA_WIDTHS, 'Width32bit'),
  }),
  IO: (args) => ({
    kind: 'IO',
    decode: args.keyword(0, IO_DECODES, 'Decode16'),
    minimum: args.number(1),
    maximum: args.number(2),
    alignment: args.number(3),
    byteLength: args.number(4),
  }),
  FixedIO: (args) => ({ kind: 'FixedIO', base: args.number(0), byteLength: args.number(1) }),
  VendorShort: vendor('short'),
  VendorLong: vendor('long'),
  Memory24: movableMemory('Memory24'),
  Memory32: movableMemory('Memory32'),
  Memory32Fixed: (args) => ({
    kind: 'Memory32Fixed',
    access: args.keyword(0, ACCESS_TYPES, 'ReadWrite'),
    base: args.number(1),
    byteLength: args.number(2),
  }),
  WordBusNumber: (args) => addressSpace('Word', { decode: 3, min: 1, max: 2, numbers: 4 }, args, { type: 'BusNumber' }),
  WordIO: ioRange('Word'),
  DWordIO: ioRange('DWord'),
  QWordIO: ioRange('QWord'),
  ExtendedIO: ioRange('Extended'),
  DWordMemory: memory('DWord'),
  QWordMemory: memory('QWord'),
  WordMemory: memory('Word'),
  ExtendedMemory: memory('Extended'),
  WordSpace: space('Word'),
  DWordSpace: space('DWord'),
  QWordSpace: space('QWord'),
  ExtendedSpace: space('Extended'),
  Interrupt: (args) => {
    const source = sourceAt(args, 4);
    return {
      kind: 'Interrupt',
      usage: args.keyword(0, USAGES, 'ResourceConsumer'),
      trigger: args.keyword(1, TRIGGERS),
      polarity: args.keyword(2, POLARITIES),
      share: args.keyword(3, SHARE_AND_WAKE_TYPES),
      interrupts: args.list,
      ...(source && { source }),
    };
  },
  Register: (args) => {
    const keyword = args.maybeKeyword(0, Object.keys(REGION_SPACES) as (keyof typeof REGION_SPACES)[]);
    return {
      kind: 'Register',
      addressSpace: keyword === undefined ? args.number(0) : REGION_SPACES[keyword],
      bitWidth: args.number(1),
      bitOffset: args.number(2),
      address: args.big(3),
      accessSize: args.number(4, 0),
    };
  },
  GpioInt: (args) => ({
    kind: 'Gpio',
    connection: {
      type: 'Interrupt',
      trigger: args.keyword(0, TRIGGERS, 'Edge'),
      polarity: args.keyword(1, GPIO_POLARITIES),
    },
    share: args.keyword(2, SHARE_AND_WAKE_TYPES),
    pull: pullAt(args, 3),
    debounceTimeout: args.number(4, 0),
    driveStrength: 0,
    ...gpioTail(args, 5),
  }),
  GpioIo: (args) => ({
    kind: 'Gpio',
    connection: { type: 'Io', restriction: args.keyword(4, IO_RESTRICTIONS) },
    share: args.keyword(0, SHARE_AND_WAKE_TYPES),
    pull: pullAt(args, 1),
    debounceTimeout: args.number(2, 0),
    driveStrength: args.number(3, 0),
    ...gpioTail(args, 5),
  }),
  I2cSerialBus: serialBus(1, { slaveMode: 1, source: 4 }, i2c),
  I2cSerialBusV2: serialBus(2, { slaveMode: 1, source: 4 }, i2c),
  SpiSerialBus: serialBus(1, { slaveMode: 4, source: 8 }, spi),
  SpiSerialBusV2: serialBus(2, { slaveMode: 4, source: 8 }, spi),
  UartSerialBus: serialBus(1, { slaveMode: -1, source: 9 }, uart),
  UartSerialBusV2: serialBus(2, { slaveMode: -1, source: 9 }, uart),
  Csi2Bus: serialBus(1, { slaveMode: 0, source: 3 }, csi2),
  ...PIN_MACROS,
  ClockInput: (args) => {
    const name = args.text(4);
    const isNamed = name !== undefined || args.has(5);
    return {
      kind: 'ClockInput',
      numerator: args.number(0),
      divisor: args.number(1),
      scale: args.keyword(2, CLOCK_SCALES),
      mode: args.keyword(3, CLOCK_MODES, 'Fixed'),
      ...(isNamed && { source: { index: args.number(5, 0), ...(name !== undefined && { name }) } }),
    };
  },
};

/** Position of the DescriptorName among a macro's arguments. */
const NAME_INDEXES: Readonly<Record<string, number>> = {
  IRQ: 3,
  IRQNoFlags: 0,
  DMA: 3,
  FixedDMA: 3,
  IO: 5,
  FixedIO: 2,
  VendorShort: 0,
  VendorLong: 0,
  Memory24: 5,
  Memory32: 5,
  Memory32Fixed: 3,
  WordBusNumber: 11,
  WordIO: 12,
  DWordIO: 12,
  QWordIO: 12,
  ExtendedIO: 11,
  WordMemory: 13,
  DWordMemory: 13,
  QWordMemory: 13,
  ExtendedMemory: 12,
  WordSpace: 13,
  DWordSpace: 13,
  QWordSpace: 13,
  ExtendedSpace: 12,
  Interrupt: 6,
  Register: 5,
  GpioInt: 8,
  GpioIo: 8,
  I2cSerialBus: 7,
  I2cSerialBusV2: 7,
  SpiSerialBus: 11,
  SpiSerialBusV2: 11,
  UartSerialBus: 12,
  UartSerialBusV2: 12,
  Csi2Bus: 6,
  PinFunction: 6,
  PinConfig: 6,
  PinGroup: 2,
  PinGroupFunction: 6,
  PinGroupConfig: 7,
};

/** Where `macro` takes its DescriptorName. */
export const nameIndexOf = (macro: string): number => NAME_INDEXES[macro] ?? -1;
