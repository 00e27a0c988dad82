import { hex } from '../../../shared/bytes.ts';
import { FACS_ALIGNMENT } from '../../acpi/facs.ts';
import { FADT_FLAGS } from '../../acpi/fadt.ts';
import { ADDRESS_SPACES, hasFlag } from '../../layout.ts';
import type { Window } from '../../pci/plan.ts';
import { hasUnknownResources, rangesOf } from '../acpi-devices.ts';
import { type CheckFacts, type Fadt, tableOf } from '../facts.ts';
import { covers, overlappingPairs, rangeText } from '../ranges.ts';
import { type Rule, type Violation, violation } from '../rule.ts';

/** FADT and FACS: the fixed hardware. */

interface Block extends Window {
  readonly name: (typeof PAIRS)[number][0];
}

const PAIRS = [
  ['PM1A_EVT_BLK', 'X_PM1A_EVT_BLK', 'PM1_EVT_LEN'],
  ['PM1A_CNT_BLK', 'X_PM1A_CNT_BLK', 'PM1_CNT_LEN'],
  ['PM_TMR_BLK', 'X_PM_TMR_BLK', 'PM_TMR_LEN'],
  ['GPE0_BLK', 'X_GPE0_BLK', 'GPE0_BLK_LEN'],
] as const;

/** Lengths that the specification asks for (ACPI 6.5 §5.2.9). */
const MINIMUM_LENGTHS = { PM1_EVT_LEN: 4, PM1_CNT_LEN: 2, PM_TMR_LEN: 4 } as const;

/** The I/O ports of the fixed registers. */
function fixedBlocks(fadt: Fadt): Block[] {
  return PAIRS.map(([field, extended, length]) => ({
    name: field,
    base: fadt[extended].address || fadt[field],
    size: fadt[length],
  })).filter(({ base, size }) => base !== 0 && size !== 0);
}

/** Runs `check` when there is a FADT and the board is not hardware-reduced. */
function withFadt(check: (fadt: Fadt, facts: CheckFacts) => readonly Violation[]): Rule['check'] {
  return (facts) => (facts.fadt ? check(facts.fadt, facts) : []);
}

/** The place of a field; see `located`. */
const inFadt = (field: keyof Fadt) => ({ path: `FACP.${field}` });

