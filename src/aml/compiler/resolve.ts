/** Second pass: names are looked up, constants folded, and literals and paths written in their shortest way. */
import { formatPath } from '../name-string.ts';
import { absolutePath, ROOT } from '../namespace.ts';
import { type OperandKind, ROW_BY_KIND } from '../opcodes.ts';
import type {
  AmlTerm,
  AnyDef,
  DefTerm,
  FieldElement,
  IntegerTerm,
  InvocationTerm,
  NameTerm,
  OperandValue,
} from '../tree.ts';
import type { Notes } from './cursor.ts';
import { innerScope } from './declare.ts';
import type { DiagnosticId, Diagnostics } from './diagnostics.ts';
import { fold, type IntegerBytes, isFoldable } from './fold.ts';
import type { DeclaredNode, SourceNamespace } from './names.ts';
import { shortenDeclaration, shortenReference } from './shorten-path.ts';

/** What is done beyond translating; see CompileOptions.optimize. */
export interface Optimizations {
  /** 0, 1 and all ones become opcodes. */
  readonly integers: boolean;
  readonly constants: boolean;
  readonly paths: boolean;
}

export interface ResolveContext {
  readonly names: SourceNamespace;
  readonly notes: Notes;
  readonly diagnostics: Diagnostics;
  readonly integerBytes: IntegerBytes;
  readonly optimizations: Optimizations;
  /** A disassembly: it means what it says, even where it is wrong. */
  readonly asWritten: boolean;
}

/** Productions whose name operand is declared, or entered like a declaration, so that it is shortened like one. */
const NAMED =
  /^Def(Alias|Name|Scope|Method|Mutex|Event|OpRegion|DataRegion|Device|Processor|PowerRes|ThermalZone|Create\w*Field)$/;
/** Where a method's name is not its invocation. */
const NO_INVOCATION: ReadonlySet<string> = new Set([
  'DefRefOf',
  'DefPackage',
  'DefVarPackage',
  'DefObjectType',
  'DefAlias',
  'DefCondRefOf',
  'ConnectField',
]);
/** Bits of the fields that take a byte offset; Index counts bytes as well. */
const BYTE_OFFSETS: Readonly<Record<string, number>> = {
  DefCreateByteField: 8,
  DefCreateWordField: 16,
  DefCreateDWordField: 32,
  DefCreateQWordField: 64,
  DefIndex: 8,
};

export class Resolver {
  readonly #context: ResolveContext;
  /** The value of a Name has to be a constant. */
  #isInName = false;
  /** Externals whose method is invoked, with the count of the first invocation. */
  readonly invoked = new Map<string, number>();

  constructor(context: ResolveContext) {
    this.#context = context;
  }

  list(terms: readonly AmlTerm[], scope: string, parent: string): AmlTerm[] {
    return terms.map((term) => this.#term(term, scope, parent));
  }

  /** What `term` becomes stands where it stood. */
  #term(term: AmlTerm, scope: string, parent: string): AmlTerm {
    const resolved = this.#resolved(term, scope, parent);
    const { tokens } = this.#context.notes;
    const token = resolved === term ? undefined : tokens.get(term);
    if (token) tokens.set(resolved, token);
    return resolved;
  }

