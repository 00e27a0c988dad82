import { hasSegments } from '../name-string.ts';
import { absolutePath, parentPath, ROOT } from '../namespace.ts';
import {
  OBJECT_TYPES,
  type ObjectType,
  OPERATOR_BY_KIND,
  type Opcode,
  REGION_SPACES,
  ROW_BY_KIND,
} from '../opcodes.ts';
import type { AmlTerm, AnyDef, Def, DefTerm, NameTerm, OperandValue } from '../tree.ts';
import {
  annotated,
  annotation,
  droppedStatement,
  instead,
  isDroppedStatement,
  pathText,
  statedPath,
} from './annotations.ts';
import { idlePreamble, returnsRefused } from './iasl-methods.ts';
import { refusesName } from './iasl-reserved.ts';
import { veiled } from './iasl-types.ts';
import { isInvocable, lastSegment, type Place, withLastSegment } from './place.ts';
import { describeName } from './predefined-names.ts';
import {
  callText,
  divideText,
  expressionText,
  givenName,
  isDef,
  isNull,
  isPlainObject,
  operandText,
} from './print-expressions.ts';
import { fieldFlagsText, fieldListText, keywordOf } from './print-fields.ts';
import { braced, hexOf, withComment } from './text.ts';

/** The statements of a TermList, an Else joined to its If. */
export function statementsText(terms: readonly AmlTerm[], place: Place): string[] {
  const lines: string[] = [];
  terms.forEach((term, index) => {
    const before = terms[index - 1];
    const follows = before && (before.kind === 'DefIf' || before.kind === 'DefElse');
    if (term.kind === 'DefElse' && follows) {
      // One more Else behind an ElseIf would belong to that one.
      const text = terms[index + 1]?.kind === 'DefElse' ? plainElseText(term, place) : elseText(term, place);
      lines.push(`${lines.pop()}\n${annotated(term, text)}`);
    } else lines.push(statementText(term, place));
  });
  return lines;
}

/** An Else that holds nothing but an If (and its Else) is an ElseIf: the same bytes. */
function elseText(term: Def<'DefElse'>, place: Place): string {
  const [body] = term.operands;
  const [first, second] = body;
  const isChain = body.length <= 2 && first?.kind === 'DefIf' && (second === undefined || second.kind === 'DefElse');
  if (isChain && first.pkgLengthBytes === undefined) return `Else${statementsText(body, place).join('\n')}`;
  return plainElseText(term, place);
}

const plainElseText = (term: Def<'DefElse'>, place: Place): string =>
  braced('Else', statementsText(term.operands[0], place));

function statementText(term: AmlTerm, place: Place): string {
  if (isDroppedStatement(term)) return droppedStatement(expressionText(term, place));
  if (term.kind === 'NameString') {
    const path = pathText(term.path);
    return isInvocable(place, term.path) ? annotated(term, `${path} ()`) : droppedStatement(annotated(term, path));
  }
  return isDef(term) ? annotated(term, defStatementText(term, place)) : expressionText(term, place);
}

function defStatementText(term: DefTerm, place: Place): string {
  const def = veiled(term, place);
  const special = STATEMENTS[def.kind] as ((def: never, place: Place) => string) | undefined;
  if (special) return special(def as never, place);
  const row = ROW_BY_KIND.get(def.kind)!;
  const operands = (def as AnyDef).operands;
  if (row.asl.style === 'block') return blockText(row, def, place);
  if (row.asl.style === 'postfix' && def === term && isAssignable(operands[0] as AmlTerm))
    return `${expressionText(operands[0] as AmlTerm, place)}${row.asl.symbol}`;
  if (row.declares) return declarationText(row, def, place);
  const assignment = place.isLegacy ? undefined : assignmentText(row, operands, place);
  return assignment ?? callStatementText(row, def, place);
}

/** An operator whose result nobody keeps: other compilers refuse it, and without an invocation inside its absence changes nothing. */
function callStatementText(row: Opcode, def: DefTerm, place: Place): string {
  const plain: DefTerm = { ...def, pkgLengthBytes: undefined } as DefTerm;
  const text = expressionText(plain, place);
  if (row.yields !== 'Nothing' && !KEEPS_EFFECTS.has(def.kind) && isPure(def)) return droppedStatement(text);
  // A parenthesis at the start would make the line before an invocation.
  return text.startsWith('(') ? callText(row, plain, place) : text;
}

/** Operators that are statements for their effect. */
const KEEPS_EFFECTS: ReadonlySet<string> = new Set([
  'DefAcquire',
  'DefCopyObject',
  'DefCondRefOf',
  'DefDecrement',
  'DefIncrement',
  'DefLoad',
  'DefLoadTable',
  'DefStore',
  'DefWait',
]);

/** Nothing is stored or invoked anywhere inside. */
function isPure(term: AmlTerm): boolean {
  if (term.kind === 'MethodInvocation' || KEEPS_EFFECTS.has(term.kind)) return false;
  if (!isDef(term)) return true;
  const row = ROW_BY_KIND.get(term.kind)!;
  return row.operands.every((kind, index) => {
    const operand = (term as AnyDef).operands[index];
    if (kind === 'Target') return isNull(operand);
    return typeof operand !== 'object' || !('kind' in operand) || isPure(operand as AmlTerm);
  });
}

