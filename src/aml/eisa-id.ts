import { UserError } from '../shared/errors.ts';

/**
 * `PNP0A08` compressed into 32 bits, as `_HID` and `_CID` hold it (ACPI 6.5 §6.1.5): three letters of 5 bits and four hexadecimal
 * digits, most significant byte first in memory. Throws `AML_EISA_ID`.
 */
export function encodeEisaId(text: string): number {
  if (!/^[A-Z]{3}[0-9A-F]{4}$/i.test(text)) {
    throw new UserError('AML_EISA_ID', `"${text}" is not an EISA id`, {
      mend: 'write three letters and four hexadecimal digits, such as PNP0A08, or use a string for an ACPI id',
    });
  }
  const letters = [...text.slice(0, 3).toUpperCase()].reduce(
    (sum, letter) => (sum << 5) | (letter.charCodeAt(0) - 0x40),
    0,
  );
  return swap32(letters * 0x1_0000 + Number.parseInt(text.slice(3), 16));
}

/** The text of `value` when it is a compressed EISA id: three letters A to Z and four digits; otherwise nothing. */
export function decodeEisaId(value: number): string | undefined {
  const packed = swap32(value);
  const codes = [packed >>> 26, (packed >>> 21) & 0x1f, (packed >>> 16) & 0x1f];
  if (codes.some((code) => code < 1 || code > 26)) return undefined;
  const digits = (packed & 0xffff).toString(16).toUpperCase().padStart(4, '0');
  return String.fromCharCode(...codes.map((code) => code + 0x40)) + digits;
}

function swap32(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
