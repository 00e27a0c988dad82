import { shortestIntegerLength } from '../encode.ts';
import { PREFIX } from '../opcodes.ts';
import { decodePkgLength, packageLengthBytesFor } from '../pkg-length.ts';
import type { IntegerTerm, NameTerm, PkgLengthBytes, StringTerm } from '../tree.ts';

/** Bytes that are no AML: caught where a list can keep them, or turned into the user's error. */
export class AmlFault extends Error {
  readonly offset: number;
  readonly scope: string;

  constructor(message: string, offset: number, scope: string) {
    super(message);
    this.offset = offset;
    this.scope = scope;
  }
}

/** The bytes of a table from an offset on, read as the pieces that need no table of opcodes. Every read throws AmlFault at `end`. */
export class AmlCursor {
  readonly bytes: Uint8Array;
  offset = 0;
  /** The scope that is read, for messages. */
  scope: string;

  constructor(bytes: Uint8Array, scope: string) {
    this.bytes = bytes;
    this.scope = scope;
  }

  fault(message: string, offset = this.offset): AmlFault {
    return new AmlFault(message, offset, this.scope);
  }

  byte(end: number): number {
    if (this.offset >= end) throw this.fault('the term is cut off by the end of its package');
    return this.bytes[this.offset++];
  }

  /** A little-endian number of up to 4 bytes. */
  little(byteLength: number, end: number): number {
    let value = 0;
    for (let index = 0; index < byteLength; index++) value += this.byte(end) * 2 ** (8 * index);
    return value;
  }

  integer(byteLength: 1 | 2 | 4 | 8, end: number): IntegerTerm {
    const low = this.little(Math.min(byteLength, 4), end);
    const value = byteLength === 8 ? BigInt(low) + (BigInt(this.little(4, end)) << 32n) : BigInt(low);
    if (shortestIntegerLength(value) === byteLength) return { kind: 'Integer', value };
    return { kind: 'Integer', value, byteLength };
  }

  string(end: number): StringTerm {
    const start = this.offset;
    while (this.byte(end) !== 0);
    return { kind: 'String', value: latin1(this.bytes.subarray(start, this.offset - 1)) };
  }

  /** A NameString, ACPI 6.5 §20.2.2. */
  readName(end: number): NameTerm {
    const start = this.offset;
    let lead = this.byte(end);
    if (lead === PREFIX.RootChar) lead = this.byte(end);
    else while (lead === PREFIX.ParentPrefixChar) lead = this.byte(end);
    const prefix = this.offset - 1 === start ? '' : latin1(this.bytes.subarray(start, this.offset - 1));
    if (lead === PREFIX.NullName) return { kind: 'NameString', path: prefix };
    let count = 1;
    if (lead === PREFIX.DualNamePrefix) count = 2;
    else if (lead === PREFIX.MultiNamePrefix) count = this.byte(end);
    else this.offset--;
    if (this.offset + 4 * count > end) throw this.fault('the name is cut off by the end of its package', start);
    const segments: string[] = [];
    for (let index = 0; index < count; index++) {
      const seg = this.offset;
      if (!isNameChar(this.bytes[seg])) throw this.fault('a name holds characters that no name may hold', start);
      segments.push(
        String.fromCharCode(this.bytes[seg], this.bytes[seg + 1], this.bytes[seg + 2], this.bytes[seg + 3]),
      );
      this.offset += 4;
    }
    if (count === 0) throw this.fault('a name has a MultiNamePrefix and no segment', start);
    const path = prefix + segments.join('.');
    const wide = lead === PREFIX.MultiNamePrefix && count <= 2;
    return wide ? { kind: 'NameString', path, prefix: 'multi' } : { kind: 'NameString', path };
  }

  /** Everything up to `end`. */
  rest(end: number): Uint8Array {
    const bytes = this.bytes.slice(this.offset, end);
    this.offset = end;
    return bytes;
  }

  /** Leaves out everything up to `end`: no items. */
  skipTo(end: number): [] {
    this.offset = end;
    return [];
  }

  /** The byte that is next; -1 at `end`. */
  peek(end: number): number {
    return this.offset < end ? this.bytes[this.offset] : -1;
  }

  /** The end of the package that begins here, and the bytes of its PkgLength where it is not the shortest. */
  packageEnd(outerEnd: number): { end: number; byteLength: PkgLengthBytes | undefined } {
    const start = this.offset;
    const length = decodePkgLength(this.bytes, start, outerEnd);
    if (!length) throw this.fault('a PkgLength is cut off or malformed', start);
    const end = start + length.value;
    if (length.value < length.byteLength || end > outerEnd) {
      throw this.fault(
        `a package of ${length.value} bytes does not fit into the ${outerEnd - start} that are left`,
        start,
      );
    }
    this.offset = start + length.byteLength;
    const shortest = packageLengthBytesFor(length.value - length.byteLength);
    return { end, byteLength: shortest === length.byteLength ? undefined : length.byteLength };
  }
}

/** LeadNameChar or one of the prefixes of a NameString; NullName excepted. */
export function isNameStart(byte: number): boolean {
  return (
    (byte >= 0x41 && byte <= 0x5a) ||
    byte === 0x5f ||
    byte === PREFIX.RootChar ||
    byte === PREFIX.ParentPrefixChar ||
    byte === PREFIX.DualNamePrefix ||
    byte === PREFIX.MultiNamePrefix
  );
}

function isNameChar(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f || (byte >= 0x30 && byte <= 0x39);
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
