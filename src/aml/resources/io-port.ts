/** IO and FixedIO: ACPI 6.5 §6.4.2.5, §6.4.2.6. */
import { aslHex, bodyView, type DescriptorCodec, NAME_SLOT, u16 } from './descriptor.ts';

export const IO_DECODES = ['Decode10', 'Decode16'] as const;

export interface IoPort {
  readonly kind: 'IO';
  readonly decode: (typeof IO_DECODES)[number];
  /** First and last base address that the range may have. */
  readonly minimum: number;
  readonly maximum: number;
  readonly alignment: number;
  /** Ports, 0 to 255. */
  readonly byteLength: number;
}

export const IO: DescriptorCodec<IoPort> = {
  kind: 'IO',
  tags: [0x40],
  encode({ decode, minimum, maximum, alignment, byteLength }) {
    const information = decode === 'Decode16' ? 1 : 0;
    return { tag: 0x40, body: [information, ...u16(minimum), ...u16(maximum), alignment, byteLength] };
  },
  decode(body) {
    if (body.length < 7) return undefined;
    const view = bodyView(body);
    return {
      kind: 'IO',
      decode: IO_DECODES[body[0] & 1],
      minimum: view.getUint16(1, true),
      maximum: view.getUint16(3, true),
      alignment: body[5],
      byteLength: body[6],
    };
  },
  asl({ decode, minimum, maximum, alignment, byteLength }) {
    const args = [aslHex(minimum, 4), aslHex(maximum, 4), aslHex(alignment, 2), aslHex(byteLength, 2)];
    return { name: 'IO', args: [decode, ...args, NAME_SLOT] };
  },
};

export interface FixedIoPort {
  readonly kind: 'FixedIO';
  /** 0 to 0x3ff. */
  readonly base: number;
  readonly byteLength: number;
}

export const FIXED_IO: DescriptorCodec<FixedIoPort> = {
  kind: 'FixedIO',
  tags: [0x48],
  encode({ base, byteLength }) {
    return { tag: 0x48, body: [...u16(base), byteLength] };
  },
  decode(body) {
    if (body.length < 3) return undefined;
    return { kind: 'FixedIO', base: bodyView(body).getUint16(0, true), byteLength: body[2] };
  },
  asl({ base, byteLength }) {
    return { name: 'FixedIO', args: [aslHex(base, 4), aslHex(byteLength, 2), NAME_SLOT] };
  },
};
