import { FIELD_ACCESS } from '../opcodes.ts';
import { encodeDescriptor } from '../resources/resource-template.ts';
import type { FieldElement, PkgLengthBytes } from '../tree.ts';
import { bufferOf, type ExpressionParser } from './parse-expressions.ts';
import { parseMacro } from './parse-template.ts';
import { ACCESS_ATTRIBUTES, EXTENDED_ATTRIBUTES } from './print-fields.ts';

/** The elements of a field list, in braces (ACPI 6.5 §19.6.48). */
export function parseFieldList(parser: ExpressionParser): FieldElement[] {
  const { stream } = parser;
  const elements: FieldElement[] = [];
  let bit = 0;
  stream.expect('{');
  while (!stream.at('}')) {
    const element = parseElement(parser, bit);
    if (element) {
      elements.push(element);
      if (element.kind === 'NamedField' || element.kind === 'ReservedField') bit += element.bitLength;
    }
    if (!stream.take(',')) break;
  }
  stream.expect('}');
  return elements;
}

const MAX_BITS = 0x0fff_ffff;

/** One element; an Offset that is reached already gives none. */
function parseElement(parser: ExpressionParser, bit: number): FieldElement | undefined {
  const { stream } = parser;
  const { pkg } = parser.marks();
  const length = (bitLength: number): { bitLength: number; pkgLengthBytes?: PkgLengthBytes } =>
    pkg === undefined ? { bitLength } : { bitLength, pkgLengthBytes: pkg };
  const token = stream.peek();
  if (stream.take(',')) return { kind: 'ReservedField', ...length(parser.constant(MAX_BITS)) };
  switch (token.text) {
    case 'Offset': {
      stream.next();
      stream.expect('(');
      const target = parser.constant(MAX_BITS) * 8;
      stream.expect(')');
      if (target < bit)
        throw stream.fail(
          'ASL_OFFSET',
          `bit ${bit} is past the offset already`,
          'write offsets in rising order',
          token.offset,
        );
      return target === bit && pkg === undefined ? undefined : { kind: 'ReservedField', ...length(target - bit) };
    }
    case 'AccessAs':
      stream.next();
      return parseAccess(parser);
    case 'Connection':
      stream.next();
      return parseConnection(parser);
  }
  const { path } = parser.name();
  stream.expect(',');
  return { kind: 'NamedField', name: path, ...length(parser.constant(MAX_BITS)) };
}

function keywordIn(parser: ExpressionParser, keywords: Readonly<Record<string, number>>): number | undefined {
  const value = keywords[parser.stream.peek().text];
  if (value !== undefined) parser.stream.next();
  return value;
}

function parseAccess(parser: ExpressionParser): FieldElement {
  const { stream } = parser;
  stream.expect('(');
  const accessType = keywordIn(parser, FIELD_ACCESS) ?? parser.constant(0xff);
  if (!stream.take(',')) {
    stream.expect(')');
    return { kind: 'AccessField', accessType, accessAttrib: 0 };
  }
  const extended = keywordIn(parser, EXTENDED_ATTRIBUTES);
  const attribute = extended ?? keywordIn(parser, ACCESS_ATTRIBUTES) ?? parser.constant(0xff);
  if (!stream.take('(')) {
    stream.expect(')');
    return { kind: 'AccessField', accessType, accessAttrib: attribute };
  }
  const accessLength = parser.constant(0xff);
  stream.expect(')');
  stream.expect(')');
  return { kind: 'ExtendedAccessField', accessType, extendedAccessAttrib: attribute, accessLength };
}

/** A name, or a descriptor as a buffer without EndTag, as iasl writes it. */
function parseConnection(parser: ExpressionParser): FieldElement {
  const { stream } = parser;
  stream.expect('(');
  const element: FieldElement = parser.atName()
    ? { kind: 'ConnectField', connection: parser.name() }
    : { kind: 'ConnectField', connection: bufferOf(Uint8Array.from(parseMacro(parser).flatMap(encodeDescriptor))) };
  stream.expect(')');
  return element;
}
