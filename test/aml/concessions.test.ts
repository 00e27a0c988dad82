import { describe, expect, test } from 'vitest';
import { compile } from '../../src/aml/compiler/compile.ts';
import { disassemble } from '../../src/aml/disassemble.ts';
import { compileAsl, hasIasl } from './iasl.ts';

/** What firmware has and iasl refuses: our text of it is accepted by iasl, and gives the same bytes with our compiler. */
const REFUSED: readonly (readonly [string, string])[] = [
  [
    'the value of a method without Return',
    'Method (NONE, 1) { Store (Arg0, Debug) } Method (USER, 0) { Local0 = NONE (1) Return (Local0) }',
  ],
  ['a local that nothing was stored in', 'Method (READ, 1) { If (Arg0) { Return (Local3) } Return (Arg5) }'],
  ['a method that creates names and invokes itself', 'Method (SELF, 1) { Name (TEMP, 1) If (Arg0) { SELF (TEMP) } }'],
  ['a Processor with a string as _UID', 'Processor (CPU0, 1, 0x1810, 6) { Name (_UID, "SCK0-CPU0") }'],
  ['a buffer as _PLD', 'Device (DEV0) { Name (_ADR, 1) Name (_PLD, Buffer (4) { 1, 2, 3, 4 }) }'],
  ['a package of the wrong length', 'Device (DEV0) { Name (_ADR, 1) Name (_UPC, Package (2) { 1, 2 }) }'],
  ['a package with rows that are too short', 'Name (_PSS, Package () { Package () { 1, 2, 3 } })'],
  ['a method that returns another type', 'Device (DEV0) { Name (_ADR, 1) Method (_CRS) { Return (Zero) } }'],
  ['Zero as the revision of _BIX', `Name (_BIX, Package () { Zero, ${'2, '.repeat(15)} "", "", "", "" })`],
  ['a Name where a method is due', 'Device (DEV0) { Name (_ADR, 1) Name (_PS0, 0) }'],
  ['an asterisk in front of an id', 'Device (DEV0) { Name (_HID, "*pnp0c14") Name (_CID, "*PNP0C14") }'],
  ['an id in lower case', 'Device (DEV0) { Name (_HID, "pnp0c14") }'],
  ['arithmetic with a package', 'Name (PACK, Package () { 1 }) Method (SETP) { PACK |= 1 PACK++ }'],
  ['storing a device, and into one', 'Device (DEV0) { Name (_ADR, 1) } Method (SETD) { Local0 = DEV0 DEV0 = 1 }'],
  ['an operation region of no length', 'OperationRegion (NULL, SystemMemory, 0, 0)'],
];

const tableOf = (body: string): Uint8Array =>
  compile('refused.asl', `DefinitionBlock ("", "DSDT", 2, "Q35", "TEST", 1) { Scope (\\_SB) { ${body} } }`, {
    optimize: 'none',
  }).tables[0].bytes;

describe.skipIf(!hasIasl)('what iasl refuses (needs iasl)', () => {
  test.each(REFUSED)('%s', (_, body) => {
    const table = tableOf(body);
    const [{ asl }] = disassemble([{ bytes: table }]);
    expect(asl).toContain('/*@instead');
    const plain = compileAsl(
      asl.replace(/\/\*@instead (.*?)\*\/.*?\/\*@end\*\//g, '$1').replace(/\/\*@instead\*\/.*?\/\*@end\*\//g, ''),
      ['-oa'],
    );
    expect(plain.errors, 'iasl accepts it without the concession').toBeGreaterThan(0);
    const { errors, output } = compileAsl(asl, ['-oa']);
    expect(errors, output).toBe(0);
    expect(compile('again.dsl', asl).tables[0].bytes).toEqual(table);
  });
});

test('a scope that another table declares, opened by a DSDT', () => {
  const dsdt = compile(
    'dsdt.asl',
    'DefinitionBlock ("", "DSDT", 2, "Q35", "TEST", 1) { External (\\_SB.DEV0, DeviceObj) Scope (\\_SB.DEV0) { Name (ONE1, 1) } }',
    { optimize: 'none' },
  ).tables[0].bytes;
  const [{ asl }] = disassemble([{ bytes: dsdt }]);
  expect(asl).toContain('/*@instead*/ If (Zero) { Device (\\_SB.DEV0) {} } /*@end*/');
  expect(compile('again.dsl', asl).tables[0].bytes).toEqual(dsdt);
});

test('our compiler reads what an annotation means, and not what stands in its place', () => {
  const source = 'DefinitionBlock ("", "SSDT", 2, "Q35", "TEST", 1) { Name (VAL0, /*@instead "a"*/ "b" /*@end*/) }';
  const bytes = compile('instead.dsl', source).tables[0].bytes;
  expect(Buffer.from(bytes.subarray(-7)).toString('latin1')).toBe('VAL0\x0da\0');
});
