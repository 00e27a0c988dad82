import type { Random } from './random.ts';

/** Spellings of one argument; an empty one leaves it out. */
type Argument = (random: Random) => string;

const hex = (random: Random, end: number): string => `0x${random.below(end).toString(16).toUpperCase()}`;
const byte: Argument = (random) => hex(random, 0x100);
const word: Argument = (random) => hex(random, 0x1_0000);
const dword: Argument = (random) => hex(random, 2 ** 32);
const of =
  (...words: readonly string[]): Argument =>
  (random) =>
    random.pick(words);
const zero: Argument = () => '0x0';
const source: Argument = () => '"\\\\_SB.GPI0"';
const none: Argument = () => '';
const vendorData: Argument = (random) =>
  random.chance(0.5) ? '' : `RawDataBuffer () { ${byte(random)}, ${byte(random)} }`;
const index = of('', '0x00', '0x01');
const usage = of('', 'ResourceConsumer', 'ResourceProducer');
const share = of('Exclusive', 'Shared');
const wake = of('', 'Exclusive', 'Shared', 'ExclusiveAndWake', 'SharedAndWake');
const trigger = of('Edge', 'Level');
const polarity = of('ActiveHigh', 'ActiveLow');
const pull = of('PullDefault', 'PullUp', 'PullDown', 'PullNone', '0x80');
const access = of('ReadWrite', 'ReadOnly');

const decode = of('', 'PosDecode', 'SubDecode');
const translation = of('', 'TypeStatic', 'TypeTranslation');
/** Granularity, minimum, maximum, translation and length of a range that is fixed at both ends. */
const range: readonly Argument[] = [zero, () => '0x1000', () => '0x1FFF', of('0x0', '0x2000'), () => '0x1000'];
const tail = [none, none, none];
const memory = [of('Cacheable', 'NonCacheable', 'WriteCombining', 'Prefetchable'), access, ...range];
const memoryType = [of('', 'AddressRangeMemory', 'AddressRangeACPI', 'AddressRangeNVS'), translation];
const bothFixed = [() => 'MinFixed', () => 'MaxFixed'];
const io = [usage, ...bothFixed, decode, of('EntireRange', 'ISAOnlyRanges', 'NonISAOnlyRanges'), ...range];
const ioType = [translation, of('', 'SparseTranslation', 'DenseTranslation')];
const connection = [source, index, usage, none];
const pinList = { count: 3, item: word };

interface Macro {
  readonly args: readonly Argument[];
  readonly list?: { readonly count: number; readonly item: Argument };
}

