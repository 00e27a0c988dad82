import { MATCH_OPERATORS, OPERATOR_BY_KIND, type Opcode, type OperandKind, ROW_BY_KIND } from '../opcodes.ts';
import type { AmlTerm, AnyDef, Def, DefTerm, IntegerTerm, InvocationTerm, NameTerm, OperandValue } from '../tree.ts';
import { annotated, instead, pathText } from './annotations.ts';
import { isVeiled, veiled } from './iasl-types.ts';
import { isInvocable, type Place, withLastSegment } from './place.ts';
import { bufferText, eisaIdText, integerText } from './print-data.ts';
import { braced, hexOf, quoted } from './text.ts';

/** Names whose values are, or hold, compressed EISA ids. */
const ID_NAMES = new Set(['_HID', '_CID']);
/** Methods that compare a buffer argument with UUIDs. */
const UUID_NAMES = new Set(['_OSC', '_DSM', '_DSD']);

export const isDef = (term: AmlTerm): term is DefTerm => ROW_BY_KIND.has(term.kind);

/** NullName as a target. */
export const isNull = (value: OperandValue): boolean =>
  typeof value === 'object' && 'kind' in value && value.kind === 'NameString' && value.path === '';

/** What may stand before `[index]` and, unchanged, on both sides of `a += b`. */
export const isPlainObject = (term: AmlTerm): boolean =>
  (term.kind === 'NameString' && !isVeiled(term)) || /^(Arg|Local)\d$/.test(term.kind);

/** A term where a value, a name or a target is due. */
export function expressionText(term: AmlTerm, place: Place): string {
  return annotated(term, plainText(term, place));
}

function plainText(term: AmlTerm, place: Place): string {
  switch (term.kind) {
    case 'Integer':
      return literalText(term, place);
    case 'String':
      return quoted(term.value);
    case 'NameString':
      return nameText(term);
    case 'MethodInvocation':
      return invocationText(term, place);
    case 'RawBytes':
      return '';
    default:
      return defText(term, place);
  }
}

const literalText = (term: IntegerTerm, place: Place): string =>
  (ID_NAMES.has(place.within) && eisaIdText(term)) || integerText(term);

/** A name as it stands; NullName is only known as the absence of a target. */
export function nameText(name: NameTerm): string {
  return name.path === '' ? 'Zero' : pathText(name.path);
}

/** iasl takes no parentheses behind a name that is External with another type than MethodObj. */
export function invocationText({ name, args }: InvocationTerm, place: Place): string {
  const path = invokedName(name, place);
  if (args.length === 0 && !isInvocable(place, name.path)) return path;
  return `${path} (${args.map((arg) => expressionText(arg, place)).join(', ')})`;
}

function invokedName(name: NameTerm, place: Place): string {
  const text = annotated(name, pathText(name.path));
  // A method may be known by another name inside of itself.
  const alias = place.concessions?.aliases.get(place.scope);
  if (alias === undefined || place.own.find(place.scope, name.path)?.path !== place.scope) return text;
  return instead(text, pathText(withLastSegment(name.path, alias)));
}

/** A row's text inside an expression: operators only where no target would be lost. */
function defText(term: DefTerm, place: Place): string {
  const def = veiled(term, place);
  const row = ROW_BY_KIND.get(def.kind)!;
  const { asl } = row;
  const operands = (def as AnyDef).operands;
  const stores = row.operands.some((kind, index) => kind === 'Target' && !isNull(operands[index]));
  const isOperator = !stores && !place.isLegacy;
  if (asl.style === 'infix' && isOperator) return infixText(asl.symbol, operands as readonly AmlTerm[], place);
  if (asl.style === 'prefix' && isOperator) return `${asl.symbol}${expressionText(operands[0] as AmlTerm, place)}`;
  if (asl.style === 'word') return OPERATOR_BY_KIND.get(def.kind)!;
  const special = SPECIAL_EXPRESSIONS[def.kind] as SpecialExpression<never> | undefined;
  return special?.(def as never, place) ?? callText(row, def, place);
}

