import { describe, expect, test } from 'vitest';
import { type CompileOptions, compile } from '../../src/aml/compiler/compile.ts';
import { CompileError, type Diagnostic, formatDiagnostic, type MESSAGES } from '../../src/aml/compiler/diagnostics.ts';
import { compilerSarif } from '../../src/aml/compiler/sarif.ts';

const table = (body: string, revision = 2): string =>
  `DefinitionBlock ("", "DSDT", ${revision}, "Q35", "TEST", 1)\n{\n${body}\n}\n`;

function diagnose(text: string, options: CompileOptions = {}): readonly Diagnostic[] {
  try {
    return compile('test.asl', text, options).diagnostics;
  } catch (error) {
    if (error instanceof CompileError) return error.diagnostics;
    throw error;
  }
}

const method = (body: string, head = 'MMMM'): string => `Method (${head}) { ${body} }`;
const resources = (macros: string): string => `Name (RRRR, ResourceTemplate () { ${macros} })`;

/** A source for each thing that the compiler can say. */
const EXAMPLES: Readonly<Record<keyof typeof MESSAGES, string>> = {
  ASL_CHARACTER: table('Name (AAAA, 1 @ 2)'),
  ASL_UNCLOSED: table('Name (AAAA, "text)'),
  ASL_ESCAPE: table('Name (AAAA, "\\q")'),
  ASL_ESCAPE_DROPPED: table('Name (AAAA, "\\x")'),
  ASL_SYNTAX: table('Name (AAAA 1)'),
  ASL_NUMBER: table('Name (AAAA, 12AB)'),
  ASL_RANGE: table('Name (AAAA, Buffer () { 256 })'),
  ASL_KEYWORD: table('OperationRegion (AAAA, SystemI0, 0, 1)'),
  ASL_CONSTANT: table(method('Acquire (\\_GL, Arg0)', 'MMMM, 1')),
  ASL_NAME: table('Name (TOOLONG, 1)'),
  ASL_OPERATOR: table(method('Prinft ("text")')),
  ASL_NAME_UNKNOWN: table(method('Return (NONE)')),
  ASL_NAME_TWICE: table('Name (AAAA, 1) Name (AAAA, 2)'),
  ASL_NAME_PARENT: table('Name (\\_SB.XXXX.YYYY, 1)'),
  ASL_ARGUMENTS: table('Method (MMMM, 2) { Return (Arg0 + Arg1) } Method (NNNN) { MMMM (1) }'),
  ASL_NOT_METHOD: table('Name (AAAA, 1) Method (NNNN) { AAAA (1) }'),
  ASL_TARGET: table(method('1 = Local0')),
  ASL_OPERAND: table('Name (AAAA, EisaId ("PNP0"))'),
  ASL_PLACE: table(method('Else { Return (1) }')),
  ASL_LENGTH: table('Name (AAAA, Package (1) { 1, 2 })'),
  ASL_OFFSET: table('OperationRegion (RRRR, SystemIO, 0, 9) Field (RRRR) { Offset (4), AAAA, 8, Offset (1) }'),
  ASL_RESOURCE: table(resources('IO (Decode16, 9, 8, 1, 1)')),
  ASL_HEADER: 'DefinitionBlock ("", "DSDT", 2, "TOOLONGANAME", "TEST", 1) {}',
  ASL_INCLUDE: table('#include "none.asl"'),
  ASL_DIRECTIVE: table('#defin X'),
  ASL_ERROR_DIRECTIVE: table('#error not today'),
  ASL_UNRESOLVED: table('Name (AAAA, 1 % 0)'),
  ASL_LOOP: table(method('Break')),
  ASL_WARNING_DIRECTIVE: table('#warning careful'),
  ASL_MESSAGE_PRAGMA: table('#pragma message ("text")'),
  ASL_DATE: table('Name (AAAA, __DATE__)'),
  ASL_TRUNCATED: table('Name (AAAA, 0x100000000)', 1),
  ASL_TAG_SIZE: table(`${resources('IO (Decode16, 1, 1, 1, 1, TAG0)')} CreateByteField (RRRR, TAG0._MIN, FFFF)`),
  ASL_PARAMETER_TYPES: table(method('Return (Arg0)', 'MMMM, 1, NotSerialized, 0, IntObj, {IntObj, IntObj}')),
  ASL_UNUSED_ARGUMENTS: table(method('Printf ("plain", 1)')),
  ASL_SWITCH_TYPE: table(method('Switch (Arg0) { Case (1) { Noop } }', 'MMMM, 1, Serialized')),
  ASL_LEGACY: table('Processor (CPU0, 1, 0, 0) {}'),
  ASL_EXTERNAL_TYPE: table('External (AAAA, DeviceObj) Name (AAAA, 1)'),
  ASL_CASE_TWICE: table(method('Switch (ToInteger (Arg0)) { Case (1) {} Case (1) {} }', 'MMMM, 1, Serialized')),
  ASL_LOCAL_UNUSED: table(method('Local0 = 1')),
  ASL_LOCAL_UNSET: table(method('Return (Local0)')),
  ASL_RETURN_PATHS: table(method('If (Arg0) { Return (1) }', 'MMMM, 1')),
  ASL_VALUE_MISSING: table('Method (MMMM) { Noop } Method (NNNN) { Return (MMMM () + 1) }'),
  ASL_VALUE_SOMETIMES: table('Method (MMMM, 1) { If (Arg0) { Return (1) } } Method (NNNN) { Return (MMMM (1) + 1) }'),
  ASL_RECURSION: table(method('Return (MMMM (Arg0))', 'MMMM, 1')),
  ASL_UNREACHABLE: table(method('Return (1) Noop')),
  ASL_NO_RESULT: table(method('Arg0 + 1', 'MMMM, 1')),
  ASL_TIMEOUT_LOST: table(method('Acquire (\\_GL, 10)')),
  ASL_STORE_SELF: table(method('Local0 = 1 Local0 = Local0')),
  ASL_STALL: table(method('Stall (200)')),
  ASL_FIELD_EMPTY: table('OperationRegion (RRRR, SystemIO, 0, 9) Field (RRRR) { AAAA, 0 }'),
  ASL_DEVICE_ID: table('Device (DEV0) {}'),
  ASL_DEVICE_TWO_IDS: table('Device (DEV0) { Name (_HID, "PNP0C02") Name (_ADR, 0) }'),
  ASL_ID_FORM: table('Device (DEV0) { Name (_HID, "*pnp0c02") }'),
  ASL_UID_TYPE: table('Processor (CPU0, 1, 0, 0) { Name (_UID, "one") }'),
  ASL_REG_WITHOUT_REGION: table('Method (_REG, 2) {}'),
  ASL_REGION_IN_METHOD: table(method('OperationRegion (RRRR, SystemIO, 0x10, 0x10)', 'MMMM, 0, Serialized')),
  ASL_PREDEFINED_ARGUMENTS: table('Method (_STA, 1) { Return (Arg0) }'),
  ASL_PREDEFINED_RETURN: table('Method (_STA) {}'),
  ASL_PREDEFINED_NO_VALUE: table('Method (_INI) { Return (5) }'),
  ASL_PREDEFINED_TYPE: table('Name (_ADR, "text")'),
  ASL_PREDEFINED_LENGTH: table('Name (_UPC, Package () { 1, 2, 0, 0, 5 })'),
  ASL_OBJECT_TYPE: table('Name (AAAA, 1) Method (MMMM) { Acquire (AAAA, 0xFFFF) }'),
  ASL_TEMPORARY: table('Method (MMMM, 0, Serialized) { Name (AAAA, 1) } Method (NNNN) { Return (\\MMMM.AAAA) }'),
  ASL_ROOT_ONLY: table('Device (DEV0) { Name (_ADR, 0) Method (_PTS, 1) { Noop } }'),
  ASL_FIELD_BEYOND: table('Name (AAAA, Buffer (4) {}) CreateDWordField (AAAA, 2, FFFF)'),
  ASL_RESOURCE_EMPTY: table(resources('IO (Decode16, 0, 0, 0, 0)')),
  ASL_PREDEFINED_UNKNOWN: table('Name (_XYZ, 1)'),
  ASL_LIST_SHORT: table('Name (AAAA, Package (3) { 1, 2 })'),
  ASL_SERIALIZED: table(method('Switch (ToInteger (Arg0)) { Case (1) {} }', 'MMMM, 1')),
  ASL_NOT_SERIALIZED: table(method('Name (AAAA, 1)')),
  ASL_NAME_IN_METHOD: table(method('Name (AAAA, 1)')),
  ASL_NAME_UNUSED: table(method('Name (AAAA, 1)')),
  ASL_NAME_RESERVED: table('Name (_T_0, 1)'),
  ASL_ARGUMENT_UNUSED: table(method('Noop', 'MMMM, 1')),
  ASL_ARGUMENT_AS_LOCAL: table(method('Arg3 = 1 Return (Arg3)')),
  ASL_RETURN_OUTSIDE: table('Return (1)'),
  ASL_LOCAL_OUTSIDE: table('If (Local0) { Name (AAAA, 1) }'),
  ASL_SLEEP: table(method('Sleep (5000)')),
  ASL_EMPTY: table('Name (AAAA, Package () {})'),
  ASL_OFFSET_IDLE: table('OperationRegion (RRRR, SystemIO, 0, 9) Field (RRRR) { Offset (0), AAAA, 8 }'),
};