/** What may stand before `=`: the operators that damaged tables have there would bind otherwise. */
const isAssignable = (target: AmlTerm): boolean =>
  target.kind === 'NameString' ? hasSegments(target.path) : ASSIGNABLE.test(target.kind);
const ASSIGNABLE = /^(?:Local\d|Arg\d|DebugObj|DefIndex|DefRefOf|DefDerefOf)$/;

/** `target = a + b`, or `a += b` where the target is the first operand: the operator's own target, not a Store. */
function assignmentText(row: Opcode, operands: readonly OperandValue[], place: Place): string | undefined {
  const { asl } = row;
  if ((asl.style !== 'infix' && asl.style !== 'prefix') || row.operands.at(-1) !== 'Target') return undefined;
  const target = operands[row.operands.length - 1] as AmlTerm;
  if (!isAssignable(target)) return undefined;
  const left = expressionText(target, place);
  const [first, second] = operands as readonly AmlTerm[];
  if (asl.style === 'prefix') return `${left} = ${asl.symbol}${expressionText(first, place)}`;
  const firstText = expressionText(first, place);
  if (firstText === left && isPlainObject(first)) return `${left} ${asl.symbol}= ${expressionText(second, place)}`;
  return `${left} = (${firstText} ${asl.symbol} ${expressionText(second, place)})`;
}

/** `text` with a comment behind its first line when ACPI reserves the name. */
function commented(text: string, path: string): string {
  const meaning = describeName(lastSegment(path));
  return meaning === undefined ? text : withComment(text, meaning);
}

/** `items` in braces below `head`, which declares `path`, with a comment behind it when ACPI reserves the name. */
function bracedScope(head: string, path: string, items: readonly string[]): string {
  const meaning = describeName(lastSegment(path));
  if (meaning === undefined) return braced(head, items);
  return items.length === 0 ? `${head}  // ${meaning}\n{\n}` : braced(`${head}  // ${meaning}`, items);
}

function declarationText(row: Opcode, def: DefTerm, place: Place): string {
  const { path } = (def as AnyDef).operands[row.declaredOperand!] as NameTerm;
  return commented(callText(row, def, { ...place, within: lastSegment(path) }), path);
}

function blockText(row: Opcode, def: DefTerm, place: Place): string {
  const operands = (def as AnyDef).operands;
  const body = operands.at(-1) as readonly AmlTerm[];
  const args = operands.slice(0, -1).map((operand, index) => operandText(row.operands[index], operand, place));
  const head = `${OPERATOR_BY_KIND.get(def.kind)} (${args.join(', ')})`;
  if (!row.opensScope) return braced(head, statementsText(body, place));
  const name = operands[0] as NameTerm;
  return bracedScope(head, name.path, statementsText(body, enter(place, name, row)));
}

/** The place inside a Device, Scope or Method. */
function enter(place: Place, name: NameTerm, row: Opcode): Place {
  const found = row.declares ? undefined : place.own.find(place.scope, name.path);
  const scope = found?.path ?? absolutePath(place.scope, name.path);
  return { ...place, scope, within: lastSegment(name.path), opener: row.name };
}

/** `Method (name, …)` with what it concedes to iasl. */
function methodText(def: Def<'DefMethod'>, place: Place): string {
  const [name, flags, body] = def.operands;
  const { concessions } = place;
  const inner = enter(place, name, ROW_BY_KIND.get('DefMethod')!);
  const isRefused = concessions !== undefined && returnsRefused(inner.within, body);
  const { text, alias } = declaredName(name, place, isRefused, concessions?.aliases.get(inner.scope));
  const sync = flags >> 4 === 0 ? '' : `, ${hexOf(flags >> 4)}`;
  const head = `Method (${text}, ${flags & 7}, ${flags & 8 ? 'Serialized' : 'NotSerialized'}${sync})`;
  const preamble = concessions ? idlePreamble(def, concessions.returnless.has(inner.scope)) : [];
  return [bracedScope(head, name.path, [...preamble, ...statementsText(body, inner)]), ...alias].join('\n');
}

/** A name as it is declared: by another one where iasl refuses it, with an Alias of its own behind the declaration. */
function declaredName(
  name: NameTerm,
  place: Place,
  isRefused: boolean,
  extra?: string,
): { text: string; alias: string[] } {
  const text = givenName(name);
  if (!isRefused || !place.concessions) {
    const other = extra === undefined ? [] : [aliasText(name.path, withLastSegment(name.path, extra))];
    return { text, alias: other };
  }
  const accepted = withLastSegment(name.path, place.concessions.unusedSegment(lastSegment(name.path)));
  const alias = [aliasText(accepted, name.path)];
  if (extra !== undefined) alias.push(aliasText(accepted, withLastSegment(name.path, extra)));
  return { text: instead(text, pathText(accepted)), alias };
}

