/** Locals, arguments, returns and what a method declares. */

import { returnPaths } from '../../lint/returns.ts';
import { formatPath } from '../../name-string.ts';
import { absolutePath } from '../../namespace.ts';
import { ROW_BY_KIND } from '../../opcodes.ts';
import type { AmlTerm, AnyDef, NameTerm } from '../../tree.ts';
import { isStatement, type SourceMethod, type SourceModel, type Visit } from './source-model.ts';

export function checkMethods(model: SourceModel): void {
  const outcomes = new Map<string, Outcome>();
  for (const method of model.methods) {
    checkRegisters(model, method);
    outcomes.set(method.path, checkReturns(model, method));
    checkDeclarations(model, method);
    checkRecursion(model, method);
  }
  checkTemporaries(model);
  checkCalls(model, outcomes);
}

/** LocalX and ArgX, in the order of the text. */
function checkRegisters(model: SourceModel, { visits, argumentCount, name, path }: SourceMethod): void {
  const written = new Map<string, AmlTerm>();
  const read = new Set<string>();
  for (const { term, isTarget, parent } of visits) {
    const [, what, number] = /^(Local|Arg)(\d)$/.exec(term.kind) ?? [];
    if (what === undefined) continue;
    const isArgument = what === 'Arg' && Number(number) < argumentCount;
    if (what === 'Arg' && !isArgument) {
      model.report('ASL_ARGUMENT_AS_LOCAL', term, `${term.kind} is no argument of this method: it is used as a local`);
    }
    if (isTarget) {
      if (!written.has(term.kind)) written.set(term.kind, term);
      continue;
    }
    // What a reference goes to may store in it.
    if (parent && /^Def(Cond)?RefOf$/.test(parent.kind) && !written.has(term.kind)) written.set(term.kind, term);
    if (!isArgument && !written.has(term.kind) && parent?.kind !== 'DefObjectType') {
      model.report('ASL_LOCAL_UNSET', term, `${term.kind} is read before anything is stored in it`);
    }
    read.add(term.kind);
  }
  for (const [kind, term] of written) {
    if (!read.has(kind) && !(kind.startsWith('Arg') && Number(kind[3]) < argumentCount)) {
      model.report('ASL_LOCAL_UNUSED', term, `${kind} is set and never read`);
    }
  }
  // What ACPI calls gets arguments that not every method needs.
  if (path.slice(-4).startsWith('_')) return;
  for (let index = 0; index < argumentCount; index++) {
    if (!read.has(`Arg${index}`) && !written.has(`Arg${index}`))
      model.report('ASL_ARGUMENT_UNUSED', name, `Arg${index} is never read`);
  }
}

type Outcome = 'always' | 'sometimes' | 'never';

function checkReturns(model: SourceModel, { body, visits, name }: SourceMethod): Outcome {
  const returns = visits.filter(({ term }) => term.kind === 'DefReturn');
  const bare = returns.filter(({ term }) => model.notes.bareReturns.has(term));
  const { fallsThrough } = returnPaths(body);
  if (returns.length === bare.length) return 'never';
  if (!fallsThrough && bare.length === 0) return 'always';
  model.report('ASL_RETURN_PATHS', name, 'not all paths through the method return a value');
  return 'sometimes';
}

/** Uses of the values of methods. */
function checkCalls(model: SourceModel, outcomes: ReadonlyMap<string, Outcome>): void {
  for (const visit of model.visits) {
    const { term, scope } = visit;
    const name = term.kind === 'MethodInvocation' ? term.name : term;
    if (name.kind !== 'NameString' || name.path === '' || !takesValue(visit)) continue;
    const outcome = outcomes.get(model.find(name, scope)?.path ?? '');
    const path = formatPath(name.path);
    if (outcome === 'never') model.report('ASL_VALUE_MISSING', term, `${path} returns no value, and one is used here`);
    if (outcome === 'sometimes') {
      model.report('ASL_VALUE_SOMETIMES', term, `${path} does not return a value on every path, and one is used here`);
    }
  }
}

/** Rows in which the name of a method is its name, not its invocation. */
const NAMES_METHODS = /^Def(RefOf|CondRefOf|ObjectType|Package|VarPackage|Alias|External)$/;