export const FIXED_HARDWARE_RULES: readonly Rule[] = [
  {
    id: 'FADT-REVISION',
    severity: 'error',
    title: 'The FADT has revision 3 or more and room for the X_ fields',
    linux: '32-bit pointers only; no reset register',
    windows: '64-bit versions want revision 3',
    mend: 'use a FADT of revision 3 or later with at least 244 bytes',
    check: withFadt((fadt) => {
      if (fadt.REVISION >= 3 && fadt.LENGTH >= 244) return [];
      return [violation(`revision ${fadt.REVISION}, ${fadt.LENGTH} bytes`, inFadt('REVISION'))];
    }),
  },
  {
    id: 'FADT-X-FIELDS',
    severity: 'error',
    title: 'X_ fields state the same addresses as the 32-bit ones',
    linux: '"ACPI BIOS Warning (bug): 32/64X address mismatch in FADT"',
    windows: 'reads one of the two and loses its power management',
    mend: 'write both from one source',
    check: withFadt((fadt) => [
      ...PAIRS.filter(
        ([field, extended]) => fadt[extended].address !== 0 && fadt[extended].address !== fadt[field],
      ).map(([field, extended]) =>
        violation(`${field} ${hex(fadt[field])}, ${extended} ${hex(fadt[extended].address)}`, inFadt(extended)),
      ),
      ...(
        [
          ['DSDT', 'X_DSDT'],
          ['FIRMWARE_CTRL', 'X_FIRMWARE_CTRL'],
        ] as const
      )
        .filter(([field, extended]) => fadt[extended] !== 0 && fadt[field] !== 0 && fadt[extended] !== fadt[field])
        .map(([field, extended]) =>
          violation(`${field} ${hex(fadt[field])}, ${extended} ${hex(fadt[extended])}`, inFadt(extended)),
        ),
    ]),
  },
  {
    id: 'FADT-DSDT',
    severity: 'error',
    title: 'The FADT points to a DSDT',
    linux: '"ACPI: Unable to load the System Description Tables"; ACPI is off',
    windows: 'stop 0xA5',
    mend: 'point DSDT and X_DSDT to the table',
    check: withFadt((_, facts) => {
      // Files that stand alone have no addresses to follow.
      if (!facts.rsdp || tableOf(facts, 'DSDT')) return [];
      return [violation('no DSDT stands where it points', inFadt('X_DSDT'))];
    }),
  },
  {
    id: 'FACS-PLACE',
    severity: 'error',
    title: 'The FACS is there, aligned to 64 bytes',
    linux: 'no global lock and no S3: "ACPI BIOS Error: FACS not found"',
    windows: 'stop 0xA5 with 0x0d',
    mend: 'put the FACS first in a file that is allocated with an alignment of 64',
    check: withFadt((fadt, facts) => {
      if (!facts.rsdp || hasFlag(FADT_FLAGS, 'HW_REDUCED_ACPI', fadt.FLAGS)) return [];
      const facs = tableOf(facts, 'FACS');
      if (!facs) return [violation('there is none where the FADT points', inFadt('FIRMWARE_CTRL'))];
      return facs.gpa! % FACS_ALIGNMENT === 0 ? [] : [violation(`it lies at ${hex(facs.gpa!)}`, { path: 'FACS' })];
    }),
  },
  {
    id: 'FADT-PM-BLOCKS',
    severity: 'error',
    title: 'The PM1 event, PM1 control and PM timer blocks are there with their lengths',
    linux: '"ACPI BIOS Error: Required FADT field has zero address and/or length"',
    windows: 'stop 0xA5',
    mend: 'state the blocks of PMBASE',
    check: withFadt((fadt) => {
      if (hasFlag(FADT_FLAGS, 'HW_REDUCED_ACPI', fadt.FLAGS)) return [];
      return PAIRS.slice(0, 3)
        .filter(([field, extended, length]) => {
          const address = fadt[extended].address || fadt[field];
          return address === 0 || fadt[length] < MINIMUM_LENGTHS[length as keyof typeof MINIMUM_LENGTHS];
        })
        .map(([field, , length]) =>
          violation(`${field} ${hex(fadt[field])}, ${length} ${fadt[length]}`, inFadt(field)),
        );
    }),
  },
  {
    id: 'FADT-BLOCK-OVERLAP',
    severity: 'error',
    title: 'The fixed register blocks do not overlap',
    linux: 'a write to one register hits another; lost events, spurious sleep',
    windows: 'the same',
    mend: 'space the blocks as ICH9 does: 0, 4, 8 and 0x20 from PMBASE',
    check: withFadt((fadt) =>
      overlappingPairs(fixedBlocks(fadt)).map(([left, right]) =>
        violation(`${left.name} ${rangeText(left)} and ${right.name} ${rangeText(right)}`, inFadt(left.name)),
      ),
    ),
  },
  {
    id: 'FADT-BLOCK-RESERVED',
    severity: 'warning',
    title: 'The fixed register blocks are reserved by a motherboard device',
    linux: 'a PCI device may be given these ports',
    windows: 'a PCI device may be given these ports: Code 12',
    mend: 'list PMBASE in the _CRS of a PNP0C02 device',
    check: withFadt((fadt, { devices }) => {
      if (devices.length === 0) return [];
      const boards = devices.filter(({ hid }) => hid !== undefined && /^PNP0(C0[12]|A06)$/.test(hid));
      if (boards.some(hasUnknownResources)) return [];
      const reserved = boards.flatMap((device) => rangesOf(device).filter(({ kind }) => kind === 'io'));
      return fixedBlocks(fadt)
        .filter((block) => !covers(reserved, block))
        .map((block) => violation(`${block.name} ${rangeText(block)} is not`, inFadt(block.name)));
    }),
  },
  {
    id: 'FADT-GPE0',
    severity: 'error',
    title: 'The GPE0 block has an even length',
    linux: '"ACPI BIOS Error: GPE0 block length is not even"; no general-purpose events',
    windows: 'stop 0xA5',
    mend: 'half of it is status, half enable: ICH9 has 16 bytes',
    check: withFadt((fadt) =>
      fadt.GPE0_BLK_LEN % 2 === 0 ? [] : [violation(`it has ${fadt.GPE0_BLK_LEN} bytes`, inFadt('GPE0_BLK_LEN'))],
    ),
  },
  {
    id: 'FADT-RESET',
    severity: 'warning',
    title: 'The reset register is stated when RESET_REG_SUP is set',
    linux: 'reboot tries the keyboard controller and a triple fault instead',
    windows: 'hangs at restart',
    mend: 'state port 0xcf9, 8 bits, with the value that resets, and set RESET_REG_SUP',
    check: withFadt(({ FLAGS, RESET_REG }) => {
      if (!hasFlag(FADT_FLAGS, 'RESET_REG_SUP', FLAGS)) return [violation('RESET_REG_SUP is clear', inFadt('FLAGS'))];
      const usable = RESET_REG.address !== 0 && RESET_REG.bitWidth === 8 && RESET_REG.bitOffset === 0;
      return usable
        ? []
        : [violation(`it has ${RESET_REG.bitWidth} bits at ${hex(RESET_REG.address)}`, inFadt('RESET_REG'))];
    }),
  },
  {
    id: 'FADT-SMI',
    severity: 'error',
    title: 'SMI_CMD and the values that enter and leave ACPI mode go together',
    linux: '"ACPI Error: No ACPI mode transition supported"; the SCI stays off',
    windows: 'stop 0xA5',
    mend: 'state port 0xb2 with 2 and 3 as QEMU does, or all three as 0 when SCI_EN is set already',
    check: withFadt(({ SMI_CMD, ACPI_ENABLE, ACPI_DISABLE }) => {
      const sound = SMI_CMD === 0 ? ACPI_ENABLE === 0 && ACPI_DISABLE === 0 : ACPI_ENABLE !== ACPI_DISABLE;
      return sound
        ? []
        : [violation(`port ${hex(SMI_CMD)}, enable ${ACPI_ENABLE}, disable ${ACPI_DISABLE}`, inFadt('SMI_CMD'))];
    }),
  },
  {
    id: 'FADT-SPACE',
    severity: 'error',
    title: "The X_ fields of ICH9's blocks are I/O ports",
    linux: 'the registers are looked for in memory; no PM timer, no SCI',
    windows: 'stop 0xA5',
    mend: 'write address space 1',
    check: withFadt((fadt) =>
      PAIRS.filter(([, extended]) => fadt[extended].address !== 0 && fadt[extended].space !== ADDRESS_SPACES.IO).map(
        ([, extended]) => violation(`${extended} is in space ${fadt[extended].space}`, inFadt(extended)),
      ),
    ),
  },
  {
    id: 'SLEEP-S5',
    severity: 'error',
    title: 'The DSDT has _S5',
    linux: 'poweroff halts instead: "ACPI: PM: (supports S0)"',
    windows: 'shutdown leaves the machine on',
    mend: 'declare \\_S5 with the SLP_TYP of the chipset',
    check: ({ namespace }) =>
      !namespace || namespace.objects.has('\\_S5_') ? [] : [violation('it has none', { path: '\\_S5' })],
  },
];
