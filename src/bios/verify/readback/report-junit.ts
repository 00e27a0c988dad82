import type { ReportItem, ReportStage, VerifyReport } from './item.ts';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text for an XML attribute or element; characters that XML 1.0 does not allow become `?`. */
function escapeXml(text: string): string {
  return [...text]
    .map((character) => {
      const code = character.codePointAt(0) ?? 0;
      if (code < 0x20 && code !== 9 && code !== 10) return '?';
      return ENTITIES[character] ?? character;
    })
    .join('');
}

function testCase(stage: ReportStage, { subject, built, seen, ok }: ReportItem): string {
  const attributes = `classname="q35.${escapeXml(stage.name)}" name="${escapeXml(subject)}"`;
  if (ok) return `    <testcase ${attributes}/>`;
  const message = escapeXml(`built ${built}, seen ${seen}`);
  return `    <testcase ${attributes}>\n      <failure message="${message}"/>\n    </testcase>`;
}

function testSuite(stage: ReportStage): string {
  const failures = stage.items.filter((item) => !item.ok).length;
  const cases = stage.items.map((item) => testCase(stage, item));
  const attributes = `name="${escapeXml(stage.name)}" tests="${stage.items.length}" failures="${failures}" errors="0" skipped="0"`;
  return `  <testsuite ${attributes}>\n${cases.join('\n')}\n  </testsuite>`;
}

/** The report in JUnit's XML, one suite a stage and one case an item, as CI systems read it. Stages left out are skipped suites. */
export function formatJunit(report: VerifyReport): string {
  const leftOut = report.leftOut.map(
    (line, index) =>
      `  <testsuite name="left out ${index + 1}" tests="1" failures="0" errors="0" skipped="1">\n    <testcase classname="q35" name="${escapeXml(line)}">\n      <skipped/>\n    </testcase>\n  </testsuite>`,
  );
  const suites = [...report.stages.map(testSuite), ...leftOut];
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="q35 verify">\n${suites.join('\n')}\n</testsuites>\n`;
}
