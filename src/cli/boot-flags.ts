import { Flags } from '@oclif/core';
import { CPU_MODEL_NAMES, DEFAULT_CPU_MODEL } from '../emulator/cpu/model/cpu-model.ts';
import { UserError } from '../shared/errors.ts';

/** Flags that say what is booted. */
export const bootFlags = {
  kernel: Flags.string({ description: 'bzImage, or ELF with a PVH note' }),
  initrd: Flags.string({ description: 'initramfs', dependsOn: ['kernel'] }),
  append: Flags.string({ description: 'kernel command line', dependsOn: ['kernel'] }),
  cpu: Flags.string({
    description: `processor: ${CPU_MODEL_NAMES.join(', ')}, then ,+feature or ,-feature`,
    default: DEFAULT_CPU_MODEL.name,
  }),
  bios: Flags.string({ description: "firmware image instead of the toolkit's ROM" }),
};

/** `--limit 3G`: instructions, with K, M, G for thousands, millions, milliards. */
export function parseInstructions(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)([KMG]?)$/i.exec(text);
  if (match === null) {
    throw new UserError('LIMIT_SYNTAX', `'${text}' is no number of instructions`, {
      place: { file: `--limit ${text}` },
      mend: 'write a number with K, M or G after it, such as 500M',
    });
  }
  return Number(match[1]) * { '': 1, K: 1e3, M: 1e6, G: 1e9 }[match[2].toUpperCase() as '' | 'K' | 'M' | 'G'];
}
