import { bufferLiteral, integer, literal, named, type Place, packageLiteral, string } from './expressions.ts';
import { Names } from './names.ts';
import { Random } from './random.ts';
import { connectionMacro, resourceTemplate } from './resources.ts';
import { methodBody } from './statements.ts';

/** Text that is known once everything is declared: methods may refer to what stands behind them. */
type Later = () => string;

const DEPTH = 3;
const FIELD_FLAGS = [
  '',
  ', AnyAcc, NoLock, Preserve',
  ', ByteAcc, Lock, WriteAsOnes',
  ', WordAcc, NoLock, WriteAsZeros',
  ', DWordAcc',
];
const REGION_SPACES = ['SystemMemory', 'SystemIO', 'PCI_Config', 'PciBarTarget', '0x80'];

/** A definition block that iasl accepts, in nearly every case. */
export function randomSource(seed: number): string {
  const random = new Random(seed);
  const names = new Names(random);
  const place = { random, names, argumentCount: 0, method: 0, inMethod: false };
  const signature = random.pick(['DSDT', 'DSDT', 'SSDT']);
  const revision = random.pick([1, 2, 2, 2]);
  const parts = declarations({ ...place, scope: [] }, 3 + random.below(8), DEPTH);
  const body = parts.map((part) => part()).join('\n');
  return `DefinitionBlock ("", "${signature}", ${revision}, "Q35", "RANDOM", ${seed})\n{\n${body}\n}\n`;
}

const declarations = (place: Place, count: number, depth: number): Later[] =>
  place.random.many(count, () => place.random.pick(depth > 0 ? DECLARATIONS : LEAVES)(place, depth));

/** The fields of a `_PLD` that are numbers, and some of those that are words. */
function toPld({ random }: Place): string {
  const fields = [
    `PLD_Revision = ${1 + random.below(2)}`,
    `PLD_IgnoreColor = ${random.below(2)}`,
    `PLD_Red = ${random.below(256)}`,
    `PLD_Width = ${random.below(0x1_0000)}`,
    `PLD_UserVisible = ${random.below(2)}`,
    `PLD_Panel = "${random.pick(['TOP', 'LEFT', 'BACK', 'UNKNOWN'])}"`,
    `PLD_VerticalPosition = "${random.pick(['UPPER', 'CENTER', 'LOWER'])}"`,
    `PLD_Shape = "${random.pick(['ROUND', 'OVAL', 'CHAMFERED'])}"`,
    `PLD_GroupToken = ${random.below(256)}`,
    `PLD_Ejectable = ${random.below(2)}`,
    `PLD_CabinetNumber = ${random.below(256)}`,
    `PLD_Rotation = ${random.below(8)}`,
    `PLD_Order = ${random.below(32)}`,
    `PLD_VerticalOffset = ${random.below(0x1_0000)}`,
  ];
  return `ToPLD (${fields.slice(0, 1 + random.below(fields.length)).join(', ')})`;
}

const EXTERNAL_KINDS = { Integer: 'IntObj', Method: 'MethodObj', Mutex: 'MutexObj', Buffer: 'BuffObj' } as const;

function external({ random, names, scope }: Place): Later {
  const kind = random.pick(['Integer', 'Method', 'Mutex', 'Buffer'] as const);
  const argumentCount = kind === 'Method' ? random.below(8) : 0;
  const name = names.declare(kind, scope, argumentCount);
  const types = random.many(argumentCount, () => random.pick(['IntObj', 'UnknownObj', '{IntObj, StrObj}']));
  const typed = kind === 'Method' && argumentCount > 0 && random.chance(0.3) ? `, , {${types.join(', ')}}` : '';
  return now(`External (${name}, ${EXTERNAL_KINDS[kind]}${typed})`);
}

const now =
  (text: string): Later =>
  () =>
    text;

type Declaration = (place: Place, depth: number) => Later;

function method({ random, names, scope }: Place): Later {
  const argumentCount = random.below(8);
  const name = names.declare('Method', scope, argumentCount);
  const rule = random.pick(['', ', NotSerialized', ', Serialized', ', Serialized, 3']);
  const inner: Place = {
    random,
    names,
    scope: [...scope, name],
    argumentCount,
    method: names.count - 1,
    inMethod: true,
  };
  return () => `Method (${name}, ${argumentCount}${rule})\n{\n${methodBody(inner, DEPTH)}\n}`;
}

function region(place: Place): Later {
  const { random, names, scope } = place;
  const space = random.pick(REGION_SPACES);
  const name = names.declare('Region', scope);
  const declared = `OperationRegion (${name}, ${space}, ${random.below(0x1000)}, 0x100)`;
  const field = `Field (${name}${random.pick(FIELD_FLAGS)})\n{\n${fields(place)}\n}`;
  return now(`${declared}\n${field}\n${indirectField(place, name)}`);
}

/** Units in order, with gaps. */
function fields({ random, names, scope }: Place): string {
  let byte = 0;
  const elements = random.many(1 + random.below(6), () => {
    const bits = 1 + random.below(32);
    byte += 8;
    return random.pick([
      () => `${names.declare('Field', scope)}, ${bits}`,
      () => `${names.declare('Field', scope)}, ${bits}`,
      () => `, ${bits}`,
      () => `Offset (0x${byte.toString(16)}),\n${names.declare('Field', scope)}, 8`,
      () => random.pick(['AccessAs (ByteAcc)', 'AccessAs (ByteAcc, 0x00)', 'AccessAs (ByteAcc, AttribByte)']),
    ])();
  });
  return elements.join(',\n');
}

