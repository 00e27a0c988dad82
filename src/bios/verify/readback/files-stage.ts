import { formatPlace } from '../../../shared/errors.ts';
import { checkFirmware, RULES } from '../check.ts';
import type { CheckSubject } from '../subject.ts';
import { judged, type ReportStage } from './item.ts';

/** The consistency rules as a stage of the report: one item a rule, broken at most in its first place here. */
export function filesStage(subject: CheckSubject): ReportStage {
  const findings = checkFirmware(subject);
  const items = RULES.map(({ id, title }) => {
    const broken = findings.filter(({ rule }) => rule === id);
    const [first] = broken;
    if (first === undefined) return judged(`rule ${id}`, title, title, true);
    const where = formatPlace(first.place);
    const more = broken.length > 1 ? ` (and ${broken.length - 1} more)` : '';
    return judged(
      `rule ${id}`,
      title,
      `${first.message}${where === '' ? '' : ` (${where})`}${more}; mend: ${first.mend}`,
      false,
    );
  });
  return { name: 'files', items };
}
