import { readFileSync } from 'node:fs';
import { resealTable } from '../../../src/aml/table-header.ts';
import { tableEntries } from '../../../src/bios/acpi/describe.ts';
import { buildDsdt } from '../../../src/bios/acpi/dsdt/dsdt.ts';
import { type AcpiTable, DEFAULT_OEM } from '../../../src/bios/acpi/header.ts';
import { linkTables } from '../../../src/bios/acpi/linker/link.ts';
import { buildBoardTables, withRootTables } from '../../../src/bios/acpi/tables.ts';
import type { Fields, Layout } from '../../../src/bios/layout.ts';
import { patchField } from '../../../src/bios/layout.ts';
import { buildE820, E820_FILE_NAME, type E820Entry, encodeE820 } from '../../../src/bios/memory/e820.ts';
import { type PciPlan, PLAN_FILE_NAME, type PlannedFunction } from '../../../src/bios/pci/plan.ts';
import { encodePlanFile } from '../../../src/bios/pci/plan-file.ts';
import { planPci } from '../../../src/bios/pci/planner.ts';
import { buildSmbios } from '../../../src/bios/smbios/build.ts';
import { overlayDescription } from '../../../src/bios/topology/description.ts';
import { describeFlags } from '../../../src/bios/topology/flags.ts';
import { resolveBoard } from '../../../src/bios/topology/resolve.ts';
import { describeBoardYaml } from '../../../src/bios/topology/yaml.ts';
import type { CheckSubject } from '../../../src/bios/verify/subject.ts';
import type { MachineConfig } from '../../../src/emulator/machine/config.ts';
import { concatBytes } from '../../../src/shared/bytes.ts';

const DEFAULT_BOARD = new URL('../../../fixtures/boards/default.yaml', import.meta.url);

/** The default board with two processors and two NUMA nodes, so that every table is there. */
const MACHINE: MachineConfig = resolveBoard(
  overlayDescription(
    describeBoardYaml(readFileSync(DEFAULT_BOARD, 'utf8'), 'default.yaml'),
    describeFlags({
      smp: '2',
      numa: ['node,nodeid=0,mem=256M,cpus=0', 'node,nodeid=1,mem=256M,cpus=1', 'dist,src=0,dst=1,val=21'],
    }),
  ),
).machine;

/** Readonly types taken off, for breaking things. */
type Mutable<T> = T extends Uint8Array ? T : { -readonly [Key in keyof T]: Mutable<T[Key]> };
export type MutablePlan = Mutable<PciPlan>;
export type MutableFunction = Mutable<PlannedFunction>;

/** The parts of a firmware directory, open for damage, before they are put together. */
export class Workbench {
  tables: AcpiTable[];
  e820: Mutable<E820Entry>[];
  plan: MutablePlan;
  biosDate = '01/01/2024';
  /** Makes the RSDT and the XSDT. */
  roots = (tables: readonly AcpiTable[]) => withRootTables(tables);
  /** Damage to the files themselves, last. */
  damage = (_files: Map<string, Uint8Array>) => {};

  constructor() {
    const plan = planPci(MACHINE);
    this.plan = structuredClone(plan) as MutablePlan;
    this.tables = buildBoardTables(MACHINE, plan);
    this.e820 = buildE820(MACHINE, plan.ecam);
  }

  subject(): CheckSubject {
    const files = new Map([
      ...linkTables(this.roots(this.tables), DEFAULT_OEM.oemId),
      [E820_FILE_NAME, encodeE820(this.e820)] as const,
      ...buildSmbios(MACHINE, { biosDate: this.biosDate }),
      [PLAN_FILE_NAME, encodePlanFile(planPci(MACHINE).writes)] as const,
    ]);
    this.damage(files);
    return { source: 'workbench', files, plan: this.plan as PciPlan };
  }

  table(signature: string): AcpiTable {
    return this.tables.find((table) => table.signature === signature)!;
  }

  replace(signature: string, change: Partial<AcpiTable>): void {
    this.tables = this.tables.map((table) => (table.signature === signature ? { ...table, ...change } : table));
  }

  drop(signature: string): void {
    const points = (table: AcpiTable) => ({
      ...table,
      pointers: table.pointers.filter(({ target }) => target !== signature),
    });
    this.tables = this.tables.filter((table) => table.signature !== signature).map(points);
  }

  /** Sets fields of a table's fixed part and seals it again. */
  patch<F extends Fields>(signature: string, layout: Layout<F>, values: Parameters<typeof setFields<F>>[2]): void {
    const bytes = this.table(signature).bytes.slice();
    setFields(layout, bytes, values);
    this.replace(signature, { bytes: resealTable(bytes) });
  }

  /** Rebuilds a table from those of its entries for which `change` returns bytes. */
  entries(signature: string, change: (bytes: Uint8Array, layoutName: string) => Uint8Array | undefined): void {
    const { bytes } = this.table(signature);
    const entries = tableEntries(bytes);
    const fixed = bytes.slice(0, entries[0].offset);
    const kept = entries.map((entry) => change(entry.bytes.slice(), entry.layout?.name ?? ''));
    const image = concatBytes([fixed, ...kept.filter((part) => part !== undefined)]);
    this.replace(signature, { bytes: resealTable(image) });
  }

  /** Replaces bytes of the DSDT: the first occurrence after `after`, or all of them. */
  dsdt(
    from: readonly number[] | string,
    to: readonly number[] | string,
    where: { after?: string; all?: boolean } = {},
  ): void {
    const bytes = this.table('DSDT').bytes.slice();
    const [old, fresh] = [from, to].map((part) => (typeof part === 'string' ? [...Buffer.from(part, 'latin1')] : part));
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = where.after === undefined ? 0 : buffer.indexOf(where.after, 0, 'latin1');
    at = buffer.indexOf(Buffer.from(old), at);
    if (at < 0) throw new Error(`the DSDT does not hold ${from}`);
    while (at >= 0) {
      bytes.set(fresh, at);
      at = where.all ? buffer.indexOf(Buffer.from(old), at + fresh.length) : -1;
    }
    this.replace('DSDT', { bytes: resealTable(bytes) });
  }

  /** Builds the DSDT from a plan that is changed, or for another number of processors. */
  rebuildDsdt(change: (plan: MutablePlan) => void, cpus = MACHINE.cpus): void {
    const plan = structuredClone(planPci(MACHINE)) as MutablePlan;
    change(plan);
    this.replace('DSDT', { bytes: buildDsdt(DEFAULT_OEM, { ...MACHINE, cpus }, plan as PciPlan).bytes });
  }

  /** A function of the plan by id, at any depth. */
  fn(id: string): MutableFunction {
    const find = (functions: readonly MutableFunction[]): MutableFunction | undefined => {
      for (const fn of functions) {
        const found = fn.id === id ? fn : find((fn.bridge?.functions ?? []) as MutableFunction[]);
        if (found) return found;
      }
      return undefined;
    };
    return find(this.plan.hostBridges.flatMap(({ functions }) => functions as MutableFunction[]))!;
  }
}

function setFields<F extends Fields>(
  layout: Layout<F>,
  bytes: Uint8Array,
  values: { readonly [Name in keyof F]?: Parameters<typeof patchField<F, Name>>[3] },
): void {
  for (const [name, value] of Object.entries(values)) patchField(layout, bytes, name as keyof F, value as never);
}
