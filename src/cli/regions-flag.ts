import { Flags } from '@oclif/core';
import { NEVER_HOT } from '../emulator/cpu/interpreter/generate.ts';
import { UserError } from '../shared/errors.ts';

/** For measurements: what runs is the same with any value. */
export const regionsFlag = Flags.string({
  description: 'tuning: entries after which a block is compiled, or off',
});

/**
 * The threshold that `--regions-after` states; undefined without the flag, for the engine's own.
 * @throws UserError REGIONS_SYNTAX
 */
export function parseRegionsAfter(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (text === 'off') return NEVER_HOT;
  const entries = /^\d+$/.test(text) ? Number(text) : 0;
  if (entries >= 1 && entries < NEVER_HOT) return entries;
  throw new UserError('REGIONS_SYNTAX', `'${text}' is no number of entries`, {
    place: { file: `--regions-after ${text}` },
    mend: 'write a number such as 1000, or off',
  });
}
