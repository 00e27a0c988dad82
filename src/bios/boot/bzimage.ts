import { hex, viewOf } from '../../shared/bytes.ts';
import { UserError } from '../../shared/errors.ts';

/** Offsets of the real-mode setup header (Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"). */
export const SETUP_HEADER = {
  SETUP_SECTS: 0x1f1,
  SYSSIZE: 0x1f4,
  VID_MODE: 0x1fa,
  BOOT_FLAG: 0x1fe,
  MAGIC: 0x202,
  VERSION: 0x206,
  KERNEL_VERSION: 0x20e,
  TYPE_OF_LOADER: 0x210,
  LOADFLAGS: 0x211,
  RAMDISK_IMAGE: 0x218,
  RAMDISK_SIZE: 0x21c,
  HEAP_END_PTR: 0x224,
  CMD_LINE_PTR: 0x228,
  INITRD_ADDR_MAX: 0x22c,
  KERNEL_ALIGNMENT: 0x230,
  XLOADFLAGS: 0x236,
  CMDLINE_SIZE: 0x238,
  PAYLOAD_OFFSET: 0x248,
  PAYLOAD_LENGTH: 0x24c,
  PREF_ADDRESS: 0x258,
  INIT_SIZE: 0x260,
} as const;

const BOOT_FLAG = 0xaa55;
/** `HdrS`. */
const HEADER_MAGIC = 0x5372_6448;
const SECTOR = 512;
const PARAGRAPH = 16;
/** 2.12 brought xloadflags, which tell of the 64-bit entry. */
const LEAST_PROTOCOL = 0x20c;
const LOADED_HIGH = 1 << 0;
const XLF_CAN_BE_LOADED_ABOVE_4G = 1 << 1;

/** A Linux bzImage taken apart. Addresses and sizes in bytes. */
export interface BzImage {
  readonly kind: 'bzimage';
  /** Real-mode part: boot sector and setup. */
  readonly setup: Uint8Array;
  /** Protected-mode part: the 32-bit entry at 0, that of a 64-bit kernel at 0x200. */
  readonly kernel: Uint8Array;
  /** 0x20c for 2.12. */
  readonly protocol: number;
  readonly kernelVersion: string;
  readonly initrdAddrMax: number;
  readonly canLoadAbove4G: boolean;
  readonly kernelAlignment: number;
  readonly prefAddress: number;
  /** Memory that the kernel needs from its load address on while it starts. */
  readonly initSize: number;
  /** Longest command line without its terminating zero. */
  readonly cmdlineSize: number;
  /** The compressed kernel inside `kernel`. */
  readonly payload: { readonly offset: number; readonly byteLength: number };
}

/** True when the boot flag and the header's magic are there. */
export function isBzImage(bytes: Uint8Array): boolean {
  if (bytes.length < SETUP_HEADER.INIT_SIZE + 4) return false;
  const view = viewOf(bytes);
  return (
    view.getUint16(SETUP_HEADER.BOOT_FLAG, true) === BOOT_FLAG &&
    view.getUint32(SETUP_HEADER.MAGIC, true) === HEADER_MAGIC
  );
}

function versionText(setup: Uint8Array, pointer: number): string {
  if (pointer === 0) return '';
  const text = setup.subarray(pointer + SECTOR, pointer + SECTOR + 256);
  const end = text.indexOf(0);
  return new TextDecoder('latin1').decode(end < 0 ? text : text.subarray(0, end));
}

/**
 * Takes a bzImage apart.
 * @throws UserError KERNEL_FORMAT (no bzImage), KERNEL_TRUNCATED, KERNEL_PROTOCOL (older than 2.12, or zImage)
 */
export function parseBzImage(bytes: Uint8Array, file: string): BzImage {
  if (!isBzImage(bytes)) {
    throw new UserError('KERNEL_FORMAT', 'the file is not a Linux bzImage', {
      place: { file, offset: SETUP_HEADER.MAGIC },
      mend: 'name an x86 bzImage (Debian: /boot/vmlinuz-…-amd64) or an ELF kernel with a PVH note',
    });
  }
  const view = viewOf(bytes);
  const u8 = (offset: number) => view.getUint8(offset);
  const u32 = (offset: number) => view.getUint32(offset, true);
  const protocol = view.getUint16(SETUP_HEADER.VERSION, true);
  const xloadflags = view.getUint16(SETUP_HEADER.XLOADFLAGS, true);
  const refuse = (what: string, offset: number) =>
    new UserError('KERNEL_PROTOCOL', `the kernel ${what}`, {
      place: { file, offset },
      mend: 'use a kernel of Linux 3.8 or later',
    });
  if (protocol < LEAST_PROTOCOL) {
    const text = `${protocol >> 8}.${protocol & 0xff}`;
    throw refuse(`speaks boot protocol ${text}; 2.12 or later is needed`, SETUP_HEADER.VERSION);
  }
  if ((u8(SETUP_HEADER.LOADFLAGS) & LOADED_HIGH) === 0) throw refuse('is a zImage', SETUP_HEADER.LOADFLAGS);
  const setupBytes = ((u8(SETUP_HEADER.SETUP_SECTS) || 4) + 1) * SECTOR;
  const wanted = setupBytes + u32(SETUP_HEADER.SYSSIZE) * PARAGRAPH;
  // The last paragraph may be partly there: syssize is rounded up.
  if (bytes.length <= wanted - PARAGRAPH) {
    throw new UserError('KERNEL_TRUNCATED', `the kernel has ${bytes.length} bytes; its header announces ${wanted}`, {
      place: { file, offset: bytes.length },
      mend: 'the file is cut short: copy or download it again',
    });
  }
  const kernel = bytes.subarray(setupBytes);
  const payload = { offset: u32(SETUP_HEADER.PAYLOAD_OFFSET), byteLength: u32(SETUP_HEADER.PAYLOAD_LENGTH) };
  if (payload.offset + payload.byteLength > kernel.length) {
    throw new UserError(
      'KERNEL_TRUNCATED',
      `the payload ends at ${hex(payload.offset + payload.byteLength)}, behind the file`,
      {
        place: { file, offset: SETUP_HEADER.PAYLOAD_OFFSET },
        mend: 'the file is damaged: copy or download it again',
      },
    );
  }
  const setup = bytes.subarray(0, setupBytes);
  return {
    kind: 'bzimage',
    setup,
    kernel,
    protocol,
    kernelVersion: versionText(setup, view.getUint16(SETUP_HEADER.KERNEL_VERSION, true)),
    initrdAddrMax: u32(SETUP_HEADER.INITRD_ADDR_MAX),
    canLoadAbove4G: (xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G) !== 0,
    kernelAlignment: u32(SETUP_HEADER.KERNEL_ALIGNMENT),
    prefAddress: Number(view.getBigUint64(SETUP_HEADER.PREF_ADDRESS, true)),
    initSize: u32(SETUP_HEADER.INIT_SIZE),
    cmdlineSize: u32(SETUP_HEADER.CMDLINE_SIZE),
    payload,
  };
}
