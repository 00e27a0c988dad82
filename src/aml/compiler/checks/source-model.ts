/** What the checks look at: the tree as the source has it, before anything is looked up, computed or shortened. */
import { type OperandKind, ROW_BY_KIND } from '../../opcodes.ts';
import type { AmlTerm, AnyDef, FieldElement, NameTerm, OperandValue } from '../../tree.ts';
import type { Notes } from '../cursor.ts';
import { innerScope } from '../declare.ts';
import type { DiagnosticId, Diagnostics } from '../diagnostics.ts';
import type { DeclaredNode, SourceNamespace } from '../names.ts';

/** A term with the place that it stands in. */
export interface Visit {
  readonly term: AmlTerm;
  readonly scope: string;
  /** The operator or block around, and what it takes in this place; nothing at the block's start. */
  readonly parent: AnyDef | undefined;
  readonly kind: OperandKind;
  /** The result goes here: nothing is read. */
  readonly isTarget: boolean;
  readonly method: SourceMethod | undefined;
  /** Statements around it in the same list, itself among them. */
  readonly list: readonly AmlTerm[];
  readonly inLoop: boolean;
}

export interface SourceMethod {
  readonly term: AnyDef & AmlTerm;
  readonly name: NameTerm;
  readonly path: string;
  readonly argumentCount: number;
  readonly serialized: boolean;
  readonly body: readonly AmlTerm[];
  /** What stands in the body, in order; not what stands in methods inside. */
  readonly visits: Visit[];
}

export interface SourceContext {
  readonly names: SourceNamespace;
  readonly notes: Notes;
  readonly diagnostics: Diagnostics;
}

export class SourceModel {
  readonly names: SourceNamespace;
  readonly notes: Notes;
  readonly visits: Visit[] = [];
  readonly methods: SourceMethod[] = [];
  readonly #diagnostics: Diagnostics;

  constructor(terms: readonly AmlTerm[], scope: string, { names, notes, diagnostics }: SourceContext) {
    this.names = names;
    this.notes = notes;
    this.#diagnostics = diagnostics;
    this.#list(terms, { scope, parent: undefined, kind: 'TermList', method: undefined, inLoop: false });
  }

  /** Says `message` at the place of `term`; not about what the compiler has put in. */
  report(id: DiagnosticId, term: AmlTerm | FieldElement, message: string, mend?: string): void {
    const token = this.notes.tokens.get(term);
    if (token) this.#diagnostics.add(id, token, message, mend);
  }

  /** What `name` refers to in `scope`, aliases followed. */
  find(name: NameTerm, scope: string): DeclaredNode | undefined {
    const node = this.names.find(scope, name.path);
    return node && this.names.follow(node);
  }

  #list(terms: readonly AmlTerm[], place: Omit<Visit, 'term' | 'list' | 'isTarget'>): void {
    for (const term of terms) this.#term({ ...place, term, list: terms, isTarget: false });
  }

  #term(visit: Visit): void {
    const { term, scope } = visit;
    this.visits.push(visit);
    visit.method?.visits.push(visit);
    if (term.kind === 'MethodInvocation') {
      const place = { ...visit, parent: undefined, kind: 'TermArg' as const };
      this.#list(term.args, place);
      return;
    }
    const row = ROW_BY_KIND.get(term.kind);
    if (!row) return;
    const def = term as AnyDef & AmlTerm;
    const inner = row.opensScope ? innerScope(this.names, def, scope) : scope;
    const method = def.kind === 'DefMethod' ? this.#method(def, inner) : visit.method;
    const inLoop = def.kind === 'DefWhile' || (visit.inLoop && def.kind !== 'DefMethod');
    def.operands.forEach((operand, index) => {
      const kind = row.operands[index];
      const place = { scope: kind === 'TermList' ? inner : scope, parent: def, kind, method, inLoop };
      for (const part of termsIn(operand, kind)) {
        const isTarget = writes(def, kind, index);
        const list = kind === 'TermList' ? (operand as readonly AmlTerm[]) : [];
        this.#term({ ...place, term: part, list, isTarget });
      }
    });
  }

  #method(term: AnyDef & AmlTerm, path: string): SourceMethod {
    const [name, flags, body] = term.operands as readonly [NameTerm, number, readonly AmlTerm[]];
    const method = {
      term,
      name,
      path,
      argumentCount: flags & 7,
      serialized: (flags & 8) !== 0,
      body,
      visits: [],
    };
    this.methods.push(method);
    return method;
  }
}

function* termsIn(operand: OperandValue, kind: OperandKind): Generator<AmlTerm> {
  if (typeof operand === 'number' || operand instanceof Uint8Array || kind === 'NameString') return;
  if (kind === 'FieldList') {
    for (const element of operand as readonly FieldElement[]) {
      if (element.kind === 'ConnectField') yield element.connection;
    }
  } else if ('kind' in operand) yield operand;
  else yield* operand as readonly AmlTerm[];
}

const writes = ({ kind: parent }: AnyDef, kind: OperandKind, index: number): boolean =>
  kind === 'Target' || (index === 1 && (parent === 'DefStore' || parent === 'DefCopyObject'));

/** True where a statement stands whose value nobody takes. */
export const isStatement = ({ kind }: Visit): boolean => kind === 'TermList';

/** The number that `term` states. */
export function integerOf(term: AmlTerm | undefined): bigint | undefined {
  if (term?.kind === 'Integer') return term.value;
  return term?.kind === 'Ones' ? 0xffff_ffff_ffff_ffffn : undefined;
}
