import { describe, expect, test } from 'vitest';
import { type CompileOptions, compile } from '../../src/aml/compiler/compile.ts';
import { CompileError, type Diagnostic, formatDiagnostic } from '../../src/aml/compiler/diagnostics.ts';

const table = (body: string): string => `DefinitionBlock ("", "DSDT", 2, "Q35", "TEST", 1)\n{\n${body}\n}\n`;

/** What the compiler says about `text`, whether it compiles or not. */
function diagnose(text: string, options: CompileOptions = {}): readonly Diagnostic[] {
  try {
    return compile('test.asl', text, options).diagnostics;
  } catch (error) {
    if (error instanceof CompileError) return error.diagnostics;
    throw error;
  }
}

const places = (text: string, options?: CompileOptions): string[] =>
  diagnose(text, options).map(({ id, line, column }) => `${line}:${column} ${id}`);

describe('mistakes', () => {
  test('several at once, in order, each with its place', () => {
    const source = table('Name (AAA, )\nName (BBBBB, 1)\nMethod (CCC) { Return (DDD) }\nName (EEE, 1) Name (EEE, 2)');
    expect(places(source)).toEqual(['3:12 ASL_SYNTAX', '4:7 ASL_NAME', '5:24 ASL_NAME_UNKNOWN', '6:21 ASL_NAME_TWICE']);
  });

  test('a caret under the place, and the mend', () => {
    const [diagnostic] = diagnose(table('\tName (ABC, Undefined + 1)'));
    expect(formatDiagnostic(diagnostic)).toBe(
      [
        'test.asl:3:13: error ASL_NAME: "Undefined" is no name of ACPI',
        '    3 | \tName (ABC, Undefined + 1)',
        '      | \t           ^^^^^^^^^',
        '      = mend: write segments of one to four letters, digits and underscores, joined by dots',
      ].join('\n'),
    );
  });

  test.each([
    ['a string without end', 'Name (AAA, "abc)', 'ASL_UNCLOSED'],
    ['a character of no meaning', 'Name (AAA, 1 @ 2)', 'ASL_CHARACTER'],
    ['a number beyond 64 bits', 'Name (AAA, 0x10000000000000000)', 'ASL_NUMBER'],
    ['digits that are no number', 'Name (AAA, 12AB)', 'ASL_NUMBER'],
    ['an unknown escape', 'Name (AAA, "a\\q")', 'ASL_ESCAPE'],
    ['a keyword that is none', 'OperationRegion (AAA, SystemI0, 0, 1)', 'ASL_KEYWORD'],
    ['too many elements', 'Name (AAA, Package (1) { 1, 2 })', 'ASL_LENGTH'],
    ['a byte out of range', 'Name (AAA, Buffer () { 256 })', 'ASL_RANGE'],
    ['a lock rule out of range', 'OperationRegion (R, SystemIO, 0, 9) Field (R, ByteAcc, 2) { AA, 8 }', 'ASL_RANGE'],
    ['a region space out of range', 'OperationRegion (R, 0x100, 0, 9)', 'ASL_RANGE'],
    ['an argument count out of range', 'Method (AAA, 8) {}', 'ASL_RANGE'],
    [
      'fields that go back',
      'OperationRegion (R, SystemIO, 0, 9) Field (R) { Offset (4), AA, 8, Offset (1) }',
      'ASL_OFFSET',
    ],
    ['an EISA id that is none', 'Name (AAA, EisaId ("PNP0"))', 'ASL_OPERAND'],
    ['a UUID that is none', 'Name (AAA, ToUUID ("1-2"))', 'ASL_OPERAND'],
    ['a value assigned to', 'Method (AAA) { 1 = Local0 }', 'ASL_TARGET'],
    ['too few arguments', 'Method (AAA, 2) {} Method (BBB) { AAA (1) }', 'ASL_ARGUMENTS'],
    ['arguments for a name', 'Name (AAA, 1) Method (BBB) { AAA (1) }', 'ASL_NOT_METHOD'],
    ['a size that is not constant', 'Method (AAA, 1) { Acquire (\\_GL, Arg0) }', 'ASL_CONSTANT'],
    ['a name below nothing', 'Name (\\_SB.XXXX.YYYY, 1)', 'ASL_NAME_PARENT'],
    ['an Else alone', 'Method (AAA) { Else { Return (1) } }', 'ASL_PLACE'],
    [
      'a range that contradicts itself',
      'Name (AAA, ResourceTemplate () { IO (Decode16, 9, 8, 1, 1) })',
      'ASL_RESOURCE',
    ],
    ['a division by zero stays for the machine to refuse', 'Name (AAA, 1 % 0)', 'ASL_UNRESOLVED'],
    ['a Switch without Case', 'Method (AAA, 1, Serialized) { Switch (ToInteger (Arg0)) {} }', 'ASL_SYNTAX'],
    ['a block without end', 'Device (AAA) {', 'ASL_UNCLOSED'],
    ['a file that is not there', '#include "none.asl"', 'ASL_INCLUDE'],
    ['a directive that is none', '#defin X', 'ASL_DIRECTIVE'],
    ['#error', '#error not today', 'ASL_ERROR_DIRECTIVE'],
    ['#if without #endif', '#if 1', 'ASL_UNCLOSED'],
  ])('%s', (_, body, id) => {
    expect(diagnose(table(body)).map((diagnostic) => diagnostic.id)).toContain(id);
  });

  test('a source without DefinitionBlock', () => {
    expect(places('')).toEqual(['1:1 ASL_SYNTAX']);
    expect(places('Name (A, 1)')).toEqual(['1:1 ASL_SYNTAX']);
  });

  test('sources that nest without end are refused', () => {
    const sources = [
      `Name (AAA, ${'('.repeat(5000)}1`,
      'Device (AAA) {'.repeat(5000),
      `Name (AAA, 1${' + 1'.repeat(5000)})`,
    ];
    for (const source of sources) {
      expect(diagnose(table(source)).map(({ message }) => message)).toContainEqual(
        expect.stringMatching(/more than 600/),
      );
    }
  });

  test('warnings compile', () => {
    const source = table('Method (AAA, 1) { Switch (Arg0) { Case (1) { Return (1) } } Return (0) }');
    expect(places(source)).toEqual(['3:19 ASL_SERIALIZED', '3:27 ASL_SWITCH_TYPE']);
    expect(compile('test.asl', source).tables).toHaveLength(1);
  });
});

