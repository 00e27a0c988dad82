import { decodeTables } from '../../../aml/decode.ts';
import { encodeTerms } from '../../../aml/encode.ts';
import { formatPath, parseNameSeg, parseNameString } from '../../../aml/name-string.ts';
import { absolutePath, ROOT } from '../../../aml/namespace.ts';
import { resealTable, TABLE_HEADER_LENGTH } from '../../../aml/table-header.ts';
import type { AmlTerm, AnyDef, NameTerm } from '../../../aml/tree.ts';
import { concatBytes } from '../../../shared/bytes.ts';
import { UserError } from '../../../shared/errors.ts';
import {
  type DumpTable,
  identityOf,
  isDefinitionBlock,
  nameTables,
  readTableSet,
  selectTables,
} from '../dump/table-set.ts';

/** One change to a set of tables. */
export type TableChange =
  | { readonly kind: 'delete'; readonly selector: string }
  /** In place of the table of the same signature and OEM table id. */
  | { readonly kind: 'replace' | 'add'; readonly file: string; readonly bytes: Uint8Array }
  /** Bytes at an offset, header and all. */
  | { readonly kind: 'bytes'; readonly selector: string; readonly offset: number; readonly bytes: Uint8Array }
  /** The value of a Name. */
  | { readonly kind: 'set'; readonly path: string; readonly value: bigint | string }
  /** A NameSeg wherever it stands in the tables' AML. */
  | { readonly kind: 'rename'; readonly from: string; readonly to: string };

/**
 * The tables after `changes`, in order, with right lengths and checksums where something changed.
 * @throws UserError TABLE_UNKNOWN, PATCH_…, and those of AML and names
 */
export function patchTables(tables: readonly DumpTable[], changes: readonly TableChange[]): DumpTable[] {
  return changes.reduce<DumpTable[]>(applyChange, [...tables]);
}

function applyChange(tables: DumpTable[], change: TableChange): DumpTable[] {
  switch (change.kind) {
    case 'delete': {
      const gone = new Set(selectTables(tables, change.selector));
      return tables.filter((table) => !gone.has(table));
    }
    case 'add':
      return nameTables([...tables, ...tablesOf(change.file, change.bytes)]);
    case 'replace':
      return tablesOf(change.file, change.bytes).reduce(replaceOne, tables);
    case 'bytes': {
      const [first, second] = selectTables(tables, change.selector);
      if (second) throw ambiguous(change.selector);
      return tables.map((table) => (table === first ? poked(table, change.offset, change.bytes) : table));
    }
    case 'set':
      return setName(tables, change.path, change.value);
    case 'rename':
      return renameSegment(tables, parseNameSeg(change.from), parseNameSeg(change.to));
  }
}

function tablesOf(file: string, bytes: Uint8Array): DumpTable[] {
  const found = readTableSet([{ file, bytes }]);
  if (found.length > 0) return found;
  throw new UserError('PATCH_FILE', 'the file holds no ACPI table', {
    place: { file },
    mend: 'name a binary table, or text of acpidump',
  });
}

function replaceOne(tables: DumpTable[], table: DumpTable): DumpTable[] {
  const same = tables.filter((other) => identityOf(other) === identityOf(table));
  // A DSDT is one whatever its OEM says.
  const alone = tables.filter(({ signature }) => signature === table.signature);
  const target = same.length === 1 ? same[0] : alone.length === 1 ? alone[0] : undefined;
  if (!target) {
    throw new UserError('PATCH_REPLACE', `no single table matches ${identityOf(table)}`, {
      place: { file: table.file },
      mend: `delete the one that is meant and add this one; there are ${tables.map(identityOf).join(', ')}`,
    });
  }
  return tables.map((other) => (other === target ? { ...table, name: target.name } : other));
}

const ambiguous = (selector: string): UserError =>
  new UserError('PATCH_AMBIGUOUS', `several tables are '${selector}'`, {
    mend: 'name one of them: ssdt3, or SSDT:OEMTABLEID',
  });

function poked(table: DumpTable, offset: number, bytes: Uint8Array): DumpTable {
  if (offset + bytes.length > table.bytes.length) {
    throw new UserError(
      'PATCH_OFFSET',
      `${bytes.length} bytes at ${offset} reach beyond the ${table.bytes.length} of ${table.name}`,
      {
        place: { file: table.file, offset },
        mend: 'correct the offset: it counts from the start of the header',
      },
    );
  }
  const copy = table.bytes.slice();
  copy.set(bytes, offset);
  return { ...table, bytes: table.signature === 'FACS' ? copy : resealTable(copy) };
}

