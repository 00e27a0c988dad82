/** The macros of a ResourceTemplate: ACPI 6.5 §19.6.115. */
import { isUnset, rangeContradiction } from '../resources/address-rules.ts';
import { encodeDescriptor, type ResourceDescriptor } from '../resources/resource-template.ts';
import { type Cursor, describe } from './cursor.ts';
import { parseNumbers } from './parse-data.ts';
import { parseTerm } from './parse-expressions.ts';
import { type MacroArguments, nameIndexOf, RESOURCE_MACROS } from './resource-macros.ts';
import { type TemplateTag, tagFields } from './resource-tags.ts';
import type { Token } from './source.ts';

const MACROS = new Map(Object.entries(RESOURCE_MACROS).map(([name, macro]) => [name.toUpperCase(), { name, macro }]));
const PINS = 0xffff;
/** What a list in braces may hold, where that is more than bytes. */
const MAX_LIST_VALUE: Readonly<Record<string, number>> = {
  Interrupt: 0xffff_ffff,
  GpioInt: PINS,
  GpioIo: PINS,
  PinFunction: PINS,
  PinConfig: PINS,
  PinGroup: PINS,
};

export const isResourceMacro = (name: string): boolean => MACROS.has(name.toUpperCase());

interface Macros {
  readonly descriptors: readonly ResourceDescriptor[];
  readonly tags: readonly TemplateTag[];
}

/** Macros up to a closing brace, or `count` of them; dependent functions are laid flat. */
export function parseResourceMacros(cursor: Cursor, count = Number.POSITIVE_INFINITY): Macros {
  const descriptors: ResourceDescriptor[] = [];
  const tags: TemplateTag[] = [];
  let byteLength = 0;
  const add = (descriptor: ResourceDescriptor, tag: string | undefined): void => {
    if (tag !== undefined) tags.push({ name: tag, start: byteLength, fields: tagFields(descriptor) });
    descriptors.push(descriptor);
    byteLength += encodeDescriptor(descriptor).length;
  };
  const list = (): void => {
    while (!cursor.at('}') && cursor.token.kind !== 'end' && descriptors.length < count) {
      if (cursor.accept(',') || cursor.accept(';')) continue;
      const { token } = cursor;
      switch (token.text.toUpperCase()) {
        case 'STARTDEPENDENTFN':
        case 'STARTDEPENDENTFNNOPRI':
          add(parseStart(cursor), undefined);
          cursor.expect('{');
          list();
          cursor.expect('}');
          break;
        case 'ENDDEPENDENTFN':
          cursor.next();
          if (cursor.accept('(')) cursor.expect(')');
          add({ kind: 'EndDependentFn' }, undefined);
          break;
        default: {
          const { descriptor, tag } = parseMacro(cursor);
          add(descriptor, tag);
        }
      }
    }
  };
  list();
  return { descriptors, tags };
}

function parseStart(cursor: Cursor): ResourceDescriptor {
  const hasPriority = cursor.next().text.toUpperCase() === 'STARTDEPENDENTFN';
  cursor.expect('(');
  if (!hasPriority) {
    cursor.expect(')');
    return { kind: 'StartDependentFn' };
  }
  const compatibility = Number(cursor.constant(parseTerm(cursor), 3n));
  cursor.expect(',');
  const performance = Number(cursor.constant(parseTerm(cursor), 3n));
  cursor.expect(')');
  return { kind: 'StartDependentFn', priority: { compatibility, performance } };
}

/** One macro with its DescriptorName. */
function parseMacro(cursor: Cursor): { descriptor: ResourceDescriptor; tag: string | undefined } {
  const token = cursor.next();
  const found = MACROS.get(token.text.toUpperCase());
  if (!found || token.kind !== 'name')
    cursor.fail('ASL_SYNTAX', token, `a resource macro is due before ${describe(token)}`);
  const { name, macro } = found;
  const slots = parseSlots(cursor);
  const list = cursor.at('{') ? parseNumbers(cursor, MAX_LIST_VALUE[name] ?? 0xff) : [];
  const descriptor = macro(new ParsedArguments(cursor, token, slots, list));
  checkRange(cursor, token, descriptor);
  const named = slots[nameIndexOf(name)];
  const tag =
    named?.kind === 'tokens' && named.first.kind === 'name'
      ? cursor.nameOf(named.first.text, named.first).path
      : undefined;
  if (tag === undefined && isUnset(descriptor) && !cursor.asWritten)
    cursor.report('ASL_RESOURCE_EMPTY', token, `${token.text}: the range is all zero, and nothing can fill it in`);
  return { descriptor, tag };
}

function checkRange(cursor: Cursor, token: Token, descriptor: ResourceDescriptor): void {
  const contradiction = cursor.asWritten ? undefined : rangeContradiction(descriptor);
  if (contradiction) cursor.report('ASL_RESOURCE', token, `${token.text}: ${contradiction}`);
}

