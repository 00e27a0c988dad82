import { Flags } from '@oclif/core';
import { regionsFlag } from './regions-flag.ts';

/** Flags of every command that runs a guest: where its output goes and when it ends. */
export const guestFlags = {
  serial: Flags.string({ description: 'stdio, file:PATH or none', default: 'stdio' }),
  debugcon: Flags.string({
    description: 'output of ports 0x402 and 0xe9: stdio, file:PATH or none',
    default: 'none',
  }),
  // oclif would read --no-reboot as the opposite of a flag "reboot": it is declared under its whole name.
  'no-reboot': Flags.boolean({ description: 'a reset ends the run' }),
  limit: Flags.string({ description: 'instructions after which the run ends, such as 2G' }),
  'regions-after': regionsFlag,
  verbose: Flags.boolean({ char: 'v', description: "tell of the guest's mistakes" }),
};

/** The values of `guestFlags`. */
export interface GuestFlags {
  readonly serial: string;
  readonly debugcon: string;
  readonly 'no-reboot': boolean;
  readonly limit?: string;
  readonly 'regions-after'?: string;
  readonly verbose: boolean;
}
