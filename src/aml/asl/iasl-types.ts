import { type ObjectType, type OperandKind, ROW_BY_KIND } from '../opcodes.ts';
import type { AmlTerm, AnyDef, DefTerm, NameTerm, OperandValue } from '../tree.ts';
import type { Place } from './place.ts';

/**
 * iasl 20200925 knows the type of what a name declares and refuses operators that would convert it at run time, or fail there. Reading
 * the same object through a reference says the same and keeps the type from iasl.
 */

/** A name that iasl reads through a reference. */
export interface VeiledName extends NameTerm {
  readonly through: 'DerefOf' | 'RefOf';
}

export const isVeiled = (term: AmlTerm): term is VeiledName => 'through' in term;

type Types = ReadonlySet<string>;
const types = (...names: readonly ObjectType[]): ObjectType[] => [...names];

const OBJECTS = types(
  'DeviceObj',
  'MutexObj',
  'EventObj',
  'OpRegionObj',
  'PowerResObj',
  'ProcessorObj',
  'ThermalZoneObj',
);
const DATA = types('IntObj', 'StrObj', 'BuffObj', 'FieldUnitObj', 'BuffFieldObj');
const EVERYTHING = [...OBJECTS, ...DATA, ...types('PkgObj')];
const allBut = (...kept: ObjectType[]): Types => new Set(EVERYTHING.filter((type) => !kept.includes(type)));

const NO_VALUE: Types = new Set(OBJECTS);
const NO_NUMBER: Types = new Set([...OBJECTS, 'PkgObj']);
const NO_TARGET: Types = new Set([...OBJECTS, 'PkgObj', 'MethodObj']);
const NO_PACKAGE_TARGET: Types = new Set([...OBJECTS, ...DATA, 'MethodObj']);
const NO_STORE_TARGET: Types = new Set([...OBJECTS, 'MethodObj']);
const NOTHING: Types = new Set();

/** Types refused as operand `index` of a row, where the kind of the operand does not say it. */
const REFUSED: Readonly<Record<string, readonly (Types | undefined)[]>> = {
  DefIf: [NOTHING],
  DefWhile: [NOTHING],
  DefLEqual: [NO_NUMBER, NO_NUMBER],
  DefLNotEqual: [NO_NUMBER, NO_NUMBER],
  DefLGreater: [NO_NUMBER, NO_NUMBER],
  DefLGreaterEqual: [NO_NUMBER, NO_NUMBER],
  DefLLess: [NO_NUMBER, NO_NUMBER],
  DefLLessEqual: [NO_NUMBER, NO_NUMBER],
  DefConcatRes: [NO_NUMBER, NO_NUMBER],
  DefToBuffer: [NO_NUMBER],
  DefToDecimalString: [NO_NUMBER],
  DefToHexString: [NO_NUMBER],
  DefToInteger: [NO_NUMBER],
  DefToString: [NO_NUMBER],
  DefMid: [NO_NUMBER],
  DefDerefOf: [NO_NUMBER],
  DefIndex: [NO_VALUE],
  DefStore: [NO_VALUE],
  DefMatch: [allBut('PkgObj'), undefined, NO_NUMBER, undefined, NO_NUMBER],
  DefOpRegion: [undefined, undefined, NO_NUMBER, NO_NUMBER],
  DefCreateField: [NO_NUMBER],
  DefCreateBitField: [NO_NUMBER],
  DefCreateByteField: [NO_NUMBER],
  DefCreateWordField: [NO_NUMBER],
  DefCreateDWordField: [NO_NUMBER],
  DefCreateQWordField: [NO_NUMBER],
  DefIncrement: [NO_TARGET],
  DefDecrement: [NO_TARGET],
  DefSizeOf: [NO_VALUE],
};

/** `def` with the names veiled that iasl would refuse for their type; `def` itself when there are none. */
export function veiled(def: DefTerm, { scope, concessions }: Place): DefTerm {
  if (!concessions) return def;
  const typeOf = (path: string) => concessions.typeOf(scope, path);
  const row = ROW_BY_KIND.get(def.kind)!;
  const { operands } = def as AnyDef;
  let changed: OperandValue[] | undefined;
  operands.forEach((operand, index) => {
    if (!isName(operand)) return;
    const kind = row.operands[index];
    const isValue = kind === 'TermArg' || kind === 'Operand';
    if (!isValue && kind !== 'Target' && kind !== 'SuperName' && kind !== 'CallableName') return;
    const refused = refusedTypes(def, index, kind, typeOf);
    if (refused.size === 0 || !refused.has(typeOf(operand.path) ?? '')) return;
    const name: VeiledName = { ...operand, through: isValue ? 'DerefOf' : 'RefOf' };
    changed ??= [...operands];
    changed[index] = name;
  });
  return changed ? ({ ...def, operands: changed } as unknown as DefTerm) : def;
}

type TypeOf = (path: string) => ObjectType | undefined;

function refusedTypes(def: DefTerm, index: number, kind: OperandKind, typeOf: TypeOf): Types {
  if (def.kind === 'DefStore' && index === 1) return refusedByStore(def.operands[0], typeOf);
  const own = REFUSED[def.kind]?.[index];
  if (own) return own;
  if (kind === 'Operand') return NO_NUMBER;
  return kind === 'Target' ? NO_TARGET : NOTHING;
}

const isName = (operand: OperandValue): operand is NameTerm =>
  typeof operand === 'object' && 'kind' in operand && operand.kind === 'NameString' && operand.path !== '';

/** Packages go into packages and nothing else does, as far as iasl can tell. */
function refusedByStore(value: AmlTerm, typeOf: TypeOf): Types {
  switch (value.kind) {
    case 'DefPackage':
    case 'DefVarPackage':
      return NO_PACKAGE_TARGET;
    case 'Integer':
    case 'String':
      return NO_TARGET;
    case 'NameString': {
      const type = typeOf(value.path);
      if (type === 'PkgObj') return NO_PACKAGE_TARGET;
      return type !== undefined && (DATA as readonly string[]).includes(type) ? NO_TARGET : NO_STORE_TARGET;
    }
    default: {
      const yields = ROW_BY_KIND.get(value.kind)?.yields;
      const isData = yields === 'Integer' || yields === 'Boolean' || yields === 'String' || yields === 'Buffer';
      return isData ? NO_TARGET : NO_STORE_TARGET;
    }
  }
}
