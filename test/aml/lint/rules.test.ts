import { describe, expect, it, test } from 'vitest';
import { formatFinding } from '../../../src/aml/lint/finding.ts';
import { LINT_RULES, lintTables } from '../../../src/aml/lint/lint.ts';
import { resealTable } from '../../../src/aml/table-header.ts';
import { compileAsl, hasIasl } from '../iasl.ts';
import { BREAKS } from './breaks.ts';

const SOUND = `
  Scope (\\_SB) {
    Device (DEV0) {
      Name (_HID, "QEMU0002")
      Name (_UID, 1)
      OperationRegion (REGS, SystemIO, 0x500, 4)
      Field (REGS, DWordAcc, NoLock, Preserve) { FLDA, 8, FLDB, 24 }
      Name (_CRS, ResourceTemplate () { IO (Decode16, 0x500, 0x500, 1, 4) })
      Method (_STA) { If (FLDA == 0xff) { Return (0) } Else { Return (15) } }
    }
  }
  Name (\\_S5, Package () { 0, 0, 0, 0 })`;

/** `iasl -f` writes what it finds errors in; optimisations would mend some breaks. */
function dsdt(body: string, signature = 'DSDT'): Uint8Array {
  const text = `DefinitionBlock ("", "${signature}", 2, "Q35", "TEST", 1) {\n${body}\n}`;
  const { forced, output } = compileAsl(text, ['-f', '-oa']);
  if (!forced) throw new Error(output);
  return forced;
}

const rulesOf = (tables: readonly Uint8Array[]): string[] => [
  ...new Set(lintTables(tables.map((bytes, index) => ({ file: `t${index}.aml`, bytes }))).map(({ rule }) => rule)),
];

describe.skipIf(!hasIasl)('lint rules (needs iasl)', () => {
  it('finds nothing in a sound table', () => {
    expect(lintTables([{ file: 'dsdt.aml', bytes: dsdt(SOUND) }]).map(formatFinding)).toEqual([]);
  });

  it.each(Object.entries(BREAKS))('%s is found where it is broken', (rule, body) => {
    let table = dsdt(body);
    // iasl refuses the second name even when forced: it is written as another and renamed here.
    if (rule === 'NAME-TWICE') table = renamed(table, 'AAAB', 'AAAA');
    expect(rulesOf([table])).toContain(rule);
    expect(rulesOf([dsdt(SOUND)])).not.toContain(rule);
  });

  const BY_BYTES: Readonly<Record<string, () => Uint8Array[]>> = {
    'AML-BYTES': () => [resealTable(Uint8Array.from([...dsdt(X_NAME), 0x5b, 0xfe]))],
    'AML-TRAILING': () => [Uint8Array.from([...dsdt(X_NAME), 0])],
    'AML-CHECKSUM': () => [dsdt(X_NAME).with(9, dsdt(X_NAME)[9] ^ 1)],
    'AML-REVISION': () => [resealTable(dsdt(X_NAME).with(8, 1))],
    'NAME-TWICE-ACROSS': () => [dsdt(X_NAME), dsdt(X_NAME, 'SSDT')],
  };
  it.each(Object.keys(BY_BYTES))('%s is found where it is broken', (rule) => {
    expect(rulesOf(BY_BYTES[rule]())).toContain(rule);
  });

  it('every rule has a table that breaks it', () => {
    expect([...Object.keys(BREAKS), ...Object.keys(BY_BYTES)].sort()).toEqual(LINT_RULES.map(({ id }) => id).sort());
  });

  it('says where and what follows', () => {
    const [finding] = lintTables([{ file: 'dsdt.aml', bytes: dsdt(BREAKS['CODE-ENDLESS-LOOP']) }]);
    expect(formatFinding(finding)).toMatch(
      /^error CODE-ENDLESS-LOOP: nothing leaves the loop \(dsdt\.aml\+0x2b, \\TEST\)\n {2}asl: While \(One\)\n {2}rule: .*\n {2}Linux: .*\n {2}Windows: .*\n {2}mend: /,
    );
  });
});

const X_NAME = 'Name (XVAL, 0)';

function renamed(table: Uint8Array, from: string, to: string): Uint8Array {
  const text = String.fromCharCode(...table);
  const copy = table.slice();
  const offset = text.indexOf(from);
  for (let index = 0; index < 4; index++) copy[offset + index] = to.charCodeAt(index);
  return resealTable(copy);
}

test('rule ids are told apart and have words for both systems', () => {
  expect(new Set(LINT_RULES.map(({ id }) => id)).size).toBe(LINT_RULES.length);
  for (const { id, linux, windows, mend, title } of LINT_RULES) {
    expect(id).toMatch(/^[A-Z]+(-[A-Z]+)+$/);
    for (const words of [linux, windows, mend, title]) expect(words.length).toBeGreaterThan(4);
  }
});
