/** Values and operators: ACPI 6.5 §19.6, with ASL 2.0's symbols (§19.6.1). */

import {
  MATCH_OPERATORS,
  OPCODES,
  OPERATOR_BY_KIND,
  type Opcode,
  type OperandKind,
  type OperatorName,
  REGION_SPACES,
} from '../opcodes.ts';
import type { AmlTerm, DefTerm, NameTerm, OperandValue, PkgLengthBytes } from '../tree.ts';
import { type Cursor, describe, MAX_DEPTH, wordOf } from './cursor.ts';
import { parseBuffer, parsePackage, parseResourceTemplate, parseUnicode } from './parse-data.ts';
import { parseToPld } from './parse-pld.ts';
import type { Token } from './source.ts';
import { SOURCE_MACROS } from './source-macros.ts';

export const NULL_NAME: NameTerm = { kind: 'NameString', path: '' };
const RAW_ONLY: ReadonlySet<string> = new Set(['end']);

/** `kind` and operands as a term: the table says what fits, the parser has checked it. */
export const def = (kind: string, operands: readonly OperandValue[]): DefTerm =>
  ({ kind, operands }) as unknown as DefTerm;

/** Operators by their names in capitals: ASL's keywords have no case. */
export const ROWS: ReadonlyMap<string, Opcode> = new Map(
  (Object.entries(OPCODES) as [OperatorName, Opcode][]).map(([name, row]) => [name.toUpperCase(), row]),
);

interface Infix {
  readonly precedence: number;
  build(left: AmlTerm, right: AmlTerm): AmlTerm;
}

/** Divide's quotient is its second target. */
const divide = (left: AmlTerm, right: AmlTerm, quotient: AmlTerm = NULL_NAME): AmlTerm =>
  def('DefDivide', [left, right, NULL_NAME, quotient]);

const INFIX = new Map<string, Infix>([['/', { precedence: 13, build: divide }]]);
/** Comparisons that iasl does not compute when they are written as symbols. */
const UNFOLDED = new Set(['DefLNotEqual', 'DefLLessEqual', 'DefLGreaterEqual']);
/** What an assignment builds, by its symbol. */
const COMPOUND = new Map<string, (left: AmlTerm, right: AmlTerm) => AmlTerm>([
  ['/=', (left, right) => divide(left, right, left)],
]);
/** Operators whose null target an assignment fills, instead of a Store around them. */
const ASSIGNABLE = new Set(['DefDivide', 'DefIndex', 'DefNot']);
for (const row of Object.values(OPCODES) as readonly Opcode[]) {
  if (row.asl.style !== 'infix') continue;
  const { symbol, precedence, assign } = row.asl;
  const target = assign ? [NULL_NAME] : [];
  INFIX.set(symbol, { precedence, build: (left, right) => def(row.name, [left, right, ...target]) });
  if (!assign) continue;
  COMPOUND.set(`${symbol}=`, (left, right) => def(row.name, [left, right, left]));
  ASSIGNABLE.add(row.name);
}

/** A value: an assignment, an operator, an object or a literal. */
export function parseTerm(cursor: Cursor): AmlTerm {
  const start = cursor.token;
  const left = cursor.deeper(() => parseInfix(cursor, 0));
  const { token } = cursor;
  if (token.kind !== 'punctuation' || !token.text.endsWith('=')) return left;
  if (token.text === '=') return assignment(cursor, left, start);
  if (!compoundAt(cursor)) return left;
  checkTarget(cursor, left, start);
  return compoundAssignment(cursor, left, start);
}

/** What an assignment such as `+=` builds, when one stands here. */
function compoundAt({ token }: Cursor) {
  return token.kind === 'punctuation' ? COMPOUND.get(token.text) : undefined;
}

function compoundAssignment(cursor: Cursor, target: AmlTerm, start: Token): AmlTerm {
  const compound = compoundAt(cursor)!;
  cursor.next();
  return cursor.mark(compound(target, parseTerm(cursor)), start);
}

/** `target = value`: the operator's own target where it has one that is free, else a Store. */
function assignment(cursor: Cursor, target: AmlTerm, start: Token): AmlTerm {
  cursor.next();
  // `(a = b) = c` stores twice, as iasl reads it.
  if (target.kind !== 'DefStore') checkTarget(cursor, target, start);
  const value = parseTerm(cursor);
  if (ASSIGNABLE.has(value.kind)) {
    const operands = (value as DefTerm).operands as readonly OperandValue[];
    if (operands.at(-1) === NULL_NAME) {
      return cursor.mark(def(value.kind, [...operands.slice(0, -1), target]), start);
    }
  }
  return cursor.mark(def('DefStore', [value, target]), start);
}

