import { quoted } from '../asl/text.ts';
/** PinFunction and PinConfig: ACPI 6.5 §6.4.3.9 and §6.4.3.10. */
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
import { decodeTail, encodeTail } from './descriptor-tail.ts';
import { aslVendorData, GPIO_PULLS } from './gpio.ts';

const REVISION = 1;

interface PinUse {
  readonly share: (typeof SHARE_TYPES)[number];
  /** Path of the controller and the index within it. */
  readonly source: string;
  readonly sourceIndex: number;
  readonly pins: readonly number[];
  readonly vendorData: readonly number[];
}

export interface PinFunction extends PinUse {
  readonly kind: 'PinFunction';
  /** A keyword, or a vendor's value from 0x80 up. */
  readonly pull: (typeof GPIO_PULLS)[number] | number;
  readonly functionNumber: number;
}

const FUNCTION_LENGTH = 15;
const FUNCTION_LAYOUT = { pins: 6, source: 9, vendor: 11 } as const;

export const PIN_FUNCTION: DescriptorCodec<PinFunction> = {
  kind: 'PinFunction',
  tags: [0x8d],
  encode({ share, pull, functionNumber, source, sourceIndex, pins, vendorData }) {
    const tail = encodeTail({ pins, source, vendorData }, FUNCTION_LENGTH);
    const pullValue = typeof pull === 'number' ? pull : indexOfKeyword(GPIO_PULLS, pull);
    const fixed = [REVISION, ...u16(indexOfKeyword(SHARE_TYPES, share)), pullValue, ...u16(functionNumber)];
    const places = [...tail.pinOffset, sourceIndex, ...tail.sourceOffset, ...tail.vendor];
    return { tag: 0x8d, body: [...fixed, ...places, ...tail.bytes] };
  },
  decode(body) {
    if (body.length < FUNCTION_LENGTH) return undefined;
    const { pins, source, vendorData } = decodeTail(body, FUNCTION_LAYOUT);
    return {
      kind: 'PinFunction',
      share: SHARE_TYPES[body[1] & 1],
      pull: GPIO_PULLS[body[3]] ?? body[3],
      functionNumber: bodyView(body).getUint16(4, true),
      source,
      sourceIndex: body[8],
      pins,
      vendorData,
    };
  },
  asl(use) {
    const pull = typeof use.pull === 'number' ? aslHex(use.pull, 2) : use.pull;
    // The descriptor has no bit for the usage: a function of a pin is consumed.
    const tail = [quoted(use.source), aslHex(use.sourceIndex, 2), 'ResourceConsumer', NAME_SLOT];
    const args = [use.share, pull, aslHex(use.functionNumber, 4), ...tail, aslVendorData(use.vendorData)];
    return { name: 'PinFunction', args, list: use.pins.map((pin) => aslHex(pin, 4)) };
  },
};

export interface PinConfig extends PinUse {
  readonly kind: 'PinConfig';
  readonly usage: ResourceUsage;
  /** Table 6.61; 0x80 and above are the vendor's. */
  readonly configType: number;
  readonly configValue: number;
}

const CONFIG_LENGTH = 17;
const CONFIG_LAYOUT = { pins: 8, source: 11, vendor: 13 } as const;

export const PIN_CONFIG: DescriptorCodec<PinConfig> = {
  kind: 'PinConfig',
  tags: [0x8f],
  encode({ share, usage, configType, configValue, source, sourceIndex, pins, vendorData }) {
    const tail = encodeTail({ pins, source, vendorData }, CONFIG_LENGTH);
    const flags = indexOfKeyword(SHARE_TYPES, share) | (indexOfKeyword(USAGES, usage) << 1);
    const fixed = [REVISION, ...u16(flags), configType, ...u32(configValue)];
    const places = [...tail.pinOffset, sourceIndex, ...tail.sourceOffset, ...tail.vendor];
    return { tag: 0x8f, body: [...fixed, ...places, ...tail.bytes] };
  },
  decode(body) {
    if (body.length < CONFIG_LENGTH) return undefined;
    const { pins, source, vendorData } = decodeTail(body, CONFIG_LAYOUT);
    return {
      kind: 'PinConfig',
      share: SHARE_TYPES[body[1] & 1],
      usage: USAGES[(body[1] >> 1) & 1],
      configType: body[3],
      configValue: bodyView(body).getUint32(4, true),
      source,
      sourceIndex: body[10],
      pins,
      vendorData,
    };
  },
  asl(use) {
    const tail = [quoted(use.source), aslHex(use.sourceIndex, 2), use.usage, NAME_SLOT];
    const config = [aslHex(use.configType, 2), aslHex(use.configValue, 8)];
    const args = [use.share, ...config, ...tail, aslVendorData(use.vendorData)];
    return { name: 'PinConfig', args, list: use.pins.map((pin) => aslHex(pin, 4)) };
  },
};
