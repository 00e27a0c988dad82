/** Extended interrupt descriptor: ACPI 6.5 §6.4.3.6. */
import {
  aslHex,
  aslResourceSource,
  bodyView,
  type DescriptorCodec,
  decodeResourceSource,
  encodeResourceSource,
  indexOfKeyword,
  NAME_SLOT,
  POLARITIES,
  type Polarity,
  type ResourceSource,
  type ResourceUsage,
  SHARE_AND_WAKE_TYPES,
  type ShareAndWake,
  TRIGGERS,
  type Trigger,
  USAGES,
  u32,
} from './descriptor.ts';

export interface Interrupt {
  readonly kind: 'Interrupt';
  readonly usage: ResourceUsage;
  readonly trigger: Trigger;
  readonly polarity: Polarity;
  readonly share: ShareAndWake;
  /** Global system interrupts. */
  readonly interrupts: readonly number[];
  readonly source?: ResourceSource;
}

export const INTERRUPT: DescriptorCodec<Interrupt> = {
  kind: 'Interrupt',
  tags: [0x89],
  encode({ usage, trigger, polarity, share, interrupts, source }) {
    const flags =
      indexOfKeyword(USAGES, usage) |
      (indexOfKeyword(TRIGGERS, trigger) << 1) |
      (indexOfKeyword(POLARITIES, polarity) << 2) |
      (indexOfKeyword(SHARE_AND_WAKE_TYPES, share) << 3);
    return { tag: 0x89, body: [flags, interrupts.length, ...interrupts.flatMap(u32), ...encodeResourceSource(source)] };
  },
  decode(body) {
    const count = body[1];
    if (body.length < 2 || body.length < 2 + 4 * count) return undefined;
    const view = bodyView(body);
    const flags = body[0];
    const source = decodeResourceSource(body, 2 + 4 * count);
    return {
      kind: 'Interrupt',
      usage: USAGES[flags & 1],
      trigger: TRIGGERS[(flags >> 1) & 1],
      polarity: POLARITIES[(flags >> 2) & 1],
      share: SHARE_AND_WAKE_TYPES[(flags >> 3) & 3],
      interrupts: Array.from({ length: count }, (_, index) => view.getUint32(2 + 4 * index, true)),
      ...(source && { source }),
    };
  },
  asl({ usage, trigger, polarity, share, interrupts, source }) {
    return {
      name: 'Interrupt',
      args: [usage, trigger, polarity, share, ...aslResourceSource(source), NAME_SLOT],
      list: interrupts.map((interrupt) => aslHex(interrupt, 8)),
    };
  },
};
