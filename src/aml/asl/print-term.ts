import type { DecodedSet } from '../decode.ts';
import type { AmlTerm } from '../tree.ts';
import { statementsText } from './print-statements.ts';
import { laidOut } from './text.ts';

/** The ASL of one term that stands in `scope`: for messages and comparisons. */
export function printTerm(term: AmlTerm, scope: string, set: DecodedSet): string {
  return laidOut(statementsText([term], { scope, within: '', own: set.names, tags: { next: 0 } }).join('\n'));
}
