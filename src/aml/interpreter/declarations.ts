/** Declarations: what loading a table, or running a method, puts into the namespace. ACPI 6.5 §20.2.5.1, §20.2.5.2. */

import type { AmlTerm, Def, FieldElement, NameTerm } from '../tree.ts';
import { evaluationError } from './evaluation-error.ts';
import { checkBits } from './fields.ts';
import { declareAlias, declareName } from './names.ts';
import type { NamespaceNode } from './namespace-tree.ts';
import type { AmlObject, FieldSource, FieldUnitObject } from './objects.ts';
import type { Flow, Frame, Run, Statements } from './run.ts';
import { textOperand } from './table-operators.ts';

/** ACPICA's number for the space of DataTableRegion, which the grammar gives none. */
const DATA_TABLE_SPACE = 0x7e;

const UPDATE_RULES = ['Preserve', 'WriteAsOnes', 'WriteAsZeros', 'Preserve'] as const;

/** Bytes of an access type; AnyAcc reads bytes, as ACPICA does, and index fields go as their data register. */
function accessBytesOf(type: number): 1 | 2 | 4 | 8 {
  return ({ 2: 2, 3: 4, 4: 8 } as const)[type as 2 | 3 | 4] ?? 1;
}

/** What AccessAs and Connection set for the fields behind them. */
interface FieldState {
  readonly access: number;
  readonly attribute: number;
  readonly attributeLength: number;
  readonly connection: AmlTerm | undefined;
  /** Bit at which the Connection stands: pins count from there. */
  readonly pinsFrom: number;
}

function declareFields(
  run: Run,
  source: (frame: Frame) => FieldSource,
  flags: number,
  elements: readonly FieldElement[],
  frame: Frame,
): void {
  let bit = 0;
  let state: FieldState = {
    access: flags & 0xf,
    attribute: 0,
    attributeLength: 0,
    connection: undefined,
    pinsFrom: 0,
  };
  const updateRule = UPDATE_RULES[(flags >> 5) & 3];
  for (const element of elements) {
    switch (element.kind) {
      case 'NamedField': {
        const [bitOffset, bitLength, now] = [bit, element.bitLength, state];
        const make = (): FieldUnitObject => ({
          type: 'FieldUnit',
          source: source(frame),
          bitOffset,
          bitLength,
          accessBytes: accessBytesOf(now.access),
          updateRule,
          bufferAccess: now.access === 5,
          connection: now.connection && connectionOf(run, now.connection, frame),
          attribute: now.attribute,
          attributeLength: now.attributeLength,
          pin: bitOffset - now.pinsFrom,
        });
        declareName({ kind: 'NameString', path: element.name }, frame, run.deferred(frame, make));
        bit += bitLength;
        break;
      }
      case 'ReservedField':
        bit += element.bitLength;
        break;
      case 'AccessField':
        state = { ...state, access: element.accessType & 0xf, attribute: element.accessAttrib };
        break;
      case 'ExtendedAccessField':
        state = {
          ...state,
          access: element.accessType & 0xf,
          attribute: element.extendedAccessAttrib,
          attributeLength: element.accessLength,
        };
        break;
      case 'ConnectField':
        state = { ...state, connection: element.connection, pinsFrom: bit };
        break;
    }
  }
}

/** The descriptor that a Connection gives, itself or by name. */
function connectionOf(run: Run, term: AmlTerm, frame: Frame): Uint8Array {
  const object = run.data(term, frame);
  if (object.type !== 'Buffer') throw evaluationError('AE_AML_OPERAND_TYPE', `a Connection with ${object.type}`);
  return object.bytes;
}

/** A block whose statements run in the scope of what it declares. */
function container(run: Run, name: NameTerm, object: AmlObject, body: readonly AmlTerm[], frame: Frame): Flow {
  return run.statements(body, run.within(frame, declareName(name, frame, object)));
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
    declareName(name, frame, run.deferred(frame, make));
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
  const place = { bitOffset: Number(bitOffset), bitLength: Number(bitLength), fixedWidth };
  const holder = run.semantics.lateBufferFields ? holderOf(run, source, frame) : undefined;
  if (holder) return { type: 'BufferField', buffer: holder, ...place };
  checkBits(buffer, bitOffset, bitLength);
  return { type: 'BufferField', buffer, ...place };
}

/** The name that holds the buffer, when the source is one. */
function holderOf(run: Run, source: AmlTerm, frame: Frame): NamespaceNode | undefined {
  return source.kind === 'NameString' ? run.find(source, frame) : undefined;
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
    declareAlias(name, target, frame);
    return undefined;
  },
  DefName: (run, { operands: [name, value] }, frame) => {
    declareName(
      name,
      frame,
      run.deferred(frame, () => run.data(value, frame)),
    );
    return undefined;
  },
  DefScope: (run, { operands: [name, body] }, frame) => run.statements(body, run.within(frame, run.find(name, frame))),
  DefMethod: (_run, { operands: [name, flags, body] }, frame) => {
    const serialized = (flags & 8) !== 0;
    declareName(name, frame, { type: 'Method', argumentCount: flags & 7, serialized, syncLevel: flags >> 4, body });
    return undefined;
  },
  DefExternal: () => undefined,
  DefMutex: (_run, { operands: [name, flags] }, frame) => {
    declareName(name, frame, { type: 'Mutex', syncLevel: flags & 0xf, held: 0 });
    return undefined;
  },
  DefEvent: (_run, { operands: [name] }, frame) => {
    declareName(name, frame, { type: 'Event', signals: 0 });
    return undefined;
  },
  DefOpRegion: (run, { operands: [name, space, offset, length] }, frame) => {
    const make = (): AmlObject => ({
      type: 'OpRegion',
      space,
      offset: run.integer(offset, frame),
      byteLength: run.integer(length, frame),
    });
    declareName(name, frame, run.deferred(frame, make));
    return undefined;
  },
  DefDataRegion: (run, { operands: [name, ...identity] }, frame) => {
    const make = (): AmlObject => {
      const [signature, oemId, oemTableId] = identity.map((term) => textOperand(run, term, frame));
      const table = run.tables.find(signature, oemId, oemTableId);
      if (!table)
        throw evaluationError('AE_NOT_FOUND', `no table ${signature} ${oemId} ${oemTableId}`, frame.scope.displayPath);
      return { type: 'OpRegion', space: DATA_TABLE_SPACE, offset: 0n, byteLength: BigInt(table.length), table };
    };
    declareName(name, frame, run.deferred(frame, make));
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
    declareName(name, frame, run.deferred(frame, make));
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
