import { formatPath } from '../../../aml/name-string.ts';
import { childPath, parentPath } from '../../../aml/namespace.ts';
import { hex } from '../../../shared/bytes.ts';
import { elementsOf, evaluatePath, integerOf } from '../acpi-namespace.ts';
import type { CheckFacts } from '../facts.ts';
import { type Rule, violation } from '../rule.ts';

/** General-purpose events of the namespace against the FADT's blocks. ACPI 6.5 §4.8.4.1, §5.6.4. */

/** Half of a block's bytes are status, half enable. */
function gpeCount({ fadt }: CheckFacts): number | undefined {
  const hardwareReduced = 20;
  if (!fadt || Math.floor(fadt.FLAGS / 2 ** hardwareReduced) % 2 === 1) return undefined;
  const [first, second] = [4 * fadt.GPE0_BLK_LEN, 4 * fadt.GPE1_BLK_LEN];
  return second > 0 ? Math.max(first, fadt.GPE1_BASE + second) : first;
}

export const EVENT_RULES: readonly Rule[] = [
  {
    id: 'GPE-BLOCK',
    severity: 'warning',
    title: 'Every event method in \\_GPE has a bit in the FADT’s GPE blocks',
    linux: 'the method is never run; with one block too short "GPE … is not in a block"',
    windows: 'the method is never run',
    mend: 'put GPE0_BLK_LEN right (two bytes for eight events), or drop the method',
    check: (facts) => {
      const count = gpeCount(facts);
      if (count === undefined || !facts.namespace) return [];
      return [...facts.namespace.objects.values()].flatMap(({ kind, path }) => {
        const event =
          kind === 'Method' && parentPath(path) === '\\_GPE' ? /^_[EL]([0-9A-F]{2})$/.exec(path.slice(-4)) : null;
        if (!event || Number.parseInt(event[1], 16) < count) return [];
        return [violation(`the FADT has ${count} events`, { path: formatPath(path) })];
      });
    },
  },
  {
    id: 'PRW-GPE',
    severity: 'warning',
    title: 'The event of every _PRW has a bit in the FADT’s GPE blocks',
    linux: '"AE_BAD_PARAMETER": the device cannot wake the machine',
    windows: 'stop 0xA5 (0x04)',
    mend: 'correct the event’s number, or the block’s length',
    check: (facts) => {
      const count = gpeCount(facts);
      if (count === undefined || !facts.namespace) return [];
      return facts.devices.flatMap(({ path }) => {
        const wake = evaluatePath(facts.namespace!, childPath(path, '_PRW'));
        const event = integerOf(elementsOf(wake?.term)?.[0]);
        if (event === undefined || event < BigInt(count)) return [];
        return [violation(`event ${hex(event)}, the FADT has ${count}`, { path: formatPath(childPath(path, '_PRW')) })];
      });
    },
  },
];
