/**
 * The grammar of the ACPI machine language as data: every opcode is a row. The encoder, the decoder, the ASL printer, the ASL
 * compiler and the interpreter walk `operands`; what a row cannot say stands in those modules' exhaustive records, keyed by row.
 * ACPI 6.5 §20.2 and §20.3; opcodes that left the standard are marked with the last version that had them.
 */

/**
 * What stands behind an opcode, in order.
 * - `TermArg`: a value; a name that resolves to a method is its invocation.
 * - `Operand`: a TermArg that is converted to an integer.
 * - `SimpleName`: a name, local or argument; never an invocation. `SuperName`: also DebugObj, Index, RefOf, DerefOf.
 * - `CallableName`: a SuperName whose name may be an invocation (ACPICA reads Notify, SizeOf and the synchronisation operators so).
 * - `Target`: a SuperName or NullName (one zero byte): the result is stored nowhere.
 */
export type OperandKind =
  | 'TermArg'
  | 'Operand'
  | 'SimpleName'
  | 'SuperName'
  | 'CallableName'
  | 'Target'
  | 'NameString'
  | 'DataRefObject'
  | 'ByteData'
  | 'WordData'
  | 'DWordData'
  | 'ByteList'
  | 'TermList'
  | 'FieldList'
  | 'PackageElementList';

/** What evaluating a term gives; `Nothing` for statements and declarations. */
export type Yield =
  | 'Nothing'
  | 'Integer'
  | 'Boolean'
  | 'String'
  | 'Buffer'
  | 'Package'
  | 'Reference'
  | 'Any'
  | 'Handle';

/**
 * How ASL writes the row (ACPI 6.5 §19.6).
 * - `call`: `Operator (operand, …)`.
 * - `infix`: `a symbol b`, with `assign` as `a symbol= b` where the target is the first operand. A higher `precedence` binds tighter.
 * - `prefix` and `postfix`: `!a`, `a++`.
 * - `word`: an operator without operands.
 * - `block`: `Operator (operand, …) { TermList }`.
 * - `special`: written by a function of its own.
 */
export type AslForm =
  | { readonly style: 'call' }
  | { readonly style: 'infix'; readonly symbol: string; readonly precedence: number; readonly assign: boolean }
  | { readonly style: 'prefix' | 'postfix'; readonly symbol: string }
  | { readonly style: 'word' }
  | { readonly style: 'block' }
  | { readonly style: 'special' };

export interface Opcode<
  Kind extends string = string,
  Operands extends readonly OperandKind[] = readonly OperandKind[],
> {
  /** One byte, or two as 0x5bxx (ExtOpPrefix) and 0x92xx (LnotOp before a comparison). */
  readonly code: number;
  /** The grammar's production, which is also `kind` of the term in a tree. */
  readonly name: Kind;
  readonly operands: Operands;
  /** A PkgLength stands between the opcode and the operands. */
  readonly pkgLength: boolean;
  readonly yields: Yield;
  readonly asl: AslForm;
  /** The row declares the name in its first (`first`) or last NameString operand. */
  readonly declares: 'first' | 'last' | undefined;
  /** The place of that operand. */
  readonly declaredOperand: number | undefined;
  /** The TermList is a scope of the namespace: names inside are declared below the declared (or, for Scope, the given) name. */
  readonly opensScope: boolean;
  /** Last ACPI version that has the row, when it left the standard. */
  readonly until: string | undefined;
}

interface OpcodeOptions {
  pkgLength?: boolean;
  yields?: Yield;
  asl?: AslForm;
  declares?: 'first' | 'last';
  opensScope?: boolean;
  until?: string;
}

function op<const Kind extends string, const Operands extends readonly OperandKind[]>(
  code: number,
  name: Kind,
  operands: Operands,
  options: OpcodeOptions = {},
): Opcode<Kind, Operands> {
  const { pkgLength = false, yields = 'Nothing', declares, opensScope = false, until } = options;
  const names: readonly OperandKind[] = operands;
  const declaredOperand =
    declares && (declares === 'first' ? names.indexOf('NameString') : names.lastIndexOf('NameString'));
  const asl = options.asl ?? call;
  return { code, name, operands, pkgLength, yields, asl, declares, declaredOperand, opensScope, until };
}