function infixText(symbol: string, operands: readonly AmlTerm[], place: Place): string {
  // A comparison with a 16-byte buffer asks for a UUID.
  const compares = symbol === '==' || symbol === '!=';
  const inner = compares && operands.some(({ kind }) => kind === 'DefBuffer') ? { ...place, within: '_DSM' } : place;
  const [left, right] = [expressionText(operands[0], inner), expressionText(operands[1], inner)];
  return `(${left} ${symbol} ${right})`;
}

/** `Operator (a, b)`, with null targets at the end left out. */
export function callText(row: Opcode, def: DefTerm, place: Place): string {
  const args = row.operands.map((kind, index) => {
    const value = (def as AnyDef).operands[index];
    return kind === 'Target' && isNull(value) ? '' : operandText(kind, value, place);
  });
  while (args.at(-1) === '') args.pop();
  return `${OPERATOR_BY_KIND.get(def.kind)} (${args.join(', ')})`;
}

export function operandText(kind: OperandKind, value: OperandValue, place: Place): string {
  if (kind === 'NameString') return givenName(value as NameTerm);
  return typeof value === 'number' ? hexOf(value) : expressionText(value as AmlTerm, place);
}

/** A name where nothing else may stand. */
export const givenName = (name: NameTerm): string => annotated(name, pathText(name.path));

type SpecialExpression<D> = (def: D, place: Place) => string | undefined;

/** Rows whose expression is neither an operator nor a plain call; nothing falls back to the call. */
const SPECIAL_EXPRESSIONS: { readonly [Kind in DefTerm['kind']]?: SpecialExpression<Def<Kind>> } = {
  DefBuffer: (def, place) =>
    bufferText(def, expressionText(def.operands[0], place), {
      uuidLikely: UUID_NAMES.has(place.within),
      tags: place.tags,
    }),
  DefPackage: (def, place) => packageText(hexOf(def.operands[0]), def.operands[1], place),
  DefVarPackage: (def, place) => packageText(expressionText(def.operands[0], place), def.operands[1], place),
  DefDivide: (def, place) => {
    const [dividend, divisor, remainder, quotient] = def.operands;
    if (place.isLegacy || !isNull(remainder) || !isNull(quotient)) return divideText(def, place);
    return `(${expressionText(dividend, place)} / ${expressionText(divisor, place)})`;
  },
  DefIndex: (def, place) => {
    const [source, index, target] = def.operands;
    if (place.isLegacy || !isNull(target) || !isPlainObject(source)) return undefined;
    return `${expressionText(source, place)} [${expressionText(index, place)}]`;
  },
  DefMatch: (def, place) => {
    const [pkg, first, left, second, right, start] = def.operands;
    const keyword = (value: number) => MATCH_OPERATORS[value] ?? hexOf(value);
    const args = [pkg, left, right, start].map((term) => expressionText(term, place));
    return `Match (${args[0]}, ${keyword(first)}, ${args[1]}, ${keyword(second)}, ${args[2]}, ${args[3]})`;
  },
  DefStore: (def, place) => {
    const [value, target] = def.operands;
    return `Store (${expressionText(value, place)}, ${expressionText(target, place)})`;
  },
};

/** Divide with its remainder; an omitted target leaves its place empty. */
export function divideText(def: Def<'DefDivide'>, place: Place): string {
  const args = def.operands.map((operand) => (isNull(operand) ? '' : expressionText(operand, place)));
  while (args.at(-1) === '') args.pop();
  return `Divide (${args.join(', ')})`;
}

function packageText(count: string, elements: readonly AmlTerm[], place: Place): string {
  const items = elements.map((element, index) => {
    const comma = index < elements.length - 1 ? ',' : '';
    return expressionText(element, place) + comma;
  });
  const route = routeOf(elements);
  return braced(`Package (${count})${route === undefined ? '' : `  // ${route}`}`, items);
}

const PINS = ['INTA', 'INTB', 'INTC', 'INTD'];

/** What a row of `_PRT` is about: every function of a device, and a pin (ACPI 6.5 §6.2.13). */
function routeOf(elements: readonly AmlTerm[]): string | undefined {
  const [address, pin] = elements;
  if (elements.length !== 4 || address.kind !== 'Integer' || pin.kind !== 'Integer') return undefined;
  const device = address.value >> 16n;
  if ((address.value & 0xffffn) !== 0xffffn || device > 31n || pin.value > 3n) return undefined;
  return `device ${hexOf(device)}, ${PINS[Number(pin.value)]}`;
}
