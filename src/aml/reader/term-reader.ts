import { hasSegments } from '../name-string.ts';
import { type DeclaredNames, ROOT } from '../namespace.ts';
import { type DefKind, type Opcode, type OperandKind, PREFIX, ROW_BY_CODE, ROW_BY_KIND } from '../opcodes.ts';
import type { AmlTerm, AnyDef, DefTerm, FieldElement, InvocationTerm, NameTerm, OperandValue } from '../tree.ts';
import { AmlCursor, AmlFault, isNameStart } from './aml-cursor.ts';
import { readFieldList } from './field-reader.ts';
import { OddStatements } from './odd-statements.ts';
import { ReaderNames, type ReaderNamesOptions } from './reader-names.ts';

/** Something in a table that is no AML; the bytes stay in the tree as RawBytes. */
export interface DecodeProblem {
  /** Into the table's bytes. */
  readonly offset: number;
  /** The scope in which it stands. */
  readonly path: string;
  readonly message: string;
}

export interface TermReaderOptions extends ReaderNamesOptions {
  /** Argument counts for names that no table declares, by absolute or plain path as written. */
  readonly guesses?: ReadonlyMap<string, number>;
  /** Where each term starts in the table is noted here. */
  readonly offsets?: Map<AmlTerm, number>;
}

/** Terms inside terms; real tables stay far below. */
const MAX_DEPTH = 400;

/** Reads AML into a tree. One reader reads one table; `problems` grows as it reads. */
export class TermReader extends AmlCursor {
  readonly problems: DecodeProblem[] = [];
  readonly odd = new OddStatements();
  readonly #options: TermReaderOptions;
  readonly #names: ReaderNames;
  #depth = 0;

  constructor(bytes: Uint8Array, options: TermReaderOptions) {
    super(bytes, ROOT);
    this.#options = options;
    this.#names = new ReaderNames(options);
  }

  /** True when reading with `known` gives the same: no name means anything else than it did. */
  readsTheSameWith(known: DeclaredNames): boolean {
    return this.#names.readSameWith(known);
  }

  /** The terms from `start` to `end`, byte for byte; what cannot be read is a RawBytes term and a problem. */
  readTermList(start: number, end: number): AmlTerm[] {
    this.offset = start;
    return this.#termList(end);
  }

