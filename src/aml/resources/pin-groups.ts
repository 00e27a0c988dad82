import { quoted } from '../asl/text.ts';
/** PinGroup, PinGroupFunction and PinGroupConfig: ACPI 6.5 §6.4.3.11 to §6.4.3.13. */
import {
  aslHex,
  bodyView,
  type DescriptorCodec,
  indexOfKeyword,
  NAME_SLOT,
  type ResourceUsage,
  SHARE_TYPES,
  USAGES,
  u16,
  u32,
} from './descriptor.ts';
import { decodeTail, encodeTail, type TailLayout } from './descriptor-tail.ts';
import { aslVendorData } from './gpio.ts';

const REVISION = 1;

export interface PinGroup {
  readonly kind: 'PinGroup';
  readonly label: string;
  readonly usage: ResourceUsage;
  readonly pins: readonly number[];
  readonly vendorData: readonly number[];
}

const GROUP_LENGTH = 11;
const GROUP_LAYOUT: TailLayout = { pins: 3, label: 5, vendor: 7 };

export const PIN_GROUP: DescriptorCodec<PinGroup> = {
  kind: 'PinGroup',
  tags: [0x90],
  encode({ label, usage, pins, vendorData }) {
    const tail = encodeTail({ pins, label, vendorData }, GROUP_LENGTH);
    const flags = u16(indexOfKeyword(USAGES, usage));
    return {
      tag: 0x90,
      body: [REVISION, ...flags, ...tail.pinOffset, ...tail.sourceOffset, ...tail.vendor, ...tail.bytes],
    };
  },
  decode(body) {
    if (body.length < GROUP_LENGTH) return undefined;
    const { label, pins, vendorData } = decodeTail(body, GROUP_LAYOUT);
    return { kind: 'PinGroup', label, usage: USAGES[body[1] & 1], pins, vendorData };
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

const flagsOf = ({ share, usage }: PinGroupUse): number[] =>
  u16(indexOfKeyword(SHARE_TYPES, share) | (indexOfKeyword(USAGES, usage) << 1));

const aslTail = (use: PinGroupUse): string[] => [
  quoted(use.source),
  aslHex(use.sourceIndex, 2),
  quoted(use.label),
  use.usage,
  NAME_SLOT,
  aslVendorData(use.vendorData),
];

/** Flags in byte 1; the index of the source stands before the offset of its name. */
function decodeUse(body: Uint8Array, layout: TailLayout & { readonly source: number }): PinGroupUse {
  const { source, label, vendorData } = decodeTail(body, layout);
  return {
    share: SHARE_TYPES[body[1] & 1],
    usage: USAGES[(body[1] >> 1) & 1],
    source,
    sourceIndex: body[layout.source - 1],
    label,
    vendorData,
  };
}

export interface PinGroupFunction extends PinGroupUse {
  readonly kind: 'PinGroupFunction';
  readonly functionNumber: number;
}

const FUNCTION_LENGTH = 14;
const FUNCTION_LAYOUT = { source: 6, label: 8, vendor: 10 } as const;

export const PIN_GROUP_FUNCTION: DescriptorCodec<PinGroupFunction> = {
  kind: 'PinGroupFunction',
  tags: [0x91],
  encode(use) {
    const tail = encodeTail({ source: use.source, label: use.label, vendorData: use.vendorData }, FUNCTION_LENGTH);
    const places = [use.sourceIndex, ...tail.sourceOffset, ...tail.labelOffset, ...tail.vendor];
    return { tag: 0x91, body: [REVISION, ...flagsOf(use), ...u16(use.functionNumber), ...places, ...tail.bytes] };
  },
  decode(body) {
    if (body.length < FUNCTION_LENGTH) return undefined;
    const functionNumber = bodyView(body).getUint16(3, true);
    return { kind: 'PinGroupFunction', functionNumber, ...decodeUse(body, FUNCTION_LAYOUT) };
  },
  asl: (use) => ({ name: 'PinGroupFunction', args: [use.share, aslHex(use.functionNumber, 4), ...aslTail(use)] }),
};

export interface PinGroupConfig extends PinGroupUse {
  readonly kind: 'PinGroupConfig';
  /** Table 6.61; 0x80 and above are the vendor's. */
  readonly configType: number;
  readonly configValue: number;
}

const CONFIG_LENGTH = 17;
const CONFIG_LAYOUT = { source: 9, label: 11, vendor: 13 } as const;

export const PIN_GROUP_CONFIG: DescriptorCodec<PinGroupConfig> = {
  kind: 'PinGroupConfig',
  tags: [0x92],
  encode(use) {
    const tail = encodeTail({ source: use.source, label: use.label, vendorData: use.vendorData }, CONFIG_LENGTH);
    const places = [use.sourceIndex, ...tail.sourceOffset, ...tail.labelOffset, ...tail.vendor];
    const config = [use.configType, ...u32(use.configValue)];
    return { tag: 0x92, body: [REVISION, ...flagsOf(use), ...config, ...places, ...tail.bytes] };
  },
  decode(body) {
    if (body.length < CONFIG_LENGTH) return undefined;
    const config = { configType: body[3], configValue: bodyView(body).getUint32(4, true) };
    return { kind: 'PinGroupConfig', ...config, ...decodeUse(body, CONFIG_LAYOUT) };
  },
  asl: (use) => ({
    name: 'PinGroupConfig',
    args: [use.share, aslHex(use.configType, 2), aslHex(use.configValue, 8), ...aslTail(use)],
  }),
};
