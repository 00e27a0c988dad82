/** Declarations and statements: ACPI 6.5 §19.6. */
import { OBJECT_TYPES } from '../opcodes.ts';
import type { AmlTerm } from '../tree.ts';
import { type Cursor, describe, type MethodContext, SyntaxFailure, wordOf } from './cursor.ts';
import { charactersOf } from './lexer.ts';
import {
  def,
  parseList,
  parseOperands,
  parseRow,
  parseTerm,
  ROWS,
  withPkgLength,
  wordInteger,
} from './parse-expressions.ts';
import { parseBankField, parseField, parseIndexField } from './parse-fields.ts';
import { parseFprintf, parsePrintf } from './parse-printf.ts';
import { parseSwitch } from './parse-switch.ts';
import type { Token } from './source.ts';

/** The terms up to the closing brace, which is read as well. Mistakes are reported, and the list goes on behind them. */
export function parseBlock(cursor: Cursor): AmlTerm[] {
  const opened = cursor.expect('{');
  const terms: AmlTerm[] = [];
  cursor.deeper(() => {
    while (!cursor.accept('}')) {
      if (cursor.token.kind === 'end') cursor.fail('ASL_UNCLOSED', opened, '"{" has no "}"');
      if (cursor.accept(';')) continue;
      parseRecovering(cursor, terms);
    }
  });
  return terms;
}

function parseRecovering(cursor: Cursor, terms: AmlTerm[]): void {
  const { token, position } = cursor;
  try {
    parseStatement(cursor, terms);
  } catch (error) {
    if (!(error instanceof SyntaxFailure) || cursor.token.kind === 'end') throw error;
    if (cursor.token === token) cursor.next();
    cursor.recover(position);
  }
}

type Statement = (cursor: Cursor, token: Token, terms: AmlTerm[]) => void;
/** A parser of one term, as a statement. */
const term =
  (parse: (cursor: Cursor, token: Token) => AmlTerm | undefined): Statement =>
  (cursor, token, terms) => {
    const parsed = parse(cursor, token);
    if (parsed) terms.push(parsed);
  };

/** Statements that are written unlike their row, by name in capitals. */
export const STATEMENTS: ReadonlyMap<string, Statement> = new Map<string, Statement>([
  ['METHOD', term(parseMethod)],
  ['FUNCTION', term(parseFunction)],
  ['EXTERNAL', term(parseExternal)],
  ['FIELD', term(parseField)],
  ['INDEXFIELD', term(parseIndexField)],
  ['BANKFIELD', term(parseBankField)],
  ['IF', parseIf],
  ['ELSE', parseLooseElse],
  ['SWITCH', term((cursor, token) => parseSwitch(cursor, token, parseBlock))],
  ['FOR', parseFor],
  ['PRINTF', term(parsePrintf)],
  ['FPRINTF', term(parseFprintf)],
  ['RETURN', term(parseReturn)],
]);

/** Appends what the statement here makes to `terms`: mostly one term. */
export function parseStatement(cursor: Cursor, terms: AmlTerm[]): void {
  const { token } = cursor;
  if (token.kind === 'annotation' && parseAnnotatedStatement(cursor, terms)) return;
  if (token.kind === 'name') {
    const word = wordOf(token);
    const row = ROWS.get(word);
    const behind = cursor.peek();
    const isCall = behind.kind === 'punctuation' && (behind.text === '(' || behind.text === '{');
    const special = STATEMENTS.get(word);
    if (special && (isCall || word === 'RETURN')) {
      cursor.next();
      special(cursor, token, terms);
      return;
    }
    if (row && row.yields === 'Nothing' && (isCall || row.asl.style === 'word')) {
      cursor.next();
      terms.push(row.operands.at(-1) === 'TermList' ? parseBlockRow(cursor, token) : parseRow(cursor, row, token));
      return;
    }
  }
  if (isBlockWithoutHead(cursor)) {
    const mend = `write ${token.text} (…) { … }`;
    cursor.fail('ASL_SYNTAX', cursor.peek(), `"(" is due before ${describe(cursor.peek())}`, mend);
  }
  terms.push(parseTerm(cursor));
}