  #termList(end: number): AmlTerm[] {
    const terms = this.#list(end, () => this.odd.statement(() => this.#term(end)));
    this.odd.endRun();
    return terms;
  }

  /** Reads items up to `end`. After a fault the rest of the list is one RawBytes. */
  #list(end: number, read: () => AmlTerm): AmlTerm[] {
    const terms: AmlTerm[] = [];
    while (this.offset < end) {
      const start = this.offset;
      const scope = this.scope;
      const [depth, methodDepth] = [this.#depth, this.#names.methodDepth];
      try {
        terms.push(read());
      } catch (error) {
        if (!(error instanceof AmlFault)) throw error;
        this.odd.fault();
        this.problems.push({ offset: error.offset, path: error.scope, message: error.message });
        terms.push({ kind: 'RawBytes', bytes: this.bytes.slice(start, end) });
        this.offset = end;
        this.scope = scope;
        this.#depth = depth;
        this.#names.methodDepth = methodDepth;
      }
    }
    return terms;
  }

  #term(end: number): AmlTerm {
    if (this.#depth >= MAX_DEPTH) throw this.fault(`terms are nested more than ${MAX_DEPTH} deep`);
    this.#depth++;
    const start = this.offset;
    const term = this.#anyTerm(end);
    this.#options.offsets?.set(term, start);
    this.#depth--;
    return term;
  }

  /** A term where a value is due: a statement there means that what stands before was misread. */
  #value(end: number): AmlTerm {
    const start = this.offset;
    const term = this.#term(end);
    if (ROW_BY_KIND.get(term.kind)?.yields === 'Nothing')
      throw this.fault('a statement stands where a value is due', start);
    return term;
  }

  #anyTerm(end: number): AmlTerm {
    const start = this.offset;
    const lead = this.byte(end);
    switch (lead) {
      case PREFIX.ZeroOp:
        return { kind: 'Integer', value: 0n };
      case PREFIX.OneOp:
        return { kind: 'Integer', value: 1n };
      case PREFIX.BytePrefix:
        return this.integer(1, end);
      case PREFIX.WordPrefix:
        return this.integer(2, end);
      case PREFIX.DWordPrefix:
        return this.integer(4, end);
      case PREFIX.QWordPrefix:
        return this.integer(8, end);
      case PREFIX.StringPrefix:
        return this.string(end);
    }
    if (isNameStart(lead)) {
      this.offset = start;
      return this.#nameOrInvocation(end);
    }
    return this.#def(this.#row(lead, start, end), end);
  }

  #row(lead: number, start: number, end: number): Opcode {
    const next = this.offset < end ? this.bytes[this.offset] : -1;
    if (lead === PREFIX.ExtOpPrefix || (lead === 0x92 && next >= 0x93 && next <= 0x95)) this.offset++;
    const code = this.offset - start === 2 ? (lead << 8) | next : lead;
    const row = ROW_BY_CODE.get(code);
    if (!row) throw this.fault(`0x${code.toString(16)} is no AML opcode`, start);
    return row;
  }

  #nameOrInvocation(end: number): NameTerm | InvocationTerm {
    const name = this.readName(end);
    if (!hasSegments(name.path)) return name;
    const { guesses } = this.#options;
    const found = this.#names.find(this.scope, name.path);
    const declared = found?.declaration.argumentCount;
    const vague = !found || (found.declaration.kind === 'External' && declared === undefined);
    if (vague) this.odd.undeclared(name.path);
    else if (declared !== undefined) this.odd.invoked(found.path, declared);
    const count = guesses?.get(vague ? name.path : found.path) ?? declared;
    if (count === undefined) return name;
    const args: AmlTerm[] = [];
    while (args.length < count) args.push(this.#value(end));
    return { kind: 'MethodInvocation', name, args };
  }

  #def(row: Opcode, end: number): DefTerm {
    const pkgLength = row.pkgLength ? this.packageEnd(end) : undefined;
    const limit = pkgLength?.end ?? end;
    const scope = this.scope;
    const operands: OperandValue[] = [];
    let isDeclared = row.declaredOperand === undefined && row.name !== 'DefExternal';
    for (const kind of row.operands) {
      if (kind === 'TermList') {
        if (!isDeclared) this.#names.declare(this.scope, row, operands);
        isDeclared = true;
        if (row.opensScope) this.scope = this.#names.scopeOf(this.scope, row, operands[0] as NameTerm);
        if (row.name === 'DefMethod' && this.#options.skipMethodBodies) {
          operands.push(this.skipTo(limit));
          continue;
        }
      }
      const isBody = kind === 'TermList' && row.name === 'DefMethod';
      if (isBody) this.#names.methodDepth++;
      operands.push(this.#operand(kind, limit));
      if (isBody) this.#names.methodDepth--;
    }
    if (!isDeclared) this.#names.declare(this.scope, row, operands);
    this.scope = scope;
    const byteLength = pkgLength?.byteLength;
    const def: AnyDef =
      byteLength === undefined
        ? { kind: row.name as DefKind, operands }
        : { kind: row.name as DefKind, operands, pkgLengthBytes: byteLength };
    return def as DefTerm;
  }

  #operand(kind: OperandKind, end: number): OperandValue {
    switch (kind) {
      case 'TermArg':
      case 'Operand':
      case 'DataRefObject':
        return this.#value(end);
      case 'NameString':
        return this.readName(end);
      case 'SimpleName':
      case 'SuperName':
      case 'Target':
      case 'CallableName':
        return this.#reference(kind, end);
      case 'ByteData':
        return this.byte(end);
      case 'WordData':
        return this.little(2, end);
      case 'DWordData':
        return this.little(4, end);
      case 'ByteList':
        return this.rest(end);
      case 'TermList':
        return this.#termList(end);
      case 'FieldList':
        return this.#fields(end);
      case 'PackageElementList':
        // Nothing in a package is declared.
        if (this.#options.skipMethodBodies) return this.skipTo(end);
        return this.#list(end, () => this.#packageElement(end));
    }
  }

  /** A buffer or any other data object where a term may stand, as in Connection. */
  readTerm(end: number): AmlTerm {
    return this.#term(end);
  }

  /** A SuperName: names are not invoked, but for the operators whose operand ACPICA reads as a TermArg. */
  #reference(kind: OperandKind, end: number): AmlTerm {
    const lead = this.peek(end);
    if (lead === PREFIX.NullName || isNameStart(lead)) {
      if (kind !== 'CallableName') return this.readName(end);
      const start = this.offset;
      const term = lead === PREFIX.NullName ? this.readName(end) : this.#nameOrInvocation(end);
      if (term.kind !== 'MethodInvocation' || term.args.length > 0) return term;
      this.offset = start;
      return this.readName(end);
    }
    const start = this.offset;
    const term = this.#value(end);
    // ASL takes a zero here for the absence of a target.
    if (term.kind === 'Integer' && term.value === 0n) throw this.fault('a number stands where a target is due', start);
    return term;
  }

  /** Names in packages are references, never invocations. */
  #packageElement(end: number): AmlTerm {
    return isNameStart(this.peek(end)) ? this.readName(end) : this.#value(end);
  }

  #fields(end: number): readonly FieldElement[] {
    const elements = readFieldList(this, end);
    for (const element of elements) {
      if (element.kind === 'NamedField')
        this.#names.add(this.scope, element.name, { kind: 'FieldUnit', table: this.#options.table });
    }
    return elements;
  }
}
