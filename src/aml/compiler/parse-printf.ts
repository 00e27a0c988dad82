/** Printf and Fprintf: a Store of concatenated pieces (ACPI 6.5 §19.6.50, §19.6.109). */
import type { AmlTerm } from '../tree.ts';
import type { Cursor } from './cursor.ts';
import { checkTarget, def, NULL_NAME, parseTerm } from './parse-expressions.ts';
import type { Token } from './source.ts';

export function parsePrintf(cursor: Cursor, token: Token): AmlTerm {
  cursor.expect('(');
  return formatted(cursor, token, def('DebugObj', []));
}

export function parseFprintf(cursor: Cursor, token: Token): AmlTerm {
  cursor.expect('(');
  const at = cursor.token;
  const target = parseTerm(cursor);
  checkTarget(cursor, target, at);
  cursor.expect(',');
  return formatted(cursor, token, target);
}

function formatted(cursor: Cursor, token: Token, target: AmlTerm): AmlTerm {
  const at = cursor.token;
  const format = cursor.string();
  const args: AmlTerm[] = [];
  while (cursor.accept(',')) args.push(parseTerm(cursor));
  cursor.expect(')');
  const text = concatenated(cursor, at, format, args);
  return cursor.mark(text ? def('DefStore', [text, target]) : def('DefNoop', []), token);
}

/** `%s` takes a string, `%x`, `%X` and `%o` any object. */
function concatenated(cursor: Cursor, at: Token, format: string, args: readonly AmlTerm[]): AmlTerm | undefined {
  let result: AmlTerm | undefined;
  let used = 0;
  const add = (piece: AmlTerm): void => {
    if (!result) result = piece;
    else {
      result = def('DefConcat', [result, piece, NULL_NAME]);
      // As iasl leaves them.
      cursor.notes.verbatim.add(result);
    }
  };
  for (const piece of format.split(/(%.?)/s)) {
    if (!piece.startsWith('%')) {
      if (piece !== '') add({ kind: 'String', value: piece });
      continue;
    }
    const argument = args[used++];
    if (!argument) {
      cursor.report('ASL_ARGUMENTS', at, `${piece} has no argument`, 'give an argument for each format specifier');
      return result;
    }
    if (!/^%[sxXo]$/.test(piece)) {
      cursor.report('ASL_OPERAND', at, `${piece} is no format specifier`, 'use %s, %x, %X or %o');
    } else if (piece !== '%s') {
      // A text in front makes Concatenate convert what follows.
      if (!result) add({ kind: 'String', value: '' });
      add(argument);
    } else if (argument.kind !== 'String') {
      cursor.report(
        'ASL_OPERAND',
        cursor.notes.tokens.get(argument) ?? at,
        '%s takes a string',
        'use %o for any object',
      );
    } else add(argument);
  }
  if (used < args.length) {
    const extra = cursor.notes.tokens.get(args[used]) ?? at;
    cursor.report('ASL_UNUSED_ARGUMENTS', extra, `${args.length - used} arguments have no format specifier`);
  }
  return result;
}
