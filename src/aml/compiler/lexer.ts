import type { Diagnostics } from './diagnostics.ts';
import type { SourceText, Token, TokenKind } from './source.ts';

/** Operators and brackets, the longest first among those with the same start. */
const PUNCTUATION = [
  '<<=',
  '>>=',
  '&&',
  '||',
  '==',
  '!=',
  '<=',
  '>=',
  '<<',
  '>>',
  '++',
  '--',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '&=',
  '|=',
  '^=',
  '(',
  ')',
  '{',
  '}',
  '[',
  ']',
  ',',
  ';',
  ':',
  '+',
  '-',
  '*',
  '/',
  '%',
  '&',
  '|',
  '^',
  '~',
  '!',
  '=',
  '<',
  '>',
  '#',
  '.',
  '?',
] as const;
const BY_FIRST = new Map<string, string[]>();
for (const text of PUNCTUATION) BY_FIRST.set(text[0], [...(BY_FIRST.get(text[0]) ?? []), text]);

const STATEMENT = '/*@stmt';
const INSTEAD = '/*@instead';
const END = '/*@end*/';

const NAME = /(?:\\|\^+)?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*|\\|\^\^+/y;
const NUMBER = /0[xX][0-9A-Fa-f]*|\d\w*/y;
const SPACE = /[ \t\f\v\r]+/y;
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '"': '"',
  "'": "'",
  '\\': '\\',
};

/**
 * The tokens of `source` (ACPI 6.5 §19.2), without comments. An annotation, a comment that begins with `/*@`, is a token; what
 * stands in a `stmt` annotation is tokens between it and an `end` annotation. What stands in `instead` is tokens too, and the text
 * behind it up to its `end` is not.
 */
