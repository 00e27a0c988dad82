import { formatPath, splitPath } from '../name-string.ts';
import { absolutePath, type Declaration, type DeclaredKind, DeclaredNames, ROOT } from '../namespace.ts';
import { ROW_BY_KIND } from '../opcodes.ts';
import type { AmlTerm, AnyDef, FieldElement, NameTerm, OperandValue } from '../tree.ts';

/** ObjectType keywords of External by what is declared. */
const EXTERNAL_TYPES: Readonly<Record<DeclaredKind, string>> = {
  Alias: 'UnknownObj',
  BufferField: 'BuffFieldObj',
  DataRegion: 'OpRegionObj',
  Device: 'DeviceObj',
  Event: 'EventObj',
  External: 'UnknownObj',
  FieldUnit: 'FieldUnitObj',
  Method: 'MethodObj',
  Mutex: 'MutexObj',
  Name: 'UnknownObj',
  OpRegion: 'OpRegionObj',
  PowerResource: 'PowerResObj',
  Processor: 'ProcessorObj',
  ThermalZone: 'ThermalZoneObj',
};

interface Use {
  readonly scope: string;
  readonly path: string;
  /** Set where the name is invoked. */
  readonly args?: number;
  readonly scopeOperator?: boolean;
}

/**
 * External statements for every name that `terms` use and `own`, the table's own declarations, do not hold. Types come from
 * `all`, what every table of the set declares, or from the use.
 */
export function externalsText(terms: readonly AmlTerm[], own: DeclaredNames, all: DeclaredNames): string[] {
  const externals = new Map<string, string>();
  // What paths declare External, single segments find below it: they come after.
  const assumed = new DeclaredNames();
  for (const use of [...usesOf(terms)].sort((left, right) => Number(isSingle(left)) - Number(isSingle(right)))) {
    if (splitPath(use.path).segments.length === 0 || own.resolve(use.scope, use.path) !== undefined) continue;
    const found = all.find(use.scope, use.path);
    const path = all.resolve(use.scope, use.path) ?? assumed.resolve(use.scope, use.path) ?? unknownPath(use);
    const type = typeOfUse(use, found?.declaration);
    const note = type === 'MethodObj' ? `    // ${found?.declaration.argumentCount ?? use.args ?? 0} arguments` : '';
    // An invocation says more than a bare name.
    if (!externals.has(path) || use.args !== undefined) {
      externals.set(path, `External (${formatPath(path).replace(/^\\(?=.)/, '')}, ${type})${note}`);
      assumed.declare(path, { kind: 'External', table: 0 });
    }
  }
  return [...externals].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, text]) => text);
}

const isSingle = ({ path }: Use): boolean => /^[^\\^]{4}$/.test(path);

function typeOfUse(use: Use, declaration: Declaration | undefined): string {
  const declared = declaration ? typeOf(declaration) : use.scopeOperator ? 'DeviceObj' : 'UnknownObj';
  return declared === 'UnknownObj' && use.args !== undefined ? 'MethodObj' : declared;
}

function typeOf({ kind, objectType }: { kind: DeclaredKind; objectType?: string }): string {
  if (kind === 'Name' || kind === 'External') return objectType ?? 'UnknownObj';
  return EXTERNAL_TYPES[kind];
}

/** Where a name that nobody declares is declared External: at the root when any scope above could hold it. */
function unknownPath({ scope, path }: Use): string {
  const { prefix, segments } = splitPath(path);
  return prefix === '' && segments.length === 1 ? absolutePath(ROOT, path) : absolutePath(scope, path);
}

/** Every name that is used, not declared, with the scope that it is used in. */
export function usesOf(terms: readonly AmlTerm[]): Use[] {
  const uses: Use[] = [];
  const visitList = (list: readonly AmlTerm[], scope: string): void => {
    for (const term of list) visit(term, scope);
  };
  /** A name that stands alone as a statement is an invocation without arguments. */
  const visitStatements = (list: readonly AmlTerm[], scope: string): void => {
    for (const term of list) {
      if (term.kind === 'NameString') uses.push({ scope, path: term.path, args: 0 });
      else visit(term, scope);
    }
  };
  const visit = (term: AmlTerm, scope: string): void => {
    switch (term.kind) {
      case 'Integer':
      case 'String':
      case 'RawBytes':
        return;
      case 'NameString':
        uses.push({ scope, path: term.path });
        return;
      case 'MethodInvocation':
        uses.push({ scope, path: term.name.path, args: term.args.length });
        visitList(term.args, scope);
        return;
      case 'DefExternal':
        return;
      default:
        visitDef(term, scope);
    }
  };
  const visitDef = (def: AnyDef, scope: string): void => {
    const row = ROW_BY_KIND.get(def.kind)!;
    const named = row.operands.flatMap((kind, index) => (kind === 'NameString' ? [index] : []));
    const declared = row.declares === 'first' ? named[0] : row.declares === 'last' ? named.at(-1) : undefined;
    const inner = row.opensScope ? absolutePath(scope, (def.operands[0] as NameTerm).path) : scope;
    def.operands.forEach((operand, index) => {
      if (index === declared || typeof operand === 'number' || operand instanceof Uint8Array) return;
      if (named.includes(index)) {
        uses.push({ scope, path: (operand as NameTerm).path, ...(row.name === 'DefScope' && { scopeOperator: true }) });
      } else if (row.operands[index] === 'TermList') visitStatements(operand as readonly AmlTerm[], inner);
      else visitOperand(operand, scope);
    });
  };
  const visitOperand = (operand: Exclude<OperandValue, number | Uint8Array>, scope: string): void => {
    if (!('kind' in operand)) for (const item of operand) visitItem(item, scope);
    else visit(operand, scope);
  };
  const visitItem = (item: AmlTerm | FieldElement, scope: string): void => {
    switch (item.kind) {
      case 'NamedField':
      case 'ReservedField':
      case 'AccessField':
      case 'ExtendedAccessField':
        return;
      case 'ConnectField':
        visit(item.connection, scope);
        return;
      default:
        visit(item, scope);
    }
  };
  visitStatements(terms, ROOT);
  return uses;
}
