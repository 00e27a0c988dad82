import { describe, expect, test } from 'vitest';
import { compile } from '../../src/aml/compiler/compile.ts';
import { AmlInterpreter } from '../../src/aml/interpreter/interpreter.ts';
import { objectText } from '../../src/aml/interpreter/object-text.ts';
import { NT_SEMANTICS, type Semantics, SPEC_SEMANTICS } from '../../src/aml/interpreter/semantics.ts';
import { UserError } from '../../src/shared/errors.ts';

/** By property of Semantics: statements of a method, and what it gives by either. docs/aml-interpreter.md names the sources. */
const CASES: Record<Exclude<keyof Semantics, 'name'>, readonly [body: string, spec: string, nt: string][]> = {
  integerIntoString: [['Name (TEXT, "BAR") TEXT = 0x4F4F46 Return (TEXT)', '"00000000004F4F46"', '"FOO"']],
  keepsStringLength: [
    ['Name (TEXT, "XXXX") TEXT = "LONGSTRING" Return (TEXT)', '"LONGSTRING"', '"LONG"'],
    ['Name (TEXT, "") TEXT = "FOO" Return (TEXT)', '"FOO"', '""'],
  ],
  storesThroughLocals: [['Local0 = 123 Local1 = RefOf (Local0) Local1 = 321 Return (Local0)', '0x7B', '0x141']],
  stepsThroughReferences: [
    ['Local0 = 123 Local1 = RefOf (Local0) Local1++ Return (Local0)', 'AE_AML_OPERAND_TYPE', '0x7C'],
  ],
  dereferencesFully: [
    [
      'Local0 = 123 Local1 = RefOf (Local0) Local2 = RefOf (Local1) Return (DerefOf (Local2))',
      'reference to Slot',
      '0x7B',
    ],
  ],
  logicalBufferBytes: [
    [
      'Local0 = Buffer () { 0, 0, 0, 0, 1 } Local1 = Buffer () { 1 } If (Local0 && Local1) { Return (1) } Return (0)',
      '0x1',
      '0x0',
    ],
  ],
  shortHexStrings: [['Return (ToHexString (0xF0F))', '"0x0000000000000F0F"', '"0xF0F"']],
  lateBufferFields: [
    [
      'Name (BUFF, Buffer (4) { 1 }) CreateByteField (BUFF, 0, FLD) CopyObject (Buffer () { 9 }, BUFF) Return (FLD)',
      '0x1',
      '0x9',
    ],
    ['Name (BUFF, Buffer (4) {}) CreateByteField (BUFF, 8, FLD) Return (7)', 'AE_AML_BUFFER_LIMIT', '0x7'],
  ],
  implicitReturn: [['Local0 = 5', 'Uninitialized', '0x5']],
  uninitializedIsZero: [['Return (Local0 + 1)', 'AE_AML_UNINITIALIZED_LOCAL', '0x1']],
  osiFeatureGroups: [
    ['Return (_OSI ("Module Device"))', '0xFFFFFFFFFFFFFFFF', '0x0'],
    ['Return (_OSI ("Windows 2015"))', '0xFFFFFFFFFFFFFFFF', '0xFFFFFFFFFFFFFFFF'],
  ],
};

function run(body: string, semantics: Semantics): string {
  const source = `DefinitionBlock ("", "DSDT", 2, "Q35", "NT", 1) { Method (TEST, 0, Serialized) { ${body} } }`;
  const { bytes } = compile('test.asl', source, { optimize: 'none' }).tables[0];
  try {
    return objectText(new AmlInterpreter([{ bytes }], { semantics }).evaluate('\\TEST'));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message.split(':')[0];
  }
}

describe.each(Object.entries(CASES))('%s', (_, cases) => {
  test.each(cases)('%s', (body, spec, nt) => {
    expect([run(body, SPEC_SEMANTICS), run(body, NT_SEMANTICS)]).toEqual([spec, nt]);
  });
});
