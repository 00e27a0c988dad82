import { UserError } from '../../shared/errors.ts';
import { encodeEisaId } from '../eisa-id.ts';
import { parseNameString } from '../name-string.ts';
import { MATCH_OPERATORS, OPCODES, type Opcode, type OperandKind, type OperatorName } from '../opcodes.ts';
import { encodeResources } from '../resources/resource-template.ts';
import type { AmlTerm, AnyDef, IntegerTerm, NameTerm, OperandValue, PkgLengthBytes } from '../tree.ts';
import { encodeUuid } from '../uuid.ts';
import { isNameSeg, keywordOf } from './keywords.ts';
import { parseTemplateBody } from './parse-template.ts';
import type { TokenStream } from './token-stream.ts';

/** How a source is meant, beyond its text. */
export interface AslDialect {
  /** 0x00 and 0x01 are bytes: only Zero and One are the opcodes. */
  readonly asWritten: boolean;
}

export const NULL_NAME: NameTerm = { kind: 'NameString', path: '' };

export const def = (kind: string, operands: readonly OperandValue[], pkgLengthBytes?: PkgLengthBytes): AmlTerm =>
  ({ kind, operands, ...(pkgLengthBytes !== undefined && { pkgLengthBytes }) }) as unknown as AmlTerm;

/** Infix rows by symbol, `/` among them, which the table writes as a special form. */
const INFIX = new Map<string, { readonly row: Opcode; readonly precedence: number }>(
  (Object.values(OPCODES) as readonly Opcode[]).flatMap((row) =>
    row.asl.style === 'infix' ? [[row.asl.symbol, { row, precedence: row.asl.precedence }] as const] : [],
  ),
);
INFIX.set('/', { row: OPCODES.Divide, precedence: 13 });

/** Annotations before a term. */
export interface Marks {
  int?: 1 | 2 | 4 | 8;
  pkg?: PkgLengthBytes;
  multi?: boolean;
  variable?: boolean;
}

/** Reads terms: values, names, operators in both their forms. */
export class ExpressionParser {
  readonly stream: TokenStream;
  readonly dialect: AslDialect;

  constructor(stream: TokenStream, dialect: AslDialect) {
    this.stream = stream;
    this.dialect = dialect;
  }

  /** A whole expression; `minimum` is the loosest operator that may join. */
  expression(minimum = 0): AmlTerm {
    let left = this.unary();
    for (;;) {
      const token = this.stream.peek();
      const infix = token.kind === 'punctuation' ? INFIX.get(token.text) : undefined;
      if (!infix || infix.precedence < minimum || this.#startsName(token.text)) return left;
      this.stream.next();
      const right = this.expression(infix.precedence + 1);
      left = def(infix.row.name, this.#withNullTargets(infix.row, [left, right]));
    }
  }

  /** A caret right before a name belongs to it, as in iasl: the name begins the next statement. */
  #startsName(text: string): boolean {
    const next = this.stream.peek(1);
    if (text !== '^' || next.offset !== this.stream.peek().offset + 1) return false;
    return next.text === '^' || (next.kind === 'name' && isNameSeg(next.text));
  }

  #withNullTargets(row: Opcode, operands: readonly OperandValue[]): OperandValue[] {
    return row.operands.map((kind, index) => operands[index] ?? (kind === 'Target' ? NULL_NAME : operands[index]));
  }

  unary(): AmlTerm {
    const { stream } = this;
    if (stream.take('!')) return def('DefLNot', [this.unary()]);
    if (stream.take('~')) return def('DefNot', [this.unary(), NULL_NAME]);
    return this.#postfix(this.primary());
  }