const HEADED: ReadonlySet<string> = new Set(['IF', 'ELSEIF', 'WHILE', 'SWITCH', 'FOR', 'METHOD', 'DEVICE', 'SCOPE']);

/** True at a block's word that a value follows without parentheses, as in other languages. */
function isBlockWithoutHead(cursor: Cursor): boolean {
  const { token } = cursor;
  if (cursor.asWritten || token.kind !== 'name' || !HEADED.has(token.text.toUpperCase())) return false;
  const behind = cursor.peek();
  return !behind.startsLine && (behind.kind === 'name' || behind.kind === 'number' || behind.text === '!');
}

/** True when the annotation was read with what belongs to it. */
function parseAnnotatedStatement(cursor: Cursor, terms: AmlTerm[]): boolean {
  const [name, value] = cursor.token.text.split(' ');
  switch (name) {
    case 'pkg': {
      cursor.next();
      const before = terms.length;
      parseStatement(cursor, terms);
      if (terms.length > before) terms[before] = withPkgLength(cursor, terms[before], Number(value));
      return true;
    }
    case 'stmt':
      cursor.next();
      while (!(cursor.token.kind === 'annotation' && cursor.token.text === 'end') && cursor.token.kind !== 'end') {
        terms.push(parseTerm(cursor));
      }
      cursor.next();
      return true;
    case 'emit': {
      const annotation = cursor.next();
      const token = cursor.next();
      const external = parseExternal(cursor, token);
      emitExternal(cursor, external, annotation);
      terms.push(external);
      return true;
    }
    case 'as-written':
      cursor.next();
      return true;
    case 'end':
      return cursor.fail('ASL_SYNTAX', cursor.next(), '"*/" closes no annotation');
    default:
      return false;
  }
}

/** The count, the name where it is another, by its characters or their codes, and the type where it is another. */
const EMITTED = /^emit (?<count>\d+)(?: (?:`(?<codes>[^`]*)`|(?<path>[^\d`]\S*)))?(?: (?<type>\d+))?$/;

/** The External as it stands in the AML: its count, and its name and type where ASL says them otherwise. */
function emitExternal(cursor: Cursor, external: AmlTerm, annotation: Token): void {
  const stated = EMITTED.exec(annotation.text)?.groups;
  if (external.kind !== 'DefExternal' || !stated) return;
  const { count, path, codes, type } = stated;
  const [name, objectType] = external.operands;
  const written = codes === undefined ? path && cursor.nameOf(path, annotation).path : charactersOf(codes);
  const emitted = def('DefExternal', [
    written === undefined ? name : { ...name, path: written },
    type === undefined ? objectType : Number(type),
    Number(count),
  ]);
  const argumentCount = objectType === METHOD_OBJECT ? Number(count) & 7 : undefined;
  cursor.notes.externals.set(external, { argumentCount, emitted });
}

/** A row whose last operand is a list of terms in braces. */
function parseBlockRow(cursor: Cursor, token: Token): AmlTerm {
  const row = ROWS.get(token.text.toUpperCase())!;
  const operands = parseOperands(cursor, row, row.operands.slice(0, -1));
  return cursor.mark(def(row.name, [...operands, parseBlock(cursor)]), token);
}

/** If with its ElseIf and Else: an ElseIf is an Else that holds an If. */
function parseIf(cursor: Cursor, token: Token, terms: AmlTerm[]): void {
  cursor.expect('(');
  const predicate = parseTerm(cursor);
  cursor.expect(')');
  terms.push(cursor.mark(def('DefIf', [predicate, parseBlock(cursor)]), token));
  parseElse(cursor, terms);
}

