import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseBzImage, SETUP_HEADER } from '../../../src/bios/boot/bzimage.ts';
import { kernelItems, parseKernel } from '../../../src/bios/boot/kernel-items.ts';
import { parsePvh } from '../../../src/bios/boot/pvh.ts';
import { FW_CFG_KEYS } from '../../../src/emulator/machine/fw-cfg-keys.ts';
import { MIB, viewOf } from '../../../src/shared/bytes.ts';
import { UserError } from '../../../src/shared/errors.ts';
import { hasQemu, QtestMachine } from '../../oracle/qtest.ts';
import { debianFile } from '../../support/debian.ts';

/** A bzImage with a header and nothing that runs: four setup sectors, `kernelBytes` of kernel. */
function bzImage(kernelBytes = 4096): Uint8Array {
  const bytes = new Uint8Array(5 * 512 + kernelBytes);
  const view = viewOf(bytes);
  bytes[SETUP_HEADER.SETUP_SECTS] = 4;
  view.setUint32(SETUP_HEADER.SYSSIZE, Math.ceil(kernelBytes / 16), true);
  view.setUint16(SETUP_HEADER.BOOT_FLAG, 0xaa55, true);
  bytes.set(new TextEncoder().encode('HdrS'), SETUP_HEADER.MAGIC);
  view.setUint16(SETUP_HEADER.VERSION, 0x20f, true);
  bytes[SETUP_HEADER.LOADFLAGS] = 1;
  view.setUint16(SETUP_HEADER.XLOADFLAGS, 3, true);
  view.setUint32(SETUP_HEADER.CMDLINE_SIZE, 2047, true);
  view.setUint32(SETUP_HEADER.INITRD_ADDR_MAX, 0x7fff_ffff, true);
  view.setBigUint64(SETUP_HEADER.PREF_ADDRESS, 0x100_0000n, true);
  view.setUint32(SETUP_HEADER.INIT_SIZE, 0x10_0000, true);
  return bytes;
}

/** An ELF64 kernel: one segment, one note of `type`. */
function elf(type = 18, name = 'Xen\0'): Uint8Array {
  const bytes = new Uint8Array(0x200);
  const view = viewOf(bytes);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(18, 62, true);
  view.setBigUint64(0x20, 64n, true);
  view.setUint16(0x36, 56, true);
  view.setUint16(0x38, 2, true);
  const programHeader = (index: number, kind: number, offset: number, paddr: number, size: number) => {
    const at = 64 + 56 * index;
    view.setUint32(at, kind, true);
    view.setBigUint64(at + 8, BigInt(offset), true);
    view.setBigUint64(at + 24, BigInt(paddr), true);
    view.setBigUint64(at + 32, BigInt(size), true);
    view.setBigUint64(at + 40, BigInt(size + (kind === 1 ? 0x1000 : 0)), true);
  };
  programHeader(0, 1, 0x180, 0x10_0000, 0x40);
  programHeader(1, 4, 0x100, 0, 24);
  view.setUint32(0x100, 4, true);
  view.setUint32(0x104, 8, true);
  view.setUint32(0x108, type, true);
  bytes.set(new TextEncoder().encode(name), 0x10c);
  view.setBigUint64(0x110, 0x10_0010n, true);
  return bytes;
}

function changed(bytes: Uint8Array, offset: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[offset] = value;
  return copy;
}

