import type { MachineConfig } from '../../emulator/machine/config.ts';
import { apicIds, topologyOf } from '../../emulator/machine/processor-topology.ts';
import type { PciPlan } from '../pci/plan.ts';
import { buildDsdt } from './dsdt/dsdt.ts';
import { buildFacs } from './facs.ts';
import { buildFadt } from './fadt.ts';
import { type AcpiTable, DEFAULT_OEM, type OemIdentity } from './header.ts';
import { buildHpet } from './hpet.ts';
import { buildMadt } from './madt.ts';
import { buildMcfg } from './mcfg.ts';
import { buildRsdt } from './rsdt.ts';
import { buildSlit } from './slit.ts';
import { buildSrat } from './srat.ts';
import { buildWaet } from './waet.ts';
import { buildXsdt } from './xsdt.ts';

/** The board's own tables, without the root ones: FACS, DSDT, FADT and the rest in the order of the XSDT. */
export function buildBoardTables(config: MachineConfig, plan: PciPlan, oem: OemIdentity = DEFAULT_OEM): AcpiTable[] {
  const numa = config.numaNodes.length > 0;
  return [
    buildFacs(),
    buildDsdt(oem, config, plan),
    buildFadt(oem, config.cpus),
    buildMadt(oem, apicIds(topologyOf(config))),
    buildHpet(oem),
    buildMcfg(oem, plan.ecam),
    ...(numa ? [buildSrat(oem, config), buildSlit(oem, config.numaNodes)] : []),
    buildWaet(oem),
  ];
}

/** Tables that the FADT points to: the RSDT and the XSDT do not list them (ACPI 6.5 §5.2.8). */
const UNLISTED: ReadonlySet<string> = new Set(['FACS', 'DSDT']);

/** `tables` and the RSDT and XSDT that list them. */
export function withRootTables(tables: readonly AcpiTable[], oem: OemIdentity = DEFAULT_OEM): AcpiTable[] {
  const listed = tables.filter(({ signature }) => !UNLISTED.has(signature)).map(({ id }) => id);
  return [...tables, buildRsdt(oem, listed), buildXsdt(oem, listed)];
}