describe('each diagnostic has a source that brings it about', () => {
  test.each(Object.entries(EXAMPLES))('%s', (id, source) => {
    expect(diagnose(source).map((diagnostic) => diagnostic.id)).toContain(id);
  });
});

/** What people get wrong in their first tables: the first thing that is said, with place and mend. */
const MISTAKES: readonly (readonly [string, string, string])[] = [
  ['a comma left out', 'Name (AAAA 1)', '3:12 a comma is due before "1"; write Name (NameString, DataRefObject)'],
  [
    'a parenthesis left out',
    'Name (AAAA, 1\nName (BBBB, 2)',
    '4:1 ")" is due before "Name"; compare with the syntax of the operator (ACPI 6.5 §19.6)',
  ],
  ['a brace left out', 'Method (MMMM) {\nNoop', '2:1 "{" has no "}"; close what was opened here'],
  [
    'a string without end',
    'Name (AAAA, "text)',
    '3:13 the string is not closed on its line; close what was opened here',
  ],
  [
    'a path in a string',
    'Name (AAAA, "\\_SB")',
    '3:14 \\_ is no escape of ASL; write \\\\ for a backslash, or one of \\a \\b \\f \\n \\r \\t \\v \\" \\x41 \\101',
  ],
  ['single quotes', "Name (AAAA, 'x')", '3:13 "\'" has no meaning in ASL; write texts between double quotes'],
  [
    'a name of five letters',
    'Name (AAAAA, 1)',
    '3:7 "AAAAA" is no name of ACPI; write segments of one to four letters, digits and underscores, joined by dots',
  ],
  ['an operator misspelt', method('Prinft ("text")'), '3:17 "Prinft" is no operator; Printf may be meant'],
  [
    'a keyword misspelt',
    'OperationRegion (RRRR, SystemI0, 0, 1)',
    '3:24 "SystemI0" is no region space; SystemIO may be meant',
  ],
  [
    'a name of another table',
    method('Return (\\_SB.PCI0.XXXX)'),
    '3:25 \\_SB.PCI0.XXXX is declared nowhere; declare it here, or write External (\\_SB.PCI0.XXXX) if another table declares it',
  ],
  [
    'a name of another scope',
    'Device (DEV0) { Name (_ADR, 0) Name (AAAA, 1) }\nMethod (MMMM) { Return (AAAA) }',
    '4:25 AAAA is declared, but cannot be reached from here; write the whole path from the root',
  ],
  [
    'a name twice',
    'Name (AAAA, 1)\nName (AAAA, 2)',
    '4:7 \\AAAA is declared already on line 3; rename one of the two, or remove it',
  ],
  [
    'too few arguments',
    'Method (MMMM, 2) { Return (Arg0 + Arg1) }\nMethod (NNNN) { MMMM (1) }',
    '4:17 \\MMMM takes 2 arguments, 1 are given; give as many arguments as the method declares',
  ],
  ["C's return", method('return 1'), '3:24 "(" is due before "1"; write Return (1)'],
  ['If without parentheses', method('If Local0 == 1 { Noop }'), '3:20 "(" is due before "Local0"; write If (…) { … }'],
  [
    "C's else if",
    method('If (Arg0) { Noop } Else If (Arg0 > 1) { Noop }', 'MMMM, 1'),
    '3:44 Else takes a block; write ElseIf, in one word',
  ],
  [
    'an assignment the wrong way round',
    method('1 = Local0'),
    '3:17 "1" is nothing to store in or refer to; assign to a name, a local, an argument, an element or Debug',
  ],
  [
    'more elements than stated',
    'Name (AAAA, Package (1) { 1, 2 })',
    '3:22 2 elements do not fit into a package of 1; raise the count, or leave it out: it is then counted',
  ],
  [
    'a byte that is none',
    'Name (AAAA, Buffer () { 0x100 })',
    '3:25 0x100 is more than 0xff; give a value within the range',
  ],
  [
    'an ACPI id as an EISA id',
    'Name (_HID, EisaId ("ACPI0003"))',
    '3:21 "ACPI0003" is not an EISA id; write three letters and four hexadecimal digits, such as PNP0A08, or use a string for an ACPI id',
  ],
  [
    'fields out of order',
    'OperationRegion (RRRR, SystemIO, 0, 9)\nField (RRRR) { Offset (4), AAAA, 8, Offset (1) }',
    '4:37 0x1 lies before the fields above, which end at bit 40; order the fields by their offsets',
  ],
  [
    'Break outside of a loop',
    method('Break'),
    '3:17 Break stands in no While, For or Switch; move it into the loop, or use Return',
  ],
];

