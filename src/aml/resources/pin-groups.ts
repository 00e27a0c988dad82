/** PinGroup, and PinGroupFunction and PinGroupConfig, which name a group by its label: ACPI 6.5 §6.4.3.11 to §6.4.3.13. */
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
import { aslVendorData } from './gpio.ts';
import { type DecodedPinDescriptor, decodePinDescriptor, encodePinDescriptor } from './pin-descriptor.ts';

export interface PinGroup {
  readonly kind: 'PinGroup';
  readonly label: string;
  readonly usage: ResourceUsage;
  readonly pins: readonly number[];
  readonly vendorData: readonly number[];
}

export const PIN_GROUP: DescriptorCodec<PinGroup> = {
  kind: 'PinGroup',
  tags: [0x90],
  encode: ({ label, usage, pins, vendorData }) => ({
    tag: 0x90,
    body: encodePinDescriptor(indexOfKeyword(USAGES, usage), [], { pins, label, vendorData }),
  }),
  decode(body) {
    const read = decodePinDescriptor(body, 0, ['pins', 'label']);
    if (!read) return undefined;
    const { label, pins, vendorData, flags } = read;
    return { kind: 'PinGroup', label, usage: USAGES[flags & 1], pins, vendorData };
  },
  asl: ({ label, usage, pins, vendorData }) => ({
    name: 'PinGroup',
    args: [quoted(label), usage, NAME_SLOT, aslVendorData(vendorData)],
    list: pins.map((pin) => aslHex(pin, 4)),
  }),
};

/** What the two descriptors share that refer to a PinGroup of another device by its label. */
interface PinGroupUse {
  readonly share: (typeof SHARE_TYPES)[number];
  readonly usage: ResourceUsage;
  readonly source: string;
  readonly sourceIndex: number;
  readonly label: string;
  readonly vendorData: readonly number[];
}

const PARTS = ['source', 'label'] as const;

function encodeUse(use: PinGroupUse, own: readonly number[]): number[] {
  const { source, sourceIndex, label, vendorData } = use;
  const flags = indexOfKeyword(SHARE_TYPES, use.share) | (indexOfKeyword(USAGES, use.usage) << 1);
  return encodePinDescriptor(flags, own, { source, sourceIndex, label, vendorData });
}

function useOf({ flags, source, sourceIndex, label, vendorData }: DecodedPinDescriptor): PinGroupUse {
  const [share, usage] = [SHARE_TYPES[flags & 1], USAGES[(flags >> 1) & 1]];
  return { share, usage, source, sourceIndex, label, vendorData };
}

const aslTail = (use: PinGroupUse): string[] => [
  quoted(use.source),
  aslHex(use.sourceIndex, 2),
  quoted(use.label),
  use.usage,
  NAME_SLOT,
  aslVendorData(use.vendorData),
];

export interface PinGroupFunction extends PinGroupUse {
  readonly kind: 'PinGroupFunction';
  readonly functionNumber: number;
}

export const PIN_GROUP_FUNCTION: DescriptorCodec<PinGroupFunction> = {
  kind: 'PinGroupFunction',
  tags: [0x91],
  encode: (use) => ({ tag: 0x91, body: encodeUse(use, u16(use.functionNumber)) }),
  decode(body) {
    const read = decodePinDescriptor(body, 2, PARTS);
    return read && { kind: 'PinGroupFunction', functionNumber: read.own.getUint16(0, true), ...useOf(read) };
  },
  asl: (use) => ({ name: 'PinGroupFunction', args: [use.share, aslHex(use.functionNumber, 4), ...aslTail(use)] }),
};

export interface PinGroupConfig extends PinGroupUse {
  readonly kind: 'PinGroupConfig';
  /** Table 6.61; 0x80 and above are the vendor's. */
  readonly configType: number;
  readonly configValue: number;
}

export const PIN_GROUP_CONFIG: DescriptorCodec<PinGroupConfig> = {
  kind: 'PinGroupConfig',
  tags: [0x92],
  encode: (use) => ({ tag: 0x92, body: encodeUse(use, [use.configType, ...u32(use.configValue)]) }),
  decode(body) {
    const read = decodePinDescriptor(body, 5, PARTS);
    if (!read) return undefined;
    const config = { configType: read.own.getUint8(0), configValue: read.own.getUint32(1, true) };
    return { kind: 'PinGroupConfig', ...config, ...useOf(read) };
  },
  asl: (use) => ({
    name: 'PinGroupConfig',
    args: [use.share, aslHex(use.configType, 2), aslHex(use.configValue, 8), ...aslTail(use)],
  }),
};