function parseInfix(cursor: Cursor, minimum: number): AmlTerm {
  const start = cursor.token;
  let left = parsePrefix(cursor);
  for (let count = 0; ; count++) {
    const { token } = cursor;
    if (count > MAX_DEPTH) cursor.fail('ASL_SYNTAX', token, `the expression has more than ${MAX_DEPTH} operators`);
    const infix = token.kind === 'punctuation' ? INFIX.get(token.text) : undefined;
    if (!infix || infix.precedence <= minimum) return left;
    cursor.next();
    const right = cursor.deeper(() => parseInfix(cursor, infix.precedence));
    left = cursor.mark(infix.build(left, right), start);
    if (UNFOLDED.has(left.kind)) cursor.notes.verbatim.add(left);
  }
}

function parsePrefix(cursor: Cursor, isOperand = false): AmlTerm {
  const { token } = cursor;
  if (token.kind === 'punctuation' && (token.text === '!' || token.text === '~')) {
    cursor.next();
    const operand = cursor.deeper(() => parsePrefix(cursor, true));
    return cursor.mark(token.text === '!' ? def('DefLNot', [operand]) : def('DefNot', [operand, NULL_NAME]), token);
  }
  let term = parsePrimary(cursor);
  for (let count = 0; ; count++) {
    if (count > MAX_DEPTH) cursor.fail('ASL_SYNTAX', token, `the expression has more than ${MAX_DEPTH} operators`);
    if (cursor.accept('[')) {
      const index = parseTerm(cursor);
      cursor.expect(']');
      term = cursor.mark(def('DefIndex', [term, index, NULL_NAME]), token);
    } else if (cursor.at('++') || cursor.at('--')) {
      checkTarget(cursor, term, token);
      term = cursor.mark(def(cursor.next().text === '++' ? 'DefIncrement' : 'DefDecrement', [term]), token);
    } else if (cursor.at('=') && TARGETS.test(term.kind)) {
      // As iasl reads it, `=` belongs to the object before it: `!a = b` is `!(a = b)`.
      return assignment(cursor, term, token);
    } else if (isOperand && TARGETS.test(term.kind) && compoundAt(cursor)) {
      // DEVIATION(iasl): its disassembler writes `~(a |= b)` as `~a |= b`, for which its compiler makes an operator the target.
      return compoundAssignment(cursor, term, token);
    } else return term;
  }
}

function parsePrimary(cursor: Cursor): AmlTerm {
  const { token } = cursor;
  switch (token.kind) {
    case 'number':
      cursor.next();
      return integer(cursor, cursor.number(token), token);
    case 'string':
      cursor.next();
      return cursor.mark(stringTerm(cursor, token), token);
    case 'name':
      return parseNamed(cursor);
    case 'annotation':
      return parseAnnotated(cursor);
    default:
      if (cursor.accept('(')) {
        const inner = parseTerm(cursor);
        cursor.expect(')');
        return inner;
      }
      if (cursor.at('^')) return cursor.name();
      return cursor.fail('ASL_SYNTAX', token, `a value is due before ${describe(token)}`);
  }
}

/** In a disassembly the digits 0 and 1 are bytes: ZeroOp and OneOp are words. */
function integer(cursor: Cursor, value: bigint, token: Token): AmlTerm {
  const written = cursor.asWritten && value <= 1n;
  return cursor.mark({ kind: 'Integer', value, ...(written && { byteLength: 1 as const }) }, token);
}

/** Zero and One as words, which stay opcodes whatever is optimized. */
export function wordInteger(cursor: Cursor, value: 0n | 1n, token: Token): AmlTerm {
  const term = cursor.mark<AmlTerm>({ kind: 'Integer', value }, token);
  cursor.notes.verbatim.add(term);
  return term;
}

function stringTerm(cursor: Cursor, token: Token): AmlTerm {
  if (/[\0\u{100}-\u{ffff}]/u.test(token.text)) {
    cursor.report('ASL_CHARACTER', token, 'a string cannot hold this character', 'write the text as a Buffer');
    return { kind: 'String', value: '' };
  }
  return { kind: 'String', value: token.text };
}

