import { decodeTables, type SourceTable } from '../../aml/decode.ts';
import { absolutePath, type DeclaredNames, parentPath, ROOT } from '../../aml/namespace.ts';
import type { AmlTerm, Def } from '../../aml/tree.ts';

/**
 * The namespace that a DSDT and its SSDTs declare, for the checks: what is stated as data, and methods that do no more than return
 * data. What needs a running interpreter is left out, and a check that needs it says nothing.
 */
export interface AcpiNamespace {
  readonly objects: ReadonlyMap<string, AcpiObject>;
  readonly names: DeclaredNames;
  /** What is no AML, by table. */
  readonly problems: readonly { readonly file?: string; readonly message: string; readonly offset: number }[];
}

export type AcpiObject =
  | { readonly kind: 'Device'; readonly path: string }
  | { readonly kind: 'Name'; readonly path: string; readonly value: AmlTerm }
  | { readonly kind: 'Method'; readonly path: string; readonly body: readonly AmlTerm[] };

/** Integers that a Name is taken to hold instead of its first value, by path: the interrupt model. */
export type Assumptions = ReadonlyMap<string, bigint>;

/** @throws UserError AML_TABLE when a table has no sound header */
export function readNamespace(sources: readonly SourceTable[]): AcpiNamespace {
  const { tables, names } = decodeTables(sources);
  const objects = new Map<string, AcpiObject>();
  for (const { terms } of tables) declareTerms(terms, ROOT, names, objects);
  const problems = tables.flatMap(({ file, problems: found }) =>
    found.map(({ message, offset }) => ({ file, message, offset })),
  );
  return { objects, names, problems };
}

function declareTerms(
  terms: readonly AmlTerm[],
  scope: string,
  names: DeclaredNames,
  objects: Map<string, AcpiObject>,
): void {
  const declare = (object: AcpiObject) => {
    if (!objects.has(object.path)) objects.set(object.path, object);
  };
  for (const term of terms) {
    switch (term.kind) {
      case 'DefScope': {
        const [{ path }, body] = (term as Def<'DefScope'>).operands;
        declareTerms(body, names.resolve(scope, path) ?? absolutePath(scope, path), names, objects);
        break;
      }
      case 'DefDevice': {
        const [{ path }, body] = (term as Def<'DefDevice'>).operands;
        const absolute = absolutePath(scope, path);
        declare({ kind: 'Device', path: absolute });
        declareTerms(body, absolute, names, objects);
        break;
      }
      // Which branch counts is known when the table is loaded only: what either declares may be there.
      case 'DefIf':
        declareTerms((term as Def<'DefIf'>).operands[1], scope, names, objects);
        break;
      case 'DefElse':
        declareTerms((term as Def<'DefElse'>).operands[0], scope, names, objects);
        break;
      case 'DefProcessor': {
        const { operands } = term as Def<'DefProcessor'>;
        declareTerms(operands[4], absolutePath(scope, operands[0].path), names, objects);
        break;
      }
      case 'DefName': {
        const [{ path }, value] = (term as Def<'DefName'>).operands;
        const absolute = absolutePath(scope, path);
        declare({ kind: 'Name', path: absolute, value });
        break;
      }
      case 'DefMethod': {
        const [{ path }, , body] = (term as Def<'DefMethod'>).operands;
        const absolute = absolutePath(scope, path);
        declare({ kind: 'Method', path: absolute, body });
        break;
      }
    }
  }
}

/** Data, and the scope in which the names in it are looked up. */
export interface Evaluated {
  readonly term: AmlTerm;
  readonly scope: string;
}

/** What the object at `path` gives when it is evaluated without arguments, as far as it is plain data. */
export function evaluatePath(namespace: AcpiNamespace, path: string, assumptions?: Assumptions): Evaluated | undefined {
  const object = namespace.objects.get(path);
  if (object?.kind === 'Name') {
    const assumed = assumptions?.get(path);
    const term: AmlTerm = assumed === undefined ? object.value : { kind: 'Integer', value: assumed };
    return { term, scope: parentPath(path) };
  }
  if (object?.kind === 'Method') return returnedBy(namespace, object.body, path, assumptions);
  return undefined;
}

/** Follows Return, and If and Else with predicates that are known. */
function returnedBy(
  namespace: AcpiNamespace,
  body: readonly AmlTerm[],
  scope: string,
  assumptions: Assumptions | undefined,
): Evaluated | undefined {
  for (let index = 0; index < body.length; index++) {
    const term = body[index];
    if (term.kind === 'DefReturn') {
      return resolveTerm(namespace, (term as Def<'DefReturn'>).operands[0], scope, assumptions);
    }
    if (term.kind !== 'DefIf') return undefined;
    const [predicate, then] = (term as Def<'DefIf'>).operands;
    const taken = integerOf(resolveTerm(namespace, predicate, scope, assumptions)?.term);
    if (taken === undefined) return undefined;
    const otherwise = body[index + 1]?.kind === 'DefElse' ? (body[++index] as Def<'DefElse'>).operands[0] : [];
    const branch = taken === 0n ? otherwise : then;
    if (branch.length > 0) return returnedBy(namespace, branch, scope, assumptions);
  }
  return undefined;
}

function resolveTerm(
  namespace: AcpiNamespace,
  term: AmlTerm,
  scope: string,
  assumptions: Assumptions | undefined,
): Evaluated | undefined {
  if (term.kind === 'NameString') {
    const path = namespace.names.resolve(scope, term.path);
    return path === undefined ? undefined : evaluatePath(namespace, path, assumptions);
  }
  if (term.kind === 'DefLEqual') {
    const [left, right] = (term as Def<'DefLEqual'>).operands.map((operand) =>
      integerOf(resolveTerm(namespace, operand, scope, assumptions)?.term),
    );
    if (left === undefined || right === undefined) return undefined;
    return { term: { kind: 'Integer', value: left === right ? 1n : 0n }, scope };
  }
  return { term, scope };
}

export function integerOf(term: AmlTerm | undefined): bigint | undefined {
  if (term?.kind === 'Integer') return term.value;
  return term?.kind === 'Ones' ? 0xffff_ffff_ffff_ffffn : undefined;
}

/** The bytes of a literal buffer, padded to its size. */
export function bufferOf(term: AmlTerm | undefined): Uint8Array | undefined {
  if (term?.kind !== 'DefBuffer') return undefined;
  const [size, bytes] = (term as Def<'DefBuffer'>).operands;
  const byteLength = Number(integerOf(size) ?? bytes.length);
  const buffer = new Uint8Array(Math.max(byteLength, bytes.length));
  buffer.set(bytes);
  return buffer;
}

export function elementsOf(term: AmlTerm | undefined): readonly AmlTerm[] | undefined {
  if (term?.kind === 'DefPackage') return (term as Def<'DefPackage'>).operands[1];
  return term?.kind === 'DefVarPackage' ? (term as Def<'DefVarPackage'>).operands[1] : undefined;
}

/** The paths of the names to which `\_PIC` stores the interrupt model. */
export function interruptModelPaths(namespace: AcpiNamespace): string[] {
  const pic = namespace.objects.get('\\_PIC');
  if (pic?.kind !== 'Method') return [];
  return pic.body.flatMap((term) => {
    if (term.kind !== 'DefStore') return [];
    const [source, target] = (term as Def<'DefStore'>).operands;
    if (source.kind !== 'Arg0' || target.kind !== 'NameString') return [];
    return namespace.names.resolve(pic.path, target.path) ?? [];
  });
}
