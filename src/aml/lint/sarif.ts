import type { Finding, RuleWords, Severity } from './finding.ts';

/** SARIF 2.1.0 (OASIS), as code hosts and editors read findings. */

export const LEVELS: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', remark: 'note' };
const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';

/** The log of one run: the rules that were run and what they found. */
export function sarifLog(findings: readonly Finding[], rules: readonly RuleWords[], version: string): object {
  const indexes = new Map(rules.map(({ id }, index) => [id, index]));
  const results = findings.map((finding) => ({
    ruleId: finding.rule,
    ruleIndex: indexes.get(finding.rule) ?? -1,
    level: LEVELS[finding.severity],
    message: { text: finding.message },
    locations: [locationOf(finding)],
  }));
  return sarifDocument(version, rules.map(ruleDescriptor), results);
}

/** A log of one run of this program: descriptors of rules, and results that name them. */
export function sarifDocument(version: string, rules: readonly object[], results: readonly object[]): object {
  const driver = { name: 'q35', version, rules };
  return { $schema: SCHEMA, version: '2.1.0', runs: [{ tool: { driver }, results }] };
}

function ruleDescriptor({ id, title, linux, windows, mend, severity }: RuleWords): object {
  return {
    id,
    shortDescription: { text: title },
    fullDescription: { text: `Linux: ${linux}. Windows: ${windows}.` },
    help: { text: mend },
    defaultConfiguration: { level: LEVELS[severity] },
  };
}

function locationOf({ place: { file, offset, path, bdf }, asl }: Finding): object {
  const logical = path ?? bdf;
  return {
    ...(file !== undefined && {
      physicalLocation: {
        artifactLocation: { uri: encodeURI(file) },
        ...(offset !== undefined && {
          region: { byteOffset: offset, byteLength: 1, ...(asl !== undefined && { snippet: { text: asl } }) },
        }),
      },
    }),
    ...(logical !== undefined && { logicalLocations: [{ fullyQualifiedName: logical }] }),
  };
}
