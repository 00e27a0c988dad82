import { call, element, integer, integerStore, LOCALS, named, type Place, string, text, value } from './expressions.ts';

type Writer = (place: Place, depth: number) => string;

const COMPOUND = ['+=', '-=', '*=', '<<=', '>>=', '&=', '|=', '^='];
/** Operators with a target, in their form of ASL 1. */
const STORING = ['Add', 'Subtract', 'Multiply', 'And', 'Or', 'Xor', 'NAnd', 'NOr', 'ShiftLeft', 'ShiftRight'];

/** A number for ASL's `Case`, so that none stands twice. */
function switchOf(place: Place, depth: number): string {
  const { random } = place;
  const cases = random.many(1 + random.below(3), (index) => {
    const predicate = random.chance(0.2) ? `Package () { ${index * 10}, ${index * 10 + 1} }` : `${index * 10}`;
    return `Case (${predicate}) ${block(place, depth - 1)}`;
  });
  if (random.chance(0.5)) cases.push(`Default ${block(place, depth - 1)}`);
  const subject = random.pick([`ToInteger (${integerStore(place)})`, integer(place, 1), integerStore(place)]);
  return `Switch (${subject})\n{\n${cases.join('\n')}\n}`;
}

/** A call whose result nobody takes needs its parentheses. */
function invocation(place: Place, depth: number): string {
  const called = call(place, depth);
  if (called.endsWith(')')) return called;
  return /M\w{3}$/.test(called) ? `${called} ()` : 'Noop';
}

const STATEMENTS: readonly Writer[] = [
  (place, depth) => `${integerStore(place)} = ${integer(place, depth)}`,
  (place, depth) => `${integerStore(place)} = ${integer(place, depth)}`,
  (place, depth) => `Local3 = ${value(place, depth)}`,
  (place, depth) => `Store (${value(place, depth)}, Local3)`,
  (place, depth) => `${integerStore(place)} ${place.random.pick(COMPOUND)} ${integer(place, depth)}`,
  (place, depth) =>
    `${place.random.pick(STORING)} (${integer(place, depth)}, ${integer(place, depth)}, ${integerStore(place)})`,
  (place) => `${integerStore(place)}${place.random.pick(['++', '--'])}`,
  (place) => `${place.random.pick(['Increment', 'Decrement'])} (${integerStore(place)})`,
  (place, depth) => `${element(place, depth)} = ${integer(place, depth)}`,
  (place, depth) => `Debug = ${value(place, depth)}`,
  (place, depth) => `CopyObject (${value(place, depth)}, ${place.random.pick(LOCALS)})`,
  (place, depth) => `Divide (${integer(place, depth)}, 3, Local0, Local1)`,
  (place, depth) => `Concatenate (${string(place, depth)}, ${string(place, depth)}, Local3)`,
  (place, depth) => `ToInteger (${integer(place, depth)}, Local1)`,
  (place) => `Notify (${named(place, 'Device', () => '\\_SB')}, 0x${(0x80 + place.random.below(0x40)).toString(16)})`,
  (place) => `Sleep (${1 + place.random.below(500)})`,
  (place) => `Stall (${1 + place.random.below(90)})`,
  (place) => `Release (${named(place, 'Mutex', () => '\\_GL')})`,
  (place) => `${place.random.pick(['Signal', 'Reset'])} (${named(place, 'Event', () => 'Local0')})`,
  (place) => `Local1 = Wait (${named(place, 'Event', () => 'Local0')}, ${place.random.below(99)})`,
  (place, depth) => `Printf ("a %o b %x", ${integer(place, depth)}, ${integerStore(place)})`,
  (place) => `Fprintf (Local3, "%s %o", ${text(place)}, ${integerStore(place)})`,
  (place) => `Fatal (${place.random.below(0x100)}, ${place.random.below(2 ** 32)}, ${integerStore(place)})`,
  (place, depth) => invocation(place, depth),
  (place) => named(place, 'Buffer', () => '').replace(/^.+$/, (name) => `Load (${name}, Local3)`) || 'Noop',
  (place) => `Unload (${place.random.pick(LOCALS)})`,
  (place) =>
    `Local3 = LoadTable ("OEM${place.random.below(9)}", "A", "B"${place.random.pick(['', ', "\\\\", "C", 3'])})`,
  () => 'BreakPoint',
  () => 'Noop',
  (place, depth) =>
    `If (${integer(place, depth)}) ${block(place, depth - 1)}${place.random.pick([
      () => '',
      () => ` Else ${block(place, depth - 1)}`,
      () => ` ElseIf (${integer(place, depth)}) ${block(place, depth - 1)} Else ${block(place, depth - 1)}`,
    ])()}`,
  (place, depth) => `While (${integerStore(place)} < 3) ${loop(place, depth - 1)}`,
  (place, depth) => `For (Local0 = 0, Local0 < ${place.random.below(9)}, Local0++) ${loop(place, depth - 1)}`,
  switchOf,
];
/** From the first one that opens a block on. */
const FLAT = STATEMENTS.slice(0, 29);

const statement = (place: Place, depth: number): string =>
  place.random.pick(depth > 0 ? STATEMENTS : FLAT)(place, depth);

function block(place: Place, depth: number): string {
  const count = 1 + place.random.below(3);
  return `{\n${place.random.many(count, () => statement(place, depth)).join('\n')}\n}`;
}

/** A body that ends itself: what stands behind a Break is unreachable only now and then. */
function loop(place: Place, depth: number): string {
  const leave = place.random.pick(['Break', 'Continue']);
  const inner = block(place, depth);
  return `{\nIf (Local1) { ${leave} }\n${inner.slice(2)}`;
}

/** The body of a method: every local that the statements use is set first. */
export function methodBody(place: Place, depth: number): string {
  const { random } = place;
  const first = LOCALS.map((local) => `${local} = ${random.below(100)}`);
  const rest = random.many(1 + random.below(6), () => statement(place, depth));
  const last = random.pick([
    `Return (${integer(place, depth)})`,
    `Return (${integer(place, depth)})`,
    `Return (${string(place, 1)})`,
  ]);
  return [...first, ...rest, last].join('\n');
}
