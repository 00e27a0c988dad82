import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FADT } from '../../../src/bios/acpi/fadt.ts';
import { HEADER_BYTES } from '../../../src/bios/acpi/header.ts';
import { defaultAllocator, executeScript } from '../../../src/bios/acpi/linker/load.ts';
import {
  decodeScript,
  encodeScript,
  LOADER_FILE_NAME,
  LOADER_ZONES,
  type LoaderCommand,
  RSDP_FILE_NAME,
  TABLES_FILE_NAME,
} from '../../../src/bios/acpi/linker/script.ts';
import { RSDP, RSDP_V1_BYTES } from '../../../src/bios/acpi/rsdp.ts';
import { buildFirmware } from '../../../src/bios/firmware.ts';
import { decodeLayout } from '../../../src/bios/layout.ts';
import { viewOf } from '../../../src/shared/bytes.ts';
import { byteSum } from '../../../src/shared/checksum.ts';
import { SMALL_PLAN, smallBoard } from '../board.ts';

const name = fc.string({ minLength: 1, maxLength: 55, unit: 'grapheme-ascii' });
const word = fc.nat(0xffff_ffff);
const byte = fc.nat(0xff);
const command: fc.Arbitrary<LoaderCommand> = fc.oneof(
  fc.record({
    command: fc.constant('ALLOCATE' as const),
    file: name,
    align: word,
    zone: fc.constantFrom(LOADER_ZONES.HIGH, LOADER_ZONES.FSEG),
  }),
  fc.record({ command: fc.constant('ADD_POINTER' as const), target: name, source: name, offset: word, size: byte }),
  fc.record({ command: fc.constant('ADD_CHECKSUM' as const), file: name, offset: word, start: word, length: word }),
  fc.record({
    command: fc.constant('WRITE_POINTER' as const),
    target: name,
    source: name,
    targetOffset: word,
    sourceOffset: word,
    size: byte,
  }),
);

describe('linker/loader', () => {
  it('reads the script that it writes', () => {
    fc.assert(
      fc.property(fc.array(command), (script) => {
        expect(decodeScript(encodeScript(script))).toEqual(script);
      }),
    );
  });

  it('gives every table an address, wherever the files land', () => {
    const files = buildFirmware(smallBoard(), SMALL_PLAN);
    fc.assert(
      fc.property(fc.integer({ min: 0x20_0000 / 64, max: 0x8000_0000 / 64 }), (unit) => {
        const image = executeScript(files, defaultAllocator(unit * 64));
        const rsdp = image.files.get(RSDP_FILE_NAME)!;
        const tables = image.files.get(TABLES_FILE_NAME)!;
        expect(byteSum(rsdp.bytes)).toBe(0);
        expect(byteSum(rsdp.bytes.subarray(0, RSDP_V1_BYTES))).toBe(0);
        const at = (gpa: number) => tables.bytes.subarray(gpa - tables.gpa);
        const { RSDT_ADDRESS, XSDT_ADDRESS } = decodeLayout(RSDP, rsdp.bytes);
        const lengthOf = (table: Uint8Array) => viewOf(table).getUint32(4, true);
        const xsdt = at(XSDT_ADDRESS);
        const rsdt = at(RSDT_ADDRESS);
        const count = (lengthOf(xsdt) - HEADER_BYTES) / 8;
        expect((lengthOf(rsdt) - HEADER_BYTES) / 4).toBe(count);
        for (let index = 0; index < count; index++) {
          const address = Number(viewOf(xsdt).getBigUint64(HEADER_BYTES + 8 * index, true));
          expect(viewOf(rsdt).getUint32(HEADER_BYTES + 4 * index, true)).toBe(address);
          const table = at(address);
          expect(byteSum(table.subarray(0, lengthOf(table)))).toBe(0);
        }
        const fadt = decodeLayout(FADT, at(Number(viewOf(xsdt).getBigUint64(HEADER_BYTES, true))));
        expect(fadt.SIGNATURE).toBe('FACP');
        expect(fadt.FIRMWARE_CTRL % 64).toBe(0);
        expect(fadt.X_FIRMWARE_CTRL).toBe(fadt.FIRMWARE_CTRL);
        expect(decodeLayout(FADT, at(fadt.X_DSDT)).SIGNATURE).toBe('DSDT');
      }),
    );
  });

  it('writes pointers back to fw_cfg', () => {
    const files = new Map([
      ['etc/blob', new Uint8Array(64)],
      ['etc/blob_addr', new Uint8Array(8)],
      [
        LOADER_FILE_NAME,
        encodeScript([
          { command: 'ALLOCATE', file: 'etc/blob', align: 16, zone: LOADER_ZONES.HIGH },
          {
            command: 'WRITE_POINTER',
            target: 'etc/blob_addr',
            source: 'etc/blob',
            targetOffset: 0,
            sourceOffset: 40,
            size: 8,
          },
        ]),
      ],
    ]);
    const { writtenBack } = executeScript(files, defaultAllocator(0x1000_0000));
    expect(viewOf(writtenBack.get('etc/blob_addr')!).getBigUint64(0, true)).toBe(0x1000_0000n - 64n + 40n);
  });

  it.each([
    ['a script that is cut short', [], new Uint8Array(100), /no multiple of 128/],
    ['a file that is missing', [], undefined, /etc\/missing is allocated by entry 0/],
    ['a pointer outside its file', [['etc/missing', new Uint8Array(4)]], undefined, /reaches to byte 12/],
  ])('refuses %s', (_, more, script, message) => {
    const files = new Map<string, Uint8Array>([
      [
        LOADER_FILE_NAME,
        script ??
          encodeScript([
            { command: 'ALLOCATE', file: 'etc/missing', align: 16, zone: LOADER_ZONES.HIGH },
            { command: 'ADD_POINTER', target: 'etc/missing', source: 'etc/missing', offset: 4, size: 8 },
          ]),
      ],
      ...(more as [string, Uint8Array][]),
    ]);
    expect(() => executeScript(files, defaultAllocator(0x1000_0000))).toThrow(message);
  });
});
