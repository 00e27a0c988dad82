import { shortestIntegerLength } from './encode.ts';
import { readFieldList } from './field-reader.ts';
import { hasSegments } from './name-string.ts';
import { absolutePath, type Declaration, type DeclaredKind, DeclaredNames, ROOT } from './namespace.ts';
import {
  type DefKind,
  OBJECT_TYPES,
  type ObjectType,
  type Opcode,
  type OperandKind,
  PREFIX,
  ROW_BY_CODE,
  ROW_BY_KIND,
} from './opcodes.ts';
import { decodePkgLength, packageLengthBytesFor } from './pkg-length.ts';
import type {
  AmlTerm,
  AnyDef,
  DefTerm,
  FieldElement,
  IntegerTerm,
  InvocationTerm,
  NameTerm,
  OperandValue,
  PkgLengthBytes,
} from './tree.ts';

/** Bytes that are no AML: caught where a list can keep them, or turned into the user's error. */
export class AmlFault extends Error {
  readonly offset: number;
  readonly scope: string;

  constructor(message: string, offset: number, scope: string) {
    super(message);
    this.offset = offset;
    this.scope = scope;
  }
}

/** Something in a table that is no AML; the bytes stay in the tree as RawBytes. */
export interface DecodeProblem {
  /** Into the table's bytes. */
  readonly offset: number;
  /** The scope in which it stands. */
  readonly path: string;
  readonly message: string;
}

export interface TermReaderOptions {
  /** The place of the table in its set: which declarations are its own. */
  readonly table: number;
  /** What is known of names, from this and other tables, possibly of an earlier round. */
  readonly known: DeclaredNames;
  /** Where declarations go. */
  readonly declared: DeclaredNames;
  /** Argument counts for names that no table declares, by absolute or plain path as written. */
  readonly guesses?: ReadonlyMap<string, number>;
  /** Leave out method bodies: a first round that only wants declarations. */
  readonly skipMethodBodies?: boolean;
  /** Where each term starts in the table is noted here. */
  readonly offsets?: Map<AmlTerm, number>;
}

interface FoundName {
  readonly path: string;
  readonly declaration: Declaration;
}

/** What reading depends on. */
const meaningOf = (found: FoundName | undefined): string =>
  found === undefined ? '' : `${found.path} ${found.declaration.argumentCount ?? ''}`;

/** Terms inside terms; real tables stay far below. */
const MAX_DEPTH = 400;

/** Reads AML into a tree. One reader reads one table; `problems` grows as it reads. */
export class TermReader {
  readonly bytes: Uint8Array;
  readonly problems: DecodeProblem[] = [];
  /** Statements that compute and drop a value: the arguments of an invocation whose method no table declares look so. */
  oddities = 0;
  /** For names that no table declares: how many odd statements follow their uses. See undeclared-methods.ts. */
  readonly oddRuns = new Map<string, number[]>();
  readonly #options: TermReaderOptions;
  #offset = 0;
  #scope = ROOT;
  #depth = 0;
  /** What methods declare: the first round, which leaves their bodies out, does not know it. */
  readonly #local = new DeclaredNames();
  #methodDepth = 0;
  /** Undeclared names since the start of the last statement that was not odd. */
  #recent: string[] = [];
  #run = 0;
  /** What names meant when they were read, in a round that leaves method bodies out. */
  readonly #answers: { readonly scope: string; readonly name: string; readonly answer: string }[] = [];
  /** The last invocation of a declared method: another table may have declared another argument count. */
  #invoked: { readonly path: string; readonly count: number } | undefined;

  constructor(bytes: Uint8Array, options: TermReaderOptions) {
    this.bytes = bytes;
    this.#options = options;
  }

