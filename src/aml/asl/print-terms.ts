import { formatPath, splitPath } from '../name-string.ts';
import {
  MATCH_OPERATORS,
  OBJECT_TYPES,
  OPERATOR_BY_KIND,
  type Opcode,
  REGION_SPACES,
  ROW_BY_KIND,
} from '../opcodes.ts';
import type { AmlTerm, AnyDef, Def, DefTerm, OperandValue } from '../tree.ts';
import { describeName } from './predefined-names.ts';
import { bufferText, eisaIdText, integerText } from './print-data.ts';
import { fieldFlagsText, fieldListText, keywordOf } from './print-fields.ts';
import { braced, hexOf, indented, quoted } from './text.ts';

/** Names whose values are, or hold, compressed EISA ids. */
const ID_NAMES = new Set(['_HID', '_CID']);
/** Methods that compare a buffer argument with UUIDs. */
const UUID_NAMES = new Set(['_OSC', '_DSM', '_DSD']);

/** The statements of a TermList, an Else joined to its If. */
export function statementsText(terms: readonly AmlTerm[], within = ''): string[] {
  const lines: string[] = [];
  terms.forEach((term, index) => {
    const before = terms[index - 1];
    const follows = before && (before.kind === 'DefIf' || before.kind === 'DefElse');
    if (term.kind === 'DefElse' && follows) lines.push(`${lines.pop()}\n${elseText(term, within)}`);
    else lines.push(statementText(term, within));
  });
  return lines;
}

/** An Else that holds nothing but an If (and its Else) is an ElseIf: the same bytes. */
function elseText(term: Def<'DefElse'>, within: string): string {
  const [body] = term.operands;
  const [first, second] = body;
  const chain = body.length <= 2 && first?.kind === 'DefIf' && (second === undefined || second.kind === 'DefElse');
  if (chain && term.pkgLengthBytes === undefined) return `Else${statementsText(body, within).join('\n')}`;
  return braced('Else', statementsText(body, within));
}

function statementText(term: AmlTerm, within: string): string {
  if (term.kind === 'NameString') return `${formatPath(term.path)} ()`;
  if (term.kind === 'RawBytes') return rawBytesText(term.bytes);
  if (isDef(term)) return defStatementText(term, within);
  return expressionText(term, within);
}

function rawBytesText(bytes: Uint8Array): string {
  const rows: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += 16) {
    rows.push([...bytes.subarray(offset, offset + 16)].map((byte) => byte.toString(16).padStart(2, '0')).join(' '));
  }
  return `/* ${bytes.length} bytes that are no AML:\n${indented(rows.join('\n'))} */`;
}

const isDef = (term: AmlTerm): term is DefTerm => ROW_BY_KIND.has(term.kind);

/** A term where a value, a name or a target is due. `within` is the NameSeg of the object that it belongs to. */
export function expressionText(term: AmlTerm, within = ''): string {
  switch (term.kind) {
    case 'Integer':
      return (ID_NAMES.has(within) && eisaIdText(term)) || integerText(term);
    case 'String':
      return quoted(term.value);
    case 'NameString':
      return formatPath(term.path);
    case 'MethodInvocation':
      return `${formatPath(term.name.path)} (${term.args.map((arg) => expressionText(arg)).join(', ')})`;
    case 'RawBytes':
      return rawBytesText(term.bytes);
    default:
      return defText(term, within);
  }
}

const isNull = (value: OperandValue): boolean =>
  typeof value === 'object' && 'kind' in value && value.kind === 'NameString' && value.path === '';

/** A row's text inside an expression: operators only where no target would be lost. */
function defText(def: DefTerm, within: string): string {
  const row = ROW_BY_KIND.get(def.kind)!;
  const { asl } = row;
  const operands = (def as AnyDef).operands;
  const targets = row.operands.flatMap((kind, index) => (kind === 'Target' ? [operands[index]] : []));
  const stores = targets.some((target) => !isNull(target));
  if (asl.style === 'infix' && !stores) {
    const uuidName = def.kind === 'DefLEqual' || def.kind === 'DefLNotEqual' ? '_DSM' : '';
    const [left, right] = [operands[0], operands[1]].map((operand) => expressionText(operand as AmlTerm, uuidName));
    return `(${left} ${asl.symbol} ${right})`;
  }
  if (asl.style === 'prefix' && !stores) return `${asl.symbol}${expressionText(operands[0] as AmlTerm)}`;
  if (asl.style === 'word') return OPERATOR_BY_KIND.get(def.kind)!;
  return SPECIAL_EXPRESSIONS[def.kind]?.(def as never, within) ?? callText(row, def, within);
}