describe('the mistakes of beginners, as they are told', () => {
  test.each(MISTAKES)('%s', (_, body, wanted) => {
    const [{ line, column, message, mend }] = diagnose(table(body));
    expect(`${line}:${column} ${message}; ${mend}`).toBe(wanted);
  });
});

describe('what is not said', () => {
  const warned = table('Method (MMMM, 1) { Noop }');
  const ids = (options: CompileOptions): string[] => diagnose(warned, options).map(({ id }) => id);

  test('by id, by the number under which iasl says it, and by a pragma', () => {
    expect(ids({})).toEqual(['ASL_ARGUMENT_UNUSED']);
    expect(ids({ ignore: ['ASL_ARGUMENT_UNUSED'] })).toEqual([]);
    expect(ids({ ignore: ['2146'] })).toEqual([]);
    expect(diagnose(`#pragma disable (2146)\n${warned}`)).toEqual([]);
  });

  test('errors are said all the same', () => {
    expect(diagnose(EXAMPLES.ASL_LENGTH, { ignore: ['ASL_LENGTH'] }).map(({ id }) => id)).toEqual(['ASL_LENGTH']);
  });

  test('about a disassembly, which means what it says', () => {
    expect(diagnose(`/*@as-written*/\n${warned}`)).toEqual([]);
  });
});

