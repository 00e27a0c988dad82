/** The body of ResourceTemplate and the macros in it. */
import type { ResourceDescriptor } from '../resources/resource-template.ts';
import type { ExpressionParser } from './parse-expressions.ts';
import { constantValue } from './parse-expressions.ts';
import { type MacroArguments, RESOURCE_MACROS } from './parse-resources.ts';

/** One argument as it stands. */
type Argument =
  | { readonly kind: 'omitted'; readonly offset: number }
  | { readonly kind: 'word'; readonly text: string; readonly offset: number }
  | { readonly kind: 'string'; readonly text: string; readonly offset: number }
  | { readonly kind: 'number'; readonly value: bigint; readonly offset: number }
  | { readonly kind: 'bytes'; readonly bytes: readonly number[]; readonly offset: number };

/** Descriptors in braces. */
export function parseTemplateBody(parser: ExpressionParser): ResourceDescriptor[] {
  const descriptors: ResourceDescriptor[] = [];
  parser.stream.expect('{');
  while (!parser.stream.at('}')) descriptors.push(...parseMacro(parser));
  parser.stream.expect('}');
  return descriptors;
}

/** One macro; StartDependentFn gives what is inside it as well. */
export function parseMacro(parser: ExpressionParser): ResourceDescriptor[] {
  const { stream } = parser;
  const token = stream.next();
  switch (token.text) {
    case 'StartDependentFn': {
      const args = readArguments(parser, token.offset, false);
      const priority = { compatibility: args.number(0), performance: args.number(1) };
      return [{ kind: 'StartDependentFn', priority }, ...parseTemplateBody(parser)];
    }
    case 'StartDependentFnNoPri':
      readArguments(parser, token.offset, false);
      return [{ kind: 'StartDependentFn' }, ...parseTemplateBody(parser)];
    case 'EndDependentFn':
      readArguments(parser, token.offset);
      return [{ kind: 'EndDependentFn' }];
  }
  const parse = RESOURCE_MACROS[token.text];
  if (!parse)
    throw stream.fail(
      'ASL_RESOURCE',
      `"${token.text}" is no resource macro`,
      'write a macro of ACPI 6.5 §19.6, such as IO or Interrupt',
      token.offset,
    );
  return [parse(readArguments(parser, token.offset))];
}

function readArguments(parser: ExpressionParser, offset: number, hasList = true): MacroArguments {
  const { stream } = parser;
  const values: Argument[] = [];
  stream.expect('(');
  while (!stream.at(')')) {
    values.push(readArgument(parser));
    if (!stream.take(',')) break;
    if (stream.at(')')) values.push({ kind: 'omitted', offset: stream.peek().offset });
  }
  stream.expect(')');
  const list = hasList && stream.at('{') ? readList(parser) : [];
  return new PositionalArguments(parser, values, list, offset);
}

function readList(parser: ExpressionParser): number[] {
  const { stream } = parser;
  const values: number[] = [];
  stream.expect('{');
  while (!stream.at('}')) {
    values.push(parser.constant(0xffff_ffff));
    if (!stream.take(',')) break;
  }
  stream.expect('}');
  return values;
}

function readArgument(parser: ExpressionParser): Argument {
  const { stream } = parser;
  const token = stream.peek();
  const { offset } = token;
  if (stream.at(',') || stream.at(')')) return { kind: 'omitted', offset };
  if (token.kind === 'string') return { kind: 'string', text: stream.next().text, offset };
  if (token.kind === 'name' && token.text === 'RawDataBuffer') {
    stream.next();
    stream.expect('(');
    if (!stream.at(')')) parser.constant(0xffff);
    stream.expect(')');
    return { kind: 'bytes', bytes: parser.byteList(), offset };
  }
  if (token.kind === 'name' && !['Zero', 'One', 'Ones'].includes(token.text)) {
    return { kind: 'word', text: stream.next().text, offset };
  }
  const value = constantValue(parser.expression());
  if (value === undefined)
    throw stream.fail(
      'ASL_CONSTANT',
      'a resource macro takes constants',
      'write a number, or patch the template at run time',
      offset,
    );
  return { kind: 'number', value, offset };
}

class PositionalArguments implements MacroArguments {
  readonly list: readonly number[];
  readonly #parser: ExpressionParser;
  readonly #values: readonly Argument[];
  readonly #offset: number;

  constructor(parser: ExpressionParser, values: readonly Argument[], list: readonly number[], offset: number) {
    this.#parser = parser;
    this.#values = values;
    this.list = list;
    this.#offset = offset;
  }

  get count(): number {
    return this.#values.length;
  }

  has(index: number): boolean {
    return (this.#values[index]?.kind ?? 'omitted') !== 'omitted';
  }

  #fail(index: number, what: string): Error {
    const { offset } = this.#values[index] ?? { offset: this.#offset };
    return this.#parser.stream.fail(
      'ASL_RESOURCE_ARGUMENT',
      `argument ${index + 1} must be ${what}`,
      'see the macro in ACPI 6.5 §19.6',
      offset,
    );
  }

  big(index: number, fallback?: bigint): bigint {
    const value = this.#values[index];
    if (value?.kind === 'number') return value.value;
    if (!this.has(index) && fallback !== undefined) return fallback;
    throw this.#fail(index, 'a number');
  }

  number(index: number, fallback?: number): number {
    return Number(this.big(index, fallback === undefined ? undefined : BigInt(fallback)));
  }

  text(index: number): string | undefined {
    const value = this.#values[index];
    if (value?.kind === 'string') return value.text;
    if (this.has(index)) throw this.#fail(index, 'a string');
    return undefined;
  }

  keyword<Keyword extends string>(
    index: number,
    keywords: readonly Keyword[],
    fallback: Keyword = keywords[0],
  ): Keyword {
    if (!this.has(index)) return fallback;
    const keyword = this.maybeKeyword(index, keywords);
    if (keyword === undefined) throw this.#fail(index, `one of ${keywords.filter((word) => word !== '').join(', ')}`);
    return keyword;
  }

  maybeKeyword<Keyword extends string>(index: number, keywords: readonly Keyword[]): Keyword | undefined {
    const value = this.#values[index];
    if (value?.kind !== 'word') return undefined;
    const wanted = value.text.toLowerCase();
    return keywords.find((keyword) => keyword !== '' && keyword.toLowerCase() === wanted);
  }

  raw(index: number): readonly number[] {
    const value = this.#values[index];
    if (value?.kind === 'bytes') return value.bytes;
    if (this.has(index)) throw this.#fail(index, 'RawDataBuffer');
    return [];
  }
}
