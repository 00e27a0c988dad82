import { quoted } from '../asl/text.ts';
/** ClockInput: ACPI 6.5 §6.4.3.14. */
import {
  aslHex,
  bodyView,
  type DescriptorCodec,
  decodeResourceSource,
  encodeResourceSource,
  indexOfKeyword,
  type ResourceSource,
  u16,
  u32,
} from './descriptor.ts';

export const CLOCK_SCALES = ['Hz', 'KHz', 'MHz'] as const;
export const CLOCK_MODES = ['Variable', 'Fixed'] as const;

export interface ClockInput {
  readonly kind: 'ClockInput';
  /** The frequency is numerator / divisor, in the scale's unit. */
  readonly numerator: number;
  readonly divisor: number;
  readonly scale: (typeof CLOCK_SCALES)[number];
  readonly mode: (typeof CLOCK_MODES)[number];
  readonly source?: ResourceSource;
}

const FIXED_LENGTH = 9;

export const CLOCK_INPUT: DescriptorCodec<ClockInput> = {
  kind: 'ClockInput',
  tags: [0x93],
  encode({ numerator, divisor, scale, mode, source }) {
    const flags = indexOfKeyword(CLOCK_MODES, mode) | (indexOfKeyword(CLOCK_SCALES, scale) << 1);
    const fixed = [1, ...u16(flags), ...u16(divisor), ...u32(numerator)];
    return { tag: 0x93, body: [...fixed, ...encodeResourceSource(source)] };
  },
  decode(body) {
    const scale = CLOCK_SCALES[(body[1] >> 1) & 3];
    if (body.length < FIXED_LENGTH || scale === undefined) return undefined;
    const view = bodyView(body);
    const source = decodeResourceSource(body, FIXED_LENGTH);
    return {
      kind: 'ClockInput',
      numerator: view.getUint32(5, true),
      divisor: view.getUint16(3, true),
      scale,
      mode: CLOCK_MODES[body[1] & 1],
      ...(source && { source }),
    };
  },
  asl({ numerator, divisor, scale, mode, source }) {
    const frequency = [aslHex(numerator, 8), aslHex(divisor, 4), scale, mode];
    if (!source) return { name: 'ClockInput', args: frequency };
    const name = source.name === undefined ? '' : quoted(source.name);
    return { name: 'ClockInput', args: [...frequency, name, aslHex(source.index, 2)] };
  },
};
