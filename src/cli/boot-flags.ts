import { Flags } from '@oclif/core';
import { kernelItems } from '../bios/boot/kernel-items.ts';
import { buildRom } from '../bios/rom/rom.ts';
import { CPU_MODEL_NAMES, DEFAULT_CPU_MODEL } from '../emulator/cpu/model/cpu-model.ts';
import { UserError } from '../shared/errors.ts';
import { checkRom } from './emulated-machine.ts';
import { readFileBytes } from './files.ts';

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

/**
 * The ROM that `--bios` names, or our own.
 * @throws UserError FILE_READ, ROM_SIZE
 */
export function loadRom(path: string | undefined): Uint8Array {
  if (path === undefined) return buildRom().bytes;
  const rom = readFileBytes(path);
  checkRom(rom, path);
  return rom;
}

/**
 * The fw_cfg items of `--kernel`, `--initrd` and `--append`; none without a kernel.
 * @throws UserError FILE_READ, KERNEL_*, INITRD_TOO_LARGE, CMDLINE_TOO_LONG
 */
export function loadKernelItems(
  flags: { readonly kernel?: string; readonly initrd?: string; readonly append?: string },
  lowRamBytes: number,
): ReadonlyMap<number, Uint8Array> {
  if (flags.kernel === undefined) return new Map();
  return kernelItems({
    kernel: readFileBytes(flags.kernel),
    kernelFile: flags.kernel,
    initrd: flags.initrd === undefined ? undefined : readFileBytes(flags.initrd),
    initrdFile: flags.initrd,
    append: flags.append ?? '',
    lowRamBytes,
  });
}