const call: AslForm = { style: 'call' };
const word: AslForm = { style: 'word' };
const block: AslForm = { style: 'block' };
const special: AslForm = { style: 'special' };
/** Precedences as in C, which ACPI 6.5 §19.6.1.2 follows. */
const infix = (symbol: string, precedence: number): AslForm => ({ style: 'infix', symbol, precedence, assign: true });
const compare = (symbol: string, precedence: number): AslForm => ({
  style: 'infix',
  symbol,
  precedence,
  assign: false,
});
const prefix = (symbol: string): AslForm => ({ style: 'prefix', symbol });
const postfix = (symbol: string): AslForm => ({ style: 'postfix', symbol });

const integer = { yields: 'Integer' } as const;
const boolean = { yields: 'Boolean' } as const;
const scope = { pkgLength: true, asl: block, declares: 'first', opensScope: true } as const;
const fields = { pkgLength: true, asl: special } as const;
const bufferField = { declares: 'last' } as const;
const object = { yields: 'Any', asl: word } as const;

/** Rows by ASL operator name. */
export const OPCODES = {
  // §20.2.5.1 namespace modifiers
  Alias: op(0x06, 'DefAlias', ['NameString', 'NameString'], { declares: 'last' }),
  Name: op(0x08, 'DefName', ['NameString', 'DataRefObject'], { declares: 'first' }),
  Scope: op(0x10, 'DefScope', ['NameString', 'TermList'], { pkgLength: true, asl: block, opensScope: true }),

  // §20.2.5.2 named objects
  Method: op(0x14, 'DefMethod', ['NameString', 'ByteData', 'TermList'], { ...scope, asl: special }),
  External: op(0x15, 'DefExternal', ['NameString', 'ByteData', 'ByteData'], { asl: special }),
  Mutex: op(0x5b01, 'DefMutex', ['NameString', 'ByteData'], { declares: 'first' }),
  Event: op(0x5b02, 'DefEvent', ['NameString'], { declares: 'first' }),
  OperationRegion: op(0x5b80, 'DefOpRegion', ['NameString', 'ByteData', 'TermArg', 'TermArg'], {
    declares: 'first',
    asl: special,
  }),
  Field: op(0x5b81, 'DefField', ['NameString', 'ByteData', 'FieldList'], fields),
  Device: op(0x5b82, 'DefDevice', ['NameString', 'TermList'], scope),
  Processor: op(0x5b83, 'DefProcessor', ['NameString', 'ByteData', 'DWordData', 'ByteData', 'TermList'], {
    ...scope,
    until: '6.3',
  }),
  PowerResource: op(0x5b84, 'DefPowerRes', ['NameString', 'ByteData', 'WordData', 'TermList'], scope),
  ThermalZone: op(0x5b85, 'DefThermalZone', ['NameString', 'TermList'], scope),
  IndexField: op(0x5b86, 'DefIndexField', ['NameString', 'NameString', 'ByteData', 'FieldList'], fields),
  BankField: op(0x5b87, 'DefBankField', ['NameString', 'NameString', 'TermArg', 'ByteData', 'FieldList'], fields),
  DataTableRegion: op(0x5b88, 'DefDataRegion', ['NameString', 'TermArg', 'TermArg', 'TermArg'], { declares: 'first' }),
  CreateField: op(0x5b13, 'DefCreateField', ['TermArg', 'Operand', 'Operand', 'NameString'], bufferField),
  CreateDWordField: op(0x8a, 'DefCreateDWordField', ['TermArg', 'Operand', 'NameString'], bufferField),
  CreateWordField: op(0x8b, 'DefCreateWordField', ['TermArg', 'Operand', 'NameString'], bufferField),
  CreateByteField: op(0x8c, 'DefCreateByteField', ['TermArg', 'Operand', 'NameString'], bufferField),
  CreateBitField: op(0x8d, 'DefCreateBitField', ['TermArg', 'Operand', 'NameString'], bufferField),
  CreateQWordField: op(0x8f, 'DefCreateQWordField', ['TermArg', 'Operand', 'NameString'], bufferField),

  // §20.2.5.3 statements
  Break: op(0xa5, 'DefBreak', [], { asl: word }),
  BreakPoint: op(0xcc, 'DefBreakPoint', [], { asl: word }),
  Continue: op(0x9f, 'DefContinue', [], { asl: word }),
  If: op(0xa0, 'DefIf', ['Operand', 'TermList'], { pkgLength: true, asl: block }),
  Else: op(0xa1, 'DefElse', ['TermList'], { pkgLength: true, asl: special }),
  While: op(0xa2, 'DefWhile', ['Operand', 'TermList'], { pkgLength: true, asl: block }),
  Noop: op(0xa3, 'DefNoop', [], { asl: word }),
  Return: op(0xa4, 'DefReturn', ['TermArg']),
  Fatal: op(0x5b32, 'DefFatal', ['ByteData', 'DWordData', 'Operand']),
  Notify: op(0x86, 'DefNotify', ['CallableName', 'Operand']),
  Release: op(0x5b27, 'DefRelease', ['CallableName']),
  Reset: op(0x5b26, 'DefReset', ['CallableName']),
  Signal: op(0x5b24, 'DefSignal', ['CallableName']),
  Sleep: op(0x5b22, 'DefSleep', ['Operand']),
  Stall: op(0x5b21, 'DefStall', ['Operand']),
  Unload: op(0x5b2a, 'DefUnload', ['SuperName'], { until: '6.3' }),

  // §20.2.5.4 expressions
  Buffer: op(0x11, 'DefBuffer', ['Operand', 'ByteList'], { pkgLength: true, yields: 'Buffer', asl: special }),
  Package: op(0x12, 'DefPackage', ['ByteData', 'PackageElementList'], {
    pkgLength: true,
    yields: 'Package',
    asl: special,
  }),
  VarPackage: op(0x13, 'DefVarPackage', ['Operand', 'PackageElementList'], {
    pkgLength: true,
    yields: 'Package',
    asl: special,
  }),
  Store: op(0x70, 'DefStore', ['TermArg', 'SuperName'], { yields: 'Any', asl: special }),
  CopyObject: op(0x9d, 'DefCopyObject', ['TermArg', 'SimpleName'], { yields: 'Any' }),
  Add: op(0x72, 'DefAdd', ['Operand', 'Operand', 'Target'], { ...integer, asl: infix('+', 12) }),
  Subtract: op(0x74, 'DefSubtract', ['Operand', 'Operand', 'Target'], { ...integer, asl: infix('-', 12) }),
  Multiply: op(0x77, 'DefMultiply', ['Operand', 'Operand', 'Target'], { ...integer, asl: infix('*', 13) }),
  Divide: op(0x78, 'DefDivide', ['Operand', 'Operand', 'Target', 'Target'], { ...integer, asl: special }),
  Mod: op(0x85, 'DefMod', ['Operand', 'Operand', 'Target'], { ...integer, asl: infix('%', 13) }),
  ShiftLeft: op(0x79, 'DefShiftLeft', ['Operand', 'Operand', 'Target'], { ...integer, asl: infix('<<', 11) }),
  ShiftRight: op(0x7a, 'DefShiftRight', ['Operand', 'Operand', 'Target'], { ...integer, asl: infix('>>', 11) }),
  And: op(0x7b, 'DefAnd', ['Operand', 'Operand', 'Target'], { ...integer, asl: infix('&', 8) }),
  NAnd: op(0x7c, 'DefNAnd', ['Operand', 'Operand', 'Target'], integer),
  Or: op(0x7d, 'DefOr', ['Operand', 'Operand', 'Target'], { ...integer, asl: infix('|', 6) }),
  NOr: op(0x7e, 'DefNOr', ['Operand', 'Operand', 'Target'], integer),
  Xor: op(0x7f, 'DefXor', ['Operand', 'Operand', 'Target'], { ...integer, asl: infix('^', 7) }),
  Not: op(0x80, 'DefNot', ['Operand', 'Target'], { ...integer, asl: prefix('~') }),
  Increment: op(0x75, 'DefIncrement', ['SuperName'], { ...integer, asl: postfix('++') }),
  Decrement: op(0x76, 'DefDecrement', ['SuperName'], { ...integer, asl: postfix('--') }),
  FindSetLeftBit: op(0x81, 'DefFindSetLeftBit', ['Operand', 'Target'], integer),
  FindSetRightBit: op(0x82, 'DefFindSetRightBit', ['Operand', 'Target'], integer),
  LAnd: op(0x90, 'DefLAnd', ['Operand', 'Operand'], { ...boolean, asl: compare('&&', 5) }),
  LOr: op(0x91, 'DefLOr', ['Operand', 'Operand'], { ...boolean, asl: compare('||', 4) }),
  LNot: op(0x92, 'DefLNot', ['Operand'], { ...boolean, asl: prefix('!') }),
  LNotEqual: op(0x9293, 'DefLNotEqual', ['TermArg', 'TermArg'], { ...boolean, asl: compare('!=', 9) }),
  LLessEqual: op(0x9294, 'DefLLessEqual', ['TermArg', 'TermArg'], { ...boolean, asl: compare('<=', 10) }),
  LGreaterEqual: op(0x9295, 'DefLGreaterEqual', ['TermArg', 'TermArg'], { ...boolean, asl: compare('>=', 10) }),
  LEqual: op(0x93, 'DefLEqual', ['TermArg', 'TermArg'], { ...boolean, asl: compare('==', 9) }),
  LGreater: op(0x94, 'DefLGreater', ['TermArg', 'TermArg'], { ...boolean, asl: compare('>', 10) }),
  LLess: op(0x95, 'DefLLess', ['TermArg', 'TermArg'], { ...boolean, asl: compare('<', 10) }),
  Acquire: op(0x5b23, 'DefAcquire', ['CallableName', 'WordData'], boolean),
  Wait: op(0x5b25, 'DefWait', ['CallableName', 'Operand'], boolean),
  CondRefOf: op(0x5b12, 'DefCondRefOf', ['SuperName', 'Target'], boolean),
  RefOf: op(0x71, 'DefRefOf', ['SuperName'], { yields: 'Reference' }),
  DerefOf: op(0x83, 'DefDerefOf', ['TermArg'], { yields: 'Any' }),
  Index: op(0x88, 'DefIndex', ['TermArg', 'Operand', 'Target'], { yields: 'Reference', asl: special }),
  Match: op(0x89, 'DefMatch', ['TermArg', 'ByteData', 'TermArg', 'ByteData', 'TermArg', 'Operand'], {
    ...integer,
    asl: special,
  }),
  ObjectType: op(0x8e, 'DefObjectType', ['SuperName'], integer),
  SizeOf: op(0x87, 'DefSizeOf', ['CallableName'], integer),
  Concatenate: op(0x73, 'DefConcat', ['TermArg', 'TermArg', 'Target'], { yields: 'Any' }),
  ConcatenateResTemplate: op(0x84, 'DefConcatRes', ['TermArg', 'TermArg', 'Target'], { yields: 'Buffer' }),
  Mid: op(0x9e, 'DefMid', ['TermArg', 'Operand', 'Operand', 'Target'], { yields: 'Any' }),
  ToBuffer: op(0x96, 'DefToBuffer', ['TermArg', 'Target'], { yields: 'Buffer' }),
  ToDecimalString: op(0x97, 'DefToDecimalString', ['TermArg', 'Target'], { yields: 'String' }),
  ToHexString: op(0x98, 'DefToHexString', ['TermArg', 'Target'], { yields: 'String' }),
  ToInteger: op(0x99, 'DefToInteger', ['TermArg', 'Target'], integer),
  ToString: op(0x9c, 'DefToString', ['TermArg', 'Operand', 'Target'], { yields: 'String' }),
  ToBCD: op(0x5b29, 'DefToBCD', ['Operand', 'Target'], integer),
  FromBCD: op(0x5b28, 'DefFromBCD', ['Operand', 'Target'], integer),
  Load: op(0x5b20, 'DefLoad', ['NameString', 'Target'], { yields: 'Handle' }),
  LoadTable: op(0x5b1f, 'DefLoadTable', ['TermArg', 'TermArg', 'TermArg', 'TermArg', 'TermArg', 'TermArg'], {
    yields: 'Handle',
  }),
  Timer: op(0x5b33, 'DefTimer', [], { ...integer, asl: word }),

  // §20.2.6 objects without operands
  Ones: op(0xff, 'Ones', [], { ...integer, asl: word }),
  Revision: op(0x5b30, 'Revision', [], { ...integer, asl: word }),
  Debug: op(0x5b31, 'DebugObj', [], object),
  Local0: op(0x60, 'Local0', [], object),
  Local1: op(0x61, 'Local1', [], object),
  Local2: op(0x62, 'Local2', [], object),
  Local3: op(0x63, 'Local3', [], object),
  Local4: op(0x64, 'Local4', [], object),
  Local5: op(0x65, 'Local5', [], object),
  Local6: op(0x66, 'Local6', [], object),
  Local7: op(0x67, 'Local7', [], object),
  Arg0: op(0x68, 'Arg0', [], object),
  Arg1: op(0x69, 'Arg1', [], object),
  Arg2: op(0x6a, 'Arg2', [], object),
  Arg3: op(0x6b, 'Arg3', [], object),
  Arg4: op(0x6c, 'Arg4', [], object),
  Arg5: op(0x6d, 'Arg5', [], object),
  Arg6: op(0x6e, 'Arg6', [], object),
} as const;

