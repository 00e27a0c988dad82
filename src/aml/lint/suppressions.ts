import { UserError } from '../../shared/errors.ts';
import type { Finding } from './finding.ts';

/** A finding that is known and accepted. */
export interface Suppression {
  /** A rule's id, or `*`. */
  readonly rule: string;
  /** A namespace path or a file; `*` stands for any text. Without it, everywhere. */
  readonly place?: string;
  readonly file: string;
  readonly line: number;
}

/**
 * A suppression a line: `RULE [place] [# why]`. Empty lines and comments are left out.
 * @throws UserError LINT_SUPPRESSION
 */
export function parseSuppressions(text: string, file: string): Suppression[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const words = line
      .replace(/(^|\s)#.*$/, '')
      .trim()
      .split(/\s+/);
    if (words[0] === '') return [];
    const [rule, place, ...rest] = words;
    if (rest.length > 0 || !/^(\*|[A-Z0-9-]+)$/.test(rule)) {
      throw new UserError('LINT_SUPPRESSION', `'${line.trim()}' is no suppression`, {
        place: { file, line: index + 1 },
        mend: 'write a rule and, if wanted, a path with * in it: CODE-UNREACHABLE \\_SB.PCI0.* # why',
      });
    }
    return [{ rule, ...(place !== undefined && { place }), file, line: index + 1 }];
  });
}

export interface Suppressed {
  readonly findings: readonly Finding[];
  readonly suppressed: number;
  /** Suppressions that met nothing: what they were for is gone. */
  readonly unused: readonly Suppression[];
}

export function suppress(findings: readonly Finding[], suppressions: readonly Suppression[]): Suppressed {
  const used = new Set<Suppression>();
  const left = findings.filter((finding) => {
    const match = suppressions.find((suppression) => isMet(suppression, finding));
    if (match) used.add(match);
    return !match;
  });
  return {
    findings: left,
    suppressed: findings.length - left.length,
    unused: suppressions.filter((suppression) => !used.has(suppression)),
  };
}

function isMet({ rule, place }: Suppression, finding: Finding): boolean {
  if (rule !== '*' && rule !== finding.rule) return false;
  if (place === undefined) return true;
  const pattern = new RegExp(`^${place.split('*').map(escaped).join('.*')}$`);
  return [finding.place.path, finding.place.file].some((text) => text !== undefined && pattern.test(text));
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.|?+()[\]{}]/g, '\\$&');
