import { checksumByte } from '../../shared/checksum.ts';
import { ascii, bytes, encodeLayout, layout, u8, u32, u64 } from '../layout.ts';

/** Root System Description Pointer, revision 2 (ACPI 6.5 §5.2.5.3). */
export const RSDP = layout('RSDP', {
  SIGNATURE: ascii(0, 8),
  CHECKSUM: u8(8),
  OEM_ID: ascii(9, 6),
  REVISION: u8(15),
  RSDT_ADDRESS: u32(16),
  LENGTH: u32(20),
  XSDT_ADDRESS: u64(24),
  EXTENDED_CHECKSUM: u8(32),
  RESERVED: bytes(33, 3),
});

export const RSDP_SIGNATURE = 'RSD PTR ';
/** The first checksum covers the ACPI 1.0 part. */
export const RSDP_V1_BYTES = 20;

/** The RSDP; both checksums hold for the addresses given (0 before linking). */
export function encodeRsdp(oemId: string, rsdtAddress = 0, xsdtAddress = 0): Uint8Array {
  const image = encodeLayout(RSDP, {
    SIGNATURE: RSDP_SIGNATURE,
    OEM_ID: oemId.padEnd(6, ' '),
    REVISION: 2,
    RSDT_ADDRESS: rsdtAddress,
    LENGTH: RSDP.byteLength,
    XSDT_ADDRESS: xsdtAddress,
  });
  image[RSDP.fields.CHECKSUM.offset] = checksumByte(image.subarray(0, RSDP_V1_BYTES));
  image[RSDP.fields.EXTENDED_CHECKSUM.offset] = checksumByte(image);
  return image;
}
