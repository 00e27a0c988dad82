import { UserError } from '../shared/errors.ts';

/** Position of each text byte in the 16-byte buffer: ToUUID's mixed-endian order (ACPI 6.5 §19.6.142). */
const ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15] as const;

/** The 16 bytes of `33db4d5b-1ff7-401c-9657-7441c03dd766` as ToUUID lays them. Throws `AML_UUID`. */
export function encodeUuid(text: string): Uint8Array {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) {
    throw new UserError('AML_UUID', `"${text}" is not a UUID`, {
      mend: 'write it as aabbccdd-eeff-gghh-iijj-kkllmmnnoopp in hexadecimal digits',
    });
  }
  const digits = text.replaceAll('-', '');
  const bytes = new Uint8Array(16);
  ORDER.forEach((position, index) => {
    bytes[position] = Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16);
  });
  return bytes;
}

/** The text of a 16-byte buffer in ToUUID's order, in lower case. */
export function decodeUuid(bytes: Uint8Array): string {
  const digits = ORDER.map((position) => bytes[position].toString(16).padStart(2, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