describe('a kernel file', () => {
  it('is taken apart: bzImage', () => {
    const image = parseBzImage(bzImage(), 'vmlinuz');
    expect(image).toMatchObject({ protocol: 0x20f, cmdlineSize: 2047, prefAddress: 0x100_0000, canLoadAbove4G: true });
    expect([image.setup.length, image.kernel.length]).toEqual([2560, 4096]);
  });

  it('may be a 32-bit bzImage, which cannot be loaded above 4 GiB', () => {
    const image = parseBzImage(changed(bzImage(), SETUP_HEADER.XLOADFLAGS, 0), 'vmlinuz');
    expect(image).toMatchObject({ prefAddress: 0x100_0000, canLoadAbove4G: false });
  });

  it('is taken apart: ELF with a PVH note', () => {
    const image = parsePvh(elf(), 'vmlinux');
    expect(image.entry).toBe(0x10_0010);
    expect(image.segments.map(({ paddr, bytes, memoryBytes }) => [paddr, bytes.length, memoryBytes])).toEqual([
      [0x10_0000, 0x40, 0x1040],
    ]);
  });

  const cases: [string, Uint8Array, string][] = [
    ['empty', new Uint8Array(0), 'KERNEL_FORMAT'],
    ['text', new TextEncoder().encode('not a kernel'), 'KERNEL_FORMAT'],
    ['a bzImage cut short', bzImage().subarray(0, 3000), 'KERNEL_TRUNCATED'],
    ['a bzImage with a payload outside', changed(bzImage(), SETUP_HEADER.PAYLOAD_LENGTH + 2, 1), 'KERNEL_TRUNCATED'],
    ['an old kernel', changed(bzImage(), SETUP_HEADER.VERSION, 0x0b), 'KERNEL_PROTOCOL'],
    ['a zImage', changed(bzImage(), SETUP_HEADER.LOADFLAGS, 0), 'KERNEL_PROTOCOL'],
    ['an ELF without the note', elf(17), 'KERNEL_FORMAT'],
    ['an ELF with another’s note', elf(18, 'GNU\0'), 'KERNEL_FORMAT'],
    ['an ELF for another machine', changed(elf(), 18, 183), 'KERNEL_FORMAT'],
    ['a big-endian ELF', changed(elf(), 5, 2), 'KERNEL_FORMAT'],
    ['an ELF header cut short', elf().subarray(0, 40), 'KERNEL_TRUNCATED'],
    ['an ELF segment cut short', elf().subarray(0, 0x190), 'KERNEL_TRUNCATED'],
  ];
  it.each(cases)('that is wrong is one typed error: %s', (_, bytes, code) => {
    try {
      parseKernel(bytes, 'kernel');
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).code).toBe(code);
      expect((error as UserError).place.file).toBe('kernel');
      return;
    }
    throw new Error('it was taken');
  });
});

describe('fw_cfg items', () => {
  const request = { kernel: bzImage(), kernelFile: 'vmlinuz', append: 'quiet', lowRamBytes: 128 * MIB };

  it('refuse an initrd that does not fit, and a command line that is too long', () => {
    const large = { ...request, initrd: new Uint8Array(125 * MIB), initrdFile: 'initrd' };
    expect(() => kernelItems(large)).toThrow(/does not fit/);
    expect(() => kernelItems({ ...request, append: 'x'.repeat(2048) })).toThrow(/2048 characters/);
  });

  const kernelFile = debianFile('cloudKernel');
  const busyboxFile = debianFile('busybox');
  const oracle = hasQemu && kernelFile !== undefined && busyboxFile !== undefined;

  it.skipIf(!oracle)('are those of QEMU’s -kernel (qemu-system-x86_64 and Debian’s cloud kernel)', async () => {
    const kernel = readFileSync(kernelFile ?? '');
    const initrd = readFileSync(busyboxFile ?? '');
    const ours = kernelItems({
      kernel: new Uint8Array(kernel),
      kernelFile: kernelFile ?? '',
      initrd: new Uint8Array(initrd),
      append: 'console=ttyS0 quiet',
      lowRamBytes: 256 * MIB,
    });
    const args = ['-m', '256', '-kernel', kernelFile ?? '', '-initrd', busyboxFile ?? ''];
    const machine = new QtestMachine([...args, '-append', 'console=ttyS0 quiet']);
    const read = async (key: number, byteLength: number): Promise<number[]> => {
      await machine.portWrite(0x510, 2, key);
      const bytes: number[] = [];
      for (let index = 0; index < byteLength; index++) bytes.push(await machine.portRead(0x511, 1));
      return bytes;
    };
    try {
      for (const [name, key] of Object.entries(FW_CFG_KEYS)) {
        const item = ours.get(key);
        if (item === undefined || name === 'KERNEL_ENTRY' || name === 'KERNEL_SIZE') continue;
        // Big items are compared at their beginning; the setup header and its neighbours are in the first KiB.
        const bytes = [...item].slice(0, 1024);
        const theirs = await read(key, bytes.length);
        // QEMU may hang a random seed on the kernel (setup_data), which would not be the same twice.
        if (name === 'SETUP_DATA') theirs.fill(0, 0x250, 0x258);
        expect([name, theirs]).toEqual([name, bytes]);
      }
    } finally {
      machine.close();
    }
  });
});