export function tokenize(source: SourceText, diagnostics: Diagnostics): Token[] {
  const { text } = source;
  const tokens: Token[] = [];
  let at = 0;
  let startsLine = true;
  /** Inside of an annotation that holds tokens. */
  let within: 'stmt' | 'instead' | undefined;
  /** On the line of a directive of the preprocessor: it goes on behind a backslash, where elsewhere that is the root. */
  let isDirective = false;

  const push = (kind: TokenKind, value: string, start: number, end: number): Token => {
    const token = { kind, text: value, source, start, end, startsLine };
    tokens.push(token);
    startsLine = false;
    at = end;
    return token;
  };
  const matchAt = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  const complain = (id: 'ASL_CHARACTER' | 'ASL_UNCLOSED', end: number, message: string, mend?: string): void => {
    const token: Token = { kind: 'end', text: '', source, start: at, end, startsLine: false };
    diagnostics.add(id, token, message, mend);
  };

  const comment = (): void => {
    if (text.startsWith(STATEMENT, at)) {
      push('annotation', 'stmt', at, at + STATEMENT.length);
      within = 'stmt';
      return;
    }
    if (text.startsWith(INSTEAD, at)) {
      at += INSTEAD.length;
      within = 'instead';
      return;
    }
    const close = text.indexOf('*/', at + 2);
    if (close < 0) complain('ASL_UNCLOSED', at + 2, 'the comment is not closed');
    const end = close < 0 ? text.length : close + 2;
    if (text[at + 2] === '@' && close >= 0) {
      push('annotation', text.slice(at + 3, close).trim(), at, end);
      return;
    }
    if (text.slice(at, end).includes('\n')) startsLine = true;
    at = end;
  };

  /** Behind what another compiler reads in place of what the annotation holds. */
  const skipSubstitute = (): void => {
    const end = text.indexOf(END, at);
    if (end < 0) complain('ASL_UNCLOSED', at + 2, 'no /*@end*/ follows the annotation');
    at = end < 0 ? text.length : end + END.length;
  };

  /** The codes of a name's characters in backticks. */
  const verbatimName = (): void => {
    const close = text.indexOf('`', at + 1);
    const end = close < 0 ? text.length : close;
    const value = charactersOf(text.slice(at + 1, end));
    tokens.push({ kind: 'name', text: value, isVerbatim: true, source, start: at, end: end + 1, startsLine });
    startsLine = false;
    at = Math.min(end + 1, text.length);
  };

  const literal = (): void => {
    const start = at;
    let value = '';
    let cursor = at + 1;
    while (cursor < text.length && text[cursor] !== '"') {
      if (text[cursor] === '\n') break;
      if (text[cursor] !== '\\') {
        value += text[cursor++];
        continue;
      }
      const escaped = readEscape(text, cursor);
      if (!escaped) {
        const token: Token = { kind: 'string', text: '', source, start: cursor, end: cursor + 2, startsLine: false };
        const id = text[cursor + 1] === 'x' ? 'ASL_ESCAPE_DROPPED' : 'ASL_ESCAPE';
        diagnostics.add(id, token, `\\${text[cursor + 1] ?? ''} is no escape of ASL`);
        cursor += 2;
        continue;
      }
      value += escaped.value;
      cursor = escaped.end;
    }
    if (text[cursor] !== '"') complain('ASL_UNCLOSED', at + 1, 'the string is not closed on its line');
    push('string', value, start, text[cursor] === '"' ? cursor + 1 : cursor);
  };

  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 10) {
      startsLine = true;
      isDirective = false;
      at++;
    } else if (code === 32 || (code >= 9 && code <= 13)) {
      at += matchAt(SPACE)!.length;
    } else if (code === 47 && text[at + 1] === '/') {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else if (code === 47 && text[at + 1] === '*') {
      comment();
    } else if (within !== undefined && code === 42 && text[at + 1] === '/') {
      if (within === 'stmt') push('annotation', 'end', at, at + 2);
      else skipSubstitute();
      within = undefined;
    } else if (within !== undefined && code === 91 && text[at + 1] === '@') {
      // Annotations inside of an annotation have brackets: a comment would end it.
      const close = text.indexOf(']', at);
      push('annotation', text.slice(at + 2, close).trim(), at, close + 1);
    } else if (within !== undefined && code === 96) {
      verbatimName();
    } else if (code === 34) {
      literal();
    } else if (code === 92 && isDirective && /^\r?\n/.test(text.slice(at + 1, at + 3))) {
      at = text.indexOf('\n', at) + 1;
    } else if (code >= 48 && code <= 57) {
      push('number', matchAt(NUMBER)!, at, NUMBER.lastIndex);
    } else {
      const name = matchAt(NAME);
      if (name !== undefined) push('name', name, at, at + name.length);
      else {
        const found = BY_FIRST.get(text[at])?.find((candidate) => text.startsWith(candidate, at));
        if (found !== undefined) {
          if (found === '#') isDirective ||= startsLine;
          push('punctuation', found, at, at + found.length);
        } else {
          const mend = code === 39 ? 'write texts between double quotes' : undefined;
          complain('ASL_CHARACTER', at + 1, `${describeCharacter(code)} has no meaning in ASL`, mend);
          at++;
        }
      }
    }
  }
  push('end', '', text.length, text.length);
  return tokens;
}

/** The characters whose codes `codes` lists in hexadecimal. */
export const charactersOf = (codes: string): string =>
  String.fromCharCode(...(codes.match(/[0-9a-f]+/gi) ?? []).map((digits) => Number.parseInt(digits, 16) & 0xff));

const describeCharacter = (code: number): string =>
  code > 0x20 && code < 0x7f ? `"${String.fromCharCode(code)}"` : `the byte 0x${code.toString(16)}`;

/** The escape at `at`: a letter, `\x` with one or two digits, or up to three octal digits. */
function readEscape(text: string, at: number): { value: string; end: number } | undefined {
  const simple = SIMPLE_ESCAPES[text[at + 1]];
  if (simple !== undefined) return { value: simple, end: at + 2 };
  const hexadecimal = /^x([0-9A-Fa-f]{1,2})/.exec(text.slice(at + 1, at + 4));
  if (hexadecimal) {
    return { value: String.fromCharCode(Number.parseInt(hexadecimal[1], 16)), end: at + 1 + hexadecimal[0].length };
  }
  const octal = /^[0-7]{1,3}/.exec(text.slice(at + 1, at + 4));
  if (!octal) return undefined;
  return { value: String.fromCharCode(Number.parseInt(octal[0], 8) & 0xff), end: at + 1 + octal[0].length };
}
