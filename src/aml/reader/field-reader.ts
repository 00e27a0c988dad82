import { decodePkgLength, pkgLengthBytesFor } from '../pkg-length.ts';
import type { FieldElement, PkgLengthBytes } from '../tree.ts';
import type { TermReader } from './term-reader.ts';

/** The elements of a FieldList up to `end` (ACPI 6.5 §20.2.5.2). Throws AmlFault. */
export function readFieldList(reader: TermReader, end: number): FieldElement[] {
  const elements: FieldElement[] = [];
  while (reader.offset < end) elements.push(readElement(reader, end));
  return elements;
}

function readElement(reader: TermReader, end: number): FieldElement {
  switch (reader.peek(end)) {
    case 0x00:
      reader.byte(end);
      return { kind: 'ReservedField', ...readBitLength(reader, end) };
    case 0x01:
      reader.byte(end);
      return { kind: 'AccessField', accessType: reader.byte(end), accessAttrib: reader.byte(end) };
    case 0x02:
      reader.byte(end);
      return { kind: 'ConnectField', connection: readConnection(reader, end) };
    case 0x03:
      reader.byte(end);
      return {
        kind: 'ExtendedAccessField',
        accessType: reader.byte(end),
        extendedAccessAttrib: reader.byte(end),
        accessLength: reader.byte(end),
      };
    default: {
      const codes = [reader.byte(end), reader.byte(end), reader.byte(end), reader.byte(end)];
      return { kind: 'NamedField', name: String.fromCharCode(...codes), ...readBitLength(reader, end) };
    }
  }
}

/** Connection takes a name or a Buffer; a Buffer is the only opcode that may stand here. */
function readConnection(reader: TermReader, end: number) {
  return reader.peek(end) === 0x11 ? reader.readTerm(end) : reader.readName(end);
}

function readBitLength(reader: TermReader, end: number): { bitLength: number; pkgLengthBytes?: PkgLengthBytes } {
  const length = decodePkgLength(reader.bytes, reader.offset, end);
  if (!length) throw reader.fault('the length of a field is cut off or malformed');
  for (let index = 0; index < length.byteLength; index++) reader.byte(end);
  if (pkgLengthBytesFor(length.value) === length.byteLength) return { bitLength: length.value };
  return { bitLength: length.value, pkgLengthBytes: length.byteLength };
}
