import { INTI_FLAGS, LOCAL_APIC_FLAGS } from '../../acpi/madt.ts';
import { hasFlag } from '../../layout.ts';
import type { CheckFacts, MadtEntries } from '../facts.ts';
import { type Rule, type Violation, violation } from '../rule.ts';

/** MADT: processors, I/O APICs and how ISA interrupts reach them. */

function withMadt(check: (madt: MadtEntries, facts: CheckFacts) => readonly Violation[]): Rule['check'] {
  return (facts) => (facts.madt ? check(facts.madt, facts) : []);
}

const ISA_PIT = 0;
const PIT_GSI = 2;

/** Processors that the MADT enables: UID and APIC id. */
export function enabledProcessors(madt: MadtEntries): { uid: number; apicId: number }[] {
  const enabled = <Entry extends { FLAGS: number }>(entries: readonly Entry[]) =>
    entries.filter(({ FLAGS }) => hasFlag(LOCAL_APIC_FLAGS, 'ENABLED', FLAGS));
  return [
    ...enabled(madt.LOCAL_APIC).map(({ PROCESSOR_UID, APIC_ID }) => ({ uid: PROCESSOR_UID, apicId: APIC_ID })),
    ...enabled(madt.LOCAL_X2APIC).map(({ PROCESSOR_UID, X2APIC_ID }) => ({ uid: PROCESSOR_UID, apicId: X2APIC_ID })),
  ];
}

function repeated(values: readonly number[]): number[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}

const path = 'APIC';

export const INTERRUPT_CONTROLLER_RULES: readonly Rule[] = [
  {
    id: 'MADT-PROCESSOR',
    severity: 'error',
    title: 'A processor is enabled, and every UID and APIC id is there once',
    linux: '"ACPI: NR_CPUS/possible_cpus limit" or processors that never start',
    windows: 'stop 0x5D or 0xA5',
    mend: 'number processors from 0 in the order of their APIC ids',
    check: withMadt((madt) => {
      const processors = enabledProcessors(madt);
      if (processors.length === 0) return [violation('none is enabled', { path })];
      return [
        ...repeated(processors.map(({ uid }) => uid)).map((uid) => violation(`UID ${uid} is there twice`, { path })),
        ...repeated(processors.map(({ apicId }) => apicId)).map((id) =>
          violation(`APIC id ${id} is there twice`, { path }),
        ),
      ];
    }),
  },
  {
    id: 'MADT-CPU-DEVICES',
    severity: 'error',
    title: 'Processor devices of the DSDT are those of the MADT',
    linux: '"ACPI: processor: … MADT UID" not matched: no idle states, no hotplug',
    windows: 'a processor device fails with Code 10',
    mend: 'give each ACPI0007 device the UID of its MADT entry',
    check: withMadt((madt, { devices, plan }) => {
      const uids = new Set(enabledProcessors(madt).map(({ uid }) => String(uid)));
      const processors = devices.filter(({ hid }) => hid === 'ACPI0007');
      if (processors.length === 0) return [];
      const known = new Set(processors.map(({ uid }) => uid));
      return [
        // Other boards declare as many as their socket takes, and hide by _STA what is not there.
        ...processors
          .filter(({ uid }) => plan && !uids.has(uid ?? ''))
          .map((device) => violation(`${device.uid} is not in the MADT`, { path: device.path })),
        ...[...uids].filter((uid) => !known.has(uid)).map((uid) => violation(`UID ${uid} has no device`, { path })),
      ];
    }),
  },
  {
    id: 'MADT-IOAPIC',
    severity: 'error',
    title: 'There is an I/O APIC whose interrupts start at GSI 0',
    linux: '"ACPI: No IOAPIC entries present"; everything runs on the 8259s',
    windows: 'the ACPI HAL does not start',
    mend: 'list the I/O APIC at 0xfec00000 with GSI base 0',
    check: withMadt(({ IO_APIC }) =>
      IO_APIC.some(({ GSI_BASE }) => GSI_BASE === 0) ? [] : [violation('there is none', { path })],
    ),
  },
  {
    id: 'MADT-PIT',
    severity: 'error',
    title: 'IRQ 0 is overridden to GSI 2',
    linux: '"..MP-BIOS bug: 8254 timer not connected to IO-APIC"',
    windows: 'hangs while it calibrates its timer',
    mend: 'add an interrupt source override: bus 0, source 0, GSI 2, flags 0',
    check: withMadt(({ INTERRUPT_OVERRIDE }) =>
      INTERRUPT_OVERRIDE.some(({ SOURCE, GSI }) => SOURCE === ISA_PIT && GSI === PIT_GSI)
        ? []
        : [violation('it is not', { path })],
    ),
  },
  {
    id: 'MADT-SCI',
    severity: 'error',
    title: "The FADT's SCI is level-triggered, and on this board active high",
    linux: 'an edge-triggered SCI: events are lost, or "irq 9: nobody cared"',
    windows: 'stop 0xA5 with 0x01, or an interrupt storm',
    mend: 'add an interrupt source override for the SCI with flags 0x0d',
    check: withMadt(({ INTERRUPT_OVERRIDE }, { fadt, plan }) => {
      if (!fadt) return [];
      const override = INTERRUPT_OVERRIDE.find(({ SOURCE }) => SOURCE === fadt.SCI_INT);
      const { ACTIVE_HIGH_LEVEL, TRIGGER, LEVEL } = INTI_FLAGS;
      // Other boards may have it active low, which is what an OS takes it for without an override (ACPI 6.5 §5.2.9, SCI_INT).
      if (plan ? override?.FLAGS === ACTIVE_HIGH_LEVEL : !override || (override.FLAGS & TRIGGER) === LEVEL) return [];
      const state = override ? `has flags 0x${override.FLAGS.toString(16)}` : 'has no override';
      return [violation(`IRQ ${fadt.SCI_INT} ${state}`, { path })];
    }),
  },
  {
    id: 'MADT-NMI',
    severity: 'warning',
    title: 'The local APIC NMI is stated for all processors',
    linux: 'no NMI by LINT1: the NMI watchdog and sysrq by NMI stay silent',
    windows: 'no crash dump by NMI',
    mend: 'add a local APIC NMI entry: processor 0xff, LINT 1',
    check: withMadt(({ LOCAL_APIC_NMI }) => (LOCAL_APIC_NMI.length > 0 ? [] : [violation('it is not', { path })])),
  },
  {
    id: 'MADT-OVERRIDE-ONCE',
    severity: 'error',
    title: 'No ISA interrupt is overridden twice, no GSI is given to two',
    linux: 'the later entry wins; two devices share a pin without knowing',
    windows: 'the same',
    mend: 'keep one override for each interrupt',
    check: withMadt(({ INTERRUPT_OVERRIDE }) => [
      ...repeated(INTERRUPT_OVERRIDE.map(({ SOURCE }) => SOURCE)).map((irq) =>
        violation(`IRQ ${irq} is overridden twice`, { path }),
      ),
      ...repeated(INTERRUPT_OVERRIDE.map(({ GSI }) => GSI)).map((gsi) =>
        violation(`GSI ${gsi} is given to two`, { path }),
      ),
    ]),
  },
];
