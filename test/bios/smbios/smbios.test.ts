import { describe, expect, it } from 'vitest';
import { decodeLayout } from '../../../src/bios/layout.ts';
import { buildSmbios, SMBIOS_ANCHOR_FILE_NAME, SMBIOS_TABLES_FILE_NAME } from '../../../src/bios/smbios/build.ts';
import { ENTRY_POINT_32, ENTRY_POINT_64, INTERMEDIATE_OFFSET } from '../../../src/bios/smbios/structures.ts';
import { decodeStructures, type EntryPointForm, structureFields } from '../../../src/bios/smbios/table.ts';
import { GIB, MIB } from '../../../src/shared/bytes.ts';
import { byteSum } from '../../../src/shared/checksum.ts';
import { smallBoard } from '../board.ts';

function build(entryPoint: EntryPointForm, changes = {}) {
  const files = buildSmbios(smallBoard(changes), { entryPoint });
  const table = files.get(SMBIOS_TABLES_FILE_NAME)!;
  return { anchor: files.get(SMBIOS_ANCHOR_FILE_NAME)!, table, structures: decodeStructures(table) };
}

describe('SMBIOS', () => {
  it('holds the types of a PC, by ascending handle', () => {
    const { structures, table } = build('64');
    expect(structures.map(({ type }) => type)).toEqual([0, 1, 3, 4, 16, 17, 19, 19, 32, 127]);
    expect(structures.at(-1)!.offset + 6).toBe(table.length);
    const handles = structures.map(({ handle }) => handle);
    expect(handles).toEqual([...new Set(handles)].sort((left, right) => left - right));
  });

  it('has a BIOS date from 2016 on', () => {
    const [bios] = build('64').structures;
    expect(bios.strings[structureFields('BIOS', bios).RELEASE_DATE - 1]).toBe('01/01/2024');
  });

  it('counts memory in devices of 16 GiB and in mapped ranges', () => {
    const { structures } = build('64', { ramBytes: 40 * GIB, lowRamBytes: 2 * GIB });
    const devices = structures
      .filter(({ type }) => type === 17)
      .map((found) => structureFields('MEMORY_DEVICE', found));
    expect(devices.map(({ SIZE }) => SIZE)).toEqual([16 * 1024, 16 * 1024, 8 * 1024]);
    const ranges = structures
      .filter(({ type }) => type === 19)
      .map((found) => structureFields('MEMORY_MAPPED_ADDRESS', found));
    expect(ranges.map((range) => range.ENDING_ADDRESS + 1 - range.STARTING_ADDRESS)).toEqual([2 * MIB, 38 * MIB]);
  });

  it('has a 3.0 entry point', () => {
    const { anchor, table } = build('64');
    expect(byteSum(anchor)).toBe(0);
    expect(decodeLayout(ENTRY_POINT_64, anchor)).toMatchObject({
      ANCHOR: '_SM3_',
      MAJOR: 3,
      TABLE_MAXIMUM_BYTES: table.length,
    });
  });

  it('has a 2.8 entry point, and the processor as 2.8 knows it', () => {
    const { anchor, table, structures } = build('32');
    expect(byteSum(anchor)).toBe(0);
    expect(byteSum(anchor.subarray(INTERMEDIATE_OFFSET))).toBe(0);
    expect(decodeLayout(ENTRY_POINT_32, anchor)).toMatchObject({
      ANCHOR: '_SM_',
      INTERMEDIATE_ANCHOR: '_DMI_',
      TABLE_BYTES: table.length,
      STRUCTURE_COUNT: structures.length,
    });
    expect(structures.find(({ type }) => type === 4)!.formatted.length).toBe(0x2a);
  });
});
