import { decodeTableHeader } from '../../aml/table-header.ts';
import { hex } from '../../shared/bytes.ts';
import { type DumpTable, isDefinitionBlock } from '../acpi/dump/table-set.ts';
import { HPET } from '../acpi/hpet.ts';
import { decodeLayout } from '../layout.ts';
import { rangeText } from '../verify/ranges.ts';
import { ecamRange } from '../verify/rules/ecam.ts';
import { FIELD_VALUES } from './field-meanings.ts';
import { fieldLines, intiWords } from './field-words.ts';
import type { ExplainedMachine, Explanation } from './machine.ts';

/** What a table is for and what an OS does with it. */
const PURPOSES: Readonly<Record<string, string>> = {
  APIC: 'MADT: processors and interrupt controllers. Linux and Windows start the processors it lists as enabled and route interrupts by it',
  ASF: 'Alert Standard Format: remote management. Linux ignores it',
  BERT: 'Boot error record: where the last fatal error stands. Linux prints it at boot',
  BGRT: 'Boot logo: Windows and Linux keep the firmware’s picture while they boot',
  BOOT: 'Simple boot flag in CMOS. Windows writes it',
  CPEP: 'Corrected platform errors to poll, on Itanium',
  CRAT: 'AMD’s component resources: topology for compute on GPUs',
  CSRT: 'Core system resources: shared DMA controllers of SoCs',
  DBG2: 'Debug ports. Windows’ kernel debugger and Linux’ earlycon take the port from it',
  DBGP: 'Debug port of old Windows',
  DMAR: 'Intel VT-d: IOMMUs and what is behind them. Linux with intel_iommu=on and Windows’ DMA protection use it',
  DRTM: 'Dynamic root of trust: measured launch',
  DSDT: 'The machine’s devices and methods in AML, loaded before all SSDTs',
  ECDT: 'The embedded controller before the namespace is there. Linux starts the EC early by it',
  EINJ: 'Error injection, for tests',
  ERST: 'Error record storage: Linux’ pstore keeps crash logs in it',
  FACP: 'FADT: fixed hardware, power management and the way to DSDT and FACS',
  FACS: 'Waking vector and global lock, shared by firmware and OS',
  FPDT: 'Times that the firmware took to boot',
  GTDT: 'Timers of Arm machines',
  HEST: 'Hardware error sources. Linux’ GHES and AER ask it who handles errors',
  HPET: 'High Precision Event Timer. Linux and Windows take it as clock source when the TSC is not stable',
  IVRS: 'AMD IOMMUs and what is behind them',
  LPIT: 'Low-power idle states: what counts as S0ix residency',
  MCFG: 'Where each PCI segment’s configuration space is mapped. Without it no extended registers (AER, SR-IOV, ATS)',
  MSDM: 'The Windows licence key of the machine',
  NFIT: 'Non-volatile memory and its DIMMs',
  OEMB: 'A vendor’s own; no OS reads it',
  PCCT: 'Mailboxes between OS and platform controller (CPPC, RAS)',
  PPTT: 'Topology of processors and caches',
  RSDT: 'The list of tables with 32-bit addresses',
  SBST: 'Warning levels of smart batteries',
  SLIC: 'Licence marker of Windows Vista and 7 (OEM activation)',
  SLIT: 'Distances between NUMA nodes',
  SPCR: 'Serial console. Linux uses it with console= or on Arm; Windows for EMS',
  SPMI: 'IPMI interface of the board’s management controller',
  SRAT: 'Which memory and processors belong to which NUMA node',
  SSDT: 'More AML, added to the DSDT’s namespace',
  TCPA: 'TPM 1.2 event log',
  TPM2: 'TPM 2.0 interface',
  UEFI: 'Data of UEFI firmware, such as the SMM communication buffer',
  VFCT: 'The video BIOS for AMD’s driver',
  WAET: 'Windows: emulated devices need no workarounds',
  WDAT: 'Watchdog as a list of register actions. Windows and Linux’ wdat_wdt use it',
  WDDT: 'Watchdog description',
  WDRT: 'Watchdog resources, replaced by WDAT',
  WPBT: 'A program that Windows runs at each boot',
  WSMT: 'What SMM promises about its memory. Windows’ Device Guard asks for it',
  XSDT: 'The list of tables with 64-bit addresses',
};

/** What a table of a machine says; `withFields` adds each field of a data table. */
export function explainTable(table: DumpTable, machine: ExplainedMachine, withFields: boolean): Explanation {
  const header = table.signature === 'FACS' ? undefined : decodeTableHeader(table.bytes);
  const made = header ? `, revision ${header.revision}, by ${header.oemId.trim()} "${header.oemTableId.trim()}"` : '';
  const purpose = PURPOSES[table.signature] ?? 'A table that this toolkit does not know; Linux lists it and ignores it';
  const details =
    DETAILS[table.signature]?.(table, machine) ?? (table.signature === 'DSDT' ? definitionWords(machine) : []);
  const known = withFields && !isDefinitionBlock(table) ? fieldLines(table.bytes) : [];
  const fields = known.length === 0 ? [] : ['Fields:', ...known.map(indent)];
  return { title: `${table.name}: ${table.bytes.length} bytes${made}`, lines: [`${purpose}.`, ...details, ...fields] };
}