  /** True when reading with `known` gives the same: no name means anything else than it did. */
  readsTheSameWith(known: DeclaredNames): boolean {
    return this.#answers.every(
      ({ scope, name, answer }) => meaningOf(known.find(scope, name, this.#options.table)) === answer,
    );
  }

  get offset(): number {
    return this.#offset;
  }

  get scope(): string {
    return this.#scope;
  }

  fault(message: string, offset = this.#offset): AmlFault {
    return new AmlFault(message, offset, this.#scope);
  }

  /** The terms from `start` to `end`, byte for byte; what cannot be read is a RawBytes term and a problem. */
  readTermList(start: number, end: number): AmlTerm[] {
    this.#offset = start;
    return this.#termList(end);
  }

  byte(end: number): number {
    if (this.#offset >= end) throw this.fault('the term is cut off by the end of its package');
    return this.bytes[this.#offset++];
  }

  #little(byteLength: number, end: number): number {
    let value = 0;
    for (let index = 0; index < byteLength; index++) value += this.byte(end) * 2 ** (8 * index);
    return value;
  }

  #termList(end: number): AmlTerm[] {
    const terms = this.#list(end, () => {
      // What the statement before (or the predicate of the If around) named may own the arguments that stand here as statements.
      const before = this.#recent;
      this.#recent = [];
      const term = this.#term(end);
      const own = this.#recent;
      this.#recent = before;
      if (isOddStatement(term)) {
        this.oddities++;
        this.#run++;
        this.#recent = [...before, ...own];
      } else {
        this.#endRun();
        this.#recent = own;
      }
      return term;
    });
    this.#endRun();
    return terms;
  }

  #endRun(): void {
    if (this.#run === 0) return;
    this.#blame(this.#run);
    this.#run = 0;
    this.#recent = [];
  }

  #blame(...lengths: number[]): void {
    for (const name of this.#recent) this.oddRuns.set(name, [...(this.oddRuns.get(name) ?? []), ...lengths]);
  }

  #blameFault(): void {
    this.#blame(1, 2, 3);
    if (!this.#invoked) return;
    const { path, count } = this.#invoked;
    this.oddRuns.set(
      path,
      [count - 1, count + 1].filter((other) => other >= 0 && other <= 7),
    );
  }

  /** Reads items up to `end`. After a fault the rest of the list is one RawBytes. */
  #list(end: number, read: () => AmlTerm): AmlTerm[] {
    const terms: AmlTerm[] = [];
    while (this.#offset < end) {
      const start = this.#offset;
      const scope = this.#scope;
      const [depth, methodDepth] = [this.#depth, this.#methodDepth];
      try {
        terms.push(read());
      } catch (error) {
        if (!(error instanceof AmlFault)) throw error;
        this.#blameFault();
        this.problems.push({ offset: error.offset, path: error.scope, message: error.message });
        terms.push({ kind: 'RawBytes', bytes: this.bytes.slice(start, end) });
        this.#offset = end;
        this.#scope = scope;
        this.#depth = depth;
        this.#methodDepth = methodDepth;
      }
    }
    return terms;
  }

  #term(end: number): AmlTerm {
    if (this.#depth >= MAX_DEPTH) throw this.fault(`terms are nested more than ${MAX_DEPTH} deep`);
    this.#depth++;
    const start = this.#offset;
    const term = this.#anyTerm(end);
    this.#options.offsets?.set(term, start);
    this.#depth--;
    return term;
  }

