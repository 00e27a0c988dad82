/** Field, IndexField and BankField: ACPI 6.5 §19.6.46, §19.6.63, §19.6.7. */
import { FIELD_ACCESS, LOCK_RULES, UPDATE_RULES } from '../opcodes.ts';
import { MAX_PKG_LENGTH, pkgLengthBytesFor } from '../pkg-length.ts';
import type { AmlTerm, FieldElement, PkgLengthBytes } from '../tree.ts';
import { type Cursor, describe } from './cursor.ts';
import { parseConnectionMacro } from './parse-data.ts';
import { def, parseTerm } from './parse-expressions.ts';
import { isResourceMacro } from './parse-resources.ts';
import type { Token } from './source.ts';

/** Table 19.30. */
const ACCESS_ATTRIBUTES: Readonly<Record<string, number>> = {
  AttribNormal: 0x00,
  AttribQuick: 0x02,
  AttribSendReceive: 0x04,
  AttribByte: 0x06,
  AttribWord: 0x08,
  AttribBlock: 0x0a,
  AttribProcessCall: 0x0c,
  AttribBlockProcessCall: 0x0d,
  // Names of ACPI 4 and before.
  SMBQuick: 0x02,
  SMBSendReceive: 0x04,
  SMBByte: 0x06,
  SMBWord: 0x08,
  SMBBlock: 0x0a,
  SMBProcessCall: 0x0c,
  SMBBlockProcessCall: 0x0d,
};
/** Attributes that state a length in bytes. */
const EXTENDED_ATTRIBUTES: Readonly<Record<string, number>> = {
  ATTRIBBYTES: 0x0b,
  ATTRIBMULTIBYTES: 0x0b,
  ATTRIBRAWBYTES: 0x0e,
  ATTRIBRAWPROCESSBYTES: 0x0f,
  ATTRIBRAWPROCESS: 0x0f,
};

export function parseField(cursor: Cursor, token: Token): AmlTerm {
  cursor.expect('(');
  const region = cursor.name();
  const flags = parseFlags(cursor);
  return cursor.mark(def('DefField', [region, flags, parseElements(cursor)]), token);
}

export function parseIndexField(cursor: Cursor, token: Token): AmlTerm {
  cursor.expect('(');
  const index = cursor.name();
  cursor.expect(',');
  const data = cursor.name();
  const flags = parseFlags(cursor);
  return cursor.mark(def('DefIndexField', [index, data, flags, parseElements(cursor)]), token);
}

export function parseBankField(cursor: Cursor, token: Token): AmlTerm {
  cursor.expect('(');
  const region = cursor.name();
  cursor.expect(',');
  const bank = cursor.name();
  cursor.expect(',');
  const value = parseTerm(cursor);
  const flags = parseFlags(cursor);
  return cursor.mark(def('DefBankField', [region, bank, value, flags, parseElements(cursor)]), token);
}

/** FieldFlags; each of the three may be left out. */
function parseFlags(cursor: Cursor): number {
  const keyword = (keywords: Readonly<Record<string, number>>, what: string, max: number): number => {
    if (!cursor.accept(',') || cursor.at(',') || cursor.at(')')) return 0;
    return cursor.keyword(keywords, what, max);
  };
  // A number is all that the keywords do not say, such as the reserved bit 7.
  const access = keyword(FIELD_ACCESS, 'access type', 0xff);
  const lock = keyword(LOCK_RULES, 'lock rule', 1);
  const update = keyword(UPDATE_RULES, 'update rule', 3);
  cursor.expect(')');
  return access | (lock << 4) | (update << 5);
}

function parseElements(cursor: Cursor): FieldElement[] {
  const elements: FieldElement[] = [];
  let bit = 0;
  const opened = cursor.expect('{');
  while (!cursor.accept('}')) {
    if (cursor.token.kind === 'end') cursor.fail('ASL_UNCLOSED', opened, 'the list of fields has no "}"');
    const element = parseElement(cursor, bit);
    if (element) {
      elements.push(element);
      if ('bitLength' in element) bit += element.bitLength;
    }
    if (!cursor.accept(',') && !cursor.at('}')) {
      cursor.fail('ASL_SYNTAX', cursor.token, `"," or "}" is due before ${describe(cursor.token)}`);
    }
  }
  return elements;
}