/** What stands behind an annotation of the disassembler. */
function parseAnnotated(cursor: Cursor): AmlTerm {
  const token = cursor.next();
  const [name, value] = token.text.split(' ');
  switch (name) {
    case 'int': {
      const term = parsePrimary(cursor);
      if (term.kind !== 'Integer') return term;
      return cursor.mark({ ...term, byteLength: Number(value) as 1 | 2 | 4 | 8 }, token);
    }
    case 'pkg':
      return withPkgLength(cursor, parsePrefix(cursor), Number(value));
    case 'var': {
      const term = parsePrefix(cursor);
      if (term.kind !== 'DefPackage') return term;
      const [count, elements] = term.operands;
      const size = cursor.notes.sizes.get(term) ?? { kind: 'Integer', value: BigInt(count) };
      return cursor.mark(def('DefVarPackage', [size, elements]), token);
    }
    case 'multi': {
      const named = parseNamed(cursor);
      if (named.kind === 'NameString') return cursor.mark({ ...named, prefix: 'multi' }, token);
      if (named.kind !== 'MethodInvocation') return named;
      return cursor.mark({ ...named, name: { ...named.name, prefix: 'multi' } }, token);
    }
    case 'raw':
      return cursor.mark({ kind: 'RawBytes', bytes: rawBytes(token) }, token);
    default:
      if (RAW_ONLY.has(name)) cursor.fail('ASL_SYNTAX', token, 'a value is due before the end of the annotation');
      // One of a later version: what it stands before is ASL all the same.
      return parsePrimary(cursor);
  }
}

export function withPkgLength(cursor: Cursor, term: AmlTerm, byteLength: number): AmlTerm {
  const token = cursor.notes.tokens.get(term);
  const longer = { ...term, pkgLengthBytes: byteLength as PkgLengthBytes } as AmlTerm;
  const note = cursor.notes.templates.get(term);
  if (note) cursor.notes.templates.set(longer, note);
  return token ? cursor.mark(longer, token) : longer;
}

const rawBytes = ({ text }: Token): Uint8Array =>
  Uint8Array.from(text.split(/\s+/).slice(1), (digits) => Number.parseInt(digits, 16));

type Special = (cursor: Cursor, token: Token) => AmlTerm;

/** Terms that are no row of the table, or that are written unlike their row. */
export const SPECIAL: ReadonlyMap<string, Special> = new Map<string, Special>([
  ['ZERO', (cursor, token) => wordInteger(cursor, 0n, token)],
  ['ONE', (cursor, token) => wordInteger(cursor, 1n, token)],
  ['TRUE', (cursor, token) => cursor.mark(def('Ones', []), token)],
  ['FALSE', (cursor, token) => wordInteger(cursor, 0n, token)],
  ['BUFFER', parseBuffer],
  ['PACKAGE', parsePackage],
  ['RESOURCETEMPLATE', parseResourceTemplate],
  ['UNICODE', parseUnicode],
  ['TOPLD', parseToPld],
  ...SOURCE_MACROS,
]);

/** A keyword, a method invocation or a name. */
function parseNamed(cursor: Cursor): AmlTerm {
  const { token } = cursor;
  const word = wordOf(token);
  const special = SPECIAL.get(word);
  if (special) {
    cursor.next();
    return special(cursor, token);
  }
  const row = ROWS.get(word);
  const hasOperands = cursor.peek().text === '(' && cursor.peek().kind === 'punctuation';
  if (row && (hasOperands || row.asl.style === 'word')) {
    cursor.next();
    if (row.yields === 'Nothing') cursor.fail('ASL_PLACE', token, `${token.text} gives no value`);
    return parseRow(cursor, row, token);
  }
  const name = cursor.name();
  if (!cursor.at('(')) return name;
  const args = parseList(cursor, '(', ')', () => parseTerm(cursor));
  return cursor.mark({ kind: 'MethodInvocation', name, args }, token);
}

/** Items with commas between; one may follow the last. */
export function parseList<Item>(cursor: Cursor, open: string, close: string, item: () => Item): Item[] {
  const opened = cursor.expect(open);
  const items: Item[] = [];
  while (!cursor.at(close)) {
    if (cursor.token.kind === 'end') cursor.fail('ASL_UNCLOSED', opened, `"${open}" has no "${close}"`);
    items.push(item());
    if (!cursor.accept(',') && !cursor.at(close)) {
      cursor.fail('ASL_SYNTAX', cursor.token, `"," or "${close}" is due before ${describe(cursor.token)}`);
    }
  }
  cursor.next();
  return items;
}

const ONES = def('Ones', []);
const EMPTY_STRING: AmlTerm = { kind: 'String', value: '' };
const ZERO: AmlTerm = { kind: 'Integer', value: 0n };

