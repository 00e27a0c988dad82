/** ToPLD: a `_PLD` buffer by the names of its fields (ACPI 6.5 §19.6.140, §6.1.8). */
import type { AmlTerm } from '../tree.ts';
import { type Cursor, describe } from './cursor.ts';
import { bufferTerm } from './parse-data.ts';
import { parseList, parseTerm } from './parse-expressions.ts';
import type { Token } from './source.ts';

interface PldField {
  readonly bit: number;
  readonly bitLength: number;
  readonly words?: readonly string[];
}

const field = (bit: number, bitLength: number, words?: readonly string[]): PldField => ({
  bit,
  bitLength,
  ...(words && { words }),
});

/** Table 6.11; words stand for their places. */
const FIELDS: Readonly<Record<string, PldField>> = {
  REVISION: field(0, 7),
  IGNORECOLOR: field(7, 1),
  RED: field(8, 8),
  GREEN: field(16, 8),
  BLUE: field(24, 8),
  WIDTH: field(32, 16),
  HEIGHT: field(48, 16),
  USERVISIBLE: field(64, 1),
  DOCK: field(65, 1),
  LID: field(66, 1),
  PANEL: field(67, 3, ['TOP', 'BOTTOM', 'LEFT', 'RIGHT', 'FRONT', 'BACK', 'UNKNOWN']),
  VERTICALPOSITION: field(70, 2, ['UPPER', 'CENTER', 'LOWER']),
  HORIZONTALPOSITION: field(72, 2, ['LEFT', 'CENTER', 'RIGHT']),
  SHAPE: field(74, 4, [
    'ROUND',
    'OVAL',
    'SQUARE',
    'VERTICALRECTANGLE',
    'HORIZONTALRECTANGLE',
    'VERTICALTRAPEZOID',
    'HORIZONTALTRAPEZOID',
    'UNKNOWN',
    'CHAMFERED',
  ]),
  GROUPORIENTATION: field(78, 1),
  GROUPTOKEN: field(79, 8),
  GROUPPOSITION: field(87, 8),
  BAY: field(95, 1),
  EJECTABLE: field(96, 1),
  EJECTREQUIRED: field(97, 1),
  CABINETNUMBER: field(98, 8),
  CARDCAGENUMBER: field(106, 8),
  REFERENCE: field(114, 1),
  ROTATION: field(115, 4),
  ORDER: field(119, 5),
  VERTICALOFFSET: field(128, 16),
  HORIZONTALOFFSET: field(144, 16),
};

/** Bytes of revision 2; iasl writes as many for revision 1, whose readers take the first 16. */
const BYTE_LENGTH = 20;

export function parseToPld(cursor: Cursor, token: Token): AmlTerm {
  let bits = 0n;
  let revision = 0n;
  parseList(cursor, '(', ')', () => {
    const name = cursor.next();
    const found = FIELDS[name.text.toUpperCase().replace(/^PLD_/, '')];
    if (!found)
      cursor.fail(
        'ASL_KEYWORD',
        name,
        `${describe(name)} is no field of _PLD`,
        `use one of ${Object.keys(FIELDS)
          .map((key) => `PLD_${key}`)
          .join(', ')}`,
      );
    cursor.expect('=');
    const value = pldValue(cursor, found);
    if (found === FIELDS.REVISION) revision = value;
    bits |= value << BigInt(found.bit);
  });
  // Revision 1 ends before the offsets.
  if (revision < 2n) bits &= (1n << BigInt(FIELDS.VERTICALOFFSET.bit)) - 1n;
  const bytes = new Uint8Array(BYTE_LENGTH);
  for (let index = 0; index < bytes.length; index++) bytes[index] = Number((bits >> BigInt(index * 8)) & 0xffn);
  return cursor.mark(bufferTerm(bytes), token);
}

function pldValue(cursor: Cursor, { bitLength, words }: PldField): bigint {
  const { token } = cursor;
  if (token.kind !== 'string') return cursor.constant(parseTerm(cursor), (1n << BigInt(bitLength)) - 1n);
  cursor.next();
  // iasl's disassembler writes an empty text for a value without a name, and its compiler takes it for 0.
  if (token.text === '') return 0n;
  const index = words?.indexOf(token.text.toUpperCase()) ?? -1;
  if (index < 0) {
    const mend = words ? `use one of ${words.join(', ')}` : 'give a number';
    cursor.report('ASL_KEYWORD', token, `"${token.text}" is no value of this field`, mend);
  }
  return BigInt(Math.max(index, 0));
}
