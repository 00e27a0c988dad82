import { evaluationError } from './evaluation-error.ts';
import type { AmlObject, BufferObject, StringObject } from './objects.ts';

/** Bytes of an integer: 4 when the DSDT's revision is below 2 (ACPI 6.5 §5.2.11.1). */
export type IntegerBytes = 4 | 8;

export const maskOf = (bytes: IntegerBytes): bigint => (bytes === 4 ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn);

/** Implicit conversion to an integer (ACPI 6.5 §19.3.5.7): strings are hexadecimal, buffers little-endian. */
export function toInteger(object: AmlObject, bytes: IntegerBytes): bigint {
  switch (object.type) {
    case 'Integer':
      return object.value & maskOf(bytes);
    case 'String':
      return hexPrefix(object.value, bytes);
    case 'Buffer':
      return littleEndian(object.bytes.subarray(0, bytes));
    case 'DdbHandle':
      return maskOf(bytes);
    default:
      throw evaluationError('AE_AML_OPERAND_TYPE', `${object.type} where an integer is needed`);
  }
}

/** The hexadecimal number at the start of `text`, with the digits that fit into `bytes`; 0 when there is none. */
function hexPrefix(text: string, bytes: IntegerBytes): bigint {
  const digits = /^\s*(?:0x)?0*([0-9a-f]*)/i.exec(text)![1].slice(0, 2 * bytes);
  return digits === '' ? 0n : BigInt(`0x${digits}`);
}

export function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let index = bytes.length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index]);
  return value;
}

export function bytesOf(value: bigint, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  for (let index = 0, rest = value; index < byteLength; index++, rest >>= 8n) bytes[index] = Number(rest & 0xffn);
  return bytes;
}

/** Explicit conversion by ToInteger: decimal, or hexadecimal behind 0x. */
export function explicitInteger(object: AmlObject, bytes: IntegerBytes): bigint {
  if (object.type !== 'String') return toInteger(object, bytes);
  const text = object.value.trim();
  if (/^0x/i.test(text)) return hexPrefix(text, bytes);
  const digits = /^\d*/.exec(text)![0];
  return BigInt(digits === '' ? '0' : digits) & maskOf(bytes);
}

/** Implicit conversion to a string: integers as all their hexadecimal digits, buffers as bytes with spaces between. */
export function toStringObject(object: AmlObject, bytes: IntegerBytes): StringObject {
  switch (object.type) {
    case 'String':
      return object;
    case 'Integer':
      return { type: 'String', value: upperHex(object.value, bytes * 2) };
    case 'Buffer':
      return { type: 'String', value: [...object.bytes].map((byte) => upperHex(BigInt(byte), 2)).join(' ') };
    default:
      throw evaluationError('AE_AML_OPERAND_TYPE', `${object.type} where a string is needed`);
  }
}

export const upperHex = (value: bigint, digits: number): string =>
  value.toString(16).toUpperCase().padStart(digits, '0');

/** Implicit conversion to a buffer: integers as their bytes, strings with their null. */
export function toBufferObject(object: AmlObject, bytes: IntegerBytes): BufferObject {
  switch (object.type) {
    case 'Buffer':
      return object;
    case 'Integer':
      return { type: 'Buffer', bytes: bytesOf(object.value, bytes) };
    case 'String':
      return { type: 'Buffer', bytes: stringBytes(object.value, 1) };
    default:
      throw evaluationError('AE_AML_OPERAND_TYPE', `${object.type} where a buffer is needed`);
  }
}

/** The characters of `text` and `nulls` zero bytes. */
export function stringBytes(text: string, nulls: 0 | 1): Uint8Array {
  const bytes = new Uint8Array(text.length + nulls);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/**
 * ToDecimalString and ToHexString (ACPI 6.5 §19.6.137, §19.6.138): numbers, or the bytes of a buffer with commas. A hexadecimal
 * number has all its digits, unless `short`.
 */
export function explicitString(object: AmlObject, radix: 10 | 16, bytes: IntegerBytes, short = false): StringObject {
  const text = (value: bigint, digits: number) =>
    radix === 10 ? value.toString() : `0x${upperHex(value, short ? 1 : digits)}`;
  switch (object.type) {
    case 'String':
      return { type: 'String', value: object.value };
    case 'Integer':
      return { type: 'String', value: text(object.value, bytes * 2) };
    case 'Buffer':
      return { type: 'String', value: [...object.bytes].map((byte) => text(BigInt(byte), 2)).join(',') };
    default:
      throw evaluationError('AE_AML_OPERAND_TYPE', `${object.type} where a number, a string or a buffer is needed`);
  }
}
