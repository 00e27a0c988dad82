import { LEVELS, sarifDocument } from '../lint/sarif.ts';
import { type Diagnostic, MESSAGES } from './diagnostics.ts';

/** What the compiler said as SARIF 2.1.0, with the lines and columns of the sources. */
export function compilerSarif(diagnostics: readonly Diagnostic[], version: string): object {
  const ids = Object.keys(MESSAGES);
  const rules = Object.entries(MESSAGES).map(([id, { severity, mend }]) => ({
    id,
    help: { text: mend },
    defaultConfiguration: { level: LEVELS[severity] },
  }));
  const results = diagnostics.map(({ id, severity, message, mend, file, line, column, length }) => ({
    ruleId: id,
    ruleIndex: ids.indexOf(id),
    level: LEVELS[severity],
    message: { text: `${message}; mend: ${mend}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(file) },
          region: { startLine: line, startColumn: column, endColumn: column + length },
        },
      },
    ],
  }));
  return sarifDocument(version, rules, results);
}
