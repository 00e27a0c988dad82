import { equalBytes } from '../../../shared/bytes.ts';
import { type DumpTable, identityOf, nameTables } from '../dump/table-set.ts';

export interface MergedTables {
  readonly tables: readonly DumpTable[];
  /** What a later set put in place of an earlier one's. */
  readonly replaced: readonly { readonly identity: string; readonly by: string }[];
}

/** One set out of several: a table of the same signature and OEM table id comes from the last set that has it. */
export function mergeTables(sets: readonly (readonly DumpTable[])[]): MergedTables {
  const merged: { key: string; table: DumpTable }[] = [];
  const replaced: { identity: string; by: string }[] = [];
  for (const set of sets) {
    for (const { key, table } of keyed(set)) {
      const index = merged.findIndex((other) => other.key === key);
      if (index < 0) merged.push({ key, table });
      else {
        if (!equalBytes(merged[index].table.bytes, table.bytes))
          replaced.push({ identity: identityOf(table), by: table.file });
        merged[index] = { key, table };
      }
    }
  }
  return { tables: nameTables(merged.map(({ table }) => table)), replaced };
}

/** Identities, counted where a set has one several times. */
export function keyed(tables: readonly DumpTable[]): { readonly key: string; readonly table: DumpTable }[] {
  const counts = new Map<string, number>();
  return tables.map((table) => {
    const identity = SINGLE.has(table.signature) ? table.signature : identityOf(table);
    const count = (counts.get(identity) ?? 0) + 1;
    counts.set(identity, count);
    return { key: count === 1 ? identity : `${identity} (${count})`, table };
  });
}

/** Tables of which a machine has one, whatever the OEM id says. */
const SINGLE: ReadonlySet<string> = new Set([
  'DSDT',
  'FACP',
  'FACS',
  'APIC',
  'MCFG',
  'HPET',
  'SRAT',
  'SLIT',
  'DMAR',
  'BGRT',
  'WAET',
]);
