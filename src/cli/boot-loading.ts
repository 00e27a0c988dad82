import { kernelItems } from '../bios/boot/kernel-items.ts';
import { buildRom } from '../bios/rom/rom.ts';
import { checkRom } from './emulated-machine.ts';
import { readFileBytes } from './files.ts';

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
