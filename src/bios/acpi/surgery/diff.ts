import { printTerm } from '../../../aml/asl/print-term.ts';
import { encodeTerms } from '../../../aml/encode.ts';
import { type LintModel, type LintObject, readLintModel } from '../../../aml/lint/model.ts';
import { formatPath } from '../../../aml/name-string.ts';
import type { AmlTerm, AnyDef, FieldElement } from '../../../aml/tree.ts';
import { equalBytes } from '../../../shared/bytes.ts';
import { describeTable } from '../describe.ts';
import { type DumpTable, isDefinitionBlock } from '../dump/table-set.ts';
import { keyed } from './merge.ts';

/** A table, a field of one, or an object of the namespace that differs. */
export interface Difference {
  readonly what: 'table' | 'field' | 'object';
  readonly change: 'added' | 'removed' | 'changed';
  /** Identity of the table, path of the field (`MADT.I/O APIC[0].ADDRESS`) or of the object. */
  readonly path: string;
  /** Nothing for what was added, and for a table as a whole. */
  readonly before?: string;
  readonly after?: string;
}

/** Fields of the header that every edit changes. */
const HEADER_NOISE = /\.(LENGTH|CHECKSUM)$/;

/**
 * What differs from one machine's tables to another's: tables that are there in one only, fields of data tables, and objects of the
 * namespace that all definition blocks of a machine make together: how it is spread over tables makes no difference.
 */
export function diffTables(before: readonly DumpTable[], after: readonly DumpTable[]): Difference[] {
  return [...dataDifferences(before, after), ...namespaceDifferences(before, after)];
}

function dataDifferences(before: readonly DumpTable[], after: readonly DumpTable[]): Difference[] {
  const [left, right] = [before, after].map((tables) => new Map(keyed(tables).map(({ key, table }) => [key, table])));
  const differences: Difference[] = [];
  for (const [key, table] of left) {
    const other = right.get(key);
    if (!other) differences.push({ what: 'table', change: 'removed', path: key });
    else if (!equalBytes(table.bytes, other.bytes) && !isDefinitionBlock(table))
      differences.push(...fieldDifferences(table, other));
  }
  for (const key of right.keys()) if (!left.has(key)) differences.push({ what: 'table', change: 'added', path: key });
  return differences;
}

function fieldDifferences(before: DumpTable, after: DumpTable): Difference[] {
  const [left, right] = [describeTable(before.bytes), describeTable(after.bytes)];
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((path) => left.get(path) !== right.get(path) && !HEADER_NOISE.test(path))
    .map((path) => difference('field', path, left.get(path), right.get(path)));
}

function difference(
  what: 'field' | 'object',
  path: string,
  before: string | undefined,
  after: string | undefined,
): Difference {
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return { what, change, path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) };
}

function namespaceDifferences(before: readonly DumpTable[], after: readonly DumpTable[]): Difference[] {
  const [left, right] = [before, after].map((tables) => objectsOf(tables));
  return (
    [...new Set([...left.keys(), ...right.keys()])]
      .filter((path) => left.get(path)?.key !== right.get(path)?.key)
      // The children of what is there in one only say nothing more.
      .filter((path) => !hasMissingParent(path, left, right))
      .map((path) => difference('object', formatPath(path), left.get(path)?.text(), right.get(path)?.text()))
  );
}

interface Shown {
  /** Equal for objects that mean the same. */
  readonly key: string;
  readonly text: () => string;
}

function hasMissingParent(path: string, left: ReadonlyMap<string, Shown>, right: ReadonlyMap<string, Shown>): boolean {
  const parent = path.slice(0, -5);
  return left.has(path) ? left.has(parent) && !right.has(parent) : right.has(parent) && !left.has(parent);
}

function objectsOf(tables: readonly DumpTable[]): Map<string, Shown> {
  const blocks = tables.filter(isDefinitionBlock);
  if (blocks.length === 0) return new Map();
  const model = readLintModel(blocks.map(({ bytes, file }) => ({ bytes, file })));
  const found = new Map<string, Shown>();
  for (const object of model.objects) {
    // Externals and what a method makes for itself are no part of the namespace.
    if (object.kind === 'External' || object.method !== undefined || found.has(object.path)) continue;
    found.set(object.path, shown(object, model));
  }
  return found;
}

function shown(object: LintObject, model: LintModel): Shown {
  const { kind, term, path } = object;
  const name = formatPath(path.slice(-4));
  if (kind === 'FieldUnit') {
    const key = fieldKey(term as AnyDef, path.slice(-4));
    return { key, text: () => key };
  }
  if (term && CONTAINERS.has(kind)) {
    const fixed = (term.operands.slice(1, -1) as number[]).map(String).join(', ');
    const text = `${kind} (${[name, fixed].filter((part) => part !== '').join(', ')})`;
    return { key: text, text: () => text };
  }
  // The name of a declaration may be written in several ways.
  const [, ...rest] = term!.operands;
  const key = `${kind} ${rest.map((operand) => operandKey(operand)).join(' ')}`;
  return { key, text: () => printTerm(term as AmlTerm, object.scope, model.set) };
}

const CONTAINERS = new Set(['Device', 'PowerResource', 'Processor', 'ThermalZone']);

function operandKey(operand: unknown): string {
  if (typeof operand === 'number') return String(operand);
  if (operand instanceof Uint8Array) return hexOf(operand);
  const terms = (Array.isArray(operand) ? operand : [operand]) as AmlTerm[];
  return hexOf(encodeTerms(terms));
}

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Region, place and length of a field. */
function fieldKey({ kind, operands }: AnyDef, name: string): string {
  let bit = 0;
  for (const element of operands.at(-1) as readonly FieldElement[]) {
    if (element.kind === 'NamedField' && element.name === name) {
      const [region] = operands as unknown as [{ path: string }];
      return `${kind.replace('Def', '')} in ${formatPath(region.path)}, ${element.bitLength} bits at bit ${bit}`;
    }
    if (element.kind === 'NamedField' || element.kind === 'ReservedField') bit += element.bitLength;
  }
  return kind;
}
