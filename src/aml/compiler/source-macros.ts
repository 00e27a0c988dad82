/** Macros over texts and over the source itself: ACPI 6.5 §19.6.36, §19.6.142, and iasl's `__FILE__` and the like. */
import { UserError } from '../../shared/errors.ts';
import { buffer } from '../build.ts';
import { encodeEisaId } from '../eisa-id.ts';
import type { AmlTerm } from '../tree.ts';
import { encodeUuid } from '../uuid.ts';
import type { Cursor } from './cursor.ts';
import type { Token } from './source.ts';

type Macro = (cursor: Cursor, token: Token) => AmlTerm;

const integerOf = (value: number): AmlTerm => ({ kind: 'Integer', value: BigInt(value) });
const fileOf = (token: Token): string => token.source.positionOf(token.start).file;

/** As C's asctime has it: `Sun Nov 22 15:26:46 2026`. */
function dateText(cursor: Cursor, token: Token): string {
  if (cursor.dateSeconds === undefined)
    cursor.report('ASL_DATE', token, '__DATE__ is 1 January 1970: no date is given');
  const [weekday, day, month, year, time] = new Date((cursor.dateSeconds ?? 0) * 1000).toUTCString().split(/,? /);
  return `${weekday} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`;
}

/** A macro over one string, whose mistakes the conversion tells. */
function converted(cursor: Cursor, token: Token, convert: (text: string) => AmlTerm): AmlTerm {
  cursor.expect('(');
  const at = cursor.token;
  const text = cursor.string();
  cursor.expect(')');
  try {
    return cursor.mark(convert(text), token);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    cursor.report('ASL_OPERAND', at, error.message, error.mend);
    return cursor.mark(integerOf(0), token);
  }
}

const sourceText =
  (textOf: (cursor: Cursor, token: Token) => string): Macro =>
  (cursor, token) =>
    cursor.mark({ kind: 'String', value: textOf(cursor, token) }, token);

/** By name in capitals. */
export const SOURCE_MACROS: readonly (readonly [string, Macro])[] = [
  ['EISAID', (cursor, token) => converted(cursor, token, (text) => integerOf(encodeEisaId(text)))],
  ['TOUUID', (cursor, token) => converted(cursor, token, (text) => buffer(encodeUuid(text)))],
  ['__FILE__', sourceText((_, token) => fileOf(token).split(/[\\/]/).at(-1)!)],
  ['__PATH__', sourceText((_, token) => fileOf(token))],
  ['__DATE__', sourceText(dateText)],
  ['__METHOD__', sourceText((cursor) => cursor.method?.name ?? '\\')],
  ['__LINE__', (cursor, token) => cursor.mark(integerOf(token.source.positionOf(token.start).line), token)],
];
