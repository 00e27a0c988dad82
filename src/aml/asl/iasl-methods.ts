import type { DeclaredNames } from '../namespace.ts';
import { ROW_BY_KIND } from '../opcodes.ts';
import type { AmlTerm, AnyDef, Def, OperandValue } from '../tree.ts';
import { instead } from './annotations.ts';
import { refusesValue } from './iasl-reserved.ts';
import type { TableNames } from './uses.ts';

/**
 * What iasl 20200925 refuses about methods: a value that is taken from one without Return, a local that is read before anything is
 * stored in it, and one that creates names and invokes itself. A statement that never runs, or an alias, changes its mind.
 */

/** Methods without Return whose value is used somewhere in the table, by path. */
export function returnlessMethods({ uses, methods }: TableNames, own: DeclaredNames): ReadonlySet<string> {
  const asked = new Set<string>();
  for (const { scope, path, args, isStatement } of uses) {
    if (args === undefined || isStatement) continue;
    const method = own.find(scope, path)?.path;
    if (method !== undefined) asked.add(method);
  }
  const returns = ({ kind }: AmlTerm) => kind === 'DefReturn';
  return new Set([...asked].filter((path) => methods.has(path) && !some(methods.get(path)!.operands[2], returns)));
}

/** Methods that declare names and invoke themselves, by path. */
export function recursiveMethods({ uses, methods }: TableNames, own: DeclaredNames): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { scope, path, args } of uses) {
    if (args === undefined || !methods.has(scope)) continue;
    if (own.find(scope, path)?.path !== scope) continue;
    if (some(methods.get(scope)!.operands[2], isDeclaration)) found.add(scope);
  }
  return found;
}

const isDeclaration = ({ kind }: AmlTerm): boolean => {
  const row = ROW_BY_KIND.get(kind);
  return row !== undefined && (row.declares !== undefined || row.operands.includes('FieldList'));
};

/** True when `test` holds for a term of `terms` at any depth; other methods inside do not count. */
function some(terms: readonly AmlTerm[], test: (term: AmlTerm) => boolean): boolean {
  return terms.some((term) => {
    if (test(term)) return true;
    if (term.kind === 'DefMethod') return false;
    return some(termsIn(term), test);
  });
}

/** The terms that are operands of `term`, or stand in its lists, in the order of the bytes. */
function termsIn(term: AmlTerm): readonly AmlTerm[] {
  if (term.kind === 'MethodInvocation') return term.args;
  if (!ROW_BY_KIND.has(term.kind)) return NONE;
  const inside: AmlTerm[] = [];
  for (const operand of (term as AnyDef).operands) for (const inner of termsOfOperand(operand)) inside.push(inner);
  return inside;
}

const NONE: readonly AmlTerm[] = [];

function termsOfOperand(operand: OperandValue): readonly AmlTerm[] {
  if (typeof operand === 'number' || operand instanceof Uint8Array) return NONE;
  if ('kind' in operand) return [operand];
  const isFieldList = operand.length > 0 && FIELD_ELEMENTS.has(operand[0].kind);
  return isFieldList ? NONE : (operand as readonly AmlTerm[]);
}

const FIELD_ELEMENTS: ReadonlySet<string> = new Set([
  'NamedField',
  'ReservedField',
  'AccessField',
  'ExtendedAccessField',
  'ConnectField',
]);

const VARIABLE = /^(?:Local[0-7]|Arg[0-6])$/;

/** Locals and arguments that iasl finds read before something is stored in them, in the order of the text. */
function unassigned(body: readonly AmlTerm[], argumentCount: number): readonly string[] {
  const assigned = new Set<string>();
  for (let index = 0; index < argumentCount; index++) assigned.add(`Arg${index}`);
  const missing = new Set<string>();
  const visit = (term: AmlTerm, isTarget: boolean): void => {
    if (VARIABLE.test(term.kind)) {
      if (isTarget) assigned.add(term.kind);
      else if (!assigned.has(term.kind)) missing.add(term.kind);
      return;
    }
    if (term.kind === 'DefMethod' || term.kind === 'DefObjectType') return;
    const row = ROW_BY_KIND.get(term.kind);
    if (!row) {
      for (const inner of termsIn(term)) visit(inner, false);
      return;
    }
    (term as AnyDef).operands.forEach((operand, index) => {
      const kind = row.operands[index];
      const stores = kind === 'Target' || kind === 'SimpleName' || (row.name === 'DefStore' && index === 1);
      for (const inner of termsOfOperand(operand)) visit(inner, stores);
    });
  };
  for (const term of body) visit(term, false);
  return [...missing];
}

/** True when iasl refuses a value that the method `segment` returns. */
export function returnsRefused(segment: string, body: readonly AmlTerm[]): boolean {
  if (!segment.startsWith('_')) return false;
  return some(body, (term) => term.kind === 'DefReturn' && refusesValue(segment, term.operands[0]));
}

/** What the body of a method begins with for iasl alone; it never runs. */
export function idlePreamble(method: Def<'DefMethod'>, isReturnless: boolean): string[] {
  const [, flags, body] = method.operands;
  const statements = unassigned(body, flags & 7).map((name) => `${name} = Zero`);
  if (isReturnless) statements.push('Return (Zero)');
  return statements.length === 0 ? [] : [instead('', `If (Zero) { ${statements.join(' ')} }`)];
}
