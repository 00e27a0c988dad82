import { ROW_BY_KIND } from '../opcodes.ts';
import type { AmlTerm, AnyDef, NameTerm } from '../tree.ts';
import type { LintModel } from './model.ts';
import { blockOf, constantOf, operandOf } from './walk.ts';

/** How far a method's end can be seen from its text. */
export interface ReturnPaths {
  readonly returns: readonly AmlTerm[];
  /** Some path runs to the end of the body without a Return. */
  readonly fallsThrough: boolean;
}

export function returnPaths(body: readonly AmlTerm[]): ReturnPaths {
  const returns: AmlTerm[] = [];
  const ends = endsAlways(body, returns);
  return { returns, fallsThrough: !ends };
}

/** True when no path leaves the list at its end; collects what is returned. */
function endsAlways(terms: readonly AmlTerm[], returns: AmlTerm[]): boolean {
  let ends = false;
  for (let index = 0; index < terms.length; index++) {
    const term = terms[index];
    if (term.kind === 'DefReturn') {
      returns.push(operandOf(term, 0));
      ends = true;
    } else if (term.kind === 'DefFatal') ends = true;
    else if (term.kind === 'DefIf') {
      const then = endsAlways(blockOf(term), returns);
      const next = terms[index + 1];
      const otherwise = next?.kind === 'DefElse' ? endsAlways(blockOf(next), returns) : false;
      if (next?.kind === 'DefElse') index++;
      const predicate = constantOf(operandOf(term, 0));
      if (then && (otherwise || (predicate !== undefined && predicate !== 0n))) ends = true;
    } else if (term.kind === 'DefWhile') {
      const inside = endsAlways(blockOf(term), returns);
      const predicate = constantOf(operandOf(term, 0));
      // An endless loop ends by a Return or not at all, unless it is left by Break.
      if (predicate !== undefined && predicate !== 0n && (inside || !hasBreak(blockOf(term)))) ends = true;
    }
  }
  return ends;
}

/** A Break that leaves this list's own loop. */
export function hasBreak(terms: readonly AmlTerm[]): boolean {
  return terms.some(
    (term) =>
      term.kind === 'DefBreak' || ((term.kind === 'DefIf' || term.kind === 'DefElse') && hasBreak(blockOf(term))),
  );
}

const LETTERS: Readonly<Record<string, string>> = {
  Integer: 'i',
  Boolean: 'i',
  String: 's',
  Buffer: 'b',
  Package: 'p',
  Reference: 'r',
};
const OBJECT_LETTERS: Readonly<Record<string, string>> = { IntObj: 'i', StrObj: 's', BuffObj: 'b', PkgObj: 'p' };

/** The type letter of what `term` gives, as far as the text says; names that are never written to count. */
export function typeOf(term: AmlTerm, scope: string, model: LintModel, hops = 0): string | undefined {
  if (term.kind === 'Integer') return 'i';
  if (term.kind === 'String') return 's';
  if (term.kind === 'NameString') {
    const found = model.set.names.find(scope, (term as NameTerm).path);
    if (!found) return undefined;
    const { kind, objectType } = found.declaration;
    if (kind === 'Name') return OBJECT_LETTERS[objectType ?? ''];
    if (kind === 'Device' || kind === 'PowerResource' || kind === 'ThermalZone' || kind === 'Processor') return 'r';
    return undefined;
  }
  if (term.kind === 'MethodInvocation') {
    if (hops > 3) return undefined;
    const found = model.set.names.find(scope, term.name.path);
    const method = found && model.methods.find(({ path }) => path === found.path);
    if (!method) return undefined;
    const { returns, fallsThrough } = returnPaths(method.body);
    const types = new Set(returns.map((value) => typeOf(value, method.path, model, hops + 1)));
    return !fallsThrough && types.size === 1 ? [...types][0] : undefined;
  }
  const row = ROW_BY_KIND.get((term as AnyDef).kind);
  return row && LETTERS[row.yields];
}
