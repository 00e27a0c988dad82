/** A `_CRS` buffer as a list of descriptors: framing, dispatch by tag, EndTag. ACPI 6.5 §6.4. */

import { equalBytes } from '../../shared/bytes.ts';
import { UserError } from '../../shared/errors.ts';
import { buffer } from '../build.ts';
import type { AmlTerm } from '../tree.ts';
import { ADDRESS_SPACE, type AddressSpace } from './address-space.ts';
import { CLOCK_INPUT, type ClockInput } from './clock-input.ts';
import { END_DEPENDENT, type EndDependent, START_DEPENDENT, type StartDependent } from './dependent-functions.ts';
import type { AslMacro, DescriptorCodec } from './descriptor.ts';
import { GPIO, type Gpio } from './gpio.ts';
import { INTERRUPT, type Interrupt } from './interrupt.ts';
import { FIXED_IO, type FixedIoPort, IO, type IoPort } from './io-port.ts';
import { DMA, type Dma, FIXED_DMA, type FixedDma, IRQ, type Irq } from './irq-dma.ts';
import { MEMORY24, MEMORY32, MEMORY32_FIXED, type Memory24, type Memory32, type Memory32Fixed } from './memory.ts';
import type { PinGroup, PinGroupConfig, PinGroupFunction } from './pin-groups.ts';
import { PIN_GROUP, PIN_GROUP_CONFIG, PIN_GROUP_FUNCTION } from './pin-groups.ts';
import { PIN_CONFIG, PIN_FUNCTION, type PinConfig, type PinFunction } from './pins.ts';
import { REGISTER, type Register } from './register.ts';
import { SERIAL_BUS, type SerialBus } from './serial-bus.ts';
import { VENDOR, type Vendor } from './vendor.ts';

/** A descriptor that no codec gives back byte for byte, with tag and length. */
export interface RawDescriptor {
  readonly kind: 'Raw';
  readonly bytes: Uint8Array;
}

export type ResourceDescriptor =
  | AddressSpace
  | ClockInput
  | Dma
  | EndDependent
  | FixedDma
  | FixedIoPort
  | Gpio
  | Interrupt
  | IoPort
  | Irq
  | Memory24
  | Memory32
  | Memory32Fixed
  | PinConfig
  | PinFunction
  | PinGroup
  | PinGroupConfig
  | PinGroupFunction
  | RawDescriptor
  | Register
  | SerialBus
  | StartDependent
  | Vendor;

type Kind = Exclude<ResourceDescriptor['kind'], 'Raw'>;
type CodecOf<K extends Kind> = DescriptorCodec<Extract<ResourceDescriptor, { readonly kind: K }>>;

const CODECS: { readonly [K in Kind]: CodecOf<K> } = {
  AddressSpace: ADDRESS_SPACE,
  ClockInput: CLOCK_INPUT,
  DMA,
  EndDependentFn: END_DEPENDENT,
  FixedDMA: FIXED_DMA,
  FixedIO: FIXED_IO,
  Gpio: GPIO,
  IO,
  IRQ,
  Interrupt: INTERRUPT,
  Memory24: MEMORY24,
  Memory32: MEMORY32,
  Memory32Fixed: MEMORY32_FIXED,
  PinConfig: PIN_CONFIG,
  PinFunction: PIN_FUNCTION,
  PinGroup: PIN_GROUP,
  PinGroupConfig: PIN_GROUP_CONFIG,
  PinGroupFunction: PIN_GROUP_FUNCTION,
  Register: REGISTER,
  SerialBus: SERIAL_BUS,
  StartDependentFn: START_DEPENDENT,
  Vendor: VENDOR,
};

type AnyCodec = DescriptorCodec<{ readonly kind: string }>;
const codecOf = (descriptor: Exclude<ResourceDescriptor, RawDescriptor>): AnyCodec =>
  CODECS[descriptor.kind] as unknown as AnyCodec;
