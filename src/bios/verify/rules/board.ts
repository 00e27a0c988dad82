import { HPET as HPET_BLOCK, IOAPIC, IRQS, LOCAL_APIC, PORTS } from '../../../emulator/machine/memory-map.ts';
import { PM_BLOCK } from '../../../emulator/machine/power-management.ts';
import { hex } from '../../../shared/bytes.ts';
import { HPET } from '../../acpi/hpet.ts';
import { MADT } from '../../acpi/madt.ts';
import { decodeLayout } from '../../layout.ts';
import { type CheckFacts, tableOf } from '../facts.ts';
import { type Rule, type Violation, violation } from '../rule.ts';

/** Tables against the board on which they will run: a user's table may come from another machine. */

interface Statement {
  readonly name: string;
  readonly stated: number;
  readonly wanted: number;
}

/** Only files that were built for this board say which board it is. */
function forThisBoard(path: string, statements: (facts: CheckFacts) => readonly Statement[]): Rule['check'] {
  return (facts): Violation[] => {
    if (!facts.plan) return [];
    const wrong = statements(facts).filter(({ stated, wanted }) => stated !== wanted);
    return wrong.map(({ name, stated, wanted }) =>
      violation(`${name} ${hex(stated)}, the board has ${hex(wanted)}`, { path }),
    );
  };
}

const PM = PORTS.PM.base;

export const BOARD_RULES: readonly Rule[] = [
  {
    id: 'FADT-BOARD',
    severity: 'error',
    title: "The FADT states this board's PMBASE, SCI and SMI port",
    linux: 'the PM timer stands still, power-off and the power button do nothing',
    windows: 'stop 0xA5, or no shutdown',
    mend: "keep the board's FADT, or patch these fields of the one that you bring",
    check: forThisBoard('FACP', ({ fadt }) =>
      fadt
        ? [
            { name: 'PM1A_EVT_BLK', stated: fadt.PM1A_EVT_BLK, wanted: PM + PM_BLOCK.PM1_EVT.offset },
            { name: 'PM1A_CNT_BLK', stated: fadt.PM1A_CNT_BLK, wanted: PM + PM_BLOCK.PM1_CNT.offset },
            { name: 'PM_TMR_BLK', stated: fadt.PM_TMR_BLK, wanted: PM + PM_BLOCK.PM_TMR.offset },
            { name: 'GPE0_BLK', stated: fadt.GPE0_BLK, wanted: PM + PM_BLOCK.GPE0.offset },
            { name: 'SCI_INT', stated: fadt.SCI_INT, wanted: IRQS.SCI },
            { name: 'SMI_CMD', stated: fadt.SMI_CMD, wanted: PORTS.APM.base },
          ]
        : [],
    ),
  },
  {
    id: 'MADT-BOARD',
    severity: 'error',
    title: "The MADT states this board's local APIC and I/O APIC",
    linux: '"BIOS bug: APIC version is 0 for CPU" or "IOAPIC: … invalid": no interrupts',
    windows: 'hangs early',
    mend: "keep the board's MADT, or patch the addresses of the one that you bring",
    check: forThisBoard('APIC', (facts) => {
      const table = tableOf(facts, 'APIC');
      if (!table || !facts.madt) return [];
      const local = decodeLayout(MADT, table.bytes).LOCAL_APIC_ADDRESS;
      return [
        { name: 'local APIC', stated: local, wanted: LOCAL_APIC.base },
        ...facts.madt.IO_APIC.map(({ ADDRESS }) => ({ name: 'I/O APIC', stated: ADDRESS, wanted: IOAPIC.base })),
      ];
    }),
  },
  {
    id: 'HPET-BOARD',
    severity: 'error',
    title: "The HPET table states this board's block",
    linux: '"hpet: counter not counting": another clock is used',
    windows: 'another clock is used, or a hang',
    mend: "keep the board's HPET table",
    check: forThisBoard('HPET', (facts) => {
      const table = tableOf(facts, 'HPET');
      if (!table) return [];
      const { address } = decodeLayout(HPET, table.bytes).BASE_ADDRESS;
      return [{ name: 'block', stated: address, wanted: HPET_BLOCK.base }];
    }),
  },
];
