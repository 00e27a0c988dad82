import { absolutePath, ROOT } from '../namespace.ts';
import { ROW_BY_KIND } from '../opcodes.ts';
import type { AmlTerm, AnyDef, Def, FieldElement, NameTerm, OperandValue } from '../tree.ts';

/** A name that a table uses. */
export interface NameUse {
  readonly scope: string;
  readonly path: string;
  /** Set where the name is invoked. */
  readonly args?: number;
  /** It stands alone, or its value is dropped. */
  readonly isStatement?: boolean;
  /** The operand of Scope. */
  readonly isScope?: boolean;
  /** Something is stored in it. */
  readonly isTarget?: boolean;
}

export interface TableNames {
  /** Every name that is used, not declared, with the scope that it is used in. */
  readonly uses: readonly NameUse[];
  /** Methods by absolute path. */
  readonly methods: ReadonlyMap<string, Def<'DefMethod'>>;
  /** Absolute paths of what is declared with a path instead of a single name. */
  readonly declaredAfar: readonly string[];
}

/** One walk over the terms of a table. */
export function namesOf(terms: readonly AmlTerm[]): TableNames {
  const uses: NameUse[] = [];
  const methods = new Map<string, Def<'DefMethod'>>();
  const declaredAfar: string[] = [];

  const visitStatements = (list: readonly AmlTerm[], scope: string): void => {
    for (const term of list) {
      // A name that stands alone is an invocation without arguments.
      if (term.kind === 'NameString') uses.push({ scope, path: term.path, args: 0, isStatement: true });
      else if (term.kind === 'MethodInvocation') invoke(term.name, term.args, scope, true);
      else visit(term, scope);
    }
  };
  const invoke = (name: NameTerm, args: readonly AmlTerm[], scope: string, isStatement: boolean): void => {
    uses.push({ scope, path: name.path, args: args.length, isStatement });
    for (const arg of args) visit(arg, scope);
  };
  const visit = (term: AmlTerm, scope: string): void => {
    switch (term.kind) {
      case 'Integer':
      case 'String':
      case 'RawBytes':
      case 'DefExternal':
        return;
      case 'NameString':
        uses.push({ scope, path: term.path });
        return;
      case 'MethodInvocation':
        invoke(term.name, term.args, scope, false);
        return;
      default:
        visitDef(term, scope);
    }
  };
  const visitDef = (def: AnyDef, scope: string): void => {
    const row = ROW_BY_KIND.get(def.kind)!;
    const declared = row.declaredOperand;
    if (declared !== undefined) declare(def, def.operands[declared] as NameTerm, scope);
    const inner = row.opensScope ? absolutePath(scope, (def.operands[0] as NameTerm).path) : scope;
    def.operands.forEach((operand, index) => {
      if (index === declared || typeof operand === 'number' || operand instanceof Uint8Array) return;
      const kind = row.operands[index];
      if (kind === 'NameString') {
        uses.push({ scope, path: (operand as NameTerm).path, isScope: row.name === 'DefScope' });
      } else if (kind === 'TermList') visitStatements(operand as readonly AmlTerm[], inner);
      else if ((kind === 'Target' || kind === 'SuperName') && isName(operand)) {
        uses.push({ scope, path: operand.path, isTarget: kind === 'Target' || row.name === 'DefStore' });
      } else visitOperand(operand, scope);
    });
  };
  const declare = (def: AnyDef, { path }: NameTerm, scope: string): void => {
    const absolute = absolutePath(scope, path);
    if (def.kind === 'DefMethod') methods.set(absolute, def as unknown as Def<'DefMethod'>);
    if (path.length > 4) declaredAfar.push(absolute);
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
  return { uses, methods, declaredAfar };
}

const isName = (operand: Exclude<OperandValue, number | Uint8Array>): operand is NameTerm =>
  'kind' in operand && operand.kind === 'NameString';