  #postfix(first: AmlTerm): AmlTerm {
    let term = first;
    for (;;) {
      if (this.stream.take('[')) {
        const index = this.expression();
        this.stream.expect(']');
        term = def('DefIndex', [term, index, NULL_NAME]);
      } else if (this.stream.take('++')) term = def('DefIncrement', [term]);
      else if (this.stream.take('--')) term = def('DefDecrement', [term]);
      else return term;
    }
  }

  /** Annotations that stand here. */
  marks(): Marks {
    const marks: Marks = {};
    for (let token = this.stream.peek(); token.kind === 'annotation'; token = this.stream.peek()) {
      const [name, value] = token.text.split(' ');
      if (name === 'int') marks.int = Number(value) as 1;
      else if (name === 'pkg') marks.pkg = Number(value) as 1;
      else if (name === 'multi') marks.multi = true;
      else if (name === 'var') marks.variable = true;
      else return marks;
      this.stream.next();
    }
    return marks;
  }

  primary(): AmlTerm {
    const { stream } = this;
    const marks = this.marks();
    const token = stream.peek();
    if (token.kind === 'annotation' && token.text.startsWith('raw')) return rawBytes(stream.next().text);
    if (stream.take('(')) {
      const inner = this.expression();
      stream.expect(')');
      return inner;
    }
    if (token.kind === 'number') return this.#integer(marks);
    if (token.kind === 'string') return { kind: 'String', value: stream.next().text };
    if (this.atName()) return this.nameOrInvocation(marks);
    const keyword = token.kind === 'name' ? keywordOf(token.text) : undefined;
    if (keyword !== undefined) {
      stream.next();
      return this.#keyword(keyword, marks, token.offset);
    }
    throw stream.fail(
      'ASL_EXPRESSION',
      token.kind === 'end' ? 'the source ends where a value is due' : `"${token.text}" is no value`,
      'write a number, a string, a name or an operator',
    );
  }

  #integer({ int }: Marks): IntegerTerm {
    const { text, offset } = this.stream.next();
    // A leading 0 is octal, as in C (§19.2.4).
    const value = /^0[0-7]+$/.test(text) ? BigInt(`0o${text.slice(1)}`) : BigInt(text);
    if (value > 0xffff_ffff_ffff_ffffn) {
      throw this.stream.fail('ASL_INTEGER', `${text} has more than 64 bits`, 'write a smaller number', offset);
    }
    const byteLength = int ?? (this.dialect.asWritten && value <= 1n ? 1 : undefined);
    return byteLength === undefined ? { kind: 'Integer', value } : { kind: 'Integer', value, byteLength };
  }

  /** A keyword that stands for a value, or an operator with its operands. */
  #keyword(keyword: string, marks: Marks, offset: number): AmlTerm {
    switch (keyword) {
      case 'Zero':
        return { kind: 'Integer', value: 0n };
      case 'One':
        return { kind: 'Integer', value: 1n };
      case 'EisaId':
        return this.#macro((text) => ({
          kind: 'Integer',
          value: BigInt(encodeEisaId(text)),
          ...(encodeEisaId(text) <= 0xffff && { byteLength: 4 }),
        }));
      case 'ToUUID':
        return this.#macro((text) => bufferOf(encodeUuid(text)));
      case 'Unicode':
        return this.#macro((text) =>
          bufferOf(
            Uint8Array.from(
              [...`${text}\0`].flatMap((character) => [character.charCodeAt(0) & 0xff, character.charCodeAt(0) >> 8]),
            ),
          ),
        );
      case 'ResourceTemplate':
        this.stream.expect('(');
        this.stream.expect(')');
        return bufferOf(encodeResources(parseTemplateBody(this)), marks.pkg);
      case 'Buffer':
        return this.#buffer(marks);
      case 'Package':
        return this.#package(marks);
      case 'Match':
        return this.#match();
    }
    const row = (OPCODES as Readonly<Record<string, Opcode>>)[keyword];
    if (!row || row.asl.style === 'block' || row.declares) {
      throw this.stream.fail('ASL_EXPRESSION', `${keyword} is no value`, 'write it as a statement of its own', offset);
    }
    if (row.asl.style === 'word') {
      if (this.stream.at('(') && this.stream.at(')', 1)) this.#skipEmptyArguments();
      return def(row.name, []);
    }
    return def(row.name, this.operands(row.operands));
  }

  #skipEmptyArguments(): void {
    this.stream.next();
    this.stream.next();
  }

  /** A macro of one string; what the string may not be is reported where it stands. */
  #macro(make: (text: string) => AmlTerm): AmlTerm {
    this.stream.expect('(');
    const token = this.stream.peek();
    if (token.kind !== 'string')
      throw this.stream.fail('ASL_SYNTAX', 'a string is missing', 'write the text in double quotes');
    this.stream.next();
    this.stream.expect(')');
    try {
      return make(token.text);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw this.stream.fail(error.code.replace(/^AML/, 'ASL'), error.message, error.mend, token.offset);
    }
  }

  /** Operands in parentheses; omitted targets at the end are NullName. */
  operands(kinds: readonly OperandKind[]): OperandValue[] {
    this.stream.expect('(');
    const values = kinds.map((kind, index) => {
      if (index > 0 && !this.stream.at(')')) this.stream.expect(',');
      return this.operand(kind);
    });
    this.stream.expect(')');
    return values;
  }

  operand(kind: OperandKind): OperandValue {
    if (this.stream.at(',') || this.stream.at(')')) {
      if (kind === 'Target') return NULL_NAME;
      throw this.stream.fail('ASL_ARGUMENT', 'an argument is missing', 'write all arguments that the operator takes');
    }
    switch (kind) {
      case 'NameString':
        return this.name();
      case 'ByteData':
        return this.constant(0xff);
      case 'WordData':
        return this.constant(0xffff);
      case 'DWordData':
        return this.constant(0xffff_ffff);
      case 'Target':
      case 'SuperName':
      case 'SimpleName':
        return this.target();
      default:
        return this.expression();
    }
  }

  /** A SuperName; a constant Zero as target is NullName (§19.2.3: "result is discarded"). */
  target(): AmlTerm {
    const term = this.expression();
    if (term.kind === 'Integer' && term.value === 0n) return NULL_NAME;
    // Parentheses behind a name make it an invocation, which no target is.
    return term.kind === 'MethodInvocation' && term.args.length === 0 ? term.name : term;
  }

  /** A constant as a plain number. */
  constant(max: number, fallback?: number): number {
    const { offset } = this.stream.peek();
    if (fallback !== undefined && (this.stream.at(',') || this.stream.at(')'))) return fallback;
    const value = constantValue(this.expression());
    if (value === undefined || value > BigInt(max)) {
      throw this.stream.fail('ASL_CONSTANT', `a constant from 0 to ${max} is needed here`, 'write a number', offset);
    }
    return Number(value);
  }

  atName(): boolean {
    const token = this.stream.peek();
    if (token.kind === 'punctuation') return token.text === '\\' || token.text === '^';
    return token.kind === 'name' && isNameSeg(token.text);
  }

  /** A NameString with what stands before it. */
  name(marks: Marks = this.marks()): NameTerm {
    const { stream } = this;
    const { offset } = stream.peek();
    let text = '';
    while (stream.at('\\') || stream.at('^')) text += stream.next().text;
    if (stream.peek().kind === 'name' && isNameSeg(stream.peek().text)) {
      text += stream.next().text;
      while (stream.at('.') && stream.peek(1).kind === 'name') {
        stream.next();
        text += `.${stream.next().text}`;
      }
    } else if (text === '')
      throw stream.fail(
        'ASL_NAME',
        `"${stream.peek().text}" is no name`,
        'write one to four capital letters, digits and underscores a segment',
      );
    try {
      const name = parseNameString(text);
      return marks.multi ? { ...name, prefix: 'multi' } : name;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw stream.fail('ASL_NAME', error.message, error.mend, offset);
    }
  }

  /** A name, or an invocation when parentheses follow. */
  nameOrInvocation(marks: Marks): AmlTerm {
    const name = this.name(marks);
    if (!this.stream.take('(')) return name;
    const args: AmlTerm[] = [];
    while (!this.stream.at(')')) {
      args.push(this.expression());
      if (!this.stream.take(',')) break;
    }
    this.stream.expect(')');
    return { kind: 'MethodInvocation', name, args };
  }

  #buffer(marks: Marks): AmlTerm {
    const { stream } = this;
    stream.expect('(');
    const size = stream.at(')') ? undefined : this.expression();
    stream.expect(')');
    const bytes = stream.at('{') ? Uint8Array.from(this.byteList()) : new Uint8Array();
    return def('DefBuffer', [size ?? { kind: 'Integer', value: BigInt(bytes.length) }, bytes], marks.pkg);
  }

  /** Bytes in braces: constants, or strings with their null. */
  byteList(): number[] {
    const bytes: number[] = [];
    this.stream.expect('{');
    while (!this.stream.at('}')) {
      const token = this.stream.peek();
      if (token.kind === 'string')
        bytes.push(...[...this.stream.next().text].map((character) => character.charCodeAt(0)), 0);
      else bytes.push(this.constant(0xff));
      if (!this.stream.take(',')) break;
    }
    this.stream.expect('}');
    return bytes;
  }

  #package(marks: Marks): AmlTerm {
    const { stream } = this;
    stream.expect('(');
    const { offset } = stream.peek();
    const count = stream.at(')') ? undefined : this.expression();
    stream.expect(')');
    const elements: AmlTerm[] = [];
    stream.expect('{');
    while (!stream.at('}')) {
      const element = this.expression();
      elements.push(element.kind === 'MethodInvocation' && element.args.length === 0 ? element.name : element);
      if (!stream.take(',')) break;
    }
    stream.expect('}');
    const constant = count ? constantValue(count) : BigInt(elements.length);
    if (constant !== undefined && constant <= 0xffn && !marks.variable) {
      if (elements.length > Number(constant))
        stream.diagnostics.warning(
          'ASL_PACKAGE_COUNT',
          offset,
          `${elements.length} elements in a package of ${constant}`,
          'correct the count or leave it out',
        );
      return def('DefPackage', [Number(constant), elements], marks.pkg);
    }
    return def('DefVarPackage', [count ?? { kind: 'Integer', value: BigInt(elements.length) }, elements], marks.pkg);
  }

  #match(): AmlTerm {
    const { stream } = this;
    const comma = () => stream.expect(',');
    const operator = (): number => {
      const index = (MATCH_OPERATORS as readonly string[]).indexOf(stream.peek().text);
      if (index < 0) return this.constant(0xff);
      stream.next();
      return index;
    };
    stream.expect('(');
    const pkg = this.expression();
    comma();
    const first = operator();
    comma();
    const left = this.expression();
    comma();
    const second = operator();
    comma();
    const right = this.expression();
    comma();
    const start = this.expression();
    stream.expect(')');
    return def('DefMatch', [pkg, first, left, second, right, start]);
  }
}

