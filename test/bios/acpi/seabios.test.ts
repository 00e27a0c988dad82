import { describe, expect, it } from 'vitest';
import { executeScript } from '../../../src/bios/acpi/linker/load.ts';
import { LOADER_FILE_NAME, RSDP_FILE_NAME, TABLES_FILE_NAME } from '../../../src/bios/acpi/linker/script.ts';
import { RSDP } from '../../../src/bios/acpi/rsdp.ts';
import { buildFirmware } from '../../../src/bios/firmware.ts';
import { decodeLayout } from '../../../src/bios/layout.ts';
import { hasQemu } from '../../support/qemu.ts';
import { SMALL_PLAN, smallBoard } from '../board.ts';
import { findRsdp, linkWithSeabios } from './seabios.ts';

describe.skipIf(!hasQemu)('the loader against SeaBIOS (needs qemu-system-x86_64)', () => {
  it('leaves the same bytes at the same addresses', async () => {
    const all = buildFirmware(smallBoard(), SMALL_PLAN);
    const files = new Map([LOADER_FILE_NAME, RSDP_FILE_NAME, TABLES_FILE_NAME].map((name) => [name, all.get(name)!]));
    const guest = await linkWithSeabios(files);
    const rsdpGpa = findRsdp(guest);
    // Where SeaBIOS put the tables follows from where it says the XSDT is.
    const before = decodeLayout(RSDP, files.get(RSDP_FILE_NAME)!);
    const after = decodeLayout(RSDP, guest.ram, rsdpGpa);
    const tablesGpa = after.XSDT_ADDRESS - before.XSDT_ADDRESS;
    const image = executeScript(files, (file) => (file === RSDP_FILE_NAME ? rsdpGpa : tablesGpa));
    for (const { file, gpa, bytes } of image.files.values()) {
      const there = guest.ram.slice(gpa, gpa + bytes.length);
      expect(Buffer.compare(there, bytes), file).toBe(0);
    }
  });
});
