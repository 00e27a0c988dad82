/**
 * Builders of the AML tree under the names that ASL uses, in lower camel case:
 *
 *     device('PCI0', [name('_HID', eisaId('PNP0A08')), method('_STA', 0, [ret(0xf)])])
 *
 * Wherever a term is due, a number or bigint is an Integer and a bare string is a *name* (`'\\_SB.PCI0'`, `'FOO'`); text is `str('…')`.
 */
import { encodeEisaId } from './eisa-id.ts';
import { parseNameString } from './name-string.ts';
import type { DefKind } from './opcodes.ts';
import type { AmlTerm, Def, DefTerm, InvocationTerm, NameTerm, OperandValue } from './tree.ts';
import { encodeUuid } from './uuid.ts';

/** What builders take for a term. */
export type TermLike = AmlTerm | number | bigint | string;
export type TermsLike = readonly TermLike[];

export function toTerm(value: TermLike): AmlTerm {
  if (typeof value === 'string') return parseNameString(value);
  if (typeof value === 'number' || typeof value === 'bigint') return { kind: 'Integer', value: BigInt(value) };
  return value;
}

export function toTerms(values: TermsLike): AmlTerm[] {
  return values.map(toTerm);
}

/** A term of the table from checked operands. */
export function def<Kind extends DefKind>(kind: Kind, ...operands: Def<Kind>['operands'] & readonly OperandValue[]) {
  return { kind, operands } as unknown as DefTerm;
}

// Literals and objects

/** An ACPI string. */
export const str = (value: string): AmlTerm => ({ kind: 'String', value });

/** NullName as a target: the result is not stored. */
export const NULL_TARGET: NameTerm = { kind: 'NameString', path: '' };

/** All bits set in the table's integer width. */
export const ONES = def('Ones');
export const REVISION = def('Revision');
export const DEBUG = def('DebugObj');

const LOCALS = ['Local0', 'Local1', 'Local2', 'Local3', 'Local4', 'Local5', 'Local6', 'Local7'] as const;
const ARGS = ['Arg0', 'Arg1', 'Arg2', 'Arg3', 'Arg4', 'Arg5', 'Arg6'] as const;
/** Local0 to Local7. */
export const local = (index: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7): AmlTerm => def(LOCALS[index]);
/** Arg0 to Arg6. */
export const arg = (index: 0 | 1 | 2 | 3 | 4 | 5 | 6): AmlTerm => def(ARGS[index]);

/** An integer that holds a compressed EISA id, for `_HID` and `_CID`. */
export const eisaId = (text: string): AmlTerm => toTerm(encodeEisaId(text));

/** A buffer; `byteLength` above the bytes given pads with zeros when the object is made. */
export function buffer(bytes: ArrayLike<number>, byteLength: TermLike = bytes.length): AmlTerm {
  return def('DefBuffer', toTerm(byteLength), Uint8Array.from(bytes));
}

/** The 16-byte buffer of a UUID. */
export const uuid = (text: string): AmlTerm => buffer(encodeUuid(text));

/** A package of constants and names; `count` above the elements given leaves uninitialized ones. */
export function packageOf(elements: TermsLike, count = elements.length): AmlTerm {
  if (count > 0xff) return def('DefVarPackage', toTerm(count), toTerms(elements));
  return def('DefPackage', count, toTerms(elements));
}

/** A package whose size is known when it is evaluated. */
export const varPackage = (count: TermLike, elements: TermsLike): AmlTerm =>
  def('DefVarPackage', toTerm(count), toTerms(elements));

/** A method invocation. */
export const call = (path: string, ...args: TermsLike): InvocationTerm => ({
  kind: 'MethodInvocation',
  name: parseNameString(path),
  args: toTerms(args),
});

// Declarations

export const name = (path: string, value: TermLike): AmlTerm => def('DefName', parseNameString(path), toTerm(value));
/** `path` becomes another name of `source`. */
export const alias = (source: string, path: string): AmlTerm =>
  def('DefAlias', parseNameString(source), parseNameString(path));
export const scope = (path: string, body: TermsLike): AmlTerm => def('DefScope', parseNameString(path), toTerms(body));
export const device = (path: string, body: TermsLike): AmlTerm =>
  def('DefDevice', parseNameString(path), toTerms(body));