const aliasText = (source: string, alias: string): string =>
  instead('', `Alias (${pathText(source)}, ${pathText(alias)})`);

/** A type for what is declared External without one, when it is a scope. */
function scopeType(path: string, place: Place): ObjectType {
  const type = place.concessions?.typeOf(ROOT, path) ?? 'UnknownObj';
  return SCOPE_TYPES.has(type) ? type : 'UnknownObj';
}

const SCOPE_TYPES: ReadonlySet<ObjectType> = new Set(['DeviceObj', 'ProcessorObj', 'ThermalZoneObj', 'PowerResObj']);

/** iasl refuses a length of zero that is written as a number. */
function regionLengthText(length: AmlTerm, place: Place): string {
  const text = expressionText(length, place);
  const isZero = length.kind === 'Integer' && length.value === 0n && length.byteLength !== undefined;
  return isZero && place.concessions ? instead(text, '(Timer & Zero)') : text;
}

type Statements = { readonly [Kind in DefTerm['kind']]?: (def: Def<Kind>, place: Place) => string };

const STATEMENTS: Statements = {
  DefMethod: methodText,
  DefName: (def, place) => {
    const [name, value] = def.operands;
    const within = lastSegment(name.path);
    const isRefused = place.concessions !== undefined && refusesName(within, value, place.opener);
    const { text, alias } = declaredName(name, place, isRefused);
    const declaration = `Name (${text}, ${expressionText(value, { ...place, within })})`;
    return [commented(declaration, name.path), ...alias].join('\n');
  },
  DefExternal: (def, place) => {
    const [name, type, count] = def.operands;
    const keyword = OBJECT_TYPES[type] ?? 'UnknownObj';
    const note = keyword === 'MethodObj' ? `    // ${count & 7} arguments` : '';
    const absolute = absolutePath(place.scope, name.path);
    // iasl looks for carets' scopes, which only other tables declare.
    const path = /^\^[\^A-Z_0-9.]+$/.test(name.path) ? absolute : name.path;
    const shown = keyword === 'UnknownObj' ? scopeType(absolute, place) : keyword;
    const original = [
      `${count}`,
      ...(path === name.path ? [] : [statedPath(name.path)]),
      ...(OBJECT_TYPES[type] === shown ? [] : [`${type}`]),
    ];
    const text = `External (${annotated(name, pathText(path))}, ${shown})`;
    const emitted = `${annotation('emit', original.join(' '))} ${text}`;
    // iasl refuses what a method holds, unless it can be found further out.
    const isTemporary = place.own.at(parentPath(absolute))?.kind === 'Method';
    if (!isTemporary || !place.concessions) return `${emitted}${note}`;
    const segment = lastSegment(absolute);
    const further = `External (${pathText(segment)}, ${keyword})`;
    return instead(emitted, place.concessions.isFirstAtRoot(segment) ? further : '');
  },
  // Without an If in front there is no ElseIf.
  DefElse: plainElseText,
  DefOpRegion: (def, place) => {
    const [name, space, offset, length] = def.operands;
    const range = `${expressionText(offset, place)}, ${regionLengthText(length, place)}`;
    return `OperationRegion (${givenName(name)}, ${keywordOf(REGION_SPACES, space)}, ${range})`;
  },
  DefField: (def, place) => {
    const [region, flags, elements] = def.operands;
    return fieldListText(`Field (${givenName(region)}, ${fieldFlagsText(flags)})`, elements, (term) =>
      expressionText(term, place),
    );
  },
  DefIndexField: (def, place) => {
    const [index, data, flags, elements] = def.operands;
    const names = `${givenName(index)}, ${givenName(data)}`;
    return fieldListText(`IndexField (${names}, ${fieldFlagsText(flags)})`, elements, (term) =>
      expressionText(term, place),
    );
  },
  DefBankField: (def, place) => {
    const [region, bank, value, flags, elements] = def.operands;
    const names = `${givenName(region)}, ${givenName(bank)}, ${expressionText(value, place)}`;
    return fieldListText(`BankField (${names}, ${fieldFlagsText(flags)})`, elements, (term) =>
      expressionText(term, place),
    );
  },
  DefStore: (def, place) => {
    const [value, target] = def.operands;
    // `x = a + b` would put x into Add's own target; a Store around an operator must stay a Store.
    const hasTarget = isDef(value) && ROW_BY_KIND.get(value.kind)!.operands.includes('Target');
    if (place.isLegacy || hasTarget || value.kind === 'DefStore' || !isAssignable(target)) {
      return `Store (${expressionText(value, place)}, ${expressionText(target, place)})`;
    }
    return `${expressionText(target, place)} = ${expressionText(value, place)}`;
  },
  DefDivide: (def, place) => {
    const [dividend, divisor, remainder, quotient] = def.operands;
    if (place.isLegacy || !isNull(remainder) || isNull(quotient)) return divideText(def, place);
    const [left, first, second] = [quotient, dividend, divisor].map((operand) => expressionText(operand, place));
    if (left === first && isPlainObject(dividend)) return `${left} /= ${second}`;
    return `${left} = (${first} / ${second})`;
  },
};