/** The arguments of each macro that iasl 20200925 knows, in order. */
const MACROS: Readonly<Record<string, Macro>> = {
  IRQ: { args: [trigger, polarity, share], list: { count: 1, item: (random) => `${random.below(16)}` } },
  IRQNoFlags: { args: [], list: { count: 1, item: (random) => `${random.below(16)}` } },
  DMA: {
    args: [
      of('Compatibility', 'TypeA', 'TypeB', 'TypeF'),
      of('BusMaster', 'NotBusMaster'),
      of('Transfer8', 'Transfer16', 'Transfer8_16'),
    ],
    list: { count: 1, item: (random) => `${random.below(8)}` },
  },
  FixedDMA: {
    args: [word, word, of('Width8bit', 'Width16bit', 'Width32bit', 'Width64bit', 'Width128bit', 'Width256bit')],
  },
  IO: { args: [of('Decode10', 'Decode16'), () => '0x60', () => '0x60', () => '0x01', byte] },
  FixedIO: { args: [() => '0x0280', byte] },
  VendorShort: { args: [], list: { count: 7, item: byte } },
  VendorLong: { args: [], list: { count: 20, item: byte } },
  Memory24: { args: [access, () => '0x1000', () => '0x2000', () => '0x100', () => '0x10'] },
  Memory32: { args: [access, () => '0x100000', () => '0x200000', () => '0x1000', () => '0x10000'] },
  Memory32Fixed: { args: [access, dword, dword] },
  WordIO: { args: [...io, ...tail, ...ioType] },
  DWordIO: { args: [...io, ...tail, ...ioType] },
  QWordIO: { args: [...io, ...tail, ...ioType] },
  ExtendedIO: { args: [...io, byte, none, ...ioType] },
  WordBusNumber: { args: [usage, ...bothFixed, decode, ...range, ...tail] },
  DWordMemory: { args: [usage, decode, ...bothFixed, ...memory, ...tail, ...memoryType] },
  QWordMemory: { args: [usage, decode, ...bothFixed, ...memory, ...tail, ...memoryType] },
  ExtendedMemory: { args: [usage, decode, ...bothFixed, ...memory, byte, none, ...memoryType] },
  WordSpace: { args: [() => '0xC1', usage, decode, ...bothFixed, byte, ...range, ...tail] },
  DWordSpace: { args: [() => '0xC2', usage, decode, ...bothFixed, byte, ...range, ...tail] },
  QWordSpace: { args: [() => '0xC3', usage, decode, ...bothFixed, byte, ...range, ...tail] },
  ExtendedSpace: { args: [() => '0xC4', usage, decode, ...bothFixed, byte, ...range, byte] },
  Interrupt: { args: [usage, trigger, polarity, wake], list: { count: 3, item: dword } },
  Register: {
    args: [
      of('SystemMemory', 'SystemIO', 'FFixedHW', 'PCC', 'PCI_Config', 'EmbeddedControl'),
      byte,
      byte,
      dword,
      of('', '0x01', '0x04'),
    ],
  },
  GpioInt: {
    args: [trigger, of('ActiveHigh', 'ActiveLow', 'ActiveBoth'), wake, pull, of('', '0x10'), ...connection, vendorData],
    list: { count: 1, item: word },
  },
  GpioIo: {
    args: [
      wake,
      pull,
      of('', '0x10'),
      of('', '0x20'),
      of('IoRestrictionNone', 'IoRestrictionInputOnly', 'IoRestrictionOutputOnly', 'IoRestrictionNoneAndPreserve'),
      ...connection,
      vendorData,
    ],
    list: pinList,
  },
  I2cSerialBus: {
    args: [
      word,
      of('', 'ControllerInitiated', 'DeviceInitiated'),
      dword,
      of('', 'AddressingMode7Bit', 'AddressingMode10Bit'),
      ...connection,
      vendorData,
    ],
  },
  I2cSerialBusV2: {
    args: [word, of('', 'ControllerInitiated'), dword, of('', 'AddressingMode10Bit'), ...connection, share, vendorData],
  },
  SpiSerialBus: {
    args: [
      word,
      of('', 'PolarityLow', 'PolarityHigh'),
      of('', 'FourWireMode', 'ThreeWireMode'),
      byte,
      of('', 'ControllerInitiated', 'DeviceInitiated'),
      dword,
      of('ClockPolarityLow', 'ClockPolarityHigh'),
      of('ClockPhaseFirst', 'ClockPhaseSecond'),
      ...connection,
      vendorData,
    ],
  },
  SpiSerialBusV2: {
    args: [
      word,
      of('', 'PolarityHigh'),
      of('', 'ThreeWireMode'),
      byte,
      of('', 'DeviceInitiated'),
      dword,
      of('ClockPolarityLow'),
      of('ClockPhaseFirst'),
      ...connection,
      share,
      vendorData,
    ],
  },
  UartSerialBus: {
    args: [
      dword,
      of('', 'DataBitsFive', 'DataBitsSix', 'DataBitsSeven', 'DataBitsEight', 'DataBitsNine'),
      of('', 'StopBitsZero', 'StopBitsOne', 'StopBitsOnePlusHalf', 'StopBitsTwo'),
      byte,
      of('', 'LittleEndian', 'BigEndian'),
      of('', 'ParityTypeNone', 'ParityTypeEven', 'ParityTypeOdd', 'ParityTypeMark', 'ParityTypeSpace'),
      of('', 'FlowControlNone', 'FlowControlHardware', 'FlowControlXON'),
      word,
      word,
      ...connection,
      vendorData,
    ],
  },
  UartSerialBusV2: {
    args: [
      dword,
      of('', 'DataBitsSeven'),
      of('', 'StopBitsTwo'),
      byte,
      of('', 'BigEndian'),
      of('', 'ParityTypeOdd'),
      of('', 'FlowControlXON'),
      word,
      word,
      ...connection,
      share,
      vendorData,
    ],
  },
  PinFunction: { args: [share, pull, word, ...connection, vendorData], list: pinList },
  PinConfig: { args: [share, of('0x00', '0x01', '0x0D', '0x80'), dword, ...connection, vendorData], list: pinList },
  PinGroup: { args: [() => '"group"', usage, none, vendorData], list: pinList },
  PinGroupFunction: { args: [share, word, source, index, () => '"group"', usage, none, vendorData] },
  PinGroupConfig: {
    args: [share, of('0x00', '0x0D', '0x80'), dword, source, index, () => '"group"', usage, none, vendorData],
  },
};

export const MACRO_NAMES = Object.keys(MACROS);

/** One macro with arguments; those that are left out at the end take their commas with them. */
export function resourceMacro(random: Random, name = random.pick(MACRO_NAMES)): string {
  const { args, list } = MACROS[name];
  const written = args.map((argument) => argument(random));
  while (written.at(-1) === '') written.pop();
  const items = list && new Set(random.many(1 + random.below(list.count), () => list.item(random)));
  return `${name} (${written.join(', ')})${items ? ` { ${[...items].join(', ')} }` : ''}`;
}

export function resourceTemplate(random: Random): string {
  const macros = random.many(random.below(5), () => resourceMacro(random));
  if (random.chance(0.15)) {
    const priorities = random.many(2, () => random.below(3));
    macros.push(`StartDependentFn (${priorities.join(', ')}) { ${resourceMacro(random)} }`);
    macros.push(`StartDependentFnNoPri () { ${resourceMacro(random)} }`, 'EndDependentFn ()');
  }
  return `ResourceTemplate () {\n${macros.join('\n')}\n}`;
}

/** What a field may be connected to. */
export const connectionMacro = (random: Random): string =>
  resourceMacro(random, random.pick(['GpioIo', 'I2cSerialBusV2', 'SpiSerialBusV2', 'UartSerialBusV2']));
