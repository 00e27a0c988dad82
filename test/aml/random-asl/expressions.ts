import { OPCODES, type Opcode, type OperatorName } from '../../../src/aml/opcodes.ts';
import type { Kind, Names } from './names.ts';
import type { Random } from './random.ts';

/** Where an expression stands. */
export interface Place {
  readonly random: Random;
  readonly names: Names;
  /** Segments from the root, a method's own among them. */
  readonly scope: readonly string[];
  readonly argumentCount: number;
  /** Order of the method's declaration. */
  readonly method: number;
  /** False outside of methods, where only constants and names may stand. */
  readonly inMethod: boolean;
}

type Writer = (place: Place, depth: number) => string;

const rows = Object.entries(OPCODES) as [OperatorName, Opcode][];
/** Operators over integers alone: `Name (a, b, target)`. */
const ARITHMETIC = rows.filter(
  ([name, { yields, operands }]) =>
    yields === 'Integer' &&
    operands.length > 0 &&
    operands.every((operand) => operand === 'Operand' || operand === 'Target') &&
    // Their operands have to be in a range.
    !['ToBCD', 'FromBCD', 'Divide', 'Mod'].includes(name),
);
const LOGICAL = rows.filter(([name, { yields }]) => yields === 'Boolean' && /^L/.test(name));

export const LOCALS = ['Local0', 'Local1', 'Local2', 'Local3'];

export function literal({ random }: Place): string {
  const value = random.pick([
    random.below(3),
    random.below(0x100),
    random.below(0x1_0000),
    random.below(2 ** 32),
    random.below(2 ** 32) * 2 ** 20,
  ]);
  const hexadecimal = () => `0x${value.toString(16).toUpperCase()}`;
  return random.pick([hexadecimal, hexadecimal, () => `${value}`, () => `0${value.toString(8)}`, () => word(random)])();
}

const word = (random: Random): string => random.pick(['Zero', 'One', 'Ones']);

export function text({ random }: Place): string {
  const parts = random.many(random.below(6), () =>
    random.pick(['a', 'Z', ' ', '0', '_', '%', '\\n', '\\t', '\\"', '\\\\', '\\x41', '\\102', '\\a']),
  );
  return `"${parts.join('')}"`;
}

/** A name of `kind`, or what `otherwise` gives while there is none. */
export function named(place: Place, kind: Kind, otherwise: () => string): string {
  const found = place.names.any(kind);
  return found ? place.names.reference(found, place.scope) : otherwise();
}

/** A local, an argument or a name that holds an integer. */
export function integerStore(place: Place): string {
  const { random } = place;
  const local = random.pick(LOCALS);
  if (!place.inMethod) return named(place, 'Integer', () => local);
  return random.pick([
    () => local,
    () => local,
    () => named(place, 'Integer', () => local),
    () => named(place, 'Field', () => local),
    () => (place.argumentCount > 0 ? `Arg${random.below(place.argumentCount)}` : local),
  ])();
}

export function call(place: Place, depth: number): string {
  const method = place.names.callable(place.method);
  if (!method || !place.inMethod) return literal(place);
  const name = place.names.reference(method, place.scope);
  const args = place.random.many(method.argumentCount, () => integer(place, depth - 1));
  return args.length === 0 && place.random.chance(0.5) ? name : `${name} (${args.join(', ')})`;
}

function arithmetic(place: Place, depth: number): string {
  const { random } = place;
  const [name, row] = random.pick(ARITHMETIC);
  const args = row.operands.filter((operand) => operand === 'Operand').map(() => integer(place, depth - 1));
  if (row.asl.style === 'infix' && random.chance(0.6)) return `(${args[0]} ${row.asl.symbol} ${args[1]})`;
  if (row.asl.style === 'prefix' && random.chance(0.6)) return `(${row.asl.symbol}${args[0]})`;
  const target = random.pick(['', ', ', place.inMethod ? `, ${integerStore(place)}` : '']);
  return `${name} (${args.join(', ')}${target})`;
}

function logical(place: Place, depth: number): string {
  const { random } = place;
  const [name, row] = random.pick(LOGICAL);
  const args = row.operands.map(() => integer(place, depth - 1));
  // iasl does not compute comparisons that are two opcodes.
  const hasSymbol = place.inMethod || row.code < 0x100;
  if (row.asl.style === 'infix' && hasSymbol && random.chance(0.6)) return `(${args[0]} ${row.asl.symbol} ${args[1]})`;
  if (row.asl.style === 'prefix' && random.chance(0.6)) return `(${row.asl.symbol}${args[0]})`;
  return `${name} (${args.join(', ')})`;
}

