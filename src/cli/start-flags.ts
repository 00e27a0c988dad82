import { Flags } from '@oclif/core';
import type { BoardFlags } from '../bios/topology/flags.ts';
import { acpiTableFlag } from './acpitable-flag.ts';
import { boardFlags } from './board-flags.ts';
import { bootFlags } from './boot-flags.ts';

/** Flags that say what is booted, and on which board. */
export const startFlags = {
  ...boardFlags,
  ...bootFlags,
  acpitable: acpiTableFlag,
  fw_cfg: Flags.string({
    description: '[name=]NAME,file=PATH or [name=]NAME,string=TEXT',
    multiple: true,
    multipleNonGreedy: true,
  }),
};

/** The values of `startFlags`. */
export interface StartFlags extends BoardFlags {
  readonly kernel?: string;
  readonly initrd?: string;
  readonly append?: string;
  readonly bios?: string;
  readonly cpu: string;
  readonly acpitable?: readonly string[];
  readonly fw_cfg?: readonly string[];
}