const indent = (line: string): string => `  ${line}`;

const DETAILS: Readonly<Record<string, (table: DumpTable, machine: ExplainedMachine) => string[]>> = {
  FACP: (_, machine) => fadtWords(machine),
  APIC: (_, machine) => madtWords(machine),
  MCFG: (_, { facts }) =>
    (facts.mcfg ?? []).map(
      (allocation) =>
        `segment ${allocation.SEGMENT}, buses ${allocation.START_BUS}–${allocation.END_BUS}: ${rangeText(ecamRange(allocation))}`,
    ),
  HPET: ({ bytes }) => {
    const { BASE_ADDRESS, EVENT_TIMER_BLOCK_ID, MINIMUM_TICK } = decodeLayout(HPET, bytes);
    return [
      `registers at ${hex(BASE_ADDRESS.address)}, ${((EVENT_TIMER_BLOCK_ID >>> 8) & 0x1f) + 1} comparators, at least ${MINIMUM_TICK} ticks between interrupts`,
    ];
  },
};

function fadtWords({ facts: { fadt } }: ExplainedMachine): string[] {
  if (!fadt) return [];
  const { FLAGS, PREFERRED_PM_PROFILE, SCI_INT, SMI_CMD, GPE0_BLK_LEN } = fadt;
  // A machine may state its blocks in the X_ fields alone.
  const at = (name: 'PM1A_EVT_BLK' | 'PM1A_CNT_BLK' | 'PM_TMR_BLK' | 'GPE0_BLK') =>
    hex(fadt[name] || (fadt[`X_${name}`]?.address ?? 0));
  const flag = (bit: number) => Math.floor(FLAGS / 2 ** bit) % 2 === 1;
  const reduced = flag(20);
  return [
    `a ${FIELD_VALUES['FADT.PREFERRED_PM_PROFILE'][PREFERRED_PM_PROFILE] ?? `profile ${PREFERRED_PM_PROFILE}`} machine${reduced ? ' with reduced hardware: no PM blocks, no SCI' : ''}`,
    ...(reduced
      ? []
      : [
          `the SCI is interrupt ${SCI_INT}; both systems make it level-triggered and active low unless the MADT overrides it`,
          `PM1 events at ${at('PM1A_EVT_BLK')}, control at ${at('PM1A_CNT_BLK')}, timer at ${at('PM_TMR_BLK')}, ${4 * GPE0_BLK_LEN} general-purpose events at ${at('GPE0_BLK')}`,
          SMI_CMD === 0
            ? 'always in ACPI mode: no SMI_CMD'
            : `the OS enters ACPI mode by writing ${hex(fadt.ACPI_ENABLE)} to port ${hex(SMI_CMD)}`,
        ]),
    flag(10)
      ? `reset: ${hex(fadt.RESET_VALUE)} to ${hex(fadt.RESET_REG.address)}, which Linux (reboot=acpi) and Windows use`
      : 'no reset register: Linux reboots by the keyboard controller or EFI',
    flag(21)
      ? 'sleep: S0 idle is meant; Windows uses Modern Standby, Linux s2idle'
      : 'sleep: by \\_S3 where there is one',
  ];
}

function madtWords({ facts: { madt } }: ExplainedMachine): string[] {
  if (!madt) return [];
  const enabled = [...madt.LOCAL_APIC, ...madt.LOCAL_X2APIC].filter(({ FLAGS }) => FLAGS % 2 === 1);
  return [
    `${enabled.length} processors that are enabled, ${madt.LOCAL_APIC.length + madt.LOCAL_X2APIC.length - enabled.length} that may be added or are not there`,
    ...madt.IO_APIC.map(
      ({ IO_APIC_ID, ADDRESS, GSI_BASE }) => `I/O APIC ${IO_APIC_ID} at ${hex(ADDRESS)}, GSIs from ${GSI_BASE}`,
    ),
    ...madt.INTERRUPT_OVERRIDE.map(
      ({ SOURCE, GSI, FLAGS }) => `ISA interrupt ${SOURCE} is GSI ${GSI}, ${intiWords(FLAGS)}`,
    ),
    ...madt.LOCAL_APIC_NMI.map(
      ({ PROCESSOR_UID, LINT }) =>
        `NMI at LINT${LINT} of ${PROCESSOR_UID === 0xff ? 'all processors' : `processor ${PROCESSOR_UID}`}`,
    ),
  ];
}

function definitionWords({ facts: { devices, hostBridges } }: ExplainedMachine): string[] {
  return [`all definition blocks together: ${devices.length} devices, ${hostBridges.length} PCI host bridges`];
}
