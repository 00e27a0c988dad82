import { encodeTable, TABLE_HEADER_LENGTH } from '../aml/table-header.ts';
import type { MachineConfig } from '../emulator/machine/config.ts';
import { type AcpiTableInput, applyAcpiTables } from './acpi/acpitable/apply.ts';
import { type AcpiTable, DEFAULT_OEM, type OemIdentity, paddedOem } from './acpi/header.ts';
import { linkTables } from './acpi/linker/link.ts';
import { buildBoardTables, withRootTables } from './acpi/tables.ts';
import type { FirmwareFiles } from './artifacts.ts';
import { buildE820, E820_FILE_NAME, encodeE820 } from './memory/e820.ts';
import { type PciPlan, PLAN_FILE_NAME } from './pci/plan.ts';
import { encodePlanFile } from './pci/plan-file.ts';
import { buildSmbios, type SmbiosOptions } from './smbios/build.ts';

export interface FirmwareOptions {
  readonly oem?: OemIdentity;
  /** `--acpitable`, in order, with the bytes of its files. */
  readonly acpiTables?: readonly AcpiTableInput[];
  readonly smbios?: SmbiosOptions;
}

export interface Firmware {
  /** What travels by fw_cfg. */
  readonly files: FirmwareFiles;
  /** The tables before they have addresses, root tables included: for people, disassemblers and tests. */
  readonly tables: readonly AcpiTable[];
  readonly warnings: readonly string[];
}

/** Root buses beyond the first, for SeaBIOS; u64. */
const EXTRA_ROOTS_FILE_NAME = 'etc/extra-pci-roots';
const MAX_CPUS_FILE_NAME = 'etc/max-cpus';

/**
 * Everything that the firmware receives, but the ROM: tables and their linker/loader script, e820, SMBIOS and the PCI plan.
 * @throws UserError from `--acpitable` (ACPITABLE_…)
 */
export function buildFirmware(config: MachineConfig, plan: PciPlan, options: FirmwareOptions = {}): FirmwareFiles {
  return assembleFirmware(config, plan, options).files;
}

/** `buildFirmware` with what people want to see as well. */
export function assembleFirmware(config: MachineConfig, plan: PciPlan, options: FirmwareOptions = {}): Firmware {
  const oem = options.oem ?? DEFAULT_OEM;
  const applied = applyAcpiTables(buildBoardTables(config, plan, oem), options.acpiTables ?? []);
  const rootOem = { ...oem, ...applied.slicOem };
  const boardTables = applied.slicOem ? applied.tables.map((table) => withSlicOem(table, rootOem)) : applied.tables;
  const tables = withRootTables(boardTables, rootOem);
  const files = new Map<string, Uint8Array>([
    ...linkTables(tables, rootOem.oemId),
    [E820_FILE_NAME, encodeE820(buildE820(config, plan.ecam))],
    ...buildSmbios(config, options.smbios),
    [PLAN_FILE_NAME, encodePlanFile(plan.writes)],
    [EXTRA_ROOTS_FILE_NAME, u64File(plan.hostBridges.length - 1)],
    [MAX_CPUS_FILE_NAME, u64File(config.cpus)],
  ]);
  return { files, tables, warnings: applied.warnings };
}

/** Windows wants the FADT's OEM ids to be the SLIC's. */
function withSlicOem(table: AcpiTable, oem: OemIdentity): AcpiTable {
  if (table.signature !== 'FACP') return table;
  const revision = table.bytes[8];
  const bytes = encodeTable(
    { signature: 'FACP', revision, ...paddedOem(oem) },
    table.bytes.subarray(TABLE_HEADER_LENGTH),
  );
  return { ...table, bytes };
}

function u64File(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}