export const bufferOf = (bytes: Uint8Array, pkgLengthBytes?: PkgLengthBytes): AmlTerm =>
  def('DefBuffer', [{ kind: 'Integer', value: BigInt(bytes.length) }, bytes], pkgLengthBytes);

export function rawBytes(annotation: string): AmlTerm {
  const digits = annotation.split(' ').slice(1);
  return { kind: 'RawBytes', bytes: Uint8Array.from(digits, (byte) => Number.parseInt(byte, 16)) };
}

/** The value of an expression of constants; nothing when it holds anything else. */
export function constantValue(term: AmlTerm): bigint | undefined {
  if (term.kind === 'Integer') return term.value;
  if (term.kind === 'Ones') return 0xffff_ffff_ffff_ffffn;
  const fold = FOLDS[term.kind as OperatorName];
  if (!fold) return undefined;
  const [left, right] = (term as AnyDef).operands.map((operand) => constantValue(operand as AmlTerm));
  return left === undefined || right === undefined ? undefined : BigInt.asUintN(64, fold(left, right));
}

const FOLDS: Readonly<Record<string, (left: bigint, right: bigint) => bigint>> = {
  DefAdd: (left, right) => left + right,
  DefSubtract: (left, right) => left - right,
  DefMultiply: (left, right) => left * right,
  DefShiftLeft: (left, right) => left << right,
  DefShiftRight: (left, right) => left >> right,
  DefAnd: (left, right) => left & right,
  DefOr: (left, right) => left | right,
  DefXor: (left, right) => left ^ right,
};
