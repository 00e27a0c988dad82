import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/aml/compiler/compile.ts';
import { hexText } from '../../src/aml/compiler/output/hex-text.ts';
import { listing, sourceSpans } from '../../src/aml/compiler/output/listing.ts';
import { namespaceListing } from '../../src/aml/compiler/output/namespace-listing.ts';
import { hasIasl } from './iasl.ts';

const SOURCE = `DefinitionBlock ("", "SSDT", 2, "Q35", "OUTPUT", 1)
{
    External (\\_SB.PCI0, DeviceObj)
    // A comment.
    Device (\\_SB.DEV0)
    {
        Name (_HID, "PNP0C02")
        Method (MTH0, 1, NotSerialized)
        {
            For (Local0 = 0, Local0 < Arg0, Local0++)
            {
                Debug = Local0
            }
            Return (Local0)
        }
    }
}
`;
const CREATOR = { creatorId: 'INTL', creatorRevision: 0x2020_0925 };
const [table] = compile('output.asl', SOURCE, CREATOR).tables;
const hasGcc = spawnSync('gcc', ['--version']).status === 0;

function inDirectory<Result>(body: (directory: string) => Result): Result {
  const directory = mkdtempSync(join(tmpdir(), 'q35-output-'));
  try {
    return body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe('a table as source text', () => {
  /** What iasl writes, by its flag, without its banner. */
  const theirs = (flag: string): string[] =>
    inDirectory((directory) => {
      writeFileSync(join(directory, 'output.asl'), SOURCE);
      spawnSync('iasl', [flag, 'output.asl'], { cwd: directory });
      return linesOf(readFileSync(join(directory, 'output.hex'), 'latin1'));
    });
  const linesOf = (text: string): string[] =>
    text
      .split('\n')
      .map((line) => line.trimEnd())
      .filter((line) => line !== '' && !/^(\/\*|;| \*)/.test(line));

  test.skipIf(!hasIasl).each([
    ['c', '-tc'],
    ['asm', '-ta'],
    ['asl', '-ts'],
  ] as const)('%s is what iasl %s writes (needs iasl)', (kind, flag) => {
    expect(linesOf(hexText(kind, table.bytes, 'output.aml'))).toEqual(theirs(flag));
  });

  test.skipIf(!hasGcc)('C compiles to the bytes of the table, whatever the file is called (needs gcc)', () => {
    inDirectory((directory) => {
      const main =
        '#include <stdio.h>\n#include "t.hex"\nint main(void) { fwrite(my_table_aml_code, 1, sizeof my_table_aml_code, stdout); }';
      writeFileSync(join(directory, 't.hex'), hexText('c', table.bytes, 'dir/My-Table.aml'));
      writeFileSync(join(directory, 'main.c'), main);
      expect(spawnSync('gcc', ['-o', 'main', 'main.c'], { cwd: directory }).status).toBe(0);
      expect(new Uint8Array(spawnSync(join(directory, 'main')).stdout)).toEqual(table.bytes);
    });
  });
});

test('the listing has every line of the source and every byte of the table, each once', () => {
  const lines = listing(table).split('\n');
  const bytes = lines.flatMap((line) => {
    const row = /^[0-9A-F]{8}: {2}((?:[0-9A-F]{2} )+)/.exec(line);
    return row ? row[1].trim().split(' ') : [];
  });
  expect(bytes.join('').toLowerCase()).toBe(Buffer.from(table.bytes).toString('hex'));
  const shown = lines.flatMap((line) => /^ +(\d+): {2}(.*)$/.exec(line)?.slice(1, 3).join(' ') ?? []);
  SOURCE.trimEnd()
    .split('\n')
    .forEach((line, index) => {
      expect(shown).toContain(`${index + 1} ${line}`);
    });
});

test('each line of the source stands before its own bytes', () => {
  const spans = sourceSpans(table).map(({ line, start, end }) => [
    line,
    Buffer.from(table.bytes.subarray(start, end)).toString('hex'),
  ]);
  expect(spans).toContainEqual([7, '085f4849440d504e503043303200']);
  expect(spans).toContainEqual([14, 'a460']);
});

test('the namespace has types, arguments and places', () => {
  const lines = namespaceListing(table).split('\n');
  expect(lines.slice(3, 8)).toEqual([
    '  _SB_ DeviceObj  external',
    '    PCI0 DeviceObj  external',
    '    DEV0 DeviceObj  output.asl:5',
    '      _HID StrObj  output.asl:7',
    '      MTH0 MethodObj (1)  output.asl:8',
  ]);
});
