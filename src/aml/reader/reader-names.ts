import { absolutePath, type Declaration, type DeclaredKind, DeclaredNames } from '../namespace.ts';
import { OBJECT_TYPES, type ObjectType, type Opcode } from '../opcodes.ts';
import type { AmlTerm, NameTerm, OperandValue } from '../tree.ts';

interface FoundName {
  readonly path: string;
  readonly declaration: Declaration;
}

/** What reading depends on. */
const meaningOf = (found: FoundName | undefined): string =>
  found === undefined ? '' : `${found.path} ${found.declaration.argumentCount ?? ''}`;

export interface ReaderNamesOptions {
  /** The place of the table in its set: which declarations are its own. */
  readonly table: number;
  /** What is known of names, from this and other tables, possibly of an earlier round. */
  readonly known: DeclaredNames;
  /** Where declarations go. */
  readonly declared: DeclaredNames;
  /** Leave out method bodies: a first round that only wants declarations. */
  readonly skipMethodBodies?: boolean;
}

/** What names mean to a table while it is read, and what it declares. */
export class ReaderNames {
  /** Methods around what is read. */
  methodDepth = 0;
  readonly #options: ReaderNamesOptions;
  /** What methods declare: the first round, which leaves their bodies out, does not know it. */
  readonly #local = new DeclaredNames();
  /** What names meant when they were read, in a round that leaves method bodies out. */
  readonly #answers: { readonly scope: string; readonly name: string; readonly answer: string }[] = [];

  constructor(options: ReaderNamesOptions) {
    this.#options = options;
  }

  /** True when reading with `known` gives the same: no name means anything else than it did. */
  readSameWith(known: DeclaredNames): boolean {
    return this.#answers.every(
      ({ scope, name, answer }) => meaningOf(known.find(scope, name, this.#options.table)) === answer,
    );
  }

  /** The declaration that `path` means here: what the methods around made so far may hide what stands further up. */
  find(scope: string, path: string): FoundName | undefined {
    const { known, table, skipMethodBodies } = this.#options;
    const outer = known.find(scope, path, table);
    if (skipMethodBodies) this.#answers.push({ scope, name: path, answer: meaningOf(outer) });
    if (this.#local.isEmpty) return outer;
    const inner = this.#local.find(scope, path, table);
    return inner && (!outer || inner.path.length > outer.path.length) ? inner : outer;
  }

  /** The scope that `row` opens. */
  scopeOf(scope: string, row: Opcode, name: NameTerm): string {
    if (row.declares) return absolutePath(scope, name.path);
    return this.find(scope, name.path)?.path ?? absolutePath(scope, name.path);
  }

  add(scope: string, path: string, declaration: Declaration): void {
    const absolute = absolutePath(scope, path);
    this.#options.declared.declare(absolute, declaration);
    if (this.methodDepth > 0) this.#local.declare(absolute, declaration);
  }

  /** What `row` with `operands` declares in `scope`. */
  declare(scope: string, row: Opcode, operands: readonly OperandValue[]): void {
    const { table, known } = this.#options;
    if (row.name === 'DefExternal') {
      const [name, type, count] = operands as readonly [NameTerm, number, number];
      const argumentCount = OBJECT_TYPES[type] === 'MethodObj' ? { argumentCount: count & 7 } : {};
      this.add(scope, name.path, { kind: 'External', objectType: OBJECT_TYPES[type], ...argumentCount, table });
      return;
    }
    const kind = DECLARED_KINDS[row.name];
    if (!kind) return;
    const name = operands[row.declaredOperand!] as NameTerm;
    if (name.path.length < 4 || name.path.endsWith('^')) return;
    if (kind === 'Method') {
      this.add(scope, name.path, { kind, argumentCount: (operands[1] as number) & 7, table });
    } else if (kind === 'Alias') {
      const source = (operands[0] as NameTerm).path;
      this.find(scope, source);
      const target = known.resolve(scope, source) ?? absolutePath(scope, source);
      this.add(scope, name.path, { kind, target, table });
    } else if (kind === 'Name') {
      this.add(scope, name.path, { kind, objectType: dataTypeOf(operands[1] as AmlTerm), table });
    } else this.add(scope, name.path, { kind, table });
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
