/** Buffers, packages and the macros that make them: ACPI 6.5 §19.6.10, §19.6.101, §19.6.115, §19.6.147. */
import { encodeDescriptor, encodeResources } from '../resources/resource-template.ts';
import type { AmlTerm } from '../tree.ts';
import { type Cursor, describe } from './cursor.ts';
import { fold } from './fold.ts';
import { def, parseList, parseTerm } from './parse-expressions.ts';
import { parseResourceMacros } from './parse-resources.ts';
import type { Token } from './source.ts';

/** A buffer that is exactly `bytes`. */
export const bufferTerm = (bytes: Uint8Array): AmlTerm =>
  def('DefBuffer', [{ kind: 'Integer', value: BigInt(bytes.length) }, bytes]);

/** `(size)`, `()` or nothing, as Buffer and Package take it. */
function parseSize(cursor: Cursor): AmlTerm | undefined {
  let size: AmlTerm | undefined;
  if (cursor.accept('(')) {
    if (!cursor.at(')')) size = parseTerm(cursor);
    cursor.expect(')');
  }
  cursor.accept('=');
  return size;
}

/** The larger of the stated size and the initializer's, unless the stated one is only known later. */
export function parseBuffer(cursor: Cursor, token: Token): AmlTerm {
  const size = parseSize(cursor);
  const opened = cursor.token;
  if (!cursor.at('{')) cursor.fail('ASL_SYNTAX', opened, `"{" is due before ${describe(opened)}`);
  const bytes = parseBytes(cursor);
  return cursor.mark(def('DefBuffer', [bufferSize(cursor, size, bytes.length), bytes]), token);
}

function bufferSize(cursor: Cursor, size: AmlTerm | undefined, count: number): AmlTerm {
  if (size === undefined) return { kind: 'Integer', value: BigInt(count) };
  // A disassembly states what stands in the AML.
  if (cursor.asWritten) return size;
  const folded = fold(size, cursor.integerBytes);
  if (folded.kind !== 'Integer' || folded.value > BigInt(count)) return size;
  return { kind: 'Integer', value: BigInt(count) };
}

/** A list of bytes in braces, or one string, whose null belongs to it. */
function parseBytes(cursor: Cursor): Uint8Array {
  if (cursor.peek().kind === 'string' && cursor.peek(2).text === '}') {
    cursor.next();
    const text = `${cursor.string()}\0`;
    cursor.next();
    return Uint8Array.from(text, (character) => character.charCodeAt(0));
  }
  return Uint8Array.from(parseNumbers(cursor, 0xff));
}

/** Constants in braces, each up to `max`. */
export function parseNumbers(cursor: Cursor, max: number): number[] {
  const largest = BigInt(max);
  return parseList(cursor, '{', '}', () => {
    const { token } = cursor;
    const behind = cursor.peek();
    // Most lists are plain numbers: they need no tree.
    if (token.kind === 'number' && behind.kind === 'punctuation' && (behind.text === ',' || behind.text === '}')) {
      const value = cursor.number(cursor.next());
      if (value > largest) cursor.report('ASL_RANGE', token, `${token.text} is more than 0x${max.toString(16)}`);
      return Number(value & largest);
    }
    return Number(cursor.constant(parseTerm(cursor), largest));
  });
}

/** Package with a count of up to 255 that is known; VarPackage otherwise (§20.2.5.4). */
export function parsePackage(cursor: Cursor, token: Token): AmlTerm {
  const size = parseSize(cursor);
  const elements = parseList(cursor, '{', '}', () => parseTerm(cursor));
  const count = size && fold(size, cursor.integerBytes);
  // A disassembly writes the count of a DefPackage as a number, and computes nothing.
  if (size && (cursor.asWritten ? size : count)?.kind !== 'Integer')
    return cursor.mark(def('DefVarPackage', [size, elements]), token);
  const stated = count?.kind === 'Integer' ? count.value : 0n;
  if (count && stated < BigInt(elements.length) && !cursor.asWritten) {
    const message = `${elements.length} elements do not fit into a package of ${stated}`;
    cursor.report('ASL_LENGTH', cursor.notes.tokens.get(size!) ?? token, message);
  } else if (count && elements.length > 0 && stated > BigInt(elements.length) && !cursor.asWritten) {
    const message = `the package has ${stated} elements, ${elements.length} are given`;
    cursor.report('ASL_LIST_SHORT', cursor.notes.tokens.get(size!) ?? token, message);
  }
  const total = count ? stated : BigInt(elements.length);
  if (total > 0xffn) {
    return cursor.mark(def('DefVarPackage', [size ?? { kind: 'Integer', value: total }, elements]), token);
  }
  const term = cursor.mark(def('DefPackage', [Number(total), elements]), token);
  if (size && cursor.asWritten) cursor.notes.sizes.set(term, size);
  return term;
}

export function parseResourceTemplate(cursor: Cursor, token: Token): AmlTerm {
  if (cursor.accept('(')) cursor.expect(')');
  cursor.expect('{');
  const { descriptors, tags } = parseResourceMacros(cursor);
  cursor.expect('}');
  const term = cursor.mark(bufferTerm(encodeResources(descriptors)), token);
  if (tags.length > 0) cursor.notes.templates.set(term, tags);
  return term;
}

/** Connection's argument: the bytes of one descriptor, without an EndTag. */
export function parseConnectionMacro(cursor: Cursor): AmlTerm {
  const { token } = cursor;
  const { descriptors } = parseResourceMacros(cursor, 1);
  if (descriptors.length !== 1) {
    cursor.fail('ASL_SYNTAX', token, `a name or a resource macro is due before ${describe(token)}`);
  }
  return cursor.mark(bufferTerm(Uint8Array.from(encodeDescriptor(descriptors[0]))), token);
}

/** A string as 16-bit characters with a null. */
export function parseUnicode(cursor: Cursor, token: Token): AmlTerm {
  cursor.expect('(');
  const text = `${cursor.string()}\0`;
  cursor.expect(')');
  return cursor.mark(
    bufferTerm(Uint8Array.from([...text].flatMap((character) => [character.charCodeAt(0), 0]))),
    token,
  );
}
