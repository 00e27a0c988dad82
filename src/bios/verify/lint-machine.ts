import type { Finding, RuleWords } from '../../aml/lint/finding.ts';
import { LINT_RULES, lintTables } from '../../aml/lint/lint.ts';
import { type DumpTable, isDefinitionBlock } from '../acpi/dump/table-set.ts';
import { checkFirmware, RULES } from './check.ts';

/** Rules of the check over a firmware's own files that say nothing about a dump: it may be a part of a machine's tables. */
const FOR_WHOLE_FIRMWARE: ReadonlySet<string> = new Set(['TABLE-REQUIRED', 'TABLE-ONCE']);
/** The rules over definition blocks say them as well, with the place in the table. */
const SAID_BY_LINT: ReadonlySet<string> = new Set(['DEVICE-ID', 'DEVICE-UID']);
const leftOut = (id: string): boolean => FOR_WHOLE_FIRMWARE.has(id) || SAID_BY_LINT.has(id);
/** Said by the rules over all tables as well. */
const SAID_TWICE: ReadonlySet<string> = new Set(['AML-CHECKSUM', 'AML-BYTES']);

/** Every rule that a lint may run. */
export const MACHINE_RULES: readonly RuleWords[] = [...LINT_RULES, ...RULES.filter(({ id }) => !leftOut(id))];

/**
 * Lints the tables of a machine: the rules over definition blocks, and, when its FADT is among them, those that hold tables against
 * one another.
 */
export function lintMachine(tables: readonly DumpTable[]): Finding[] {
  const blocks = tables.filter(isDefinitionBlock).map(({ bytes, file }) => ({ bytes, file }));
  const findings = lintTables(blocks);
  if (!tables.some(({ signature }) => signature === 'FACP')) return findings;
  const files = new Map(tables.map(({ name, bytes }) => [`${name}.aml`, bytes]));
  const sources = new Map(tables.map(({ name, file }) => [`${name}.aml`, file]));
  const across = checkFirmware({ source: 'the tables', files })
    .filter(({ rule }) => !leftOut(rule))
    .map((finding) => withSource(finding, sources));
  return [...findings.filter(({ rule }) => !SAID_TWICE.has(rule)), ...across];
}

/** `finding` by the file that the user has named, which the check knows by the table's name. */
function withSource(finding: Finding, sources: ReadonlyMap<string, string>): Finding {
  const { file } = finding.place;
  const source = file === undefined ? undefined : sources.get(file);
  return source === undefined ? finding : { ...finding, place: { ...finding.place, file: source } };
}
