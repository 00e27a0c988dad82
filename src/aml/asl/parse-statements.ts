import {
  FIELD_ACCESS,
  LOCK_RULES,
  OBJECT_TYPES,
  OPCODES,
  type Opcode,
  REGION_SPACES,
  ROW_BY_KIND,
  UPDATE_RULES,
} from '../opcodes.ts';
import type { AmlTerm, AnyDef, NameTerm, OperandValue, PkgLengthBytes } from '../tree.ts';
import { AslSyntaxError } from './diagnostics.ts';
import { keywordOf } from './keywords.ts';
import { tokenize } from './lexer.ts';
import { def, ExpressionParser, type Marks, NULL_NAME, rawBytes } from './parse-expressions.ts';
import { parseFieldList } from './parse-fields.ts';
import { TokenStream } from './token-stream.ts';

/** `=` and its relatives, with the operator that each stands for. */
const ASSIGNMENTS: Readonly<Record<string, string | undefined>> = {
  '=': undefined,
  '+=': 'DefAdd',
  '-=': 'DefSubtract',
  '*=': 'DefMultiply',
  '/=': 'DefDivide',
  '%=': 'DefMod',
  '<<=': 'DefShiftLeft',
  '>>=': 'DefShiftRight',
  '&=': 'DefAnd',
  '|=': 'DefOr',
  '^=': 'DefXor',
};

type StatementReader = (parser: StatementParser, marks: Marks) => AmlTerm[];

/** Reads statements and declarations. */
export class StatementParser extends ExpressionParser {
  /** Statements in braces. What cannot be read is reported and skipped. */
  block(): AmlTerm[] {
    this.stream.expect('{');
    const terms = this.statements();
    this.stream.expect('}');
    return terms;
  }

  /** Statements up to a closing brace or the end. */
  statements(): AmlTerm[] {
    const terms: AmlTerm[] = [];
    while (!this.stream.at('}') && this.stream.peek().kind !== 'end') {
      const start = this.stream.position;
      try {
        terms.push(...this.statement());
        this.stream.take(';');
      } catch (error) {
        if (!(error instanceof AslSyntaxError)) throw error;
        this.stream.recover(start);
      }
    }
    return terms;
  }

  /** One statement; an If gives its Else as well, an External nothing. */
  statement(): AmlTerm[] {
    const { stream } = this;
    const marks = this.marks();
    const token = stream.peek();
    if (token.kind === 'annotation') return this.#annotation();
    const keyword = token.kind === 'name' && !this.atName() ? keywordOf(token.text) : undefined;
    if (keyword !== undefined) {
      const reader = READERS[keyword] ?? rowReader(keyword);
      if (reader) {
        stream.next();
        return reader(this, marks);
      }
    }
    return [this.#expressionStatement(marks)];
  }

  #annotation(): AmlTerm[] {
    const { text } = this.stream.next();
    if (text.startsWith('raw')) return [rawBytes(text)];
    if (text.startsWith('stmt ')) return [this.#dropped(text.slice(5))];
    if (text.startsWith('emit ')) return [this.#emittedExternal(text.slice(5))];
    return [];
  }

  /** The expression inside an annotation; annotations in it stand in brackets. */
  #dropped(text: string): AmlTerm {
    const source = text.replace(/\[@(.*?)\]/g, '/*@$1*/');
    const inner = new TokenStream(tokenize(source, this.stream.diagnostics), this.stream.diagnostics);
    return new ExpressionParser(inner, this.dialect).expression();
  }

  #emittedExternal(text: string): AmlTerm {
    const [count, ...rest] = text.split(' ');
    const original = rest.find((part) => /^[\\^A-Z_]/.test(part));
    const number = rest.find((part) => /^\d+$/.test(part));
    this.stream.next();
    const { name, type } = this.external();
    const written =
      original === undefined
        ? name
        : new ExpressionParser(
            new TokenStream(tokenize(original, this.stream.diagnostics), this.stream.diagnostics),
            this.dialect,
          ).name({ multi: name.prefix === 'multi' });
    return def('DefExternal', [written, number === undefined ? type : Number(number), Number(count)]);
  }

