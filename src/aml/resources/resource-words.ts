import { hex } from '../../shared/bytes.ts';
import { REGION_SPACES } from '../opcodes.ts';
import type { AddressSpace } from './address-space.ts';
import type { Gpio } from './gpio.ts';
import type { ResourceDescriptor } from './resource-template.ts';
import type { SerialBus } from './serial-bus.ts';

/** What a resource descriptor claims, in words: plain ASCII, as it stands in comments of ASL too. */
export function resourceWords(descriptor: ResourceDescriptor): string {
  switch (descriptor.kind) {
    case 'IO': {
      const { minimum, maximum, byteLength } = descriptor;
      return `${ports(minimum, byteLength)}${minimum === maximum ? '' : `, movable up to ${hex(maximum)}`}`;
    }
    case 'FixedIO':
      return ports(descriptor.base, descriptor.byteLength);
    case 'Memory32Fixed':
      return `memory ${span(descriptor.base, descriptor.byteLength)}${descriptor.access === 'ReadOnly' ? ', read only' : ''}`;
    case 'Memory24':
      return `memory ${span(descriptor.minimum * MEMORY24_UNIT, descriptor.byteLength * MEMORY24_UNIT)}`;
    case 'Memory32':
      return `memory ${span(descriptor.minimum, descriptor.byteLength)}`;
    case 'IRQ': {
      const { irqs, mode } = descriptor;
      const how = mode
        ? `${trigger(mode.trigger)}, ${polarity(mode.polarity)}, ${mode.share.toLowerCase()}`
        : 'edge-triggered, active high';
      return `IRQ ${irqs.join(' or ') || 'none'}, ${how}`;
    }
    case 'Interrupt':
      return `GSI ${descriptor.interrupts.join(' or ') || 'none'}, ${trigger(descriptor.trigger)}, ${polarity(descriptor.polarity)}, ${descriptor.share.toLowerCase()}`;
    case 'DMA':
      return `DMA channel ${descriptor.channels.join(' or ') || 'none'}`;
    case 'FixedDMA':
      return `DMA request line ${descriptor.requestLine}, channel ${descriptor.channel}`;
    case 'AddressSpace':
      return addressSpaceWords(descriptor);
    case 'Gpio':
      return gpioWords(descriptor);
    case 'SerialBus':
      return serialBusWords(descriptor);
    case 'Register': {
      const { addressSpace, address, bitWidth } = descriptor;
      const space = Object.entries(REGION_SPACES).find(([, value]) => value === addressSpace)?.[0];
      return `${bitWidth} bits at ${hex(address)} of ${space ?? `address space ${hex(addressSpace)}`}`;
    }
    case 'ClockInput': {
      const { numerator, divisor, scale, mode } = descriptor;
      return `a clock of ${divisor === 1 ? numerator : `${numerator}/${divisor}`} ${scale}, ${mode.toLowerCase()}`;
    }
    case 'PinFunction':
      return `function ${descriptor.functionNumber} of ${pinsOn(descriptor)}`;
    case 'PinConfig':
      return `configuration of ${pinsOn(descriptor)}`;
    case 'PinGroup':
      return `${pinList(descriptor.pins)} as the group "${descriptor.label}"`;
    case 'PinGroupFunction':
      return `function ${descriptor.functionNumber} of the pin group "${descriptor.label}" of ${descriptor.source}`;
    case 'PinGroupConfig':
      return `configuration of the pin group "${descriptor.label}" of ${descriptor.source}`;
    case 'StartDependentFn':
      return 'one of several choices';
    case 'EndDependentFn':
      return 'behind the last choice';
    case 'Vendor':
      return `${descriptor.bytes.length} bytes of the vendor's`;
    case 'Raw':
      return `a descriptor of ${descriptor.bytes.length} bytes, tag 0x${descriptor.bytes[0].toString(16)}`;
  }
}

/** Memory24 counts in these, bytes (ACPI 6.5 §6.4.3.1). */
const MEMORY24_UNIT = 256;

const RANGES = { Memory: 'memory', IO: 'I/O ports', BusNumber: 'buses', Other: 'addresses' } as const;

function addressSpaceWords({ range, usage, minimum, maximum, length, translation }: AddressSpace): string {
  const role = usage === 'ResourceProducer' ? 'hands on' : 'uses';
  // Methods put the values into such a range before they return it.
  const isEmpty = minimum === 0n && maximum === 0n && length === 0n;
  const where = length === 0n ? 'none' : span(minimum, length);
  const prefetchable = range.type === 'Memory' && range.cache === 'Prefetchable' ? ', prefetchable' : '';
  const moved = translation === 0n ? '' : `, translated by ${hex(translation)}`;
  return `${role} ${RANGES[range.type]} ${isEmpty ? 'that code fills in' : where}${prefetchable}${moved}`;
}

function gpioWords({ connection, pins, source }: Gpio): string {
  const where = pinsOn({ pins, source });
  if (connection.type === 'Io') return `GPIO ${where}`;
  const active = connection.polarity === 'ActiveBoth' ? 'both edges' : polarity(connection.polarity);
  return `GPIO interrupt of ${where}, ${trigger(connection.trigger)}, ${active}`;
}

function serialBusWords({ connection, source }: SerialBus): string {
  switch (connection.type) {
    case 'I2C':
      return `I2C address ${hex(connection.address)} at ${frequency(connection.speed)} on ${source}`;
    case 'SPI':
      return `SPI device ${connection.deviceSelection} at ${frequency(connection.speed)} on ${source}`;
    case 'UART':
      return `UART at ${connection.speed} baud on ${source}`;
    case 'CSI2':
      return `CSI-2 port ${connection.localPort} on ${source}`;
  }
}

const pinsOn = ({ pins, source }: { readonly pins: readonly number[]; readonly source: string }): string =>
  `${pinList(pins)} of ${source}`;

const pinList = (pins: readonly number[]): string => `pin${pins.length === 1 ? '' : 's'} ${pins.join(', ')}`;

const trigger = (value: string): string => `${value.toLowerCase()}-triggered`;

const polarity = (value: string): string => (value === 'ActiveLow' ? 'active low' : 'active high');

function frequency(hertz: number): string {
  if (hertz >= 1e6) return `${hertz / 1e6} MHz`;
  return hertz >= 1e3 ? `${hertz / 1e3} kHz` : `${hertz} Hz`;
}

const ports = (base: number, byteLength: number): string =>
  byteLength === 1 ? `I/O port ${hex(base)}` : `I/O ports ${span(base, byteLength)}`;

function span(base: number | bigint, length: number | bigint): string {
  const last = BigInt(base) + BigInt(length) - 1n;
  return last < BigInt(base) ? 'none' : `${hex(base)}-${hex(last)}`;
}