test('SARIF has lines and columns', () => {
  const log = compilerSarif(diagnose(EXAMPLES.ASL_TARGET), '1.0') as { runs: { results: object[] }[] };
  expect(log.runs[0].results[0]).toMatchObject({
    ruleId: 'ASL_TARGET',
    level: 'error',
    locations: [
      { physicalLocation: { artifactLocation: { uri: 'test.asl' }, region: { startLine: 3, startColumn: 17 } } },
    ],
  });
});

test('a line that is no text is shown without its control characters, near the place', () => {
  const [diagnostic] = diagnose(`${'x\u0001'.repeat(4000)}`);
  const [, shown, caret] = formatDiagnostic(diagnostic).split('\n');
  expect(shown).not.toMatch(/\p{Cc}/u);
  expect(shown.length).toBeLessThan(250);
  expect(shown[caret.indexOf('^')]).toBe('.');
});

test('lines are counted from #line, and shown from the file', () => {
  const [diagnostic] = diagnose(`#line 40 "other.asl"\n${table('Name (AAAA, )')}`);
  expect(formatDiagnostic(diagnostic).split('\n').slice(0, 2)).toEqual([
    'other.asl:42:13: error ASL_SYNTAX: a value is due before ")"',
    '   42 | Name (AAAA, )',
  ]);
});