  /** What stands behind the word External. */
  external(): { name: NameTerm; type: number } {
    const { stream } = this;
    stream.expect('(');
    const name = this.name();
    let type = 0;
    if (stream.take(',')) type = Math.max(0, (OBJECT_TYPES as readonly string[]).indexOf(stream.peek().text));
    // Return and parameter types only tell other compilers.
    for (let depth = 0; depth > 0 || !stream.at(')'); stream.next()) {
      if (stream.peek().kind === 'end') throw stream.fail('ASL_SYNTAX', '")" is missing', 'close the External');
      if (stream.at('(') || stream.at('{')) depth++;
      if (stream.at(')') || stream.at('}')) depth--;
    }
    stream.expect(')');
    return { name, type };
  }

  #expressionStatement(marks: Marks): AmlTerm {
    const { stream } = this;
    const { offset } = stream.peek();
    const first = this.#firstTerm(marks);
    const token = stream.peek();
    if (token.kind !== 'punctuation' || !(token.text in ASSIGNMENTS)) return first;
    stream.next();
    if (first.kind === 'Integer' || first.kind === 'String') {
      throw stream.fail(
        'ASL_TARGET',
        'a constant cannot be assigned to',
        'write a name, a local or an argument on the left',
        offset,
      );
    }
    const target = first.kind === 'MethodInvocation' && first.args.length === 0 ? first.name : first;
    const value = this.expression();
    const operator = ASSIGNMENTS[token.text];
    if (operator === undefined) return assignment(target, value);
    return operator === 'DefDivide'
      ? def(operator, [target, value, NULL_NAME, target])
      : def(operator, [target, value, target]);
  }

  /** A term that may be a target; marks that stood before the statement belong to it. */
  #firstTerm(marks: Marks): AmlTerm {
    if (marks.multi && this.atName()) return this.nameOrInvocation(marks);
    const term = this.expression();
    return marks.pkg === undefined ? term : ({ ...term, pkgLengthBytes: marks.pkg } as AmlTerm);
  }
}

/** `x = a + b` puts the result into the operator's own target, as iasl does; anything else is a Store. */
function assignment(target: AmlTerm, value: AmlTerm): AmlTerm {
  const row = ROW_BY_KIND.get(value.kind);
  const folds =
    row &&
    (row.asl.style === 'infix' || row.name === 'DefNot' || row.name === 'DefDivide') &&
    row.operands.at(-1) === 'Target';
  if (!folds) return def('DefStore', [value, target]);
  const operands = [...(value as AnyDef).operands];
  const last = operands.length - 1;
  const taken = operands[last] as NameTerm;
  if (taken.kind !== 'NameString' || taken.path !== '') return def('DefStore', [value, target]);
  operands[last] = target;
  return def(value.kind, operands);
}

/** Rows that need no reader of their own. */
function rowReader(keyword: string): StatementReader | undefined {
  const row = (OPCODES as Readonly<Record<string, Opcode>>)[keyword];
  if (!row) return undefined;
  if (row.asl.style === 'block') return blockReader(row);
  if (row.declares && row.asl.style === 'call') return (parser) => [def(row.name, parser.operands(row.operands))];
  return undefined;
}

/** `Device (NAME) { … }`, `While (x) { … }`: constants at the end of the arguments may be left out. */
const blockReader =
  (row: Opcode): StatementReader =>
  (parser, marks) => {
    const { stream } = parser;
    stream.expect('(');
    const operands = row.operands.slice(0, -1).map((kind, index): OperandValue => {
      if (index > 0 && stream.at(')') && kind.endsWith('Data')) return 0;
      if (index > 0) stream.expect(',');
      return parser.operand(kind);
    });
    stream.expect(')');
    return [def(row.name, [...operands, parser.block()], marks.pkg)];
  };

const keywordValue = (parser: StatementParser, keywords: Readonly<Record<string, number>>): number => {
  const { stream } = parser;
  const wanted = stream.peek().text.toLowerCase();
  const found = Object.entries(keywords).find(([keyword]) => keyword.toLowerCase() === wanted);
  if (!found) return parser.constant(0xff);
  stream.next();
  return found[1];
};