/** Operands that ASL may omit, by production and position; targets always may. */
const DEFAULTS: Readonly<Record<string, Readonly<Record<number, OperandValue>>>> = {
  DefMutex: { 1: 0 },
  DefProcessor: { 2: 0, 3: 0 },
  DefToString: { 1: ONES },
  DefLoadTable: { 3: EMPTY_STRING, 4: EMPTY_STRING, 5: ZERO },
  DefReturn: { 0: ZERO },
};

/** Operands that are keywords. */
const KEYWORDS: Readonly<Record<string, Readonly<Record<number, [Readonly<Record<string, number>>, string]>>>> = {
  DefMatch: Object.fromEntries(
    [1, 3].map((index) => [
      index,
      [Object.fromEntries(MATCH_OPERATORS.map((keyword, value) => [keyword, value])), 'operator of Match'] as const,
    ]),
  ) as Record<number, [Record<string, number>, string]>,
  DefOpRegion: { 1: [REGION_SPACES, 'region space'] },
};

/** The operator whose name has just been read, with its operands in parentheses. */
export function parseRow(cursor: Cursor, row: Opcode, token: Token): AmlTerm {
  if (row.asl.style === 'word') {
    if (cursor.at('(') && cursor.peek().text === ')') {
      cursor.next();
      cursor.next();
    }
    return cursor.mark(def(row.name, []), token);
  }
  return cursor.mark(
    def(
      row.name,
      cursor.deeper(() => parseOperands(cursor, row, row.operands)),
    ),
    token,
  );
}

/** The operator with the kinds of its operands, as a mend. */
function syntaxOf(row: Opcode): string {
  const kinds = row.operands.filter((kind) => kind !== 'TermList');
  return `write ${OPERATOR_BY_KIND.get(row.name)} (${kinds.join(', ')})`;
}

/** The operands `kinds` of `row` in parentheses. */
export function parseOperands(cursor: Cursor, row: Opcode, kinds: readonly OperandKind[]): OperandValue[] {
  const operands: OperandValue[] = [];
  cursor.expect('(');
  kinds.forEach((kind, index) => {
    const fallback = kind === 'Target' ? NULL_NAME : DEFAULTS[row.name]?.[index];
    if (index > 0 && !cursor.accept(',') && !(cursor.at(')') && fallback !== undefined)) {
      const what = cursor.at(')') ? `operand ${index + 1} of ${kinds.length}` : 'a comma';
      cursor.fail('ASL_SYNTAX', cursor.token, `${what} is due before ${describe(cursor.token)}`, syntaxOf(row));
    }
    const isOmitted = cursor.at(',') || cursor.at(')');
    operands.push(isOmitted && fallback !== undefined ? fallback : parseOperand(cursor, row, kind, index));
    if (operands[index] === ZERO) cursor.notes.verbatim.add(ZERO);
  });
  // One comma may stand behind the last target.
  if (kinds.at(-1) === 'Target') cursor.accept(',');
  cursor.expect(')');
  return operands;
}

function parseOperand(cursor: Cursor, row: Opcode, kind: OperandKind, index: number): OperandValue {
  const { token } = cursor;
  const keywords = KEYWORDS[row.name]?.[index];
  if (keywords) return cursor.keyword(...keywords);
  switch (kind) {
    case 'NameString':
      return cursor.name();
    case 'ByteData':
      return Number(cursor.constant(parseTerm(cursor), 0xffn));
    case 'WordData':
      return Number(cursor.constant(parseTerm(cursor), 0xffffn));
    case 'DWordData':
      return Number(cursor.constant(parseTerm(cursor), 0xffff_ffffn));
    case 'SimpleName':
    case 'SuperName':
    case 'CallableName':
    case 'Target': {
      const term = parseTerm(cursor);
      // Zero in a target's place is how old sources write none.
      if (kind === 'Target' && term.kind === 'Integer' && term.value === 0n) return NULL_NAME;
      checkTarget(cursor, term, token);
      return term;
    }
    default:
      return parseTerm(cursor);
  }
}

const TARGETS = /^(NameString|MethodInvocation|RawBytes|(Local|Arg)\d|DebugObj|Def(Index|RefOf|DerefOf))$/;

/** Reports what can neither be stored to nor referred to; damaged tables have it all the same. */
export function checkTarget(cursor: Cursor, term: AmlTerm, token: Token): void {
  if (!TARGETS.test(term.kind) && !cursor.asWritten)
    cursor.report('ASL_TARGET', token, `${describe(token)} is nothing to store in or refer to`);
}