function takesValue(visit: Visit): boolean {
  const { kind, parent, isTarget } = visit;
  if (isStatement(visit) || isTarget || (parent && NAMES_METHODS.test(parent.kind))) return false;
  return kind === 'TermArg' || kind === 'Operand';
}

/** Rows that make an object each time that the method runs; like iasl, but for buffer fields. */
function isCreation({ kind }: AmlTerm): boolean {
  if (/^Def(Method|External|Create\w*Field)$/.test(kind)) return false;
  if (/^Def(Index|Bank)Field$/.test(kind)) return true;
  return ROW_BY_KIND.get(kind)?.declares !== undefined;
}

function checkDeclarations(model: SourceModel, { visits, serialized, name }: SourceMethod): void {
  const made = visits.filter(({ term }) => isCreation(term) && model.notes.tokens.has(term));
  for (const { term } of made) {
    const isUnits = /^Def(Index|Bank)Field$/.test(term.kind);
    const what = isUnits ? 'what is declared here' : declaredName(term).path;
    model.report('ASL_NAME_IN_METHOD', term, `${what} is made anew by each call of the method`);
  }
  if (made.length > 0 && !serialized) {
    model.report('ASL_NOT_SERIALIZED', name, 'two threads collide on the names that the method declares');
  }
}

/** Names that methods declare and nothing refers to. */
function checkTemporaries(model: SourceModel): void {
  const used = new Set<string>();
  const use = (name: NameTerm, scope: string): void => {
    const found = name.path === '' ? undefined : model.names.find(scope, name.path);
    if (found) used.add(found.path);
  };
  for (const { term, scope } of model.visits) {
    if (term.kind === 'NameString') use(term, scope);
    else if (term.kind === 'MethodInvocation') use(term.name, scope);
    else for (const name of namesIn(term)) use(name, scope);
  }
  for (const { term, scope, method } of model.visits) {
    if (!method || !model.notes.tokens.has(term)) continue;
    for (const name of temporariesOf(term)) {
      const path = absolutePath(scope, name.path);
      const where = formatPath(method.path);
      if (!used.has(path))
        model.report('ASL_NAME_UNUSED', name, `${path.slice(-4)} is declared in ${where} and not used`);
    }
  }
}

/** Names that a row refers to without being their scope or their value: a Field's region, an Alias' object. */
function namesIn(term: AmlTerm): readonly NameTerm[] {
  const row = ROW_BY_KIND.get(term.kind);
  if (!row || term.kind === 'DefExternal') return [];
  const declared = row.declares === undefined ? undefined : declaredName(term);
  return (term as AnyDef).operands.filter(
    (operand, index) => row.operands[index] === 'NameString' && operand !== declared,
  ) as NameTerm[];
}

/** Like iasl, without the units of fields: one that is needed brings the others. */
function temporariesOf(term: AmlTerm): readonly NameTerm[] {
  const isDeclaration = ROW_BY_KIND.get(term.kind)?.declares !== undefined;
  const isNeverReferred = /^Def(Device|Processor|PowerRes|ThermalZone|External)$/.test(term.kind);
  return isDeclaration && !isNeverReferred ? [declaredName(term)] : [];
}

function declaredName(term: AmlTerm): NameTerm {
  const { operands } = term as AnyDef;
  const row = ROW_BY_KIND.get(term.kind)!;
  return operands[row.declares === 'last' ? row.operands.lastIndexOf('NameString') : 0] as NameTerm;
}

function checkRecursion(model: SourceModel, { visits, path }: SourceMethod): void {
  const creates = visits.some(({ term }) => isCreation(term));
  for (const { term, scope, parent } of visits) {
    const name = term.kind === 'MethodInvocation' ? term.name : term;
    if (name.kind !== 'NameString' || name.path === '' || (parent && NAMES_METHODS.test(parent.kind))) continue;
    if (model.find(name, scope)?.path !== path) continue;
    const because = creates ? ': its names are declared twice, which fails' : '';
    model.report('ASL_RECURSION', term, `${formatPath(path)} calls itself${because}`);
  }
}
