import { quoted } from '../asl/text.ts';
/** GpioInt and GpioIo: ACPI 6.5 §6.4.3.8.1. */
import {
  aslHex,
  bodyView,
  cString,
  type DescriptorCodec,
  indexOfKeyword,
  NAME_SLOT,
  type ResourceUsage,
  readCString,
  SHARE_AND_WAKE_TYPES,
  type ShareAndWake,
  TRIGGERS,
  type Trigger,
  USAGES,
  u16,
} from './descriptor.ts';

export const GPIO_POLARITIES = ['ActiveHigh', 'ActiveLow', 'ActiveBoth'] as const;
export const GPIO_PULLS = ['PullDefault', 'PullUp', 'PullDown', 'PullNone'] as const;
export const IO_RESTRICTIONS = [
  'IoRestrictionNone',
  'IoRestrictionInputOnly',
  'IoRestrictionOutputOnly',
  'IoRestrictionNoneAndPreserve',
] as const;

export interface Gpio {
  readonly kind: 'Gpio';
  readonly connection:
    | { readonly type: 'Interrupt'; readonly trigger: Trigger; readonly polarity: (typeof GPIO_POLARITIES)[number] }
    | { readonly type: 'Io'; readonly restriction: (typeof IO_RESTRICTIONS)[number] };
  readonly share: ShareAndWake;
  readonly usage: ResourceUsage;
  /** A keyword, or a vendor's value from 0x80 up. */
  readonly pull: (typeof GPIO_PULLS)[number] | number;
  /** Hundredths of a milliampere. */
  readonly driveStrength: number;
  /** Hundredths of a millisecond. */
  readonly debounceTimeout: number;
  /** Path of the controller and the index within it. */
  readonly source: string;
  readonly sourceIndex: number;
  readonly pins: readonly number[];
  readonly vendorData: readonly number[];
}

const HEADER_LENGTH = 3;
/** Of the fixed part behind the header. */
const FIXED_LENGTH = 20;

export const GPIO: DescriptorCodec<Gpio> = {
  kind: 'Gpio',
  tags: [0x8c],
  encode(gpio) {
    const { connection } = gpio;
    const specific =
      connection.type === 'Interrupt'
        ? indexOfKeyword(TRIGGERS, connection.trigger) | (indexOfKeyword(GPIO_POLARITIES, connection.polarity) << 1)
        : indexOfKeyword(IO_RESTRICTIONS, connection.restriction);
    const flags = specific | (indexOfKeyword(SHARE_AND_WAKE_TYPES, gpio.share) << 3);
    const pull = typeof gpio.pull === 'number' ? gpio.pull : indexOfKeyword(GPIO_PULLS, gpio.pull);
    const pins = gpio.pins.flatMap(u16);
    const source = cString(gpio.source);
    // Offsets count from the descriptor's first byte.
    const pinOffset = HEADER_LENGTH + FIXED_LENGTH;
    const sourceOffset = pinOffset + pins.length;
    const vendorOffset = sourceOffset + source.length;
    const offsets = [...u16(pinOffset), gpio.sourceIndex, ...u16(sourceOffset), ...u16(vendorOffset)];
    return {
      tag: 0x8c,
      body: [
        1,
        connection.type === 'Interrupt' ? 0 : 1,
        ...u16(indexOfKeyword(USAGES, gpio.usage)),
        ...u16(flags),
        pull,
        ...u16(gpio.driveStrength),
        ...u16(gpio.debounceTimeout),
        ...offsets,
        ...u16(gpio.vendorData.length),
        ...pins,
        ...source,
        ...gpio.vendorData,
      ],
    };
  },
  decode(body) {
    if (body.length < FIXED_LENGTH || body[1] > 1) return undefined;
    const view = bodyView(body);
    const flags = view.getUint16(4, true);
    const [pinOffset, sourceOffset, vendorOffset] = [11, 14, 16].map((at) => view.getUint16(at, true) - HEADER_LENGTH);
    if (sourceOffset > body.length || pinOffset < FIXED_LENGTH || sourceOffset < pinOffset) return undefined;
    const polarity = GPIO_POLARITIES[(flags >> 1) & 3];
    if (polarity === undefined) return undefined;
    const vendorLength = view.getUint16(18, true);
    return {
      kind: 'Gpio',
      connection:
        body[1] === 0
          ? { type: 'Interrupt', trigger: TRIGGERS[flags & 1], polarity }
          : { type: 'Io', restriction: IO_RESTRICTIONS[flags & 3] },
      share: SHARE_AND_WAKE_TYPES[(flags >> 3) & 3],
      usage: USAGES[view.getUint16(2, true) & 1],
      pull: GPIO_PULLS[body[6]] ?? body[6],
      driveStrength: view.getUint16(7, true),
      debounceTimeout: view.getUint16(9, true),
      sourceIndex: body[13],
      source: readCString(body, sourceOffset),
      pins: Array.from({ length: (sourceOffset - pinOffset) >> 1 }, (_, index) =>
        view.getUint16(pinOffset + index * 2, true),
      ),
      vendorData: [...body.subarray(vendorOffset, vendorOffset + vendorLength)],
    };
  },
  asl(gpio) {
    const { connection, share } = gpio;
    const pull = typeof gpio.pull === 'number' ? aslHex(gpio.pull, 2) : gpio.pull;
    const timeout = aslHex(gpio.debounceTimeout, 4);
    const tail = [
      quoted(gpio.source),
      aslHex(gpio.sourceIndex, 2),
      gpio.usage,
      NAME_SLOT,
      aslVendorData(gpio.vendorData),
    ];
    const list = gpio.pins.map((pin) => aslHex(pin, 4));
    if (connection.type === 'Interrupt') {
      if (gpio.driveStrength !== 0) return undefined;
      return { name: 'GpioInt', args: [connection.trigger, connection.polarity, share, pull, timeout, ...tail], list };
    }
    const drive = aslHex(gpio.driveStrength, 4);
    return { name: 'GpioIo', args: [share, pull, timeout, drive, connection.restriction, ...tail], list };
  },
};

/** The RawDataBuffer argument, or nothing. */
export function aslVendorData(bytes: readonly number[]): string {
  if (bytes.length === 0) return '';
  const list = bytes.map((byte) => aslHex(byte, 2)).join(', ');
  return `RawDataBuffer (${aslHex(bytes.length, 2)}) { ${list} }`;
}
