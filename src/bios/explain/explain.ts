import { UserError } from '../../shared/errors.ts';
import { explainInterrupt, explainRouting } from './interrupts.ts';
import type { ExplainedMachine, Explanation } from './machine.ts';
import { explainMmconfig } from './mmconfig.ts';
import { explainObject } from './object.ts';
import { explainTable } from './table-words.ts';

/** What a user asks about. */
export type Subject =
  | { readonly kind: 'tables' }
  | { readonly kind: 'mmconfig' }
  | { readonly kind: 'prt' }
  | { readonly kind: 'irq'; readonly gsi: number }
  | { readonly kind: 'object'; readonly path: string };

/**
 * Splits the words of the command line into a subject and the places of the tables.
 * @throws UserError EXPLAIN_GSI
 */
export function parseSubject(words: readonly string[]): {
  readonly subject: Subject;
  readonly sources: readonly string[];
} {
  const [first, ...rest] = words;
  if (first === 'mmconfig' || first === 'prt') return { subject: { kind: first }, sources: rest };
  if (first?.startsWith('\\')) return { subject: { kind: 'object', path: first }, sources: rest };
  if (first !== 'irq') return { subject: { kind: 'tables' }, sources: words };
  const gsi = /^(0x[0-9a-f]+|\d+)$/i.test(rest[0] ?? '') ? Number(rest[0]) : Number.NaN;
  if (!(gsi < 2 ** 32)) {
    throw new UserError('EXPLAIN_GSI', `'${rest[0] ?? ''}' is no interrupt`, {
      mend: 'write irq and a number, such as irq 16',
    });
  }
  return { subject: { kind: 'irq', gsi }, sources: rest.slice(1) };
}

export interface ExplainOptions {
  /** Every field of every data table; of a table that is asked about alone in any case. */
  readonly fields?: boolean;
}

/** Throws as `explainObject`. */
export function explain(machine: ExplainedMachine, subject: Subject, options: ExplainOptions = {}): Explanation[] {
  switch (subject.kind) {
    case 'tables':
      return machine.tables.map((table) =>
        explainTable(table, machine, (options.fields ?? false) || machine.tables.length === 1),
      );
    case 'mmconfig':
      return [explainMmconfig(machine)];
    case 'prt':
      return explainRouting(machine);
    case 'irq':
      return [explainInterrupt(machine, subject.gsi)];
    case 'object':
      return [explainObject(machine, subject.path)];
  }
}