describe('the preprocessor', () => {
  const bodyOf = (text: string, options?: CompileOptions): string =>
    Buffer.from(compile('test.asl', table(text), options).tables[0].bytes.subarray(36)).toString('hex');

  test('macros with arguments, within macros, and not within themselves', () => {
    const source = '#define SUM(a, b) ((a) + (b))\n#define SIX SUM (SUM (1, 2), 3)\n#define SELF SELF\nName (AAA, SIX)';
    expect(bodyOf(source)).toBe(bodyOf('Name (AAA, 6)'));
    expect(bodyOf('#define SELF SELF\nName (SELF, 1)')).toBe(bodyOf('Name (SELF, 1)'));
  });

  test('conditions', () => {
    const source = (condition: string) =>
      `#define YES 1\n#if ${condition}\nName (AAA, 1)\n#elif YES\nName (AAA, 2)\n#else\nName (AAA, 3)\n#endif`;
    expect(bodyOf(source('defined (YES) && !defined NO && (1 + 2 * 3 == 7)'))).toBe(bodyOf('Name (AAA, 1)'));
    expect(bodyOf(source('NO'))).toBe(bodyOf('Name (AAA, 2)'));
  });

  test('defines from outside', () => {
    expect(bodyOf('Name (AAA, VALUE)', { defines: { VALUE: '7' } })).toBe(bodyOf('Name (AAA, 7)'));
  });

  test('mistakes in an included file have its place', () => {
    const includes = { read: (path: string) => ({ file: `inc/${path}`, text: 'Name (AAA, 1)\nName (AAA, 2)' }) };
    const [{ file, line, column }] = diagnose(table('#include "a.asl"'), { includes });
    expect({ file, line, column }).toEqual({ file: 'inc/a.asl', line: 2, column: 7 });
  });

  test('a file that includes itself', () => {
    const includes = { read: (path: string) => ({ file: path, text: '#include "a.asl"' }) };
    expect(diagnose(table('#include "a.asl"'), { includes }).map(({ id }) => id)).toEqual(['ASL_INCLUDE']);
  });
});