export const thermalZone = (path: string, body: TermsLike): AmlTerm =>
  def('DefThermalZone', parseNameString(path), toTerms(body));
/** Legacy processor object; ACPI 6.4 and later declare a Device with `_HID` ACPI0007. */
export const processor = (
  path: string,
  id: number,
  pblkAddress: number,
  pblkLength: number,
  body: TermsLike,
): AmlTerm => def('DefProcessor', parseNameString(path), id, pblkAddress, pblkLength, toTerms(body));
export const powerResource = (path: string, systemLevel: number, order: number, body: TermsLike): AmlTerm =>
  def('DefPowerRes', parseNameString(path), systemLevel, order, toTerms(body));
export const mutex = (path: string, syncLevel = 0): AmlTerm => def('DefMutex', parseNameString(path), syncLevel);
export const event = (path: string): AmlTerm => def('DefEvent', parseNameString(path));
/** `objectType` is an index into OBJECT_TYPES. */
export const external = (path: string, objectType: number, argumentCount = 0): AmlTerm =>
  def('DefExternal', parseNameString(path), objectType, argumentCount);

export interface MethodOptions {
  readonly serialized?: boolean;
  /** 0 to 15. */
  readonly syncLevel?: number;
}

/** A control method with `argumentCount` 0 to 7 (MethodFlags, ACPI 6.5 §20.2.5.2). */
export function method(path: string, argumentCount: number, body: TermsLike, options: MethodOptions = {}): AmlTerm {
  const flags = argumentCount | (options.serialized ? 8 : 0) | ((options.syncLevel ?? 0) << 4);
  return def('DefMethod', parseNameString(path), flags, toTerms(body));
}

// Statements

export const ret = (value: TermLike = 0): AmlTerm => def('DefReturn', toTerm(value));
export const ifThen = (predicate: TermLike, body: TermsLike): AmlTerm => def('DefIf', toTerm(predicate), toTerms(body));
/** Follows an `ifThen` in the same list. */
export const elseThen = (body: TermsLike): AmlTerm => def('DefElse', toTerms(body));
export const whileDo = (predicate: TermLike, body: TermsLike): AmlTerm =>
  def('DefWhile', toTerm(predicate), toTerms(body));
export const BREAK = def('DefBreak');
export const CONTINUE = def('DefContinue');
export const NOOP = def('DefNoop');
export const notify = (target: TermLike, value: TermLike): AmlTerm => def('DefNotify', toTerm(target), toTerm(value));
export const sleep = (milliseconds: TermLike): AmlTerm => def('DefSleep', toTerm(milliseconds));
export const stall = (microseconds: TermLike): AmlTerm => def('DefStall', toTerm(microseconds));
/** Gives true on time-out; 0xffff milliseconds wait for ever. */
export const acquire = (mutexName: TermLike, timeout = 0xffff): AmlTerm =>
  def('DefAcquire', toTerm(mutexName), timeout);
export const release = (mutexName: TermLike): AmlTerm => def('DefRelease', toTerm(mutexName));
export const signal = (eventName: TermLike): AmlTerm => def('DefSignal', toTerm(eventName));
export const reset = (eventName: TermLike): AmlTerm => def('DefReset', toTerm(eventName));
export const wait = (eventName: TermLike, timeout: TermLike): AmlTerm =>
  def('DefWait', toTerm(eventName), toTerm(timeout));
export const fatal = (type: number, code: number, argument: TermLike): AmlTerm =>
  def('DefFatal', type, code, toTerm(argument));

// Expressions

type BinaryKind =
  | 'Add'
  | 'Subtract'
  | 'Multiply'
  | 'Mod'
  | 'ShiftLeft'
  | 'ShiftRight'
  | 'And'
  | 'NAnd'
  | 'Or'
  | 'NOr'
  | 'Xor';
const binary =
  (operator: BinaryKind) =>
  (left: TermLike, right: TermLike, target: TermLike = NULL_TARGET): AmlTerm =>
    def(`Def${operator}`, toTerm(left), toTerm(right), toTerm(target));