const CODEC_BY_TAG = new Map(
  (Object.values(CODECS) as unknown as AnyCodec[]).flatMap((codec) => codec.tags.map((tag) => [tag, codec] as const)),
);

/** Tag of the item that ends a template; one byte of checksum follows. */
const END_TAG = 0x79;

export function encodeDescriptor(descriptor: ResourceDescriptor): number[] {
  if (descriptor.kind === 'Raw') return [...descriptor.bytes];
  const { tag, body } = codecOf(descriptor).encode(descriptor);
  if (tag < 0x80) return [tag | body.length, ...body];
  return [tag, body.length & 0xff, body.length >> 8, ...body];
}

/** The ASL macro of a descriptor; nothing for a raw one and for what macros cannot say, which only a plain Buffer can hold. */
export function aslOfDescriptor(descriptor: ResourceDescriptor): AslMacro | undefined {
  return descriptor.kind === 'Raw' ? undefined : codecOf(descriptor).asl(descriptor);
}

/** The bytes of a template with its EndTag. The checksum byte is 0, which means "not computed" (§6.4.2.9); iasl writes the same. */
export function encodeResources(descriptors: readonly ResourceDescriptor[]): Uint8Array {
  return Uint8Array.from([...descriptors.flatMap(encodeDescriptor), END_TAG, 0]);
}

/** A Buffer that holds `descriptors`: ASL's ResourceTemplate. */
export function resourceTemplate(descriptors: readonly ResourceDescriptor[]): AmlTerm {
  return buffer(encodeResources(descriptors));
}

export interface DecodedResources {
  readonly descriptors: readonly ResourceDescriptor[];
  /** The byte behind the EndTag. */
  readonly checksum: number;
  /** Where the byte behind the EndTag's checksum stands: more may follow it. */
  readonly end: number;
}

/**
 * The descriptors of a template. Encoding them again gives the same bytes: what a codec would change stays raw.
 * Throws `AML_RESOURCES` when a descriptor runs over the end or the EndTag is missing.
 */
export function decodeResources(bytes: Uint8Array): DecodedResources {
  const descriptors: ResourceDescriptor[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    if ((bytes[offset] & 0xf8) === (END_TAG & 0xf8)) {
      return { descriptors, checksum: bytes[offset + 1] ?? 0, end: Math.min(offset + 2, bytes.length) };
    }
    const whole = frameAt(bytes, offset);
    descriptors.push(decodeDescriptor(whole));
    offset += whole.length;
  }
  throw new UserError('AML_RESOURCES', 'the resource template has no EndTag', {
    place: { offset },
    mend: 'end the template with 0x79 0x00',
  });
}

function frameAt(bytes: Uint8Array, offset: number): Uint8Array {
  const tag = bytes[offset];
  const large = tag >= 0x80;
  const length = large ? 3 + (bytes[offset + 1] | (bytes[offset + 2] << 8)) : 1 + (tag & 7);
  if (!(offset + length <= bytes.length)) {
    throw new UserError('AML_RESOURCES', `the resource descriptor 0x${tag.toString(16)} runs over the template's end`, {
      place: { offset },
      mend: 'correct the length of the descriptor or of the buffer',
    });
  }
  return bytes.subarray(offset, offset + length);
}

/** One descriptor with tag and length. */
export function decodeDescriptor(whole: Uint8Array): ResourceDescriptor {
  const raw: RawDescriptor = { kind: 'Raw', bytes: whole.slice() };
  const large = whole[0] >= 0x80;
  const tag = large ? whole[0] : whole[0] & 0x78;
  const decoded = CODEC_BY_TAG.get(tag)?.decode(whole.subarray(large ? 3 : 1), tag) as ResourceDescriptor | undefined;
  if (!decoded || !equalBytes(Uint8Array.from(encodeDescriptor(decoded)), whole)) return raw;
  return decoded;
}
