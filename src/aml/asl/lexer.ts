import type { AslDiagnostics } from './diagnostics.ts';

export type TokenKind = 'name' | 'number' | 'string' | 'punctuation' | 'annotation' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** The characters; of strings, what is between the quotes with escapes resolved; of annotations, what follows `@`. */
  readonly text: string;
  /** Where it starts in the source. */
  readonly offset: number;
}

/** One token or a piece of space, at the current place. */
const PIECE =
  /(\s+|\/\/[^\n]*|\/\*(?!@)[\s\S]*?\*\/)|\/\*@([\s\S]*?)\*\/|([A-Za-z_][A-Za-z_0-9]*)|(0[xX][0-9a-fA-F]+|\d+)|"((?:[^"\\]|\\[\s\S])*)"|(<<=|>>=|&&|\|\||==|!=|<=|>=|\+\+|--|<<|>>|[+\-*/%&|^]=|[{}()[\],;.=<>+\-*/%&|^~!\\])/y;

/** Splits ASL into tokens; characters that begin none are reported and skipped. */
export function tokenize(source: string, diagnostics: AslDiagnostics): Token[] {
  const tokens: Token[] = [];
  PIECE.lastIndex = 0;
  while (PIECE.lastIndex < source.length) {
    const offset = PIECE.lastIndex;
    const match = PIECE.exec(source);
    if (!match) {
      diagnostics.error(
        'ASL_CHARACTER',
        offset,
        `"${source[offset]}" starts nothing in ASL`,
        'remove it, or close the string or comment before it',
      );
      PIECE.lastIndex = offset + 1;
      continue;
    }
    const [, space, annotation, name, number, string, punctuation] = match;
    if (space !== undefined) continue;
    if (name !== undefined) tokens.push({ kind: 'name', text: name, offset });
    else if (punctuation !== undefined) tokens.push({ kind: 'punctuation', text: punctuation, offset });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number, offset });
    else if (string !== undefined) tokens.push({ kind: 'string', text: unescaped(string), offset });
    else tokens.push({ kind: 'annotation', text: annotation, offset });
  }
  tokens.push({ kind: 'end', text: '', offset: source.length });
  return tokens;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** ACPI 6.5 §19.2.5: C's escapes, octal and hexadecimal. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|[\s\S])/g, (_, sequence: string) => {
    if (/^x./.test(sequence)) return String.fromCharCode(Number.parseInt(sequence.slice(1), 16));
    if (/^[0-7]/.test(sequence)) return String.fromCharCode(Number.parseInt(sequence, 8) & 0xff);
    return ESCAPES[sequence] ?? sequence;
  });
}
