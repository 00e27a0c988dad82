import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TABLE_FORMS } from '../../../src/bios/acpi/forms/table-forms.ts';
import { dissect, type Piece } from '../../../src/bios/acpi/source/print.ts';
import { GOLDEN } from '../../support/shared-data.ts';
import { hasAcpica } from './acpica.ts';

/** Tables of one signature that are compared: the largest of golden, of different lengths. */
const TABLES_OF_A_KIND = 6;

/** Fields where iasl 20200925 is not the measure, by signature and its name of the field. */
const IASL_DIFFERS: Readonly<Record<string, string>> = {
  'SDEV Vendor Data': 'stated at offset 0',
  'SDEV Namepath': 'stated at offset 0',
  'SPCR Reserved': 'the byte of the language, stated at the end',
};

interface ListedField {
  readonly offset: number;
  readonly byteLength: number;
  readonly name: string;
  /** It ends with its first NUL, where the field may be longer. */
  readonly isText: boolean;
}

/** `[024h 0036   1]  Host Address Width : 23` */
const LINE = /^\[([0-9A-F]+)h \d+ +(\d+)\] +(.*?) : (.*)$/;

function listingOf(table: Uint8Array): ListedField[] {
  const cwd = mkdtempSync(join(tmpdir(), 'q35-listing-'));
  try {
    writeFileSync(join(cwd, 'table.dat'), table);
    spawnSync('iasl', ['-d', 'table.dat'], { cwd });
    return readFileSync(join(cwd, 'table.dsl'), 'latin1')
      .split('\n')
      .flatMap((line) => {
        const match = LINE.exec(line);
        if (!match || match[4].startsWith('[Generic Address')) return [];
        return [
          {
            offset: Number.parseInt(match[1], 16),
            byteLength: Number(match[2]),
            name: match[3],
            isText: match[4].startsWith('"'),
          },
        ];
      });
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

function goldenTables(): Map<string, Uint8Array[]> {
  const tables = new Map<string, Map<number, Uint8Array>>();
  for (const collection of ['qemu-q35', 'real-machines']) {
    for (const machine of readdirSync(join(GOLDEN!, collection))) {
      for (const file of readdirSync(join(GOLDEN!, collection, machine)).filter((name) => name.endsWith('.aml'))) {
        const table = new Uint8Array(readFileSync(join(GOLDEN!, collection, machine, file)));
        const signature = String.fromCharCode(...table.subarray(0, 4));
        if (!(signature in TABLE_FORMS)) continue;
        const known = tables.get(signature) ?? new Map<number, Uint8Array>();
        tables.set(signature, known.set(table.length, table));
      }
    }
  }
  return new Map(
    [...tables].map(([signature, bySize]) => [
      signature,
      [...bySize.values()].sort((left, right) => right.length - left.length).slice(0, TABLES_OF_A_KIND),
    ]),
  );
}

/** True when named fields begin and end where iasl has a field. */
function isNamed({ offset, byteLength, isText }: ListedField, pieces: readonly Piece[]): boolean {
  if (isText) return pieces.some((piece) => piece.offset === offset && piece.name !== '');
  const inside = pieces.filter(
    (piece) => piece.offset >= offset && piece.offset + piece.byteLength <= offset + byteLength,
  );
  const covered = inside.reduce((sum, piece) => sum + piece.byteLength, 0);
  return covered === byteLength && inside[0]?.name !== '';
}

test.skipIf(!GOLDEN || !hasAcpica)(
  'every field that iasl lists is a field of the same bytes here (needs golden, iasl)',
  () => {
    const missing = new Set<string>();
    const compared = new Set<string>();
    for (const [signature, tables] of goldenTables()) {
      for (const table of tables) {
        const { pieces } = dissect(table);
        for (const field of listingOf(table)) {
          compared.add(signature);
          const key = `${signature} ${field.name}`;
          if (!(key in IASL_DIFFERS) && !isNamed(field, pieces))
            missing.add(`${key} at ${field.offset} of ${table.length}, ${field.byteLength} bytes`);
        }
      }
    }
    expect([...missing]).toEqual([]);
    expect(compared.size).toBeGreaterThan(30);
  },
  60_000,
);
