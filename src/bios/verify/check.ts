import type { ErrorPlace } from '../../shared/errors.ts';
import { walkTable } from '../acpi/forms/walk.ts';
import { type CheckFacts, collectFacts, tableOf } from './facts.ts';
import type { Finding, Rule } from './rule.ts';
import { ASSIGNMENT_RULES } from './rules/assignments.ts';
import { BOARD_RULES } from './rules/board.ts';
import { ECAM_RULES } from './rules/ecam.ts';
import { EVENT_RULES } from './rules/events.ts';
import { FIXED_HARDWARE_RULES } from './rules/fixed-hardware.ts';
import { HOST_BRIDGE_RULES } from './rules/host-bridges.ts';
import { INTERRUPT_CONTROLLER_RULES } from './rules/interrupt-controllers.ts';
import { MEMORY_RULES } from './rules/memory.ts';
import { NUMA_RULES } from './rules/numa.ts';
import { PLATFORM_RULES } from './rules/platform.ts';
import { ROUTING_RULES } from './rules/routing.ts';
import { TABLE_RULES } from './rules/tables.ts';
import type { CheckSubject } from './subject.ts';

/** Every rule, by family, in the order in which they are reported. */
export const RULES: readonly Rule[] = [
  ...TABLE_RULES,
  ...FIXED_HARDWARE_RULES,
  ...EVENT_RULES,
  ...INTERRUPT_CONTROLLER_RULES,
  ...BOARD_RULES,
  ...MEMORY_RULES,
  ...ECAM_RULES,
  ...PLATFORM_RULES,
  ...HOST_BRIDGE_RULES,
  ...ASSIGNMENT_RULES,
  ...ROUTING_RULES,
  ...NUMA_RULES,
];

/** Runs every rule over the files; nothing runs but the rules themselves, no guest is needed. */
export function checkFirmware(subject: CheckSubject): Finding[] {
  return checkFacts(collectFacts(subject));
}

/** A path that is a table's signature, or one and a field's name, with the file and the offset of what it names. */
function located(place: ErrorPlace, facts: CheckFacts): ErrorPlace {
  const [signature, field] = place.path?.split('.') ?? [];
  const table = place.file === undefined && signature !== undefined ? tableOf(facts, signature) : undefined;
  if (!table) return place;
  const found = walkTable(table.bytes).fields.find(({ name }) => name === field);
  return { ...place, file: table.file, offset: (table.gpa ?? 0) + (found?.offset ?? 0) };
}

export function checkFacts(facts: CheckFacts): Finding[] {
  return RULES.flatMap(({ id, check, ...words }) =>
    check(facts).map((found) => ({ rule: id, ...words, ...found, place: located(found.place, facts) })),
  );
}