function parseElse(cursor: Cursor, terms: AmlTerm[]): void {
  const annotation =
    cursor.token.kind === 'annotation' && cursor.token.text.startsWith('pkg ') ? cursor.token : undefined;
  const token = annotation ? cursor.peek() : cursor.token;
  const word = token.kind === 'name' ? token.text.toUpperCase() : '';
  if (word !== 'ELSE' && word !== 'ELSEIF') return;
  if (annotation) cursor.next();
  cursor.next();
  let body: AmlTerm[] = [];
  const isSplit = word === 'ELSE' && cursor.token.text.toUpperCase() === 'IF' && cursor.token.kind === 'name';
  if (isSplit) {
    cursor.report('ASL_SYNTAX', cursor.token, 'Else takes a block', 'write ElseIf, in one word');
    cursor.next();
  }
  if (word === 'ELSEIF' || isSplit) cursor.deeper(() => parseIf(cursor, token, body));
  else body = parseBlock(cursor);
  const parsed = cursor.mark(def('DefElse', [body]), token);
  terms.push(annotation ? withPkgLength(cursor, parsed, Number(annotation.text.slice(4))) : parsed);
  // One more Else than the grammar knows: damaged tables have it.
  if (cursor.asWritten && word === 'ELSE') parseElse(cursor, terms);
}

/** An Else without its If, which only a disassembly has; more may follow. */
function parseLooseElse(cursor: Cursor, token: Token, terms: AmlTerm[]): void {
  if (!cursor.asWritten) cursor.report('ASL_PLACE', token, 'Else stands behind no If');
  terms.push(cursor.mark(def('DefElse', [parseBlock(cursor)]), token));
  if (cursor.asWritten) parseElse(cursor, terms);
}

/** For (a, b, c) is While (b) with `a` before it and `c` at its end. */
function parseFor(cursor: Cursor, token: Token, terms: AmlTerm[]): void {
  cursor.expect('(');
  const first = cursor.at(',') ? undefined : parseTerm(cursor);
  cursor.expect(',');
  const predicate: AmlTerm = cursor.at(',') ? { kind: 'Integer', value: 1n } : parseTerm(cursor);
  cursor.expect(',');
  const last = cursor.at(')') ? undefined : parseTerm(cursor);
  cursor.expect(')');
  if (first) terms.push(first);
  const body = parseBlock(cursor);
  if (last) body.push(last);
  terms.push(cursor.mark(def('DefWhile', [predicate, body]), token));
}

/** A value on the line of a Return, without its parentheses. */
function isBareValue({ token, asWritten }: Cursor): boolean {
  if (asWritten || token.startsLine) return false;
  const isRegister = token.kind === 'name' && /^(local|arg)\d$/i.test(token.text);
  return token.kind === 'number' || token.kind === 'string' || isRegister;
}

function parseReturn(cursor: Cursor, token: Token): AmlTerm {
  let value: AmlTerm | undefined;
  if (cursor.accept('(')) {
    if (!cursor.at(')')) value = parseTerm(cursor);
    cursor.expect(')');
  } else if (isBareValue(cursor)) {
    const { token: at } = cursor;
    cursor.fail('ASL_SYNTAX', at, `"(" is due before ${describe(at)}`, `write Return (${at.text})`);
  }
  const term = cursor.mark(def('DefReturn', [value ?? wordInteger(cursor, 0n, token)]), token);
  if (!value) cursor.notes.bareReturns.add(term);
  return term;
}

const MAX_ARGUMENTS = 7;

/** Method (name, count, rule, level, return types, argument types) { … } */
function parseMethod(cursor: Cursor, token: Token): AmlTerm {
  cursor.expect('(');
  const name = cursor.name();
  let count: number | undefined;
  let serialized = false;
  let level = 0;
  if (cursor.accept(',') && !cursor.at(',') && !cursor.at(')')) {
    const at = cursor.token;
    count = Number(cursor.constant(parseTerm(cursor), 0xffn));
    if (count > MAX_ARGUMENTS) cursor.report('ASL_RANGE', at, `a method has up to ${MAX_ARGUMENTS} arguments`);
  }
  if (cursor.accept(',') && !cursor.at(',') && !cursor.at(')')) {
    serialized = cursor.keyword({ NotSerialized: 0, Serialized: 1 }, 'serialize rule') === 1;
  }
  if (cursor.accept(',') && !cursor.at(',') && !cursor.at(')')) {
    level = Number(cursor.constant(parseTerm(cursor), 0xfn));
  }
  const listed = skipTypes(cursor);
  cursor.expect(')');
  if (count !== undefined && listed !== undefined && count !== listed) {
    cursor.report(
      'ASL_PARAMETER_TYPES',
      token,
      `the types of ${listed} arguments are listed, the method takes ${count}`,
    );
  }
  return parseMethodBody(cursor, token, { name, count: count ?? listed ?? 0, serialized, level });
}

