/** Declarations: what loading a table, or running a method, puts into the namespace. ACPI 6.5 §20.2.5.1, §20.2.5.2. */
import type { AmlTerm, Def, FieldElement, NameTerm } from '../tree.ts';
import { evaluationError } from './evaluation-error.ts';
import type { AmlObject, FieldSource, FieldUnitObject } from './objects.ts';
import type { Flow, Frame, Run, Statements } from './run.ts';

const UPDATE_RULES = ['Preserve', 'WriteAsOnes', 'WriteAsZeros', 'Preserve'] as const;

/** Bytes of an access type; AnyAcc reads bytes, as ACPICA does, and index fields go as their data register. */
function accessBytesOf(type: number): 1 | 2 | 4 | 8 {
  return ({ 2: 2, 3: 4, 4: 8 } as const)[type as 2 | 3 | 4] ?? 1;
}

function declareFields(
  run: Run,
  source: (frame: Frame) => FieldSource,
  flags: number,
  elements: readonly FieldElement[],
  frame: Frame,
): void {
  let bit = 0;
  let access = flags & 0xf;
  const updateRule = UPDATE_RULES[(flags >> 5) & 3];
  for (const element of elements) {
    switch (element.kind) {
      case 'NamedField': {
        const [bitOffset, bitLength, type] = [bit, element.bitLength, access];
        const make = (): FieldUnitObject => ({
          type: 'FieldUnit',
          source: source(frame),
          bitOffset,
          bitLength,
          accessBytes: accessBytesOf(type),
          updateRule,
          bufferAccess: type === 5,
        });
        run.declare({ kind: 'NameString', path: element.name }, frame, run.deferred(frame, make));
        bit += bitLength;
        break;
      }
      case 'ReservedField':
        bit += element.bitLength;
        break;
      case 'AccessField':
      case 'ExtendedAccessField':
        access = element.accessType & 0xf;
        break;
      case 'ConnectField':
        break;
    }
  }
}

/** A block whose statements run in the scope of what it declares. */
function container(run: Run, name: NameTerm, object: AmlObject, body: readonly AmlTerm[], frame: Frame): Flow {
  return run.statements(body, run.within(frame, run.declare(name, frame, object)));
}

type CreateKind =
  | 'DefCreateBitField'
  | 'DefCreateByteField'
  | 'DefCreateWordField'
  | 'DefCreateDWordField'
  | 'DefCreateQWordField';

/** `unit` bits for each step of the index, `bitLength` bits wide. */
const createFixed =
  (unit: bigint, bitLength: number) =>
  (run: Run, { operands: [source, index, name] }: Def<CreateKind>, frame: Frame): undefined => {
    const make = () => bufferField(run, source, run.integer(index, frame) * unit, BigInt(bitLength), true, frame);
    run.declare(name, frame, run.deferred(frame, make));
  };

function bufferField(
  run: Run,
  source: AmlTerm,
  bitOffset: bigint,
  bitLength: bigint,
  fixedWidth: boolean,
  frame: Frame,
): AmlObject {
  const buffer = run.data(source, frame);
  if (buffer.type !== 'Buffer') throw evaluationError('AE_AML_OPERAND_TYPE', `a buffer field in ${buffer.type}`);
  if (bitOffset + bitLength > BigInt(buffer.bytes.length * 8) || bitLength === 0n) {
    throw evaluationError(
      'AE_AML_BUFFER_LIMIT',
      `bits ${bitOffset} to ${bitOffset + bitLength} of a buffer of ${buffer.bytes.length} bytes`,
    );
  }
  return { type: 'BufferField', buffer, bitOffset: Number(bitOffset), bitLength: Number(bitLength), fixedWidth };
}

export type DeclarationKind =
  | CreateKind
  | 'DefAlias'
  | 'DefName'
  | 'DefScope'
  | 'DefMethod'
  | 'DefExternal'
  | 'DefMutex'
  | 'DefEvent'
  | 'DefOpRegion'
  | 'DefDataRegion'
  | 'DefField'
  | 'DefIndexField'
  | 'DefBankField'
  | 'DefCreateField'
  | 'DefDevice'
  | 'DefProcessor'
  | 'DefPowerRes'
  | 'DefThermalZone';

