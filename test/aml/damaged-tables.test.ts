import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  add,
  and,
  buffer,
  def,
  elseThen,
  external,
  ifThen,
  increment,
  lNot,
  local,
  method,
  name,
  ret,
  scope,
  store,
  subtract,
  type TermsLike,
  toTerms,
  varPackage,
} from '../../src/aml/build.ts';
import { compile } from '../../src/aml/compiler/compile.ts';
import { decodeTable } from '../../src/aml/decode.ts';
import { subterms } from '../../src/aml/lint/walk.ts';
import {
  decodeResources,
  encodeDescriptor,
  type ResourceDescriptor,
} from '../../src/aml/resources/resource-template.ts';
import { encodeDefinitionBlock } from '../../src/aml/table-header.ts';
import type { AmlTerm } from '../../src/aml/tree.ts';
import { disassembledAgain } from './disassembled-again.ts';
import { Random } from './random-asl/random.ts';

const IDENTITY = { signature: 'SSDT', revision: 2, oemId: 'Q35', oemTableId: 'DAMAGED' };

/** Terms that compilers do not write and that texts of another meaning once came from; bench/fuzz-aml.ts found them. */
const KEPT: Readonly<Record<string, TermsLike>> = {
  'a second Else behind a chain': [
    ifThen(1, [ret(0)]),
    elseThen([ifThen(2, [ret(1)]), elseThen([ret(2)])]),
    elseThen([ret(3)]),
  ],
  'a chain behind an Else that has no If': [
    elseThen([ret(0)]),
    elseThen([ifThen(2, [ret(1)]), elseThen([ret(2)])]),
    elseThen([ifThen(3, [ret(1)])]),
  ],
  'the root at the end of a line': [name('FOO', 0), store('\\', 'FOO'), ret('FOO')],
  'carets as a statement and as a value': ['^', name('FOO', '^'), buffer([1, 2])],
  'an operator as a statement behind a name': [store('BAR', 'FOO'), subtract(add('FOO', 1, local(1)), 2)],
  'carets as a target': [store(0, 'FOO'), store(1, '^'), and('FOO', 1, '^^'), increment('^')],
  'a package whose count is an operator': [varPackage(lNot(3), []), name('FOO', varPackage(add(1, 2), [1]))],
  'an External by a name that ASL cannot write': [
    scope('\\_SB', [def('DefExternal', { kind: 'NameString', path: '^_SCI.0GI0' }, 5, 0), external('^FOO', 5)]),
  ],
  'an increment of what is no object': [increment(lNot(0)), increment(increment('FOO'))],
};

describe('compile(disassemble(table)) = table for what no compiler writes', () => {
  test.each(Object.entries(KEPT))('%s', (_, terms) => {
    expect(disassembledAgain(encodeDefinitionBlock(IDENTITY, [method('MAIN', 0, terms)]))).toBe('same');
    expect(disassembledAgain(encodeDefinitionBlock(IDENTITY, toTerms(terms)))).toBe('same');
  });

  test('resource descriptors with any bits changed', () => {
    const random = new Random(35);
    const descriptors = macroDescriptors();
    const names = random.many(3000, (index) => {
      const bytes = random.pick(descriptors).slice();
      const headerLength = bytes[0] >= 0x80 ? 3 : 1;
      for (let change = 0; change < 3 && bytes.length > headerLength; change++) {
        const at = headerLength + random.below(bytes.length - headerLength);
        bytes[at] = random.chance(0.5) ? bytes[at] ^ (1 << random.below(8)) : random.below(256);
      }
      const segment = `N${index.toString(36).toUpperCase().padStart(3, '0')}`;
      return name(segment, buffer([...bytes, 0x79, 0]));
    });
    expect(disassembledAgain(encodeDefinitionBlock(IDENTITY, names))).toBe('same');
  });
});

/** Each descriptor of the corpus of macros. */
function macroDescriptors(): Uint8Array[] {
  return ['resources.asl', 'resources-pins.asl'].flatMap((file) => {
    const text = readFileSync(new URL(`../../fixtures/aml/asl/${file}`, import.meta.url), 'latin1');
    const { terms } = decodeTable({ bytes: compile(file, text).tables[0].bytes });
    return terms.flatMap(templatesIn).flatMap((template) => decodeResources(template).descriptors.map(encoded));
  });
}

const encoded = (descriptor: ResourceDescriptor): Uint8Array => Uint8Array.from(encodeDescriptor(descriptor));

function templatesIn(term: AmlTerm): Uint8Array[] {
  if (term.kind === 'DefBuffer' && term.operands[1].at(-2) === END_TAG) return [term.operands[1]];
  return [...subterms(term)].flatMap(templatesIn);
}

const END_TAG = 0x79;