/** `Operator (a, b)`, with null targets at the end left out. */
function callText(row: Opcode, def: DefTerm, within = ''): string {
  const args = row.operands.map((kind, index) => {
    const value = (def as AnyDef).operands[index];
    if (kind === 'Target' && isNull(value)) return '';
    return operandText(value, within);
  });
  while (args.at(-1) === '') args.pop();
  return `${OPERATOR_BY_KIND.get(def.kind)} (${args.join(', ')})`;
}

function operandText(value: OperandValue, within = ''): string {
  if (typeof value === 'number') return hexOf(value);
  return expressionText(value as AmlTerm, within);
}

type SpecialExpressions = {
  readonly [Kind in DefTerm['kind']]?: (def: Def<Kind>, within: string) => string | undefined;
};

/** Rows whose expression is neither an operator nor a plain call; nothing falls back to the call. */
const SPECIAL_EXPRESSIONS: SpecialExpressions = {
  DefBuffer: (def, within) => bufferText(def, expressionText(def.operands[0]), { uuidLikely: UUID_NAMES.has(within) }),
  DefPackage: (def, within) => packageText(hexOf(def.operands[0]), def.operands[1], within),
  DefVarPackage: (def, within) => packageText(expressionText(def.operands[0]), def.operands[1], within),
  DefDivide: (def) => {
    const [dividend, divisor, remainder, quotient] = def.operands;
    if (!isNull(remainder) || !isNull(quotient)) return divideText(def);
    return `(${expressionText(dividend)} / ${expressionText(divisor)})`;
  },
  DefIndex: (def) => {
    const [source, index, target] = def.operands;
    if (!isNull(target) || !isSubscriptable(source)) return undefined;
    return `${expressionText(source)} [${expressionText(index)}]`;
  },
  DefMatch: (def) => {
    const [pkg, first, left, second, right, start] = def.operands;
    const keyword = (value: number) => MATCH_OPERATORS[value] ?? hexOf(value);
    const args = [pkg, left, right, start].map((term) => expressionText(term));
    return `Match (${args[0]}, ${keyword(first)}, ${args[1]}, ${keyword(second)}, ${args[2]}, ${args[3]})`;
  },
};

function divideText(def: Def<'DefDivide'>): string {
  return `Divide (${def.operands.map((operand) => (isNull(operand) ? '' : expressionText(operand))).join(', ')})`.replace(
    /, \)$/,
    ')',
  );
}

const isSubscriptable = ({ kind }: AmlTerm): boolean => kind === 'NameString' || /^(Arg|Local)\d$/.test(kind);

function packageText(count: string, elements: readonly AmlTerm[], within: string): string {
  const items = elements.map((element, index) => {
    const comma = index < elements.length - 1 ? ',' : '';
    return expressionText(element, within) + comma;
  });
  return braced(`Package (${count})`, items);
}

/** A statement or declaration; `within` names the object whose body it stands in. */
function defStatementText(def: DefTerm, within: string): string {
  const special = STATEMENTS[def.kind] as ((def: never, within: string) => string) | undefined;
  if (special) return special(def as never, within);
  const row = ROW_BY_KIND.get(def.kind)!;
  const operands = (def as AnyDef).operands;
  if (row.asl.style === 'block') return blockText(row, def, within);
  if (row.asl.style === 'postfix') return `${expressionText(operands[0] as AmlTerm)}${row.asl.symbol}`;
  return assignmentText(row, operands) ?? (row.declares ? declarationText(row, def) : expressionText(def, within));
}

/** `target = a + b`, or `a += b` where the target is the first operand: the operator's own target, not a Store. */
function assignmentText(row: Opcode, operands: readonly OperandValue[]): string | undefined {
  const { asl } = row;
  const target = operands[row.operands.length - 1];
  if ((asl.style !== 'infix' && asl.style !== 'prefix') || row.operands.at(-1) !== 'Target' || isNull(target))
    return undefined;
  const left = expressionText(target as AmlTerm);
  const [first, second] = operands as readonly AmlTerm[];
  if (asl.style === 'prefix') return `${left} = ${asl.symbol}${expressionText(first)}`;
  const firstText = expressionText(first);
  if (firstText === left && isSubscriptable(first)) return `${left} ${asl.symbol}= ${expressionText(second)}`;
  return `${left} = (${firstText} ${asl.symbol} ${expressionText(second)})`;
}

function nameSegOf(path: string): string {
  return splitPath(path).segments.at(-1) ?? '';
}