export const add = binary('Add');
export const subtract = binary('Subtract');
export const multiply = binary('Multiply');
export const mod = binary('Mod');
export const shiftLeft = binary('ShiftLeft');
export const shiftRight = binary('ShiftRight');
export const and = binary('And');
export const nand = binary('NAnd');
export const or = binary('Or');
export const nor = binary('NOr');
export const xor = binary('Xor');
export const divide = (
  dividend: TermLike,
  divisor: TermLike,
  remainder: TermLike = NULL_TARGET,
  quotient: TermLike = NULL_TARGET,
): AmlTerm => def('DefDivide', toTerm(dividend), toTerm(divisor), toTerm(remainder), toTerm(quotient));

type ComparisonKind = 'LAnd' | 'LOr' | 'LEqual' | 'LNotEqual' | 'LLess' | 'LLessEqual' | 'LGreater' | 'LGreaterEqual';
const comparison =
  (operator: ComparisonKind) =>
  (left: TermLike, right: TermLike): AmlTerm =>
    def(`Def${operator}`, toTerm(left), toTerm(right));

export const lAnd = comparison('LAnd');
export const lOr = comparison('LOr');
export const lEqual = comparison('LEqual');
export const lNotEqual = comparison('LNotEqual');
export const lLess = comparison('LLess');
export const lLessEqual = comparison('LLessEqual');
export const lGreater = comparison('LGreater');
export const lGreaterEqual = comparison('LGreaterEqual');
export const lNot = (value: TermLike): AmlTerm => def('DefLNot', toTerm(value));

type UnaryKind =
  | 'Not'
  | 'FindSetLeftBit'
  | 'FindSetRightBit'
  | 'ToBuffer'
  | 'ToDecimalString'
  | 'ToHexString'
  | 'ToInteger'
  | 'ToBCD'
  | 'FromBCD';
const unary =
  (operator: UnaryKind) =>
  (value: TermLike, target: TermLike = NULL_TARGET): AmlTerm =>
    def(`Def${operator}`, toTerm(value), toTerm(target));

export const not = unary('Not');
export const findSetLeftBit = unary('FindSetLeftBit');
export const findSetRightBit = unary('FindSetRightBit');
export const toBuffer = unary('ToBuffer');
export const toDecimalString = unary('ToDecimalString');
export const toHexString = unary('ToHexString');
export const toInteger = unary('ToInteger');
export const toBcd = unary('ToBCD');
export const fromBcd = unary('FromBCD');

export const store = (value: TermLike, target: TermLike): AmlTerm => def('DefStore', toTerm(value), toTerm(target));
export const copyObject = (value: TermLike, target: TermLike): AmlTerm =>
  def('DefCopyObject', toTerm(value), toTerm(target));
export const increment = (target: TermLike): AmlTerm => def('DefIncrement', toTerm(target));
export const decrement = (target: TermLike): AmlTerm => def('DefDecrement', toTerm(target));
export const refOf = (target: TermLike): AmlTerm => def('DefRefOf', toTerm(target));
export const condRefOf = (source: TermLike, target: TermLike = NULL_TARGET): AmlTerm =>
  def('DefCondRefOf', toTerm(source), toTerm(target));
export const derefOf = (value: TermLike): AmlTerm => def('DefDerefOf', toTerm(value));
export const sizeOf = (value: TermLike): AmlTerm => def('DefSizeOf', toTerm(value));
export const objectType = (value: TermLike): AmlTerm => def('DefObjectType', toTerm(value));
export const index = (source: TermLike, position: TermLike, target: TermLike = NULL_TARGET): AmlTerm =>
  def('DefIndex', toTerm(source), toTerm(position), toTerm(target));
export const concatenate = (left: TermLike, right: TermLike, target: TermLike = NULL_TARGET): AmlTerm =>
  def('DefConcat', toTerm(left), toTerm(right), toTerm(target));
export const concatenateResources = (left: TermLike, right: TermLike, target: TermLike = NULL_TARGET): AmlTerm =>
  def('DefConcatRes', toTerm(left), toTerm(right), toTerm(target));
export const mid = (source: TermLike, start: TermLike, length: TermLike, target: TermLike = NULL_TARGET): AmlTerm =>
  def('DefMid', toTerm(source), toTerm(start), toTerm(length), toTerm(target));