  /** A term where a value is due: a statement there means that what stands before was misread. */
  #value(end: number): AmlTerm {
    const start = this.#offset;
    const term = this.#term(end);
    if (ROW_BY_KIND.get(term.kind)?.yields === 'Nothing')
      throw this.fault('a statement stands where a value is due', start);
    return term;
  }

  #anyTerm(end: number): AmlTerm {
    const start = this.#offset;
    const lead = this.byte(end);
    switch (lead) {
      case PREFIX.ZeroOp:
        return { kind: 'Integer', value: 0n };
      case PREFIX.OneOp:
        return { kind: 'Integer', value: 1n };
      case PREFIX.BytePrefix:
        return this.#integer(1, end);
      case PREFIX.WordPrefix:
        return this.#integer(2, end);
      case PREFIX.DWordPrefix:
        return this.#integer(4, end);
      case PREFIX.QWordPrefix:
        return this.#integer(8, end);
      case PREFIX.StringPrefix:
        return this.#string(end);
    }
    if (isNameStart(lead)) {
      this.#offset = start;
      return this.#nameOrInvocation(end);
    }
    return this.#def(this.#row(lead, start, end), end);
  }

  #row(lead: number, start: number, end: number): Opcode {
    const next = this.#offset < end ? this.bytes[this.#offset] : -1;
    if (lead === PREFIX.ExtOpPrefix || (lead === 0x92 && next >= 0x93 && next <= 0x95)) this.#offset++;
    const code = this.#offset - start === 2 ? (lead << 8) | next : lead;
    const row = ROW_BY_CODE.get(code);
    if (!row) throw this.fault(`0x${code.toString(16)} is no AML opcode`, start);
    return row;
  }

  #integer(byteLength: 1 | 2 | 4 | 8, end: number): IntegerTerm {
    const low = this.#little(Math.min(byteLength, 4), end);
    const value = byteLength === 8 ? BigInt(low) + (BigInt(this.#little(4, end)) << 32n) : BigInt(low);
    if (shortestIntegerLength(value) === byteLength) return { kind: 'Integer', value };
    return { kind: 'Integer', value, byteLength };
  }

  #string(end: number): AmlTerm {
    const start = this.#offset;
    while (this.byte(end) !== 0);
    return { kind: 'String', value: latin1(this.bytes.subarray(start, this.#offset - 1)) };
  }

  /** A NameString, ACPI 6.5 §20.2.2. */
  readName(end: number): NameTerm {
    const start = this.#offset;
    let lead = this.byte(end);
    if (lead === PREFIX.RootChar) lead = this.byte(end);
    else while (lead === PREFIX.ParentPrefixChar) lead = this.byte(end);
    const prefix = this.#offset - 1 === start ? '' : latin1(this.bytes.subarray(start, this.#offset - 1));
    if (lead === PREFIX.NullName) return { kind: 'NameString', path: prefix };
    let count = 1;
    if (lead === PREFIX.DualNamePrefix) count = 2;
    else if (lead === PREFIX.MultiNamePrefix) count = this.byte(end);
    else this.#offset--;
    if (this.#offset + 4 * count > end) throw this.fault('the name is cut off by the end of its package', start);
    const segments: string[] = [];
    for (let index = 0; index < count; index++) {
      const seg = this.#offset;
      if (!isNameChar(this.bytes[seg])) throw this.fault('a name holds characters that no name may hold', start);
      segments.push(
        String.fromCharCode(this.bytes[seg], this.bytes[seg + 1], this.bytes[seg + 2], this.bytes[seg + 3]),
      );
      this.#offset += 4;
    }
    if (count === 0) throw this.fault('a name has a MultiNamePrefix and no segment', start);
    const path = prefix + segments.join('.');
    const wide = lead === PREFIX.MultiNamePrefix && count <= 2;
    return wide ? { kind: 'NameString', path, prefix: 'multi' } : { kind: 'NameString', path };
  }

  #nameOrInvocation(end: number): NameTerm | InvocationTerm {
    const name = this.readName(end);
    if (!hasSegments(name.path)) return name;
    const { guesses } = this.#options;
    const found = this.#find(name.path);
    const declared = found?.declaration.argumentCount;
    const vague = !found || (found.declaration.kind === 'External' && declared === undefined);
    if (vague) this.#recent.push(name.path);
    else if (declared !== undefined) this.#invoked = { path: found.path, count: declared };
    const count = guesses?.get(vague ? name.path : found.path) ?? declared;
    if (count === undefined) return name;
    const args: AmlTerm[] = [];
    while (args.length < count) args.push(this.#value(end));
    return { kind: 'MethodInvocation', name, args };
  }

  /** The declaration that `path` means here: what the methods around made so far may hide what stands further up. */
  #find(path: string): FoundName | undefined {
    const { known, table, skipMethodBodies } = this.#options;
    const outer = known.find(this.#scope, path, table);
    if (skipMethodBodies) this.#answers.push({ scope: this.#scope, name: path, answer: meaningOf(outer) });
    if (this.#local.isEmpty) return outer;
    const inner = this.#local.find(this.#scope, path, table);
    return inner && (!outer || inner.path.length > outer.path.length) ? inner : outer;
  }

  #def(row: Opcode, end: number): DefTerm {
    const pkgLength = row.pkgLength ? this.#packageEnd(end) : undefined;
    const limit = pkgLength?.end ?? end;
    const scope = this.#scope;
    const operands: OperandValue[] = [];
    let isDeclared = row.declaredOperand === undefined && row.name !== 'DefExternal';
    for (const kind of row.operands) {
      if (kind === 'TermList') {
        if (!isDeclared) this.#declare(row, operands);
        isDeclared = true;
        if (row.opensScope) this.#scope = this.#scopeOf(row, operands[0] as NameTerm);
        if (row.name === 'DefMethod' && this.#options.skipMethodBodies) {
          operands.push(this.#skip(limit));
          continue;
        }
      }
      const isBody = kind === 'TermList' && row.name === 'DefMethod';
      if (isBody) this.#methodDepth++;
      operands.push(this.#operand(kind, limit));
      if (isBody) this.#methodDepth--;
    }
    if (!isDeclared) this.#declare(row, operands);
    this.#scope = scope;
    const byteLength = pkgLength?.byteLength;
    const def: AnyDef =
      byteLength === undefined
        ? { kind: row.name as DefKind, operands }
        : { kind: row.name as DefKind, operands, pkgLengthBytes: byteLength };
    return def as DefTerm;
  }

  /** The end of the package that begins here, and the bytes of its PkgLength where it is not the shortest. */
  #packageEnd(outerEnd: number): { end: number; byteLength: PkgLengthBytes | undefined } {
    const start = this.#offset;
    const length = decodePkgLength(this.bytes, start, outerEnd);
    if (!length) throw this.fault('a PkgLength is cut off or malformed', start);
    const end = start + length.value;
    if (length.value < length.byteLength || end > outerEnd) {
      throw this.fault(
        `a package of ${length.value} bytes does not fit into the ${outerEnd - start} that are left`,
        start,
      );
    }
    this.#offset = start + length.byteLength;
    const shortest = packageLengthBytesFor(length.value - length.byteLength);
    return { end, byteLength: shortest === length.byteLength ? undefined : length.byteLength };
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
        return this.#little(2, end);
      case 'DWordData':
        return this.#little(4, end);
      case 'ByteList':
        return this.rest(end);
      case 'TermList':
        return this.#termList(end);
      case 'FieldList':
        return this.#fields(end);
      case 'PackageElementList':
        // Nothing in a package is declared.
        if (this.#options.skipMethodBodies) return this.#skip(end);
        return this.#list(end, () => this.#packageElement(end));
    }
  }

  #skip(end: number): [] {
    this.#offset = end;
    return [];
  }

  /** Everything up to `end`. */
  rest(end: number): Uint8Array {
    const bytes = this.bytes.slice(this.#offset, end);
    this.#offset = end;
    return bytes;
  }

  /** A buffer or any other data object where a term may stand, as in Connection. */
  readTerm(end: number): AmlTerm {
    return this.#term(end);
  }

  peek(end: number): number {
    return this.#offset < end ? this.bytes[this.#offset] : -1;
  }

  /** A SuperName: names are not invoked, but for the operators whose operand ACPICA reads as a TermArg. */
  #reference(kind: OperandKind, end: number): AmlTerm {
    const lead = this.peek(end);
    if (lead === PREFIX.NullName || isNameStart(lead)) {
      if (kind !== 'CallableName') return this.readName(end);
      const start = this.#offset;
      const term = lead === PREFIX.NullName ? this.readName(end) : this.#nameOrInvocation(end);
      if (term.kind !== 'MethodInvocation' || term.args.length > 0) return term;
      this.#offset = start;
      return this.readName(end);
    }
    const start = this.#offset;
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
      if (element.kind === 'NamedField') this.#add(element.name, { kind: 'FieldUnit', table: this.#options.table });
    }
    return elements;
  }

  #scopeOf(row: Opcode, name: NameTerm): string {
    if (row.declares) return absolutePath(this.#scope, name.path);
    return this.#find(name.path)?.path ?? absolutePath(this.#scope, name.path);
  }

  #add(path: string, declaration: Declaration): void {
    const absolute = absolutePath(this.#scope, path);
    this.#options.declared.declare(absolute, declaration);
    if (this.#methodDepth > 0) this.#local.declare(absolute, declaration);
  }

  #declare(row: Opcode, operands: readonly OperandValue[]): void {
    const { table, known } = this.#options;
    if (row.name === 'DefExternal') {
      const [name, type, count] = operands as readonly [NameTerm, number, number];
      const argumentCount = OBJECT_TYPES[type] === 'MethodObj' ? { argumentCount: count & 7 } : {};
      this.#add(name.path, { kind: 'External', objectType: OBJECT_TYPES[type], ...argumentCount, table });
      return;
    }
    const kind = DECLARED_KINDS[row.name];
    if (!kind) return;
    const name = operands[row.declaredOperand!] as NameTerm;
    if (name.path.length < 4 || name.path.endsWith('^')) return;
    if (kind === 'Method') {
      this.#add(name.path, { kind, argumentCount: (operands[1] as number) & 7, table });
    } else if (kind === 'Alias') {
      const source = (operands[0] as NameTerm).path;
      this.#find(source);
      const target = known.resolve(this.#scope, source) ?? absolutePath(this.#scope, source);
      this.#add(name.path, { kind, target, table });
    } else if (kind === 'Name') {
      this.#add(name.path, { kind, objectType: dataTypeOf(operands[1] as AmlTerm), table });
    } else this.#add(name.path, { kind, table });
  }
}

/** What each row with `declares` declares. */
const DECLARED_KINDS: Readonly<Record<string, DeclaredKind>> = {
  DefAlias: 'Alias',
  DefName: 'Name',
  DefMethod: 'Method',
  DefMutex: 'Mutex',
  DefEvent: 'Event',
  DefOpRegion: 'OpRegion',
  DefDataRegion: 'DataRegion',
  DefDevice: 'Device',
  DefProcessor: 'Processor',
  DefPowerRes: 'PowerResource',
  DefThermalZone: 'ThermalZone',
  DefCreateField: 'BufferField',
  DefCreateDWordField: 'BufferField',
  DefCreateWordField: 'BufferField',
  DefCreateByteField: 'BufferField',
  DefCreateBitField: 'BufferField',
  DefCreateQWordField: 'BufferField',
};

function dataTypeOf(term: AmlTerm): ObjectType {
  switch (term.kind) {
    case 'Integer':
    case 'Ones':
      return 'IntObj';
    case 'String':
      return 'StrObj';
    case 'DefBuffer':
      return 'BuffObj';
    case 'DefPackage':
    case 'DefVarPackage':
      return 'PkgObj';
    default:
      return 'UnknownObj';
  }
}

/** A statement whose value goes nowhere and that changes nothing: compilers write none, but for a few literals. */
function isOddStatement(term: AmlTerm): boolean {
  switch (term.kind) {
    case 'Integer':
    case 'String':
    case 'DefBuffer':
    case 'DefPackage':
    case 'Ones':
      return true;
    case 'NameString':
    case 'MethodInvocation':
    case 'RawBytes':
    case 'DefAcquire':
    case 'DefWait':
    case 'DefIncrement':
    case 'DefDecrement':
    case 'DefStore':
    case 'DefCopyObject':
    case 'DefLoad':
    case 'DefLoadTable':
      return false;
  }
  const row = ROW_BY_KIND.get(term.kind)!;
  if (row.yields === 'Nothing') return false;
  return row.operands.every((kind, index) => {
    const operand = (term as AnyDef).operands[index];
    return kind !== 'Target' || (operand as NameTerm).path === '';
  });
}

/** LeadNameChar or one of the prefixes of a NameString; NullName excepted. */
function isNameStart(byte: number): boolean {
  return (
    (byte >= 0x41 && byte <= 0x5a) ||
    byte === 0x5f ||
    byte === PREFIX.RootChar ||
    byte === PREFIX.ParentPrefixChar ||
    byte === PREFIX.DualNamePrefix ||
    byte === PREFIX.MultiNamePrefix
  );
}

function isNameChar(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f || (byte >= 0x30 && byte <= 0x39);
}

export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
