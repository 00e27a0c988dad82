import { FW_CFG_KEYS } from '../../emulator/machine/fw-cfg-keys.ts';
import { alignDown, asciiBytes, viewOf } from '../../shared/bytes.ts';
import { UserError } from '../../shared/errors.ts';
import { type BzImage, isBzImage, parseBzImage, SETUP_HEADER } from './bzimage.ts';
import { isElf, type PvhImage, parsePvh } from './pvh.ts';

/** Where QEMU puts the parts of a bzImage. */
const REAL_MODE_ADDR = 0x1_0000;
const CMDLINE_ADDR = 0x2_0000;
const PROTECTED_MODE_ADDR = 0x10_0000;
/** `type_of_loader` of QEMU, version 0. */
const LOADER_QEMU = 0xb0;
const CAN_USE_HEAP = 1 << 7;
/** Room that QEMU's q35 keeps for ACPI data below the end of low RAM. */
const ACPI_DATA_BYTES = 0x2_8000;
const INITRD_PAGE = 0x1000;

export interface KernelRequest {
  readonly kernel: Uint8Array;
  /** File name for messages. */
  readonly kernelFile: string;
  readonly initrd?: Uint8Array;
  readonly initrdFile?: string;
  /** Command line without a terminating zero. */
  readonly append: string;
  /** RAM below 4 GiB. */
  readonly lowRamBytes: number;
}

const u32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, true);
  return bytes;
};

/** @throws UserError KERNEL_FORMAT for a file that is neither a bzImage nor an ELF with a PVH note */
export function parseKernel(bytes: Uint8Array, file: string): BzImage | PvhImage {
  if (isElf(bytes)) return parsePvh(bytes, file);
  if (isBzImage(bytes)) return parseBzImage(bytes, file);
  throw new UserError(
    'KERNEL_FORMAT',
    `the file is no kernel: neither a bzImage nor an ELF file (${bytes.length} bytes)`,
    {
      place: { file },
      mend: 'name an x86 bzImage (Debian: /boot/vmlinuz-…-amd64) or an ELF kernel with a PVH note',
    },
  );
}

/** Where the initrd goes: as high as the kernel allows below the end of low RAM. */
function initrdAddress(request: KernelRequest, image: BzImage | PvhImage): number {
  const byteLength = request.initrd?.length ?? 0;
  const limit = image.kind === 'bzimage' && !image.canLoadAbove4G ? image.initrdAddrMax : 0xffff_ffff;
  const max = Math.min(limit, request.lowRamBytes - ACPI_DATA_BYTES - 1);
  const kernelEnd = image.kind === 'bzimage' ? image.prefAddress + image.initSize : PROTECTED_MODE_ADDR;
  const address = alignDown(max - byteLength, INITRD_PAGE);
  if (address < kernelEnd) {
    const missing = kernelEnd - address;
    throw new UserError('INITRD_TOO_LARGE', `the initrd (${byteLength} bytes) does not fit below the end of low RAM`, {
      place: { file: request.initrdFile },
      mend: `give the board ${Math.ceil((2 * missing) / 0x10_0000)} MiB more memory (half of it lies below 4 GiB), or a smaller initrd`,
    });
  }
  return address;
}

/** The setup part as QEMU hands it on: loader type, heap, command line and initrd filled in. */
function patchedSetup(image: BzImage, initrdAddr: number, initrdBytes: number): Uint8Array {
  const setup = image.setup.slice();
  const view = viewOf(setup);
  view.setUint8(SETUP_HEADER.TYPE_OF_LOADER, LOADER_QEMU);
  view.setUint8(SETUP_HEADER.LOADFLAGS, view.getUint8(SETUP_HEADER.LOADFLAGS) | CAN_USE_HEAP);
  view.setUint16(SETUP_HEADER.HEAP_END_PTR, CMDLINE_ADDR - REAL_MODE_ADDR - 0x200, true);
  view.setUint32(SETUP_HEADER.CMD_LINE_PTR, CMDLINE_ADDR, true);
  view.setUint32(SETUP_HEADER.RAMDISK_IMAGE, initrdAddr, true);
  view.setUint32(SETUP_HEADER.RAMDISK_SIZE, initrdBytes, true);
  return setup;
}

/**
 * The legacy fw_cfg items of a kernel, initrd and command line, as QEMU's `-kernel` fills them, so that any firmware that boots them
 * there boots them here. An ELF travels whole as KERNEL_DATA: the ROM loads its segments (QEMU's own loader puts them into RAM).
 * @throws UserError KERNEL_*, INITRD_TOO_LARGE, CMDLINE_TOO_LONG
 */
export function kernelItems(request: KernelRequest): Map<number, Uint8Array> {
  const image = parseKernel(request.kernel, request.kernelFile);
  const { initrd, append } = request;
  if (image.kind === 'bzimage' && append.length > image.cmdlineSize) {
    throw new UserError('CMDLINE_TOO_LONG', `the command line has ${append.length} characters`, {
      place: { file: '--append' },
      mend: `this kernel takes at most ${image.cmdlineSize}`,
    });
  }
  const cmdline = asciiBytes(append, append.length + 1);
  const items = new Map<number, Uint8Array>([
    [FW_CFG_KEYS.CMDLINE_ADDR, u32(CMDLINE_ADDR)],
    [FW_CFG_KEYS.CMDLINE_SIZE, u32(cmdline.length)],
    [FW_CFG_KEYS.CMDLINE_DATA, cmdline],
  ]);
  let initrdAddr = 0;
  if (initrd !== undefined) {
    initrdAddr = initrdAddress(request, image);
    items.set(FW_CFG_KEYS.INITRD_ADDR, u32(initrdAddr));
    items.set(FW_CFG_KEYS.INITRD_SIZE, u32(initrd.length));
    items.set(FW_CFG_KEYS.INITRD_DATA, initrd);
  }
  const [kernel, setup] =
    image.kind === 'pvh'
      ? [image.file, image.file.subarray(0, 0x2000)]
      : [image.kernel, patchedSetup(image, initrdAddr, initrd?.length ?? 0)];
  items.set(FW_CFG_KEYS.KERNEL_ADDR, u32(image.kind === 'pvh' ? image.segments[0].paddr : PROTECTED_MODE_ADDR));
  items.set(FW_CFG_KEYS.KERNEL_ENTRY, u32(image.kind === 'pvh' ? image.entry : 0));
  items.set(FW_CFG_KEYS.KERNEL_SIZE, u32(kernel.length));
  items.set(FW_CFG_KEYS.KERNEL_DATA, kernel);
  items.set(FW_CFG_KEYS.SETUP_ADDR, u32(REAL_MODE_ADDR));
  items.set(FW_CFG_KEYS.SETUP_SIZE, u32(setup.length));
  items.set(FW_CFG_KEYS.SETUP_DATA, setup);
  return items;
}
