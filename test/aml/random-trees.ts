import fc from 'fast-check';
import { shortestIntegerLength } from '../../src/aml/encode.ts';
import { OPCODES, type Opcode, type OperandKind } from '../../src/aml/opcodes.ts';
import type { AmlTerm, FieldElement, NameTerm, OperandValue } from '../../src/aml/tree.ts';

/**
 * Random valid AML trees, built from the opcode table. Names that are used begin with U and are declared nowhere; methods that are
 * invoked are METHODS; names that are declared begin with D.
 */

/** Methods that invocations may name, with their argument counts. */
export const METHODS: ReadonlyMap<string, number> = new Map([0, 1, 2, 3, 7].map((count) => [`\\MET${count}`, count]));

const rows = Object.values(OPCODES) as readonly Opcode[];
const OPERATORS = rows.filter(
  ({ name, yields, operands }) => yields !== 'Nothing' && operands.length > 0 && name !== 'DefLoad',
);
const WORDS = rows.filter(({ operands, yields }) => operands.length === 0 && yields !== 'Nothing');
const STATEMENTS = rows.filter(({ yields, declares, name }) => yields === 'Nothing' && !declares && name !== 'DefElse');
const DECLARATIONS = rows.filter(({ declares }) => declares);
const BLOCKS = new Set(['DefIf', 'DefElse', 'DefWhile']);

const SEG = fc.stringMatching(/^[A-Z][A-Z0-9_]{2}$/);
const name = (lead: string): fc.Arbitrary<NameTerm> =>
  fc
    .tuple(fc.constantFrom('', '', '\\', '^', '^^'), fc.array(SEG, { minLength: 1, maxLength: 4 }))
    .map(([prefix, segments]) => ({
      kind: 'NameString',
      path: prefix + segments.map((segment) => lead + segment).join('.'),
    }));
export const usedName = name('U');
const declaredName = name('D');
const nullName: NameTerm = { kind: 'NameString', path: '' };

export const integer: fc.Arbitrary<AmlTerm> = fc
  .oneof(
    fc.constantFrom(0n, 1n, 2n, 0xffn, 0x100n, 0xffffn, 0x1_0000n, 0xffff_ffffn, 0x1_0000_0000n),
    fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
  )
  .chain((value) => {
    const wider = ([1, 2, 4, 8] as const).filter((length) => length > shortestIntegerLength(value));
    return fc.constantFrom(undefined, undefined, ...wider).map((byteLength) => ({
      kind: 'Integer' as const,
      value,
      ...(byteLength !== undefined && { byteLength }),
    }));
  });

const string: fc.Arbitrary<AmlTerm> = fc
  .array(fc.integer({ min: 1, max: 0xff }), { maxLength: 12 })
  .map((codes) => ({ kind: 'String' as const, value: String.fromCharCode(...codes) }));
const bytes = fc.uint8Array({ maxLength: 40 });
const word: fc.Arbitrary<AmlTerm> = fc
  .constantFrom(...WORDS)
  .map((row) => ({ kind: row.name, operands: [] }) as unknown as AmlTerm);

const buffer: fc.Arbitrary<AmlTerm> = fc
  .tuple(integer, bytes)
  .map((operands) => ({ kind: 'DefBuffer', operands }) as AmlTerm);

const bitLength = fc.oneof(fc.nat({ max: 0x40 }), fc.nat({ max: 0x10_0000 }));
const byte = fc.nat({ max: 0xff });
const fieldElement: fc.Arbitrary<FieldElement> = fc.oneof(
  fc.record({ kind: fc.constant('NamedField' as const), name: SEG.map((segment) => `D${segment}`), bitLength }),
  fc.record({ kind: fc.constant('ReservedField' as const), bitLength }),
  fc.record({ kind: fc.constant('AccessField' as const), accessType: byte, accessAttrib: byte }),
  fc.record({
    kind: fc.constant('ExtendedAccessField' as const),
    accessType: byte,
    extendedAccessAttrib: byte,
    accessLength: byte,
  }),
  fc.record({ kind: fc.constant('ConnectField' as const), connection: fc.oneof(usedName, buffer) }),
);