/** The definition blocks with `change` applied to every term; `undefined` when nothing changed. */
function rewrite(
  tables: readonly DumpTable[],
  change: (term: AmlTerm, scope: string) => AmlTerm,
): { tables: DumpTable[]; changed: number } {
  const blocks = tables.filter(isDefinitionBlock);
  const { tables: decoded, names } = decodeTables(blocks);
  let changed = 0;
  const visit = (term: AmlTerm, scope: string): AmlTerm => {
    const own = change(term, scope);
    if (own !== term) changed++;
    if (own.kind === 'MethodInvocation')
      return { ...own, name: visit(own.name, scope) as NameTerm, args: own.args.map((arg) => visit(arg, scope)) };
    if (!('operands' in own)) return own;
    const def = own as AnyDef;
    const [first] = def.operands as [NameTerm];
    const opens = OPENS.has(def.kind);
    const inner = !opens
      ? scope
      : def.kind === 'DefScope'
        ? (names.resolve(scope, first.path) ?? absolutePath(scope, first.path))
        : absolutePath(scope, first.path);
    const operands = def.operands.map((operand) => {
      if (Array.isArray(operand)) return operand.map((item) => (isTerm(item) ? visit(item, inner) : item));
      return isTerm(operand) ? visit(operand, scope) : operand;
    });
    return { ...def, operands } as unknown as AmlTerm;
  };
  const bodies = new Map(
    blocks.map((table, index) => {
      const before = changed;
      const terms = decoded[index].terms.map((term) => visit(term, ROOT));
      if (changed === before) return [table, table];
      const header = table.bytes.subarray(0, TABLE_HEADER_LENGTH);
      return [table, { ...table, bytes: resealTable(concatBytes([header, encodeTerms(terms)])) }];
    }),
  );
  return { tables: tables.map((table) => bodies.get(table) ?? table), changed };
}

const OPENS = new Set(['DefScope', 'DefDevice', 'DefMethod', 'DefProcessor', 'DefPowerRes', 'DefThermalZone']);

function isTerm(value: unknown): value is AmlTerm {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

function setName(tables: readonly DumpTable[], path: string, value: bigint | string): DumpTable[] {
  const wanted = absolutePath(ROOT, parseNameString(path).path);
  const data: AmlTerm = typeof value === 'string' ? { kind: 'String', value } : { kind: 'Integer', value };
  const result = rewrite(tables, (term, scope) => {
    if (term.kind !== 'DefName') return term;
    const [name] = (term as AnyDef).operands as [NameTerm];
    return absolutePath(scope, name.path) === wanted ? ({ ...term, operands: [name, data] } as AmlTerm) : term;
  });
  if (result.changed > 0) return result.tables;
  throw new UserError('PATCH_NAME', `no Name is ${formatPath(wanted)}`, {
    place: { path: formatPath(wanted) },
    mend: 'name an object that a Name declares (`q35 acpi explain` lists them), with its whole path',
  });
}

function renameSegment(tables: readonly DumpTable[], from: string, to: string): DumpTable[] {
  const renamed = (path: string): string => {
    const start = /^[\\^]*/.exec(path)![0];
    const segments = path.slice(start.length).match(/.{4}(?=\.|$)/gs) ?? [];
    return start + segments.map((segment) => (segment === from ? to : segment)).join('.');
  };
  const result = rewrite(tables, (term) => {
    if (term.kind === 'NameString') return term.path.includes(from) ? { ...term, path: renamed(term.path) } : term;
    if (!FIELD_LISTS.has(term.kind)) return term;
    const def = term as AnyDef;
    const list = def.operands.at(-1) as readonly { kind: string; name?: string }[];
    if (!list.some(({ name }) => name === from)) return term;
    return {
      ...def,
      operands: [...def.operands.slice(0, -1), list.map((item) => (item.name === from ? { ...item, name: to } : item))],
    } as unknown as AmlTerm;
  });
  if (result.changed > 0) return result.tables;
  throw new UserError('PATCH_RENAME', `no table holds the name ${formatPath(from)}`, {
    mend: 'check the spelling: a name segment has up to four characters',
  });
}

const FIELD_LISTS = new Set(['DefField', 'DefIndexField', 'DefBankField']);