const INTEGERS: readonly Writer[] = [
  arithmetic,
  arithmetic,
  logical,
  (place) => `EisaId ("PNP0${place.random.below(0x1000).toString(16).toUpperCase().padStart(3, '0')}")`,
  (place) => `(${integerStore(place)} ${place.random.pick(['/', '%'])} ${1 + place.random.below(99)})`,
  (place) =>
    `Divide (${integerStore(place)}, 7, ${place.random.pick(['', 'Local2'])}, ${place.random.pick(['', 'Local3'])})`,
  (place) => `Mod (${integerStore(place)}, 7)`,
  (place) => `${place.random.pick(['ToBCD', 'FromBCD'])} (${1 + place.random.below(9)})`,
  (place) => `SizeOf (${named(place, 'Buffer', () => 'Local0')})`,
  (place) => `ObjectType (${named(place, place.random.pick(['Package', 'Integer', 'String']), () => 'Local1')})`,
  (place, depth) => `ToInteger (${integer(place, depth - 1)})`,
  (place, depth) => `DerefOf (${element(place, depth)})`,
  (place, depth) => match(place, depth),
  (place) => `CondRefOf (${named(place, 'Integer', () => 'Local0')}, ${place.random.pick(['', 'Local2'])})`,
  (place) => `Acquire (${named(place, 'Mutex', () => '\\_GL')}, 0x${place.random.below(0xffff).toString(16)})`,
  call,
  call,
  () => 'Timer',
  () => 'Revision',
];
/** The ones that need no running machine. */
const CONSTANT_INTEGERS: readonly Writer[] = [arithmetic, logical, INTEGERS[3]];

export function integer(place: Place, depth: number): string {
  const { random, inMethod } = place;
  if (depth <= 0 || random.chance(0.25)) return inMethod && random.chance(0.6) ? integerStore(place) : literal(place);
  return random.pick(inMethod ? INTEGERS : CONSTANT_INTEGERS)(place, depth);
}

const MATCHES = ['MTR', 'MEQ', 'MLE', 'MLT', 'MGE', 'MGT'];

function match(place: Place, depth: number): string {
  const { random } = place;
  const pack = named(place, 'Package', () => 'Package () { 1 }');
  const args = [random.pick(MATCHES), integer(place, depth - 1), random.pick(MATCHES), integer(place, depth - 1)];
  return `Match (${pack}, ${args.join(', ')}, ${random.below(3)})`;
}

/** A reference to an element of a package or a byte of a buffer. */
export function element(place: Place, depth: number): string {
  const { random } = place;
  const whole = named(place, random.pick(['Package', 'Buffer']), () => 'Local0');
  const index = random.chance(0.5) ? `${random.below(3)}` : integer(place, depth - 1);
  return random.chance(0.5) ? `${whole} [${index}]` : `Index (${whole}, ${index})`;
}

const STRINGS: readonly Writer[] = [
  (place, depth) => `Concatenate (${string(place, depth - 1)}, ${string(place, depth - 1)})`,
  (place, depth) =>
    `Concatenate (${string(place, depth - 1)}, ${integer(place, depth - 1)}, ${place.random.pick(['', 'Local2'])})`,
  (place, depth) => `ToDecimalString (${integer(place, depth - 1)})`,
  (place) => `ToHexString (${integerStore(place)})`,
  (place) => `ToString (${named(place, 'Buffer', () => 'Local0')}${place.random.pick(['', ', 3', ', Ones'])})`,
  (place, depth) => `Mid (${string(place, depth - 1)}, ${place.random.below(3)}, ${place.random.below(3)})`,
];

export function string(place: Place, depth: number): string {
  const { random, inMethod } = place;
  if (depth <= 0 || !inMethod || random.chance(0.3)) {
    return inMethod && random.chance(0.5) ? named(place, 'String', () => text(place)) : text(place);
  }
  return random.pick(STRINGS)(place, depth);
}

const UUID = '12345678-9abc-DEF0-0123-456789abcdef';

export function bufferLiteral(place: Place): string {
  const { random } = place;
  const bytes = random.many(random.below(6), () => `0x${random.below(0x100).toString(16)}`);
  return random.pick([
    () => `Buffer () { ${bytes.join(', ')} }`,
    () => `Buffer (${1 + random.below(9)}) { ${bytes.join(', ')} }`,
    () => `Buffer (${1 + random.below(20)}) {}`,
    () => `Buffer () { ${text(place)} }`,
    () => `ToUUID ("${UUID}")`,
    () => (place.inMethod ? 'Buffer (1) {}' : 'Unicode ("text")'),
  ])();
}

/** Anything that can be stored in a local. */
export function value(place: Place, depth: number): string {
  const { random } = place;
  return random.pick([
    () => integer(place, depth),
    () => integer(place, depth),
    () => string(place, depth),
    () => bufferLiteral(place),
    () => named(place, 'Package', () => '0'),
    () => `ToBuffer (${integer(place, depth - 1)})`,
    () => `RefOf (${named(place, 'Integer', () => 'Local0')})`,
    () =>
      `ConcatenateResTemplate (${named(place, 'Buffer', () => 'Local0')}, ${named(place, 'Buffer', () => 'Local0')})`,
    () => packageLiteral(place, depth),
  ])();
}

export function packageLiteral(place: Place, depth: number): string {
  const { random } = place;
  const elements = random.many(random.below(5), () =>
    random.pick([
      () => literal(place),
      () => text(place),
      () => bufferLiteral(place),
      () => named(place, random.pick(['Integer', 'Method', 'Device']), () => 'Zero'),
      () => (depth > 0 ? packageLiteral(place, depth - 1) : 'One'),
    ])(),
  );
  const size = random.pick(['', ' ()', ` (${elements.length})`, ` (${elements.length + random.below(300)})`]);
  // A size that is only known later makes it a VarPackage.
  const isVariable = place.inMethod && random.chance(0.15);
  return `Package${isVariable ? ' (Local0)' : size} { ${elements.join(', ')} }`;
}