/** A term of one row; `depth` bounds what stands inside. */
function def(row: Opcode, depth: number): fc.Arbitrary<AmlTerm> {
  const operands = row.operands.map((kind, index) => {
    const declaration = row.declares === 'first' ? 0 : row.operands.lastIndexOf('NameString');
    return operand(kind, depth - 1, row.declares !== undefined && index === declaration);
  });
  return fc.tuple(...operands).map((values) => ({ kind: row.name, operands: values }) as unknown as AmlTerm);
}

function operand(kind: OperandKind, depth: number, declares: boolean): fc.Arbitrary<OperandValue> {
  switch (kind) {
    case 'TermArg':
    case 'Operand':
      return value(depth);
    case 'DataRefObject':
      return fc.oneof(integer, string, buffer);
    case 'SimpleName':
    case 'SuperName':
    case 'CallableName':
      return reference(depth);
    case 'Target':
      return fc.oneof(fc.constant(nullName), reference(depth));
    case 'NameString':
      return declares ? declaredName : usedName;
    case 'ByteData':
      return byte;
    case 'WordData':
      return fc.nat({ max: 0xffff });
    case 'DWordData':
      return fc.nat({ max: 0xffff_ffff });
    case 'ByteList':
      return bytes;
    case 'TermList':
      return statements(depth);
    case 'FieldList':
      return fc.array(fieldElement, { maxLength: 6 });
    case 'PackageElementList':
      return fc.array(fc.oneof(integer, string, buffer, usedName), { maxLength: 5 });
  }
}

function reference(depth: number): fc.Arbitrary<AmlTerm> {
  const plain = fc.oneof(usedName, fc.constantFrom('Local0', 'Local7', 'Arg0', 'Arg6', 'DebugObj').map(object));
  return depth <= 0
    ? plain
    : fc.oneof({ weight: 4, arbitrary: plain }, { weight: 1, arbitrary: def(OPCODES.Index, depth) });
}

const object = (kind: string): AmlTerm => ({ kind, operands: [] }) as unknown as AmlTerm;

function value(depth: number): fc.Arbitrary<AmlTerm> {
  const plain = fc.oneof(integer, string, word, usedName, buffer);
  if (depth <= 0) return plain;
  return fc.oneof(
    plain,
    invocation(depth),
    fc
      .constantFrom(...OPERATORS)
      .chain((row) => def(row, depth))
      .filter(isUnambiguous),
  );
}

/** LNot of an equality is, byte for byte, LNotEqual. */
function isUnambiguous(term: AmlTerm): boolean {
  if (term.kind !== 'DefLNot') return true;
  return !['DefLEqual', 'DefLGreater', 'DefLLess'].includes(term.operands[0].kind);
}

function invocation(depth: number): fc.Arbitrary<AmlTerm> {
  return fc
    .constantFrom(...METHODS)
    .chain(([path, count]) =>
      fc
        .tuple(...Array.from({ length: count }, () => value(depth - 1)))
        .map((args) => ({ kind: 'MethodInvocation' as const, name: { kind: 'NameString' as const, path }, args })),
    );
}

/** Statements as a method's body holds them. */
export function statements(depth: number, maxLength = 5): fc.Arbitrary<AmlTerm[]> {
  const rowsHere = depth <= 0 ? STATEMENTS.filter(({ name }) => !BLOCKS.has(name) && name !== 'DefScope') : STATEMENTS;
  const statement = fc.oneof(
    fc.constantFrom(...rowsHere).chain((row) => def(row, depth)),
    fc.constantFrom(OPCODES.Store, OPCODES.Add, OPCODES.Increment).chain((row) => def(row, depth)),
    invocation(Math.max(depth, 0)),
  );
  return fc.array(statement, { maxLength });
}

/** A whole TermList: declarations, with method bodies inside. */
export function termList(depth: number): fc.Arbitrary<AmlTerm[]> {
  const declaration = fc.constantFrom(...DECLARATIONS).chain((row) => def(row, depth));
  return fc.array(fc.oneof(declaration, def(OPCODES.Scope, depth), def(OPCODES.Field, depth)), { maxLength: 6 });
}
