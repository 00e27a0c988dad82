/** Sum of all bytes, modulo 256. A valid ACPI table, RSDP or SMBIOS entry point sums to 0 (ACPI 6.5 §5.2.6). */
export function byteSum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum = (sum + byte) & 0xff;
  return sum;
}

/** The value that, stored where `bytes` now holds 0, makes the sum 0. */
export function checksumByte(bytes: Uint8Array): number {
  return -byteSum(bytes) & 0xff;
}
