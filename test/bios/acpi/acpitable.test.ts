import { describe, expect, it } from 'vitest';
import { decodeTableHeader, encodeTable } from '../../../src/aml/table-header.ts';
import { parseAcpiTableOption } from '../../../src/bios/acpi/acpitable/option.ts';
import { FADT } from '../../../src/bios/acpi/fadt.ts';
import { assembleFirmware } from '../../../src/bios/firmware.ts';
import { decodeLayout } from '../../../src/bios/layout.ts';
import { byteSum } from '../../../src/shared/checksum.ts';
import { SMALL_PLAN, smallBoard } from '../board.ts';

const SSDT = encodeTable({ signature: 'SSDT', revision: 2, oemId: 'USER', oemTableId: 'MINE' }, new Uint8Array(0));

function build(...inputs: [string, Uint8Array?][]) {
  return assembleFirmware(smallBoard(), SMALL_PLAN, {
    acpiTables: inputs.map(([text, bytes]) => ({
      option: parseAcpiTableOption(text),
      bytes: bytes ?? new Uint8Array(0),
    })),
  });
}

const ids = (firmware: ReturnType<typeof build>) => firmware.tables.map(({ id }) => id);
const table = (firmware: ReturnType<typeof build>, id: string) => firmware.tables.find((entry) => entry.id === id)!;

describe('--acpitable', () => {
  it('adds tables, any number of one signature', () => {
    const firmware = build(['file=a.aml', SSDT], ['b.aml', SSDT]);
    expect(ids(firmware)).toContain('SSDT');
    expect(table(firmware, 'XSDT').pointers.map(({ target }) => target)).toContain('SSDT.2');
  });

  it('makes a header for data=, with the fields given', () => {
    const text =
      'sig=OEM1,rev=3,oem_id=ME,oem_table_id=BOARD,oem_rev=0x10,asl_compiler_id=ASM,asl_compiler_rev=7,data=x';
    const firmware = build([text, Uint8Array.of(1, 2, 3)]);
    expect(decodeTableHeader(table(firmware, 'OEM1').bytes)).toMatchObject({
      length: 39,
      revision: 3,
      oemId: 'ME',
      oemTableId: 'BOARD',
      oemRevision: 16,
      creatorId: 'ASM',
      creatorRevision: 7,
    });
    expect(byteSum(table(firmware, 'OEM1').bytes)).toBe(0);
  });

  it('takes tables of any size', () => {
    const large = encodeTable({ signature: 'OEM2', revision: 1, oemId: 'U', oemTableId: 'L' }, new Uint8Array(400_000));
    expect(table(build(['file=large', large]), 'OEM2').bytes.length).toBe(400_036);
  });

  it('replaces a table in its place', () => {
    const dsdt = encodeTable({ signature: 'DSDT', revision: 2, oemId: 'USER', oemTableId: 'MINE' }, new Uint8Array(0));
    const firmware = build(['replace=DSDT,file=dsdt.aml', dsdt]);
    expect(ids(firmware).slice(0, 3)).toEqual(['FACS', 'DSDT', 'FACP']);
    expect(table(firmware, 'DSDT').bytes).toEqual(dsdt);
  });

  it('links a FADT that a user brings', () => {
    const own = table(build(), 'FACP').bytes.slice(0, 244);
    own[FADT.fields.X_DSDT.offset] = 0x55;
    const firmware = build(['replace=FACP,file=facp.aml', encodeTable(decodeTableHeader(own)!, own.subarray(36))]);
    expect(table(firmware, 'FACP').pointers).toHaveLength(4);
  });

  it('deletes tables and what points to them', () => {
    const firmware = build(['delete=WAET'], ['delete=FACS']);
    expect(ids(firmware)).not.toContain('WAET');
    expect(table(firmware, 'FACP').pointers.map(({ target }) => target)).toEqual(['DSDT', 'DSDT']);
    expect(decodeLayout(FADT, table(firmware, 'FACP').bytes).FIRMWARE_CTRL).toBe(0);
  });

  it("copies a SLIC's OEM ids into RSDT, XSDT and FADT", () => {
    const slic = encodeTable(
      { signature: 'SLIC', revision: 1, oemId: 'VENDOR', oemTableId: 'MACHINE1' },
      new Uint8Array(338),
    );
    const firmware = build(['file=slic.bin', slic]);
    for (const id of ['RSDT', 'XSDT', 'FACP']) {
      expect(decodeTableHeader(table(firmware, id).bytes), id).toMatchObject({
        oemId: 'VENDOR',
        oemTableId: 'MACHINE1',
      });
      expect(byteSum(table(firmware, id).bytes)).toBe(0);
    }
  });

  it('puts a length right that is too small, with a warning', () => {
    const longer = new Uint8Array([...SSDT, 0, 0]);
    const firmware = build(['file=a.aml', longer]);
    expect(decodeTableHeader(table(firmware, 'SSDT').bytes)!.length).toBe(38);
    expect(firmware.warnings).toEqual(['a.aml: the header says 36 bytes, the file has 38; the header was put right']);
  });

  it.each([
    ['a table that is cut short', 'file=a.aml', SSDT.subarray(0, 20), 'ACPITABLE_LENGTH'],
    ['a length beyond the file', 'file=a.aml', lengthened(SSDT), 'ACPITABLE_LENGTH'],
    ['a root table', 'sig=XSDT,data=a', new Uint8Array(8), 'ACPITABLE_ROOT'],
    ['a table to replace that is not there', 'replace=DMAR,file=a', SSDT, 'ACPITABLE_MISSING'],
    ['an unknown key', 'sgi=SSDT,file=a', SSDT, 'ACPITABLE_KEY'],
    ['a value that is too long', 'sig=TOOLONG,data=a', SSDT, 'ACPITABLE_VALUE'],
    ['a number that is none', 'rev=two,data=a', SSDT, 'ACPITABLE_VALUE'],
    ['a number that is too large', 'rev=256,data=a', SSDT, 'ACPITABLE_VALUE'],
    ['no source', 'sig=SSDT', SSDT, 'ACPITABLE_SOURCE'],
    ['two sources', 'file=a,data=b', SSDT, 'ACPITABLE_SOURCE'],
    ['delete with a file', 'delete=SSDT,file=a', SSDT, 'ACPITABLE_SOURCE'],
    ['delete and replace', 'delete=SSDT,replace=DSDT', SSDT, 'ACPITABLE_KEY'],
    ['a signature that is none', 'delete=dsdt', SSDT, 'ACPITABLE_VALUE'],
  ])('refuses %s', (_, text, bytes, code) => {
    expect(() => build([text, bytes])).toThrow(expect.objectContaining({ code }));
  });
});

function lengthened(image: Uint8Array): Uint8Array {
  const copy = image.slice();
  copy[4]++;
  return copy;
}
