import type { ResourceDescriptor } from '../../aml/resources/resource-template.ts';
import { hex } from '../../shared/bytes.ts';

/** What a resource descriptor claims, in words. */
export function resourceWords(descriptor: ResourceDescriptor): string {
  switch (descriptor.kind) {
    case 'IO':
      return `I/O ports ${span(descriptor.minimum, descriptor.byteLength)}${descriptor.minimum === descriptor.maximum ? '' : `, movable up to ${hex(descriptor.maximum)}`}`;
    case 'FixedIO':
      return `I/O ports ${span(descriptor.base, descriptor.byteLength)}`;
    case 'Memory32Fixed':
      return `memory ${span(descriptor.base, descriptor.byteLength)}${descriptor.access === 'ReadOnly' ? ', read only' : ''}`;
    case 'Memory24':
    case 'Memory32':
      return `memory ${span(descriptor.minimum, descriptor.byteLength)}`;
    case 'IRQ': {
      const { irqs, mode } = descriptor;
      const how = mode
        ? `${mode.trigger.toLowerCase()}-triggered, ${polarity(mode.polarity)}, ${mode.share.toLowerCase()}`
        : 'edge-triggered, active high';
      return `IRQ ${irqs.join(' or ') || 'none'}, ${how}`;
    }
    case 'Interrupt':
      return `GSI ${descriptor.interrupts.join(' or ')}, ${descriptor.trigger.toLowerCase()}-triggered, ${polarity(descriptor.polarity)}, ${descriptor.share.toLowerCase()}`;
    case 'DMA':
      return `DMA channel ${descriptor.channels.join(' or ') || 'none'}`;
    case 'AddressSpace': {
      const { range, usage, minimum, length, translation } = descriptor;
      const what = { Memory: 'memory', IO: 'I/O ports', BusNumber: 'buses', Other: 'addresses' }[range.type];
      const role = usage === 'ResourceProducer' ? 'hands on' : 'uses';
      const prefetchable = range.type === 'Memory' && range.cache === 'Prefetchable' ? ', prefetchable' : '';
      const moved = translation === 0n ? '' : `, translated by ${hex(translation)}`;
      return `${role} ${what} ${length === 0n ? 'none' : span(minimum, length)}${prefetchable}${moved}`;
    }
    case 'Raw':
      return `a descriptor of ${descriptor.bytes.length} bytes, tag 0x${descriptor.bytes[0].toString(16)}`;
    default:
      return descriptor.kind;
  }
}

const polarity = (value: string): string => (value === 'ActiveLow' ? 'active low' : 'active high');

function span(base: number | bigint, length: number | bigint): string {
  const last = BigInt(base) + BigInt(length) - 1n;
  return last < BigInt(base) ? 'none' : `${hex(base)}–${hex(last)}`;
}
