import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeTable } from '../../../src/aml/table-header.ts';
import { assembleDataTable, isDataTableSource } from '../../../src/bios/acpi/source/assemble.ts';
import { printDataTable } from '../../../src/bios/acpi/source/print.ts';
import { equalBytes, viewOf } from '../../../src/shared/bytes.ts';
import { byteSum } from '../../../src/shared/checksum.ts';
import { GOLDEN } from '../../support/shared-data.ts';

const DEFINITION_BLOCKS = new Set(['DSDT', 'SSDT']);

test.skipIf(!GOLDEN)('every data table of golden comes back byte for byte (needs golden)', () => {
  const different: string[] = [];
  let count = 0;
  for (const collection of ['qemu-q35', 'real-machines']) {
    for (const machine of readdirSync(join(GOLDEN!, collection))) {
      for (const file of readdirSync(join(GOLDEN!, collection, machine)).filter((name) => name.endsWith('.aml'))) {
        const table = new Uint8Array(readFileSync(join(GOLDEN!, collection, machine, file)));
        if (DEFINITION_BLOCKS.has(String.fromCharCode(...table.subarray(0, 4)))) continue;
        count++;
        const text = printDataTable(table, file);
        if (!isDataTableSource(text) || !equalBytes(assembleDataTable(text, file), table))
          different.push(`${machine}/${file}`);
      }
    }
  }
  expect(different).toEqual([]);
  expect(count).toBeGreaterThan(1800);
});

const hpet = encodeTable({ signature: 'HPET', revision: 1, oemId: 'Q35', oemTableId: 'TEST' }, new Uint8Array(20));

test('fields have names, flags and offsets', () => {
  const text = printDataTable(hpet);
  expect(text).toMatch(
    /^\/\* HPET, 56 bytes \*\/\n\[000h {4}4\] +SIGNATURE : "HPET"\n\[004h {4}4\] +LENGTH : 0x00000038\n/,
  );
});

test('an edited table gets its length and checksum', () => {
  const text = `${printDataTable(hpet)}[038h 2] MORE : 0x1234\n`;
  const table = assembleDataTable(text, 'hpet.dsl');
  expect([table.length, viewOf(table).getUint32(4, true), byteSum(table)]).toEqual([58, 58, 0]);
});

test.each([
  ['what is no field', '[000h 4] SIGNATURE "HPET"', /no field/],
  ['a value that is too large', '[000h 1] REVISION : 0x100', /no value of 1 bytes/],
  ['the wrong number of bytes', '[000h 3] DATA : 01 02', /no value of 3 bytes/],
  ['too few bytes', '[000h 4] SIGNATURE : "HPET"', /too few/],
])('%s is a typed error', (_, text, message) => {
  expect(() => assembleDataTable(text, 'x.dsl')).toThrow(
    expect.objectContaining({ code: 'TABLE_SOURCE', message: expect.stringMatching(message) }),
  );
});