/** An IndexField or BankField over the units that are declared already, now and then. */
function indirectField(place: Place, regionName: string): string {
  const { random, names, scope } = place;
  if (random.chance(0.5)) return '';
  const [first, second] = [names.any('Field'), names.any('Field')];
  if (!first || !second || first === second) return '';
  const [index, data] = [names.reference(first, scope), names.reference(second, scope)];
  // Their access has to be what the units allow.
  return random.chance(0.5)
    ? `IndexField (${index}, ${data}, AnyAcc, NoLock, Preserve)\n{\n${names.declare('Field', scope)}, 8\n}`
    : `BankField (${regionName}, ${index}, ${random.below(9)}, ByteAcc, NoLock, Preserve)\n{\n${names.declare('Field', scope)}, 8\n}`;
}

function serialField({ random, names, scope }: Place): Later {
  const name = names.declare('Region', scope);
  const space = 'GenericSerialBus';
  const unit = names.fresh('Field');
  const attribute = random.pick([
    'AttribQuick',
    'AttribByte',
    'AttribWord',
    'AttribBlock',
    'AttribBytes (4)',
    'AttribRawBytes (3)',
  ]);
  const elements = `Connection (${connectionMacro(random)}),\nAccessAs (BufferAcc, ${attribute}),\n${unit}, 8`;
  return now(
    `OperationRegion (${name}, ${space}, 0, 0x100)\nField (${name}, BufferAcc, NoLock, Preserve)\n{\n${elements}\n}`,
  );
}

const CREATED = ['CreateBitField', 'CreateByteField', 'CreateWordField', 'CreateDWordField', 'CreateQWordField'];

function bufferField(place: Place): Later {
  const { random, names, scope } = place;
  const name = names.declare('Buffer', scope);
  const created = random.many(1 + random.below(2), () =>
    random.chance(0.8)
      ? `${random.pick(CREATED)} (${name}, ${random.below(8)}, ${names.declare('Integer', scope)})`
      : `CreateField (${name}, ${random.below(8)}, ${1 + random.below(20)}, ${names.declare('Integer', scope)})`,
  );
  return now(`Name (${name}, Buffer (0x20) {})\n${created.join('\n')}`);
}

const named_ =
  (kind: 'Integer' | 'String' | 'Buffer' | 'Package', write: (place: Place) => string): Declaration =>
  (place) => {
    const text = write(place);
    return now(`Name (${place.names.declare(kind, place.scope)}, ${text})`);
  };

function alias(place: Place): Later {
  const found = place.names.any('Integer');
  if (!found) return now('');
  const target = place.names.reference(found, place.scope);
  return now(`Alias (${target}, ${place.names.declare('Integer', place.scope)})`);
}

const LEAVES: readonly Declaration[] = [
  method,
  method,
  method,
  named_('Integer', (place) => integer(place, 2)),
  named_('String', (place) => string(place, 0)),
  named_('Buffer', bufferLiteral),
  named_('Buffer', ({ random }) => resourceTemplate(random)),
  named_('Buffer', ({ random }) => resourceTemplate(random)),
  named_('Buffer', toPld),
  external,
  external,
  named_('Package', (place) => packageLiteral(place, 2)),
  region,
  region,
  serialField,
  bufferField,
  alias,
  ({ random, names, scope }) => now(`Mutex (${names.declare('Mutex', scope)}, ${random.below(16)})`),
  ({ names, scope }) => now(`Event (${names.declare('Event', scope)})`),
  ({ random, names, scope }) =>
    now(`DataTableRegion (${names.declare('Region', scope)}, "OEM${random.below(9)}", "", "")`),
];

/** A scope with declarations of its own: `open` is what stands before its braces, `first` what it begins with. */
function scoped(
  place: Place,
  depth: number,
  open: (name: string) => string,
  first: readonly string[] = [],
  kind: 'Device' | 'Power' = 'Device',
): Later {
  const { random, names, scope } = place;
  const name = names.declare(kind, scope);
  const inner = declarations({ ...place, scope: [...scope, name] }, random.below(5), depth - 1);
  return () => `${open(name)}\n{\n${[...first, ...inner.map((part) => part())].join('\n')}\n}`;
}

function reopened(place: Place, depth: number): Later {
  const { random, names } = place;
  const found = names.any('Device');
  if (!found) return now('');
  const name = names.reference(found, place.scope);
  const inner = declarations({ ...place, scope: found.path }, 1 + random.below(3), depth - 1);
  return () => `Scope (${name})\n{\n${inner.map((part) => part()).join('\n')}\n}`;
}

/** Code that runs when the table is loaded. */
function moduleCode(place: Place): Later {
  const subject = named(place, 'Integer', () => literal(place));
  return now(`If (${subject})\n{\nName (${place.names.fresh('Integer')}, ${literal(place)})\n}`);
}

const DECLARATIONS: readonly Declaration[] = [
  ...LEAVES,
  (place, depth) => scoped(place, depth, (name) => `Device (${name})`, ['Name (_ADR, Zero)']),
  (place, depth) => scoped(place, depth, (name) => `Device (${name})`, ['Name (_HID, EisaId ("PNP0C02"))']),
  (place, depth) => scoped(place, depth, (name) => `ThermalZone (${name})`, ['Method (_TMP) { Return (3000) }']),
  (place, depth) => scoped(place, depth, (name) => `Processor (${name}, 0x01, 0x00000410, 0x06)`),
  (place, depth) =>
    scoped(
      place,
      depth,
      (name) => `PowerResource (${name}, 0x03, 0x0000)`,
      ['Method (_STA) { Return (One) }', 'Method (_ON) {}', 'Method (_OFF) {}'],
      'Power',
    ),
  reopened,
  reopened,
  moduleCode,
];
