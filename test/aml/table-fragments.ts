import { decodeTables } from '../../src/aml/decode.ts';
import { encodeTerms } from '../../src/aml/encode.ts';
import { ROW_BY_KIND } from '../../src/aml/opcodes.ts';
import { encodeTable } from '../../src/aml/table-header.ts';
import type { AmlTerm, AnyDef } from '../../src/aml/tree.ts';
import { concatBytes } from '../../src/shared/bytes.ts';
import type { Random } from './random-asl/random.ts';

/** A larger term counts by what it holds: small tables make many runs, and each change meets more of what is left. */
const MAX_FRAGMENT_BYTES = 300;
const MAX_FRAGMENTS = 8;

/** The encoded declarations and statements of `table`, wherever they stand. */
export function fragmentsOf(table: Uint8Array): Uint8Array[] {
  const fragments: Uint8Array[] = [];
  const gather = (terms: readonly AmlTerm[]): void => {
    for (const term of terms) {
      const bytes = encodeTerms([term]);
      if (bytes.length <= MAX_FRAGMENT_BYTES) fragments.push(bytes);
      else if (ROW_BY_KIND.get(term.kind)?.operands.at(-1) === 'TermList')
        gather((term as AnyDef).operands.at(-1) as readonly AmlTerm[]);
    }
  };
  gather(decodeTables([{ bytes: table }], { tolerant: true }).tables[0].terms);
  return fragments;
}

/** A table of a few of `fragments`: neighbours, or any. */
export function tableOfFragments(fragments: readonly Uint8Array[], random: Random): Uint8Array {
  const start = random.below(fragments.length);
  const near = fragments.slice(start, start + 1 + random.below(MAX_FRAGMENTS));
  const chosen = random.chance(0.5) ? near : near.map(() => random.pick(fragments));
  return encodeTable(IDENTITY, concatBytes(chosen));
}

const IDENTITY = { signature: 'SSDT', revision: 2, oemId: 'FUZZ', oemTableId: 'FRAGMENT' } as const;