/** Encodings that are no operators: literals (§20.2.3) and the bytes of a NameString (§20.2.2). */
export const PREFIX = {
  ZeroOp: 0x00,
  OneOp: 0x01,
  BytePrefix: 0x0a,
  WordPrefix: 0x0b,
  DWordPrefix: 0x0c,
  StringPrefix: 0x0d,
  QWordPrefix: 0x0e,
  DualNamePrefix: 0x2e,
  MultiNamePrefix: 0x2f,
  ExtOpPrefix: 0x5b,
  RootChar: 0x5c,
  ParentPrefixChar: 0x5e,
  NullName: 0x00,
} as const;

export type OperatorName = keyof typeof OPCODES;
export type OpcodeRow = (typeof OPCODES)[OperatorName];
/** `kind` of every term that a row describes. */
export type DefKind = OpcodeRow['name'];
export type RowOf<Kind extends DefKind> = Extract<OpcodeRow, { readonly name: Kind }>;

const entries = Object.entries(OPCODES) as [OperatorName, OpcodeRow][];

/** Rows by `kind`. */
export const ROW_BY_KIND: ReadonlyMap<string, Opcode> = new Map(entries.map(([, row]) => [row.name, row]));
/** Rows by code, one byte or two. */
export const ROW_BY_CODE: ReadonlyMap<number, Opcode> = new Map(entries.map(([, row]) => [row.code, row]));
/** ASL operator names by `kind`. */
export const OPERATOR_BY_KIND: ReadonlyMap<string, OperatorName> = new Map(
  entries.map(([name, row]) => [row.name, name]),
);

