/** PinFunction and PinConfig, which name the pins themselves: ACPI 6.5 §6.4.3.9 and §6.4.3.10. */
import { quoted } from '../asl/text.ts';
import {
  aslHex,
  type DescriptorCodec,
  indexOfKeyword,
  NAME_SLOT,
  type ResourceUsage,
  SHARE_TYPES,
  USAGES,
  u16,
  u32,
} from './descriptor.ts';
import { aslVendorData, GPIO_PULLS } from './gpio.ts';
import { decodePinDescriptor, encodePinDescriptor } from './pin-descriptor.ts';

interface PinUse {
  readonly share: (typeof SHARE_TYPES)[number];
  /** Path of the controller and the index within it. */
  readonly source: string;
  readonly sourceIndex: number;
  readonly pins: readonly number[];
  readonly vendorData: readonly number[];
}

const PARTS = ['pins', 'source'] as const;

/** Pull and function number; type and value of the configuration. */
const FUNCTION_LENGTH = 3;
const CONFIG_LENGTH = 5;

const aslPins = (pins: readonly number[]): string[] => pins.map((pin) => aslHex(pin, 4));

/** The arguments behind those that are the macro's own. */
const aslTail = ({ source, sourceIndex, vendorData }: PinUse, usage: ResourceUsage): string[] => [
  quoted(source),
  aslHex(sourceIndex, 2),
  usage,
  NAME_SLOT,
  aslVendorData(vendorData),
];

export interface PinFunction extends PinUse {
  readonly kind: 'PinFunction';
  /** A keyword, or a vendor's value from 0x80 up. */
  readonly pull: (typeof GPIO_PULLS)[number] | number;
  readonly functionNumber: number;
}

export const PIN_FUNCTION: DescriptorCodec<PinFunction> = {
  kind: 'PinFunction',
  tags: [0x8d],
  encode(use) {
    const pull = typeof use.pull === 'number' ? use.pull : indexOfKeyword(GPIO_PULLS, use.pull);
    const own = [pull, ...u16(use.functionNumber)];
    return { tag: 0x8d, body: encodePinDescriptor(indexOfKeyword(SHARE_TYPES, use.share), own, tailOf(use)) };
  },
  decode(body) {
    const read = decodePinDescriptor(body, FUNCTION_LENGTH, PARTS);
    if (!read) return undefined;
    const pull = read.own.getUint8(0);
    return {
      kind: 'PinFunction',
      share: SHARE_TYPES[read.flags & 1],
      pull: GPIO_PULLS[pull] ?? pull,
      functionNumber: read.own.getUint16(1, true),
      ...tailOf(read),
    };
  },
  asl(use) {
    const pull = typeof use.pull === 'number' ? aslHex(use.pull, 2) : use.pull;
    // The descriptor has no bit for the usage: a function of a pin is consumed.
    const args = [use.share, pull, aslHex(use.functionNumber, 4), ...aslTail(use, 'ResourceConsumer')];
    return { name: 'PinFunction', args, list: aslPins(use.pins) };
  },
};

export interface PinConfig extends PinUse {
  readonly kind: 'PinConfig';
  readonly usage: ResourceUsage;
  /** Table 6.61; 0x80 and above are the vendor's. */
  readonly configType: number;
  readonly configValue: number;
}

export const PIN_CONFIG: DescriptorCodec<PinConfig> = {
  kind: 'PinConfig',
  tags: [0x8f],
  encode(use) {
    const flags = indexOfKeyword(SHARE_TYPES, use.share) | (indexOfKeyword(USAGES, use.usage) << 1);
    return { tag: 0x8f, body: encodePinDescriptor(flags, [use.configType, ...u32(use.configValue)], tailOf(use)) };
  },
  decode(body) {
    const read = decodePinDescriptor(body, CONFIG_LENGTH, PARTS);
    if (!read) return undefined;
    return {
      kind: 'PinConfig',
      share: SHARE_TYPES[read.flags & 1],
      usage: USAGES[(read.flags >> 1) & 1],
      configType: read.own.getUint8(0),
      configValue: read.own.getUint32(1, true),
      ...tailOf(read),
    };
  },
  asl(use) {
    const config = [aslHex(use.configType, 2), aslHex(use.configValue, 8)];
    return { name: 'PinConfig', args: [use.share, ...config, ...aslTail(use, use.usage)], list: aslPins(use.pins) };
  },
};

function tailOf({ source, sourceIndex, pins, vendorData }: Omit<PinUse, 'share'>): Omit<PinUse, 'share'> {
  return { source, sourceIndex, pins, vendorData };
}
