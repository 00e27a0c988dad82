import { device, eisaId, name, packageOf } from '../../../aml/build.ts';
import type { AmlTerm } from '../../../aml/tree.ts';
import type { MachineConfig } from '../../../emulator/machine/config.ts';
import { SLEEP_TYPES } from '../../../emulator/machine/power-management.ts';

/** `_S3` and `_S5` (ACPI 6.5 §7.4.2): SLP_TYP for PM1a and PM1b, by the board's convention. */
export function sleepStates(pm: MachineConfig['pm']): AmlTerm[] {
  const { S3, S5 } = SLEEP_TYPES[pm];
  return [name('_S3', packageOf([S3, S3, 0, 0])), name('_S5', packageOf([S5, S5, 0, 0]))];
}

/** The button's device; the event itself is the fixed one of PM1_STS (the FADT leaves PWR_BUTTON clear). */
export function powerButton(): AmlTerm {
  return device('PWRB', [name('_HID', eisaId('PNP0C0C')), name('_UID', 0)]);
}