/** RegionSpace values (§20.2.5.2) by ASL keyword; 0x80 to 0xff are OEM defined. */
export const REGION_SPACES = {
  SystemMemory: 0,
  SystemIO: 1,
  PCI_Config: 2,
  EmbeddedControl: 3,
  SMBus: 4,
  SystemCMOS: 5,
  PciBarTarget: 6,
  IPMI: 7,
  GeneralPurposeIO: 8,
  GenericSerialBus: 9,
  PCC: 10,
  PlatformRtMechanism: 11,
  FFixedHW: 0x7f,
} as const;
export type RegionSpace = keyof typeof REGION_SPACES;

/** FieldFlags bits 0–3, 4 and 5–6 (§20.2.5.2). */
export const FIELD_ACCESS = { AnyAcc: 0, ByteAcc: 1, WordAcc: 2, DWordAcc: 3, QWordAcc: 4, BufferAcc: 5 } as const;
export type FieldAccess = keyof typeof FIELD_ACCESS;
export const LOCK_RULES = { NoLock: 0, Lock: 1 } as const;
export type LockRule = keyof typeof LOCK_RULES;
export const UPDATE_RULES = { Preserve: 0, WriteAsOnes: 1, WriteAsZeros: 2 } as const;
export type UpdateRule = keyof typeof UPDATE_RULES;

/** MatchOpcode of DefMatch (§20.2.5.4), in order of their values. */
export const MATCH_OPERATORS = ['MTR', 'MEQ', 'MLE', 'MLT', 'MGE', 'MGT'] as const;
export type MatchOperator = (typeof MATCH_OPERATORS)[number];

/** ObjectType keywords as External writes them (§19.6.45), in order of their values (table 19.33). */
export const OBJECT_TYPES = [
  'UnknownObj',
  'IntObj',
  'StrObj',
  'BuffObj',
  'PkgObj',
  'FieldUnitObj',
  'DeviceObj',
  'EventObj',
  'MethodObj',
  'MutexObj',
  'OpRegionObj',
  'PowerResObj',
  'ProcessorObj',
  'ThermalZoneObj',
  'BuffFieldObj',
] as const;
export type ObjectType = (typeof OBJECT_TYPES)[number];