/** A comment for a declared name that ACPI reserves. */
function comment(path: string): string {
  const meaning = describeName(nameSegOf(path));
  return meaning === undefined ? '' : `  // ${meaning}`;
}

/** The same behind the first line of a piece, which may span lines. */
function commented(text: string, path: string): string {
  const note = comment(path);
  if (note === '') return text;
  const end = text.indexOf('\n');
  if (end < 0) return text.endsWith('{}') ? `${text.slice(0, -3)}${note}\n{\n}` : text + note;
  return `${text.slice(0, end)}${note}${text.slice(end)}`;
}

function declarationText(row: Opcode, def: DefTerm): string {
  const path = (def as AnyDef).operands.filter((_, index) => row.operands[index] === 'NameString');
  const name = (row.declares === 'last' ? path.at(-1) : path[0]) as { path: string };
  return commented(callText(row, def, nameSegOf(name.path)), name.path);
}

function blockText(row: Opcode, def: DefTerm, within: string): string {
  const operands = (def as AnyDef).operands;
  const body = operands.at(-1) as readonly AmlTerm[];
  const args = operands.slice(0, -1).map((operand) => operandText(operand));
  const head = `${OPERATOR_BY_KIND.get(def.kind)} (${args.join(', ')})`;
  return braced(head, statementsText(body, row.opensScope ? '' : within));
}

type Statements = { readonly [Kind in DefTerm['kind']]?: (def: Def<Kind>, within: string) => string };

const STATEMENTS: Statements = {
  DefMethod: (def) => {
    const [name, flags, body] = def.operands;
    const segment = nameSegOf(name.path);
    const sync = flags >> 4 === 0 ? '' : `, ${hexOf(flags >> 4)}`;
    const rule = flags & 8 ? 'Serialized' : 'NotSerialized';
    const head = `Method (${formatPath(name.path)}, ${flags & 7}, ${rule}${sync})`;
    return commented(braced(head, statementsText(body, segment)), name.path);
  },
  DefExternal: (def) => {
    const [name, type, count] = def.operands;
    const keyword = OBJECT_TYPES[type] ?? 'UnknownObj';
    const note = keyword === 'MethodObj' ? `    // ${count & 7} arguments` : '';
    return `External (${formatPath(name.path)}, ${keyword})${note}`;
  },
  DefElse: (def, within) => elseText(def, within),
  DefOpRegion: (def) => {
    const [name, space, offset, length] = def.operands;
    const args = [
      formatPath(name.path),
      keywordOf(REGION_SPACES, space),
      expressionText(offset),
      expressionText(length),
    ];
    return `OperationRegion (${args.join(', ')})`;
  },
  DefField: (def) => {
    const [region, flags, elements] = def.operands;
    return fieldListText(`Field (${formatPath(region.path)}, ${fieldFlagsText(flags)})`, elements);
  },
  DefIndexField: (def) => {
    const [index, data, flags, elements] = def.operands;
    const names = `${formatPath(index.path)}, ${formatPath(data.path)}`;
    return fieldListText(`IndexField (${names}, ${fieldFlagsText(flags)})`, elements);
  },
  DefBankField: (def) => {
    const [region, bank, value, flags, elements] = def.operands;
    const names = `${formatPath(region.path)}, ${formatPath(bank.path)}, ${expressionText(value)}`;
    return fieldListText(`BankField (${names}, ${fieldFlagsText(flags)})`, elements);
  },
  DefStore: (def, within) => {
    const [value, target] = def.operands;
    // `x = a + b` would put x into Add's own target; a Store around an operator must stay a Store.
    const operator =
      isDef(value) && value.kind !== 'DefStore' && ROW_BY_KIND.get(value.kind)!.operands.includes('Target');
    if (operator || value.kind === 'DefStore' || isNull(target)) return storeText(def);
    return `${expressionText(target)} = ${expressionText(value, within)}`;
  },
  DefDivide: (def) => {
    const [dividend, divisor, remainder, quotient] = def.operands;
    if (!isNull(remainder) || isNull(quotient)) return divideText(def);
    const [left, first, second] = [quotient, dividend, divisor].map((operand) => expressionText(operand));
    if (left === first && isSubscriptable(dividend)) return `${left} /= ${second}`;
    return `${left} = (${first} / ${second})`;
  },
};

const storeText = (def: Def<'DefStore'>): string =>
  `Store (${expressionText(def.operands[0])}, ${isNull(def.operands[1]) ? 'Zero' : expressionText(def.operands[1])})`;
