import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/aml/compiler/compile.ts';
import { CompileError } from '../../src/aml/compiler/diagnostics.ts';
import { compileAsl as compileWithIasl, hasIasl } from './iasl.ts';

/** ASL of the project's own, a piece a construct; each stands in a method unless it declares. */
const STATEMENTS = [
  'Local0 = 0x12 + Arg0',
  'Local0 += 3',
  'Local0 = (Arg0 - 1) * 2 / 3 % 4',
  'Local1 = Arg0 << 2 >> Arg1 & 0xF | 0x10 ^ Local0',
  'Local1 = ~Arg0',
  'Local1 = !Arg0 && (Arg1 || Local0)',
  'Local1 = (Arg0 == 1) != (Arg1 <= 2)',
  'If (Arg0 > 1) { Local0++ } ElseIf (Arg0 < 3) { Local0-- } Else { Return (Zero) }',
  'While (Local0 >= 2) { Local0 -= 1  If (Local0 == 5) { Break } Continue }',
  'Add (Local0, 1, Local1)',
  'Local2 = Add (Local0, 1)',
  'Divide (Local0, 3, Local1, Local2)',
  'Store (Local0 + 1, Local1)',
  'Local0 = Local1 = 3',
  'Local0 = DerefOf (PKG0 [2])',
  'PKG0 [Arg0] = "text"',
  'Index (PKG0, 1, Local0)',
  'Notify (\\_SB.DEV0, 0x80)',
  'Acquire (MTX0, 0xFFFF)  Release (MTX0)',
  'Wait (EVT0, 1000)  Signal (EVT0)  Reset (EVT0)',
  'Local0 = CondRefOf (\\_OSI, Local1)',
  'Local0 = RefOf (PKG0)',
  'Local0 = SizeOf (PKG0) + ObjectType (Arg0)',
  'Local0 = Match (PKG0, MEQ, 1, MTR, 0, 0)',
  'Local0 = Concatenate ("a", "b\\x41\\n\\"")',
  'Local0 = Mid ("hello", 1, 2)',
  'Local0 = ToInteger (ToBuffer (ToHexString (ToDecimalString (Arg0))))',
  'Local0 = ToString (Arg0, Ones)',
  'Local0 = FindSetLeftBit (Arg0) + FindSetRightBit (Arg1)',
  'Local0 = FromBCD (ToBCD (Arg0))',
  'Local0 = NAnd (Arg0, 1) + NOr (Arg0, 2)',
  'CopyObject (Arg0, Local0)',
  'Debug = "said"',
  'Fatal (1, 0x12345678, Arg0)',
  'Sleep (10) Stall (5)',
  'Local0 = Timer',
  'Local0 = Revision',
  'Local0 = MTH2 (1, MTH2 (2, 3))',
  'Local0 = Buffer (4) { 1, 2 }',
  'Local0 = Buffer () { "abc" }',
  'Local0 = Package () { 1, "a", Package (3) { 2 }, \\_SB.DEV0 }',
  'Local0 = ToUUID ("33db4d5b-1ff7-401c-9657-7441c03dd766")',
  'Local0 = Unicode ("A1")',
  'Local0 = ResourceTemplate () { IO (Decode16, 0x60, 0x60, 1, 1) IRQNoFlags () {1} }',
  'CreateByteField (BUF0, 1, BF00) CreateWordField (BUF0, 2, BF01) CreateDWordField (BUF0, 4, BF02)',
  'CreateQWordField (BUF0, 0, BF03) CreateBitField (BUF0, 3, BF04) CreateField (BUF0, 3, 5, BF05)',
  'Return (Package () { 0x0A, Ones })',
  'BreakPoint Noop',
];
const DECLARATIONS = [
  'Name (PKG0, Package () { 1, 2, 3 })',
  'Name (BUF0, Buffer (8) {})',
  'Mutex (MTX0, 3)',
  'Event (EVT0)',
  'Method (MTH2, 2, Serialized, 5) { Return (Arg0) }',
  'Name (BIG0, 0x123456789ABCDEF0)',
  'Name (EISA, EisaId ("PNP0A08"))',
  'Alias (PKG0, PKG1)',
  'OperationRegion (REG0, SystemIO, 0x80, 0x20)',
  'OperationRegion (REG1, 0x81, 0x00, 0x20)',
  'Field (REG0, ByteAcc, NoLock, Preserve) { FLD0, 1, , 3, FLD1, 12, Offset (0x10), FLD2, 8, AccessAs (WordAcc, 0), FLD3, 16 }',
  'IndexField (FLD2, FLD3, ByteAcc, Lock, WriteAsOnes) { IDX0, 8 }',
  'BankField (REG0, FLD0, 1, DWordAcc, NoLock, WriteAsZeros) { BNK0, 32 }',
  'Device (\\_SB.DEV0) { Name (_ADR, 0x00010002) Method (_STA) { Return (0x0F) } }',
  'Scope (\\_SB) { ThermalZone (TZ00) { Name (_TZP, 10) } PowerResource (PWR0, 1, 0x0203) { Method (_STA) { Return (1) } } }',
  'DataTableRegion (DTR0, "OEM1", "", "")',
];

const block = (pieces: readonly string[]): string =>
  `DefinitionBlock ("", "SSDT", 2, "Q35", "TEST", 0x00000001)\n{\n${pieces.join('\n')}\n}\n`;

describe('the ASL compiler', () => {
  test.skipIf(!hasIasl)('gives the same bytes as iasl on every construct (needs iasl)', () => {
    const methods = STATEMENTS.map(
      (body, index) =>
        `Method (T${String(index).padStart(3, '0')}, 7, Serialized) { Local0 = Arg5 Local1 = Arg5 ${body} }`,
    );
    const source = block([...DECLARATIONS, ...methods]);
    const ours = compile('test.asl', source, { optimize: 'none' }).tables[0].bytes;
    const theirs = compileWithIasl(source, ['-oa', '-ot', '-ve']);
    expect(theirs.table, theirs.output).toBeDefined();
    expect(Buffer.from(ours.subarray(36)).toString('hex')).toBe(
      Buffer.from(theirs.table!.subarray(36)).toString('hex'),
    );
  });

  test('any text gives diagnostics, never another error', () => {
    const word = fc.constantFrom(
      'Device',
      'Method',
      'If',
      '(',
      ')',
      '{',
      '}',
      ',',
      '\\',
      '^',
      'ABCD',
      '1',
      '"x"',
      '=',
      '+',
      '[',
      ']',
      'Buffer',
      'Package',
      'Field',
      'ResourceTemplate',
      'IO',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        try {
          compile('words.asl', block([words.join(' ')]));
        } catch (error) {
          expect(error).toBeInstanceOf(CompileError);
        }
      }),
      { numRuns: 300, seed: 35 },
    );
  });
});