export const DECLARATIONS: Statements<DeclarationKind> = {
  DefAlias: (run, { operands: [source, name] }, frame) => {
    const target = run.find(source, frame);
    run.alias(name, target, frame);
    return undefined;
  },
  DefName: (run, { operands: [name, value] }, frame) => {
    run.declare(
      name,
      frame,
      run.deferred(frame, () => run.data(value, frame)),
    );
    return undefined;
  },
  DefScope: (run, { operands: [name, body] }, frame) => run.statements(body, run.within(frame, run.find(name, frame))),
  DefMethod: (run, { operands: [name, flags, body] }, frame) => {
    const serialized = (flags & 8) !== 0;
    run.declare(name, frame, { type: 'Method', argumentCount: flags & 7, serialized, syncLevel: flags >> 4, body });
    return undefined;
  },
  DefExternal: () => undefined,
  DefMutex: (run, { operands: [name, flags] }, frame) => {
    run.declare(name, frame, { type: 'Mutex', syncLevel: flags & 0xf, held: 0 });
    return undefined;
  },
  DefEvent: (run, { operands: [name] }, frame) => {
    run.declare(name, frame, { type: 'Event', signals: 0 });
    return undefined;
  },
  DefOpRegion: (run, { operands: [name, space, offset, length] }, frame) => {
    const make = (): AmlObject => ({
      type: 'OpRegion',
      space,
      offset: run.integer(offset, frame),
      byteLength: run.integer(length, frame),
    });
    run.declare(name, frame, run.deferred(frame, make));
    return undefined;
  },
  // The table that it names would have to be at hand; its fields read as absent hardware.
  DefDataRegion: (run, { operands: [name] }, frame) => {
    run.declare(name, frame, { type: 'OpRegion', space: 0x7e, offset: 0n, byteLength: 0x10_0000n });
    return undefined;
  },
  DefField: (run, { operands: [region, flags, elements] }, frame) => {
    declareFields(run, (where) => ({ kind: 'Region', region: run.find(region, where) }), flags, elements, frame);
    return undefined;
  },
  DefIndexField: (run, { operands: [index, data, flags, elements] }, frame) => {
    const source = (where: Frame): FieldSource => ({
      kind: 'Index',
      index: run.find(index, where),
      data: run.find(data, where),
    });
    declareFields(run, source, flags, elements, frame);
    return undefined;
  },
  DefBankField: (run, { operands: [region, bank, value, flags, elements] }, frame) => {
    const source = (where: Frame): FieldSource => ({
      kind: 'Bank',
      region: run.find(region, where),
      bank: run.find(bank, where),
      value: run.integer(value, where),
    });
    declareFields(run, source, flags, elements, frame);
    return undefined;
  },
  DefCreateBitField: createFixed(1n, 1),
  DefCreateByteField: createFixed(8n, 8),
  DefCreateWordField: createFixed(8n, 16),
  DefCreateDWordField: createFixed(8n, 32),
  DefCreateQWordField: createFixed(8n, 64),
  DefCreateField: (run, { operands: [source, index, count, name] }, frame) => {
    const make = () => bufferField(run, source, run.integer(index, frame), run.integer(count, frame), false, frame);
    run.declare(name, frame, run.deferred(frame, make));
    return undefined;
  },
  DefDevice: (run, { operands: [name, body] }, frame) => container(run, name, { type: 'Device' }, body, frame),
  DefThermalZone: (run, { operands: [name, body] }, frame) =>
    container(run, name, { type: 'ThermalZone' }, body, frame),
  DefProcessor: (run, def, frame) =>
    container(run, def.operands[0], { type: 'Processor', definition: def }, def.operands[4], frame),
  DefPowerRes: (run, def, frame) =>
    container(run, def.operands[0], { type: 'PowerResource', definition: def }, def.operands[3], frame),
};
