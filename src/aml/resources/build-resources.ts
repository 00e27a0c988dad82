/**
 * Builders of resource descriptors with the defaults that firmware wants: fixed ends, positive decode, consumer for what a
 * device uses. Addresses and lengths in bytes; `length` follows from minimum and maximum where it is left out.
 */
import type { AddressSpace, AddressWidth, RangeType } from './address-space.ts';
import type { ResourceSource, ResourceUsage } from './descriptor.ts';
import type { Interrupt } from './interrupt.ts';
import type { IoPort } from './io-port.ts';
import type { Dma, Irq } from './irq-dma.ts';
import type { Memory32Fixed } from './memory.ts';
import type { Register } from './register.ts';

/** `byteLength` ports at `base`, decoded with 16 bits; `maximum` where the base may move. */
export const io = (
  base: number,
  byteLength: number,
  options: { alignment?: number; maximum?: number } = {},
): IoPort => ({
  kind: 'IO',
  decode: 'Decode16',
  minimum: base,
  maximum: options.maximum ?? base,
  alignment: options.alignment ?? 1,
  byteLength,
});

/** IRQNoFlags: edge triggered, active high, exclusive. */
export const irqNoFlags = (...irqs: number[]): Irq => ({ kind: 'IRQ', irqs });

export const irq = (irqs: readonly number[], mode: NonNullable<Irq['mode']>): Irq => ({ kind: 'IRQ', irqs, mode });

export const dma = (channels: readonly number[], options: Partial<Omit<Dma, 'kind' | 'channels'>> = {}): Dma => ({
  kind: 'DMA',
  channels,
  type: 'Compatibility',
  busMaster: false,
  transfer: 'Transfer8',
  ...options,
});

export const memory32Fixed = (
  base: number,
  byteLength: number,
  access: Memory32Fixed['access'] = 'ReadWrite',
): Memory32Fixed => ({ kind: 'Memory32Fixed', access, base, byteLength });

/** Level, active high, shared, unless said otherwise: how the IOAPIC sees PIRQs on ICH9. */
export const interrupt = (
  interrupts: readonly number[],
  options: Partial<Omit<Interrupt, 'kind'>> = {},
): Interrupt => ({
  kind: 'Interrupt',
  usage: 'ResourceConsumer',
  trigger: 'Level',
  polarity: 'ActiveHigh',
  share: 'Shared',
  interrupts,
  ...options,
});

export const register = (fields: Omit<Register, 'kind' | 'address'> & { address: number | bigint }): Register => ({
  ...fields,
  kind: 'Register',
  address: BigInt(fields.address),
});

export interface AddressRange {
  readonly minimum: number | bigint;
  /** Last address, inclusive. */
  readonly maximum: number | bigint;
  readonly length?: number | bigint;
  readonly granularity?: number | bigint;
  readonly translation?: number | bigint;
  /** Host bridges produce windows: the default. */
  readonly usage?: ResourceUsage;
  readonly minFixed?: boolean;
  readonly maxFixed?: boolean;
  readonly decode?: AddressSpace['decode'];
  readonly source?: ResourceSource;
}

function addressSpace(width: AddressWidth, range: RangeType, options: AddressRange): AddressSpace {
  const minimum = BigInt(options.minimum);
  const maximum = BigInt(options.maximum);
  return {
    kind: 'AddressSpace',
    width,
    range,
    usage: options.usage ?? 'ResourceProducer',
    decode: options.decode ?? 'PosDecode',
    minFixed: options.minFixed ?? true,
    maxFixed: options.maxFixed ?? true,
    granularity: BigInt(options.granularity ?? 0),
    minimum,
    maximum,
    translation: BigInt(options.translation ?? 0),
    length: BigInt(options.length ?? maximum - minimum + 1n),
    ...(options.source && { source: options.source }),
  };
}

type MemoryRange = Extract<RangeType, { readonly type: 'Memory' }>;
export interface MemoryOptions extends AddressRange {
  readonly cache?: MemoryRange['cache'];
  readonly access?: MemoryRange['access'];
}

const memoryRange = ({ cache = 'NonCacheable', access = 'ReadWrite' }: MemoryOptions): MemoryRange => ({
  type: 'Memory',
  access,
  cache,
  memoryType: 'AddressRangeMemory',
  translationType: 'TypeStatic',
});

const ENTIRE_RANGE: RangeType = {
  type: 'IO',
  ranges: 'EntireRange',
  translationType: 'TypeStatic',
  density: 'DenseTranslation',
};

export const wordBusNumber = (options: AddressRange): AddressSpace =>
  addressSpace('Word', { type: 'BusNumber' }, options);
export const wordIo = (options: AddressRange): AddressSpace => addressSpace('Word', ENTIRE_RANGE, options);
export const dwordIo = (options: AddressRange): AddressSpace => addressSpace('DWord', ENTIRE_RANGE, options);
export const qwordIo = (options: AddressRange): AddressSpace => addressSpace('QWord', ENTIRE_RANGE, options);
export const dwordMemory = (options: MemoryOptions): AddressSpace =>
  addressSpace('DWord', memoryRange(options), options);
export const qwordMemory = (options: MemoryOptions): AddressSpace =>
  addressSpace('QWord', memoryRange(options), options);