/** An argument as it stands: words are looked at later, when it is known what they may be. */
type Slot =
  | { readonly kind: 'omitted' }
  | { readonly kind: 'tokens'; readonly first: Token }
  | { readonly kind: 'value'; readonly first: Token; readonly value: bigint }
  | { readonly kind: 'text'; readonly first: Token; readonly text: string }
  | { readonly kind: 'raw'; readonly bytes: readonly number[] };

function parseSlots(cursor: Cursor): Slot[] {
  const slots: Slot[] = [];
  cursor.expect('(');
  if (cursor.accept(')')) return slots;
  for (;;) {
    slots.push(parseSlot(cursor));
    if (cursor.accept(')')) return slots;
    cursor.expect(',');
  }
}

function parseSlot(cursor: Cursor): Slot {
  const first = cursor.token;
  if (cursor.at(',') || cursor.at(')')) return { kind: 'omitted' };
  if (first.kind === 'name' && first.text.toUpperCase() === 'RAWDATABUFFER') {
    cursor.next();
    if (cursor.accept('(')) {
      if (!cursor.at(')')) cursor.constant(parseTerm(cursor), 0xffffn);
      cursor.expect(')');
    }
    return { kind: 'raw', bytes: parseNumbers(cursor, 0xff) };
  }
  const behind = cursor.peek();
  const isAlone = behind.kind === 'punctuation' && (behind.text === ',' || behind.text === ')');
  if (first.kind === 'string' && isAlone) return { kind: 'text', first, text: cursor.string() };
  if (first.kind === 'name' && isAlone && !/^(zero|one|ones)$/i.test(first.text)) {
    cursor.next();
    return { kind: 'tokens', first };
  }
  return { kind: 'value', first, value: cursor.constant(parseTerm(cursor), 0xffff_ffff_ffff_ffffn) };
}

/** The arguments of one macro, as its builder asks for them. */
class ParsedArguments implements MacroArguments {
  readonly #cursor: Cursor;
  readonly #macro: Token;
  readonly #slots: readonly Slot[];
  readonly list: readonly number[];

  constructor(cursor: Cursor, macro: Token, slots: readonly Slot[], list: readonly number[]) {
    this.#cursor = cursor;
    this.#macro = macro;
    this.#slots = slots;
    this.list = list;
  }

  get count(): number {
    return this.#slots.length;
  }

  has(index: number): boolean {
    return this.#slot(index).kind !== 'omitted';
  }

  big(index: number, fallback?: bigint): bigint {
    const slot = this.#slot(index);
    if (slot.kind === 'value') return slot.value;
    if (slot.kind === 'omitted') return fallback ?? this.#missing(index);
    return this.#wrong(slot, 'a number');
  }

  number(index: number, fallback?: number, max = 0xffff_ffff): number {
    const value = this.big(index, fallback === undefined ? undefined : BigInt(fallback));
    const slot = this.#slot(index);
    if (value > BigInt(max) && slot.kind === 'value') {
      this.#cursor.report('ASL_RANGE', slot.first, `0x${value.toString(16)} is more than 0x${max.toString(16)}`);
      return 0;
    }
    return Number(value);
  }

  text(index: number): string | undefined {
    const slot = this.#slot(index);
    if (slot.kind === 'omitted') return undefined;
    return slot.kind === 'text' ? slot.text : this.#wrong(slot, 'a string');
  }

  keyword<Keyword extends string>(index: number, keywords: readonly Keyword[], fallback?: Keyword): Keyword {
    const slot = this.#slot(index);
    if (slot.kind === 'omitted') return fallback ?? keywords[0];
    const found = this.maybeKeyword(index, keywords);
    if (found !== undefined) return found;
    const first = slot.kind === 'raw' ? this.#macro : slot.first;
    this.#cursor.report(
      'ASL_KEYWORD',
      first,
      `${describe(first)} is none of the keywords of argument ${index + 1} of ${this.#macro.text}`,
      `use one of ${keywords.join(', ')}`,
    );
    return fallback ?? keywords[0];
  }

  maybeKeyword<Keyword extends string>(index: number, keywords: readonly Keyword[]): Keyword | undefined {
    const slot = this.#slot(index);
    if (slot.kind !== 'tokens') return undefined;
    const wanted = slot.first.text.toUpperCase();
    return keywords.find((keyword) => keyword.toUpperCase() === wanted);
  }

  raw(index: number): readonly number[] {
    const slot = this.#slot(index);
    return slot.kind === 'raw' ? slot.bytes : [];
  }

  #slot(index: number): Slot {
    return this.#slots[index] ?? { kind: 'omitted' };
  }

  #missing(index: number): never {
    return this.#cursor.fail('ASL_SYNTAX', this.#macro, `argument ${index + 1} of ${this.#macro.text} is missing`);
  }

  #wrong(slot: Slot, wanted: string): never {
    const first = slot.kind === 'omitted' || slot.kind === 'raw' ? this.#macro : slot.first;
    return this.#cursor.fail('ASL_OPERAND', first, `${wanted} is due instead of ${describe(first)}`);
  }
}
