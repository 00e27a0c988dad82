import { type ReportItem, type ReportStage, reportIsOk, stageIsOk, type VerifyReport } from './item.ts';

const BUILT_COLUMN = 48;
const SUBJECT_COLUMN = 46;

function itemLine({ subject, built, seen, ok }: ReportItem): string {
  if (!ok) return `  FAILED  ${subject}\n          built  ${built}\n          seen   ${seen}`;
  const text = seen === built ? built : `${built.padEnd(BUILT_COLUMN)} ${seen}`;
  return `  ok      ${subject.padEnd(SUBJECT_COLUMN)} ${text}`;
}

function stageLines(stage: ReportStage, onlyFailures: boolean): string[] {
  const failed = stage.items.filter((item) => !item.ok).length;
  const items = onlyFailures ? stage.items.filter((item) => !item.ok) : stage.items;
  const figures = Object.entries(stage.figures ?? {}).map(([name, value]) => `${name} ${value}`);
  const counts = `${stage.items.length} items, ${failed === 0 ? 'all as built' : `${failed} failed`}`;
  return [`${stage.name}: ${[counts, ...figures].join('; ')}`, ...items.map(itemLine), ''];
}

/**
 * The report for people: every item, built against seen.
 * @param onlyFailures leaves out what is right
 */
export function formatReport(report: VerifyReport, onlyFailures = false): string {
  const items = report.stages.flatMap((stage) => stage.items);
  const failed = items.filter((item) => !item.ok).length;
  const verdict = reportIsOk(report)
    ? `verified: ${items.length} items in ${report.stages.length} stages, all as built`
    : `not verified: ${failed} of ${items.length} items failed`;
  return [
    ...report.stages.flatMap((stage) => stageLines(stage, onlyFailures)),
    ...report.leftOut.map((line) => `left out: ${line}`),
    verdict,
  ].join('\n');
}

/** The report as plain data for `--json`. */
export function reportJson(report: VerifyReport): object {
  return {
    ok: reportIsOk(report),
    stages: report.stages.map((stage) => ({
      name: stage.name,
      ok: stageIsOk(stage),
      figures: stage.figures ?? {},
      items: stage.items,
    })),
    leftOut: report.leftOut,
  };
}
