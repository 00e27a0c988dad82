import { formatPath, splitPath } from '../name-string.ts';
import { OPCODES, OPERATOR_BY_KIND } from '../opcodes.ts';
import type { AmlTerm } from '../tree.ts';
import { isVeiled } from './iasl-types.ts';

/**
 * What ASL has no words for stands in comments that begin with `@`: other compilers skip them, ours reads them, so that a
 * disassembly compiles to the same bytes. An annotation stands before what it describes.
 *
 * - `@int 4`: the integer behind it takes 4 bytes of data.
 * - `@pkg 3`: the PkgLength of the term behind it takes 3 bytes.
 * - `@multi`: the name behind it has a MultiNamePrefix.
 * - `@raw 00 1f`: these bytes, which are no AML.
 * - `@stmt One`: a statement that ASL does not have, as an expression.
 * - `@var`: the package behind it is a VarPackage although its size is a constant.
 * - `@emit 2 ^FOO`: the External behind it stands in the AML, with 2 arguments and this name; others only tell the compiler. Codes of
 *   characters in backticks are a name that ASL cannot write.
 * - `@instead TEXT` … `@end`: TEXT is meant; what stands between the two is what iasl accepts in its place. Codes of characters
 *   in backticks are a name that ASL cannot write.
 * - `@header 28 49 4e 54 4c`: bytes of the header by their offset, for which DefinitionBlock has no words.
 * - `@trailing 00 00`: bytes behind the end of the table.
 * - `@as-written`: at the start: 0x00 and 0x01 are bytes, not ZeroOp and OneOp, which are Zero and One.
 */
export type Annotation =
  | 'int'
  | 'pkg'
  | 'multi'
  | 'raw'
  | 'stmt'
  | 'var'
  | 'emit'
  | 'instead'
  | 'end'
  | 'header'
  | 'trailing'
  | 'as-written';

export const annotation = (name: Annotation, value = ''): string => `/*@${name}${value === '' ? '' : ` ${value}`}*/`;

/** Pairs of hexadecimal digits. */
export const bytesText = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

/** `text` of `term` with the annotations that its encoding needs. */
export function annotated(term: AmlTerm, text: string): string {
  switch (term.kind) {
    case 'Integer': {
      const { value, byteLength } = term;
      // Two hexadecimal digits of 0 or 1 are a byte by themselves: Zero and One are the opcodes.
      const plain = byteLength === undefined || (byteLength === 1 && value <= 1n);
      return plain ? text : `${annotation('int', `${byteLength}`)} ${text}`;
    }
    case 'NameString': {
      const name = term.prefix === 'multi' ? `${annotation('multi')} ${text}` : text;
      if (!isVeiled(term)) return name;
      return instead(name, term.through === 'RefOf' ? `RefOf (${text})` : `DerefOf (RefOf (${text}))`);
    }
    case 'RawBytes':
      return annotation('raw', bytesText(term.bytes));
    case 'String':
    case 'MethodInvocation':
      return text;
    default: {
      const { pkgLengthBytes } = term;
      const isVariable = term.kind === 'DefVarPackage' && isByteConstant(term.operands[0]);
      const marked = isVariable ? `${annotation('var')} ${text}` : text;
      return pkgLengthBytes === undefined ? marked : `${annotation('pkg', `${pkgLengthBytes}`)} ${marked}`;
    }
  }
}

const isByteConstant = (size: AmlTerm): boolean => size.kind === 'Integer' && size.value <= 0xffn;

/** A statement that only drops a value: other compilers refuse it, and its absence changes nothing. */
export const droppedStatement = (text: string): string => annotation('stmt', insideComment(text));

/** `meant` for our compiler, `accepted` for iasl, which refuses `meant`. Either may be empty. */
export const instead = (meant: string, accepted: string): string =>
  `${annotation('instead', insideComment(meant))} ${accepted.replace(SUBSTITUTE, '$1')} ${annotation('end')}`;

const SUBSTITUTE = /\/\*@instead.*?\*\/ (.*?) \/\*@end\*\//gs;

const SOUND_PATH = /^[\\^]*(?:[A-Z_][A-Z_0-9]{3}(?:\.[A-Z_][A-Z_0-9]{3})*)?$/;

/** Operators that are short enough to be names as well, in any case of letters. */
const KEYWORDS: ReadonlySet<string> = new Set(
  [...Object.keys(OPCODES), 'Zero', 'One', 'For', 'Case']
    .filter((word) => word.length <= 4)
    .map((word) => word.toUpperCase()),
);

/** `path` in ASL; characters that no name may have, which damaged tables hold, and names that are operators are stated by their codes. */
export function pathText(path: string): string {
  if (SOUND_PATH.test(path) && path !== '') {
    const text = formatPath(path);
    return KEYWORDS.has(text) ? instead(verbatimName(path), text) : text;
  }
  const { prefix, segments } = splitPath(path);
  const sound = segments.map((segment) =>
    segment
      .replace(/[^A-Z_0-9]/g, 'X')
      .replace(/^\d/, 'X')
      .padEnd(4, '_'),
  );
  return instead(verbatimName(path), path === '' ? 'NULL' : formatPath(prefix + sound.join('.')));
}

/** `path` where an annotation states it: as it is, or by the codes of its characters. */
export const statedPath = (path: string): string => (isPlain(path) ? formatPath(path) : verbatimName(path));

const isPlain = (path: string): boolean => path !== '' && SOUND_PATH.test(path) && !KEYWORDS.has(formatPath(path));

const verbatimName = (path: string): string =>
  `\`${Array.from(path, (character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join(' ')}\``;

/** Strings, substitutes, annotations, comments. */
const COMMENTS = /"(?:[^"\\]|\\.)*"|\/\*@instead(.*?)\*\/.*?\/\*@end\*\/|\/\*@(.*?)\*\/|\/\*.*?\*\/|\/\/[^\n]*/gs;

/** ASL that stands in a comment: another one inside would end it. Annotations are written with brackets. */
const insideComment = (text: string): string =>
  text.replace(COMMENTS, (piece, meant?: string, inner?: string) => {
    if (piece.startsWith('"')) return piece.replaceAll('*/', '*\\x2F');
    if (meant !== undefined) return meant.trim();
    return inner === undefined ? '' : `[@${inner}]`;
  });

/** Kinds of statements that ASL has no syntax for, or that iasl refuses because their result is not used. */
export function isDroppedStatement(term: AmlTerm): boolean {
  switch (term.kind) {
    case 'Integer':
    case 'String':
    case 'DefBuffer':
    case 'DefPackage':
    case 'DefVarPackage':
      return true;
    case 'NameString':
    case 'MethodInvocation':
    case 'RawBytes':
      return false;
    default:
      return DROPPED_OPERATORS.has(OPERATOR_BY_KIND.get(term.kind)!);
  }
}

const DROPPED_OPERATORS: ReadonlySet<string> = new Set([
  'Ones',
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((index) => `Local${index}`),
  ...[0, 1, 2, 3, 4, 5, 6].map((index) => `Arg${index}`),
  'Debug',
  'Revision',
]);