/** Function (name, return types, argument types): a method that is not serialized. */
function parseFunction(cursor: Cursor, token: Token): AmlTerm {
  cursor.expect('(');
  const name = cursor.name();
  const types = skipTypes(cursor);
  cursor.expect(')');
  return parseMethodBody(cursor, token, { name, count: types ?? 0, serialized: false, level: 0 });
}

interface MethodHead {
  readonly name: AmlTerm & { readonly kind: 'NameString' };
  readonly count: number;
  readonly serialized: boolean;
  readonly level: number;
}

function parseMethodBody(cursor: Cursor, token: Token, { name, count, serialized, level }: MethodHead): AmlTerm {
  const outer = cursor.method;
  // `__METHOD__` is the path as it is written; iasl fills single segments up.
  const written = cursor.notes.tokens.get(name)?.text ?? name.path;
  const context: MethodContext = {
    name: /^\w+$/.test(written) ? name.path : written,
    serialized,
    temporaries: { declarations: [], next: 0 },
  };
  cursor.method = context;
  try {
    const body = parseBlock(cursor);
    const flags = (count & 7) | (context.serialized ? 8 : 0) | (level << 4);
    return cursor.mark(def('DefMethod', [name, flags, [...context.temporaries.declarations, ...body]]), token);
  } finally {
    cursor.method = outer;
  }
}

/** Return and argument types, which the AML does not hold; gives the count of arguments where they are listed. */
function skipTypes(cursor: Cursor): number | undefined {
  if (!cursor.accept(',')) return undefined;
  if (!cursor.at(',') && !cursor.at(')')) skipTypeSet(cursor);
  if (!cursor.accept(',') || cursor.at(')')) return undefined;
  if (!cursor.at('{')) {
    skipTypeSet(cursor);
    return 1;
  }
  return parseList(cursor, '{', '}', () => skipTypeSet(cursor)).length;
}

function skipTypeSet(cursor: Cursor): void {
  if (cursor.at('{')) parseList(cursor, '{', '}', () => cursor.keyword(EXTERNAL_TYPES, 'object type'));
  else cursor.keyword(EXTERNAL_TYPES, 'object type');
}

const METHOD_OBJECT = OBJECT_TYPES.indexOf('MethodObj');
/** DDBHandleObj left the standard; iasl knows it as 15. */
const EXTERNAL_TYPES: Readonly<Record<string, number>> = {
  ...Object.fromEntries(OBJECT_TYPES.map((keyword, value) => [keyword, value])),
  DDBHandleObj: 15,
};

/** External (name, type, return types, argument types) */
function parseExternal(cursor: Cursor, token: Token): AmlTerm {
  if (token.text.toUpperCase() !== 'EXTERNAL') {
    cursor.fail('ASL_SYNTAX', token, `External is due before ${describe(token)}`);
  }
  cursor.expect('(');
  const name = cursor.name();
  let type = 0;
  let argumentCount: number | undefined;
  if (cursor.accept(',')) {
    if (!cursor.at(',') && !cursor.at(')')) type = cursor.keyword(EXTERNAL_TYPES, 'object type');
    argumentCount = skipTypes(cursor);
  }
  cursor.expect(')');
  const external = cursor.mark(def('DefExternal', [name, type, argumentCount ?? 0]), token);
  cursor.notes.externals.set(external, { argumentCount });
  return external;
}