/** One element at bit `start`; nothing for an Offset that is refused or without effect. */
function parseElement(cursor: Cursor, start: number): FieldElement | undefined {
  let pkgLengthBytes: PkgLengthBytes | undefined;
  if (cursor.token.kind === 'annotation') {
    const [name, value] = cursor.next().text.split(' ');
    if (name === 'pkg') pkgLengthBytes = Number(value) as PkgLengthBytes;
  }
  const { token } = cursor;
  const element = (parts: { kind: 'ReservedField' } | { kind: 'NamedField'; name: string }, bitLength: number) => {
    const byteLength = pkgLengthBytes ?? (cursor.asWritten ? undefined : iaslPkgLengthBytes(bitLength));
    const longer = byteLength === undefined ? {} : { pkgLengthBytes: byteLength };
    return cursor.mark<FieldElement>({ ...parts, bitLength, ...longer }, token);
  };
  if (cursor.accept(',')) return element({ kind: 'ReservedField' }, bitLength(cursor));
  if (token.kind !== 'name') cursor.fail('ASL_SYNTAX', token, `a field is due before ${describe(token)}`);
  const word = cursor.peek().text === '(' ? token.text.toUpperCase() : '';
  switch (word) {
    case 'OFFSET': {
      cursor.next();
      cursor.expect('(');
      const end = Number(cursor.constant(parseTerm(cursor), BigInt(MAX_PKG_LENGTH))) * 8;
      cursor.expect(')');
      if (end < start) {
        const message = `0x${(end / 8).toString(16)} lies before the fields above, which end at bit ${start}`;
        cursor.report('ASL_OFFSET', token, message);
        return undefined;
      }
      if (end === start && !cursor.asWritten) {
        cursor.report('ASL_OFFSET_IDLE', token, 'the fields above end here: this Offset skips nothing');
      }
      // iasl leaves an Offset out that skips nothing.
      if (end === start && cursor.dropsIdle) return undefined;
      return element({ kind: 'ReservedField' }, end - start);
    }
    case 'ACCESSAS':
      cursor.next();
      return cursor.mark(parseAccessAs(cursor), token);
    case 'CONNECTION':
      cursor.next();
      return cursor.mark(parseConnection(cursor), token);
    default: {
      const { path } = cursor.nameOf(cursor.next().text, token);
      if (path.length !== 4) cursor.fail('ASL_NAME', token, `"${token.text}" is not a single name segment`);
      cursor.expect(',');
      return element({ kind: 'NamedField', name: path }, bitLength(cursor));
    }
  }
}

const bitLength = (cursor: Cursor): number => Number(cursor.constant(parseTerm(cursor), BigInt(MAX_PKG_LENGTH)));

/** iasl counts the PkgLength's own bytes, which a length in bits does not hold: some lengths get a byte more than they need. */
function iaslPkgLengthBytes(bitLength: number): PkgLengthBytes | undefined {
  const ownBytes = pkgLengthBytesFor(bitLength);
  return ownBytes < 4 && pkgLengthBytesFor(bitLength + ownBytes) > ownBytes
    ? ((ownBytes + 1) as PkgLengthBytes)
    : undefined;
}

function parseAccessAs(cursor: Cursor): FieldElement {
  cursor.expect('(');
  const accessType = cursor.keyword(FIELD_ACCESS, 'access type');
  if (!cursor.accept(',') || cursor.at(')')) {
    cursor.expect(')');
    return { kind: 'AccessField', accessType, accessAttrib: 0 };
  }
  const { token } = cursor;
  const extended = EXTENDED_ATTRIBUTES[token.text.toUpperCase()];
  if (extended !== undefined) {
    cursor.next();
    cursor.expect('(');
    const accessLength = Number(cursor.constant(parseTerm(cursor), 0xffn));
    cursor.expect(')');
    cursor.expect(')');
    return { kind: 'ExtendedAccessField', accessType, extendedAccessAttrib: extended, accessLength };
  }
  const isNumber = token.kind === 'number';
  const accessAttrib = cursor.keyword(ACCESS_ATTRIBUTES, 'access attribute');
  // Some sources give a length to attributes without one; a number with a length is one that has no keyword.
  if (cursor.accept('(')) {
    const accessLength = Number(cursor.constant(parseTerm(cursor), 0xffn));
    cursor.expect(')');
    if (isNumber) {
      cursor.expect(')');
      return { kind: 'ExtendedAccessField', accessType, extendedAccessAttrib: accessAttrib, accessLength };
    }
  }
  cursor.expect(')');
  return { kind: 'AccessField', accessType, accessAttrib };
}

function parseConnection(cursor: Cursor): FieldElement {
  cursor.expect('(');
  const { token } = cursor;
  // A disassembly may hold any term.
  const isMacro = token.kind === 'name' && isResourceMacro(token.text);
  const connection = isMacro ? parseConnectionMacro(cursor) : parseTerm(cursor);
  cursor.expect(')');
  return { kind: 'ConnectField', connection };
}
