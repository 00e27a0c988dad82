/** IRQ, DMA and FixedDMA: ACPI 6.5 §6.4.2.1, §6.4.2.2, §6.4.2.4. */
import {
  aslHex,
  bitsOf,
  bodyView,
  type DescriptorCodec,
  indexOfKeyword,
  maskOf,
  NAME_SLOT,
  POLARITIES,
  type Polarity,
  SHARE_AND_WAKE_TYPES,
  type ShareAndWake,
  TRIGGERS,
  type Trigger,
  u16,
} from './descriptor.ts';

export interface Irq {
  readonly kind: 'IRQ';
  /** 8259 inputs, 0 to 15; empty for none. */
  readonly irqs: readonly number[];
  /** Nothing: the two-byte form (IRQNoFlags), edge triggered, active high, exclusive. */
  readonly mode?: { readonly trigger: Trigger; readonly polarity: Polarity; readonly share: ShareAndWake };
}

export const IRQ: DescriptorCodec<Irq> = {
  kind: 'IRQ',
  tags: [0x20],
  encode({ irqs, mode }) {
    const mask = u16(maskOf(irqs));
    if (!mode) return { tag: 0x20, body: mask };
    // Bit 0 is 1 for edge; bit 3 is 1 for active low; bit 4 shared; bit 5 wake.
    const share = indexOfKeyword(SHARE_AND_WAKE_TYPES, mode.share);
    const flags =
      indexOfKeyword(TRIGGERS, mode.trigger) | (indexOfKeyword(POLARITIES, mode.polarity) << 3) | (share << 4);
    return { tag: 0x20, body: [...mask, flags] };
  },
  decode(body) {
    if (body.length < 2) return undefined;
    const irqs = bitsOf(bodyView(body).getUint16(0, true));
    if (body.length === 2) return { kind: 'IRQ', irqs };
    const flags = body[2];
    return {
      kind: 'IRQ',
      irqs,
      mode: {
        trigger: TRIGGERS[flags & 1],
        polarity: POLARITIES[(flags >> 3) & 1],
        share: SHARE_AND_WAKE_TYPES[(flags >> 4) & 3],
      },
    };
  },
  asl({ irqs, mode }) {
    const list = irqs.map(String);
    if (!mode) return { name: 'IRQNoFlags', args: [NAME_SLOT], list };
    return { name: 'IRQ', args: [mode.trigger, mode.polarity, mode.share, NAME_SLOT], list };
  },
};

export const DMA_TYPES = ['Compatibility', 'TypeA', 'TypeB', 'TypeF'] as const;
export const DMA_TRANSFERS = ['Transfer8', 'Transfer8_16', 'Transfer16', 'Transfer32'] as const;
export const BUS_MASTERING = ['NotBusMaster', 'BusMaster'] as const;

export interface Dma {
  readonly kind: 'DMA';
  /** Channels 0 to 7. */
  readonly channels: readonly number[];
  readonly type: (typeof DMA_TYPES)[number];
  readonly busMaster: boolean;
  readonly transfer: (typeof DMA_TRANSFERS)[number];
}

export const DMA: DescriptorCodec<Dma> = {
  kind: 'DMA',
  tags: [0x28],
  encode({ channels, type, busMaster, transfer }) {
    const flags =
      indexOfKeyword(DMA_TRANSFERS, transfer) | (Number(busMaster) << 2) | (indexOfKeyword(DMA_TYPES, type) << 5);
    return { tag: 0x28, body: [maskOf(channels), flags] };
  },
  decode(body) {
    if (body.length < 2) return undefined;
    const [mask, flags] = body;
    return {
      kind: 'DMA',
      channels: bitsOf(mask),
      type: DMA_TYPES[(flags >> 5) & 3],
      busMaster: (flags & 4) !== 0,
      transfer: DMA_TRANSFERS[flags & 3],
    };
  },
  asl({ channels, type, busMaster, transfer }) {
    return {
      name: 'DMA',
      args: [type, BUS_MASTERING[Number(busMaster)], transfer, NAME_SLOT],
      list: channels.map(String),
    };
  },
};

export const FIXED_DMA_WIDTHS = [
  'Width8bit',
  'Width16bit',
  'Width32bit',
  'Width64bit',
  'Width128bit',
  'Width256bit',
] as const;

export interface FixedDma {
  readonly kind: 'FixedDMA';
  readonly requestLine: number;
  readonly channel: number;
  readonly width: (typeof FIXED_DMA_WIDTHS)[number];
}

export const FIXED_DMA: DescriptorCodec<FixedDma> = {
  kind: 'FixedDMA',
  tags: [0x50],
  encode({ requestLine, channel, width }) {
    return { tag: 0x50, body: [...u16(requestLine), ...u16(channel), indexOfKeyword(FIXED_DMA_WIDTHS, width)] };
  },
  decode(body) {
    if (body.length < 5 || body[4] >= FIXED_DMA_WIDTHS.length) return undefined;
    const view = bodyView(body);
    return {
      kind: 'FixedDMA',
      requestLine: view.getUint16(0, true),
      channel: view.getUint16(2, true),
      width: FIXED_DMA_WIDTHS[body[4]],
    };
  },
  asl({ requestLine, channel, width }) {
    return { name: 'FixedDMA', args: [aslHex(requestLine, 4), aslHex(channel, 4), width, NAME_SLOT] };
  },
};
