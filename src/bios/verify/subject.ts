import { UserError } from '../../shared/errors.ts';
import type { FirmwareFiles } from '../artifacts.ts';
import type { PciPlan } from '../pci/plan.ts';

/** The plan as plain data beside the fw_cfg files, for the checks and for people. */
export const PLAN_JSON_NAME = 'plan.json';

/** What is checked: files as the firmware receives them, or tables as a guest read them (`*.aml`). */
export interface CheckSubject {
  /** Where the files come from, for messages. */
  readonly source: string;
  readonly files: FirmwareFiles;
  /** The PCI plan, when there is one. */
  readonly plan?: PciPlan;
}

/**
 * Reads `plan.json`.
 * @throws UserError PLAN_JSON
 */
export function decodePlanJson(bytes: Uint8Array, file: string): PciPlan {
  const mend = 'build the directory again with `q35 acpi build`';
  try {
    const plan = JSON.parse(new TextDecoder().decode(bytes)) as PciPlan;
    if (!Array.isArray(plan.hostBridges) || typeof plan.ecam?.base !== 'number') throw new Error('it is no PCI plan');
    return plan;
  } catch (error) {
    throw new UserError('PLAN_JSON', `the plan cannot be read: ${(error as Error).message}`, { place: { file }, mend });
  }
}

export function encodePlanJson(plan: PciPlan): string {
  return `${JSON.stringify(plan, undefined, 1)}\n`;
}