  #resolved(term: AmlTerm, scope: string, parent: string): AmlTerm {
    switch (term.kind) {
      case 'Integer':
        return this.#integer(term);
      case 'String':
      case 'RawBytes':
      case 'DefExternal':
        return term;
      case 'NameString':
        return this.#reference(term, scope, parent);
      case 'MethodInvocation':
        return this.#invocation(term, scope, parent);
      default:
        return this.#def(term, scope, parent);
    }
  }

  #integer(term: IntegerTerm): AmlTerm {
    const { integerBytes, optimizations, notes, diagnostics } = this.#context;
    if (term.byteLength !== undefined || this.#context.asWritten) return term;
    let { value } = term;
    const all = integerBytes === 4 ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn;
    if (value > all) {
      const token = notes.tokens.get(term);
      if (token) diagnostics.add('ASL_TRUNCATED', token, `0x${value.toString(16)} loses all but 32 bits`);
      value &= all;
    }
    if (optimizations.integers) return value === all ? ({ kind: 'Ones', operands: [] } as DefTerm) : { ...term, value };
    // Only the words are opcodes of their own.
    if (value <= 1n && !notes.verbatim.has(term)) return { ...term, value, byteLength: 1 };
    return { ...term, value };
  }

  #def(term: DefTerm, scope: string, parent: string): AmlTerm {
    const { optimizations, integerBytes, names, notes, diagnostics } = this.#context;
    const row = ROW_BY_KIND.get(term.kind)!;
    const def = term as AnyDef;
    const inner = row.opensScope ? innerScope(names, def, scope) : scope;
    const declared = row.declares === 'last' ? row.operands.lastIndexOf('NameString') : 0;
    if (term.kind === 'DefScope') this.#checkScope(term.operands[0], scope);
    if (term.kind === 'DefName') this.#isInName = true;
    const operands = def.operands.map((operand, index) => {
      const kind = row.operands[index];
      if (index === declared && kind === 'NameString' && NAMED.test(def.kind)) {
        return this.#declaration(operand as NameTerm, scope, parent, def.kind);
      }
      return this.#operand(operand, kind, kind === 'TermList' ? inner : scope, def.kind);
    });
    if (term.kind === 'DefName') this.#isInName = false;
    const resolved = { ...term, operands } as unknown as DefTerm;
    if (!optimizations.constants) return resolved;
    if (notes.verbatim.has(term)) notes.verbatim.add(resolved);
    // DEVIATION(iasl): it refuses a Name whose value it leaves to the machine.
    const verbatim = this.#isInName ? undefined : notes.verbatim;
    const folded = fold(resolved, integerBytes, verbatim);
    if (folded === resolved && isFoldable(resolved, verbatim) && term.kind !== 'DefDivide') {
      const token = notes.tokens.get(term);
      if (token) diagnostics.add('ASL_UNRESOLVED', token, 'this constant expression cannot be computed');
    }
    return folded.kind === 'Integer' ? this.#integer(folded) : this.#foldedStore(folded);
  }

  #foldedStore(term: AmlTerm): AmlTerm {
    if (term.kind !== 'DefStore' && term.kind !== 'DefCopyObject') return term;
    const [value, target] = term.operands;
    if (value.kind !== 'Integer') return term;
    return { ...term, operands: [this.#integer(value), target] } as DefTerm;
  }

  #operand(operand: OperandValue, kind: OperandKind, scope: string, parent: string): OperandValue {
    if (typeof operand === 'number' || operand instanceof Uint8Array) return operand;
    if (kind === 'FieldList') return this.#elements(operand as readonly FieldElement[], scope);
    if ('kind' in operand) return this.#term(operand, scope, parent);
    return this.list(operand as readonly AmlTerm[], scope, parent);
  }

  #elements(elements: readonly FieldElement[], scope: string): FieldElement[] {
    return elements.map((element) =>
      element.kind === 'ConnectField'
        ? { ...element, connection: this.#term(element.connection, scope, 'ConnectField') }
        : element,
    );
  }

  #checkScope(name: NameTerm, scope: string): void {
    if (!this.#context.names.find(scope, name.path)) this.#unknown(name);
  }

  #declaration(name: NameTerm, scope: string, parent: string, kind: string): NameTerm {
    if (!this.#context.optimizations.paths || name.prefix) return name;
    const { names } = this.#context;
    const isScope = kind === 'DefScope';
    const target = isScope ? names.find(scope, name.path)?.path : absolutePath(scope, name.path);
    if (target === undefined || target === ROOT) return name;
    const isTopLevel = parent === '';
    return { ...name, path: shortenDeclaration(names, scope, name.path, target, { isTopLevel, isScope }) };
  }

  /** A name where a value or an object is due. */
  #reference(name: NameTerm, scope: string, parent: string): AmlTerm {
    if (name.path === '') return name;
    const { names } = this.#context;
    const node = names.find(scope, name.path);
    if (!node) {
      if (parent !== 'DefCondRefOf') this.#unknown(name);
      return name;
    }
    if (node.type === 'Tag') return this.#tag(name, node, parent);
    const object = names.follow(node);
    if (object.type === 'MethodObj' && !NO_INVOCATION.has(parent)) this.#called(object, 0, name);
    return this.#shortened(name, scope, node, parent);
  }

  #shortened(name: NameTerm, scope: string, node: DeclaredNode, parent: string): NameTerm {
    const { names, optimizations } = this.#context;
    if (!optimizations.paths || parent === 'DefCondRefOf' || name.prefix) return name;
    return { ...name, path: shortenReference(names, scope, name.path, node.path) };
  }

  /** A descriptor's field is its offset: in bytes for the operators that count in bytes. */
  #tag(name: NameTerm, { bit = 0, bitLength }: DeclaredNode, parent: string): AmlTerm {
    const wanted = parent === 'DefCreateBitField' ? 1 : BYTE_OFFSETS[parent];
    if (wanted !== undefined && bitLength !== undefined && wanted !== bitLength) {
      this.#report('ASL_TAG_SIZE', name, `the descriptor has ${bitLength} bits there, the field ${wanted}`);
    }
    const offset = parent in BYTE_OFFSETS ? bit >> 3 : bit;
    return this.#integer({ kind: 'Integer', value: BigInt(offset) });
  }

  #invocation(term: InvocationTerm, scope: string, parent: string): AmlTerm {
    const { names } = this.#context;
    const args = this.list(term.args, scope, term.kind);
    const node = names.find(scope, term.name.path);
    if (!node) {
      this.#unknown(term.name);
      return { ...term, args };
    }
    const object = names.follow(node);
    if (object.type === 'MethodObj' || object.type === 'UnknownObj') this.#called(object, term.args.length, term.name);
    else this.#report('ASL_NOT_METHOD', term.name, `${object.path} is a ${object.type}, not a method`);
    return { ...term, name: this.#shortened(term.name, scope, node, parent), args };
  }

  #called(node: DeclaredNode, count: number, name: NameTerm): void {
    if (!this.invoked.has(node.path)) this.invoked.set(node.path, count);
    if (node.argumentCount === undefined) {
      if (node.isExternal && node.type === 'MethodObj') node.argumentCount = count;
      return;
    }
    if (node.argumentCount === count) return;
    const because = node.isExternal && node.token ? ' as External says or its first use shows' : '';
    this.#report(
      'ASL_ARGUMENTS',
      name,
      `${node.path} takes ${node.argumentCount} arguments${because}, ${count} are given`,
    );
  }

  #unknown(name: NameTerm): void {
    const elsewhere = this.#context.names.hasSegment(name.path);
    const message = elsewhere ? 'is declared, but cannot be reached from here' : 'is declared nowhere';
    const mend = elsewhere
      ? 'write the whole path from the root'
      : `declare it here, or write External (${formatPath(name.path)}) if another table declares it`;
    this.#report('ASL_NAME_UNKNOWN', name, `${formatPath(name.path)} ${message}`, mend);
  }

  #report(id: DiagnosticId, name: NameTerm, message: string, mend?: string): void {
    const { asWritten, notes, diagnostics } = this.#context;
    const token = notes.tokens.get(name);
    if (token && !asWritten) diagnostics.add(id, token, message, mend);
  }
}