/** `, AnyAcc, NoLock, Preserve)` and the elements. */
function fieldTail(parser: StatementParser): [number, ReturnType<typeof parseFieldList>] {
  const { stream } = parser;
  stream.expect(',');
  const access = keywordValue(parser, FIELD_ACCESS);
  stream.expect(',');
  const lock = keywordValue(parser, LOCK_RULES);
  stream.expect(',');
  const update = keywordValue(parser, UPDATE_RULES);
  stream.expect(')');
  return [access | (lock << 4) | (update << 5), parseFieldList(parser)];
}

function ifChain(parser: StatementParser, pkg: PkgLengthBytes | undefined): AmlTerm[] {
  const { stream } = parser;
  stream.expect('(');
  const predicate = parser.expression();
  stream.expect(')');
  const terms = [def('DefIf', [predicate, parser.block()], pkg)];
  const start = stream.peek();
  // An annotation may stand before the Else.
  const ahead = start.kind === 'annotation' && start.text.startsWith('pkg ') ? 1 : 0;
  const follower = stream.peek(ahead).kind === 'name' ? keywordOf(stream.peek(ahead).text) : undefined;
  if (follower !== 'Else' && follower !== 'ElseIf') return terms;
  const marks = parser.marks();
  stream.next();
  const body = follower === 'ElseIf' ? ifChain(parser, undefined) : parser.block();
  return [...terms, def('DefElse', [body], marks.pkg)];
}

const READERS: Readonly<Record<string, StatementReader>> = {
  If: (parser, marks) => ifChain(parser, marks.pkg),
  Else: (parser, marks) => [def('DefElse', [parser.block()], marks.pkg)],
  External: (parser) => {
    parser.external();
    return [];
  },
  Method: (parser, marks) => {
    const { stream } = parser;
    stream.expect('(');
    const name = parser.name();
    let flags = stream.take(',') ? parser.constant(7, 0) : 0;
    if (stream.take(',') && !stream.at(',') && !stream.at(')')) {
      if (keywordOf(stream.peek().text) === 'Serialized') flags |= 8;
      stream.next();
    }
    if (stream.take(',') && !stream.at(',') && !stream.at(')')) flags |= parser.constant(15) << 4;
    // Return type and parameter types.
    while (!stream.at(')') && stream.peek().kind !== 'end') stream.next();
    stream.expect(')');
    return [def('DefMethod', [name, flags, parser.block()], marks.pkg)];
  },
  Mutex: (parser) => {
    parser.stream.expect('(');
    const name = parser.name();
    const level = parser.stream.take(',') ? parser.constant(0xff) : 0;
    parser.stream.expect(')');
    return [def('DefMutex', [name, level])];
  },
  OperationRegion: (parser) => {
    const { stream } = parser;
    stream.expect('(');
    const name = parser.name();
    stream.expect(',');
    const space = keywordValue(parser, REGION_SPACES);
    stream.expect(',');
    const offset = parser.expression();
    stream.expect(',');
    const length = parser.expression();
    stream.expect(')');
    return [def('DefOpRegion', [name, space, offset, length])];
  },
  Field: (parser, marks) => {
    parser.stream.expect('(');
    const region = parser.name();
    return [def('DefField', [region, ...fieldTail(parser)], marks.pkg)];
  },
  IndexField: (parser, marks) => {
    parser.stream.expect('(');
    const index = parser.name();
    parser.stream.expect(',');
    const data = parser.name();
    return [def('DefIndexField', [index, data, ...fieldTail(parser)], marks.pkg)];
  },
  BankField: (parser, marks) => {
    const { stream } = parser;
    stream.expect('(');
    const region = parser.name();
    stream.expect(',');
    const bank = parser.name();
    stream.expect(',');
    const value = parser.expression();
    return [def('DefBankField', [region, bank, value, ...fieldTail(parser)], marks.pkg)];
  },
  Return: (parser) => {
    const { stream } = parser;
    const empty = !stream.take('(') || stream.at(')');
    const value: AmlTerm = empty ? { kind: 'Integer', value: 0n } : parser.expression();
    if (stream.at(')')) stream.next();
    return [def('DefReturn', [value])];
  },
};
