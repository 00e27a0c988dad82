/** VendorShort and VendorLong: ACPI 6.5 §6.4.2.7, §6.4.3.2. */
import { aslHex, type DescriptorCodec, NAME_SLOT } from './descriptor.ts';

export interface Vendor {
  readonly kind: 'Vendor';
  readonly size: 'short' | 'long';
  /** Up to 7 bytes in the short form. */
  readonly bytes: readonly number[];
}

export const VENDOR: DescriptorCodec<Vendor> = {
  kind: 'Vendor',
  tags: [0x70, 0x84],
  encode({ size, bytes }) {
    return { tag: size === 'short' ? 0x70 : 0x84, body: bytes };
  },
  decode(body, tag) {
    return { kind: 'Vendor', size: tag === 0x70 ? 'short' : 'long', bytes: [...body] };
  },
  asl({ size, bytes }) {
    return {
      name: size === 'short' ? 'VendorShort' : 'VendorLong',
      args: [NAME_SLOT],
      list: bytes.map((byte) => aslHex(byte, 2)),
    };
  },
};
