import { UserError } from '../../shared/errors.ts';
import type { Token } from './source.ts';

export type Severity = 'error' | 'warning' | 'remark';

interface Message {
  readonly severity: Severity;
  readonly mend: string;
  /** Numbers under which iasl says the same. */
  readonly iasl?: readonly number[];
}

/** Everything that the compiler can say, by its stable id: how grave it is, and what to do about it. */
export const MESSAGES = {
  ASL_CHARACTER: { severity: 'error', mend: 'remove the character, or put it into a string or a comment' },
  ASL_UNCLOSED: { severity: 'error', mend: 'close what was opened here' },
  ASL_ESCAPE: {
    severity: 'error',
    mend: 'write \\\\ for a backslash, or one of \\a \\b \\f \\n \\r \\t \\v \\" \\x41 \\101',
  },
  ASL_ESCAPE_DROPPED: {
    severity: 'warning',
    mend: 'write \\\\x for the two characters, or digits behind \\x',
    iasl: [3055],
  },
  ASL_SYNTAX: { severity: 'error', mend: 'compare with the syntax of the operator (ACPI 6.5 §19.6)' },
  ASL_NUMBER: { severity: 'error', mend: 'write a number of at most 64 bits: 255, 0xFF or 0377' },
  ASL_RANGE: { severity: 'error', mend: 'give a value within the range' },
  ASL_KEYWORD: { severity: 'error', mend: 'use one of the keywords that are listed' },
  ASL_CONSTANT: { severity: 'error', mend: 'give a constant: it is part of the table and not evaluated later' },
  ASL_NAME: {
    severity: 'error',
    mend: 'write segments of one to four letters, digits and underscores, joined by dots',
  },
  ASL_OPERATOR: { severity: 'error', mend: 'correct the spelling' },
  ASL_NAME_UNKNOWN: { severity: 'error', mend: 'declare it here, or write External if another table declares it' },
  ASL_NAME_TWICE: { severity: 'error', mend: 'rename one of the two, or remove it', iasl: [6074] },
  ASL_NAME_PARENT: { severity: 'error', mend: 'declare the object that it stands in first, or External' },
  ASL_ARGUMENTS: { severity: 'error', mend: 'give as many arguments as the method declares' },
  ASL_NOT_METHOD: { severity: 'error', mend: 'leave the parentheses out, or declare a method' },
  ASL_TARGET: { severity: 'error', mend: 'assign to a name, a local, an argument, an element or Debug' },
  ASL_OPERAND: { severity: 'error', mend: 'give an operand of the type that the operator takes' },
  ASL_PLACE: { severity: 'error', mend: 'move it to where the grammar takes it' },
  ASL_LENGTH: { severity: 'error', mend: 'raise the count, or leave it out: it is then counted' },
  ASL_OFFSET: { severity: 'error', mend: 'order the fields by their offsets' },
  ASL_RESOURCE: { severity: 'error', mend: 'give the range as ACPI 6.5 §6.4.3.5 wants it' },
  ASL_HEADER: { severity: 'error', mend: 'shorten the text in DefinitionBlock' },
  ASL_INCLUDE: { severity: 'error', mend: 'check the path, or add its directory with --include' },
  ASL_DIRECTIVE: { severity: 'error', mend: 'correct the preprocessor directive' },
  ASL_ERROR_DIRECTIVE: { severity: 'error', mend: 'the source asks for it with #error: define what it wants' },
  ASL_UNRESOLVED: { severity: 'error', mend: 'correct the expression' },
  ASL_WARNING_DIRECTIVE: { severity: 'warning', mend: 'the source asks for it with #warning' },
  ASL_MESSAGE_PRAGMA: { severity: 'remark', mend: 'the source says it with #pragma message' },
  ASL_DATE: { severity: 'warning', mend: 'give --date, or set SOURCE_DATE_EPOCH' },
  ASL_TRUNCATED: { severity: 'warning', mend: 'raise the revision to 2 for 64-bit integers, or shorten the number' },
  ASL_TAG_SIZE: {
    severity: 'warning',
    mend: 'create a field of the size that the descriptor has there',
    iasl: [3128, 3129],
  },
  ASL_PARAMETER_TYPES: { severity: 'warning', mend: 'list a type for each argument, or correct the count' },
  ASL_UNUSED_ARGUMENTS: { severity: 'warning', mend: 'remove the arguments, or add format specifiers' },
  ASL_SWITCH_TYPE: { severity: 'warning', mend: 'wrap the value in ToInteger, ToString or ToBuffer', iasl: [3124] },
  ASL_LEGACY: { severity: 'warning', mend: 'use what ACPI 6.5 has in its place', iasl: [3157, 3168] },
  ASL_EXTERNAL_TYPE: { severity: 'warning', mend: 'remove the External, or correct its type', iasl: [3176] },
  ASL_CASE_TWICE: { severity: 'warning', mend: 'remove one of the two: the first one is taken', iasl: [6022] },
  ASL_LOCAL_UNUSED: { severity: 'warning', mend: 'remove the store, or use the value', iasl: [3144] },
  ASL_LOCAL_UNSET: { severity: 'warning', mend: 'store a value first: reading it fails', iasl: [6006, 6066] },
  ASL_RETURN_PATHS: { severity: 'warning', mend: 'return a value at the end as well', iasl: [3115] },
  ASL_VALUE_MISSING: { severity: 'warning', mend: 'return a value from the method, or do not use one', iasl: [6080] },
  ASL_VALUE_SOMETIMES: { severity: 'warning', mend: 'return a value on every path of the method', iasl: [3122] },
  ASL_RECURSION: { severity: 'warning', mend: 'write a loop: the depth is limited', iasl: [2098, 6152] },
  ASL_UNREACHABLE: { severity: 'warning', mend: 'remove it, or what stands before it', iasl: [3134] },
  ASL_NO_RESULT: { severity: 'warning', mend: 'store the result, or remove the statement', iasl: [6114] },
  ASL_TIMEOUT_LOST: { severity: 'warning', mend: 'look at the value, or wait with 0xFFFF', iasl: [3130] },
  ASL_STORE_SELF: { severity: 'warning', mend: 'remove it, or correct one of the two', iasl: [3023] },
  ASL_STALL: { severity: 'warning', mend: 'stall for 100 microseconds at most' },
  ASL_FIELD_EMPTY: { severity: 'warning', mend: 'give the field a length, or remove it', iasl: [3083] },
  ASL_DEVICE_ID: { severity: 'warning', mend: 'declare _HID or, on a bus that counts its devices, _ADR', iasl: [3141] },
  ASL_DEVICE_TWO_IDS: { severity: 'warning', mend: 'keep the one that the bus wants', iasl: [3073] },
  ASL_ID_FORM: {
    severity: 'warning',
    mend: 'write it as PNP0C0A or ACPI0003 are written',
    iasl: [6002, 6033, 6034, 6035, 6045, 6061, 6136],
  },
  ASL_UID_TYPE: { severity: 'warning', mend: 'write the number of the processor', iasl: [6167] },
  ASL_REG_WITHOUT_REGION: { severity: 'warning', mend: 'declare the region beside _REG, or remove it', iasl: [3079] },
  ASL_REGION_IN_METHOD: { severity: 'warning', mend: 'declare the region outside of the method', iasl: [3175] },
  ASL_PREDEFINED_ARGUMENTS: {
    severity: 'warning',
    mend: 'declare the arguments that ACPI 6.5 table 5.181 gives',
    iasl: [3101, 3102],
  },
  ASL_PREDEFINED_RETURN: { severity: 'warning', mend: 'return a value at the end of the method', iasl: [3107] },
  ASL_PREDEFINED_NO_VALUE: { severity: 'warning', mend: 'leave the value out', iasl: [3104] },
  ASL_PREDEFINED_TYPE: { severity: 'warning', mend: 'give the type of ACPI 6.5 table 5.181', iasl: [6103, 6105] },
  ASL_PREDEFINED_LENGTH: { severity: 'remark', mend: 'give the elements of ACPI 6.5 table 5.181', iasl: [2106] },
  ASL_OBJECT_TYPE: { severity: 'warning', mend: 'name an object of the type that the operator takes', iasl: [6058] },
  ASL_TEMPORARY: { severity: 'warning', mend: 'declare it outside of the method', iasl: [6163] },
  ASL_ROOT_ONLY: { severity: 'warning', mend: 'declare it at the root', iasl: [6166] },
  ASL_FIELD_BEYOND: { severity: 'warning', mend: 'make the buffer longer, or correct the index', iasl: [3165] },
  ASL_RESOURCE_EMPTY: {
    severity: 'warning',
    mend: 'give the macro a DescriptorName, by which code fills it in, or remove it',
    iasl: [6090],
  },
  ASL_PREDEFINED_UNKNOWN: {
    severity: 'warning',
    mend: 'correct the spelling, or take a name without underscore in front',
    iasl: [3133],
  },
  ASL_LOOP: { severity: 'error', mend: 'move it into the loop, or use Return', iasl: [6081] },
  ASL_LIST_SHORT: { severity: 'remark', mend: 'lower the count, or add elements', iasl: [2063] },
  ASL_SERIALIZED: { severity: 'remark', mend: 'declare the method Serialized', iasl: [2119] },
  ASL_NOT_SERIALIZED: { severity: 'remark', mend: 'declare the method Serialized', iasl: [2120] },
  ASL_NAME_IN_METHOD: { severity: 'remark', mend: 'use a local, or declare the name outside', iasl: [2173] },
  ASL_NAME_UNUSED: { severity: 'remark', mend: 'remove it, or use it', iasl: [2089] },
  ASL_NAME_RESERVED: { severity: 'remark', mend: 'take another name', iasl: [2011] },
  ASL_ARGUMENT_UNUSED: { severity: 'remark', mend: 'use it, or lower the argument count', iasl: [2146] },
  ASL_ARGUMENT_AS_LOCAL: { severity: 'remark', mend: 'use a local, or raise the argument count', iasl: [2087] },
  ASL_RETURN_OUTSIDE: { severity: 'warning', mend: 'move it into a method' },
  ASL_LOCAL_OUTSIDE: { severity: 'remark', mend: 'move it into a method', iasl: [2067] },
  ASL_SLEEP: { severity: 'remark', mend: 'sleep for less: the thread that evaluates waits', iasl: [2159] },
  ASL_EMPTY: { severity: 'remark', mend: 'add elements, or give a length', iasl: [2008, 2095] },
  ASL_OFFSET_IDLE: { severity: 'remark', mend: 'remove the Offset', iasl: [2158] },
} as const satisfies Record<string, Message>;

export type DiagnosticId = keyof typeof MESSAGES;

export interface Diagnostic {
  readonly id: DiagnosticId;
  readonly severity: Severity;
  readonly message: string;
  readonly mend: string;
  readonly file: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  /** Characters that the caret underlines, within the line. */
  readonly length: number;
  readonly sourceLine: string;
}

/** The ids that `text` means: one of them, or iasl's number of some. */
export function messageIds(text: string): DiagnosticId[] {
  const number = Number(text);
  return (Object.entries(MESSAGES) as [DiagnosticId, Message][])
    .filter(([id, { iasl }]) => id === text.toUpperCase() || iasl?.includes(number))
    .map(([id]) => id);
}

/** More than this many errors say nothing new. */
const MAX_ERRORS = 100;

/** Collects what the passes find; nothing is said twice at one place. */
export class Diagnostics {
  readonly #found: Diagnostic[] = [];
  readonly #seen = new Set<string>();
  readonly #ignored = new Set<string>();
  #errors = 0;

  add(id: DiagnosticId, at: Token, message: string, mend?: string): void {
    const { file, line, column, physicalLine } = at.source.positionOf(at.start);
    const key = `${id} ${file} ${line} ${column} ${message}`;
    if (this.#seen.has(key) || this.#errors >= MAX_ERRORS) return;
    this.#seen.add(key);
    const { severity } = MESSAGES[id];
    if (severity !== 'error' && this.#ignored.has(id)) return;
    if (severity === 'error') this.#errors++;
    const sourceLine = at.source.lineText(physicalLine);
    const length = Math.max(1, Math.min(at.end - at.start, sourceLine.length - column + 1));
    this.#found.push({
      id,
      severity,
      message,
      mend: mend ?? MESSAGES[id].mend,
      file,
      line,
      column,
      length,
      sourceLine,
    });
  }

  /** From here on nothing is said by this id, or by those that iasl numbers so; errors stay. */
  ignore(id: string): void {
    for (const known of messageIds(id)) this.#ignored.add(known);
  }

  get errorCount(): number {
    return this.#errors;
  }

  /** In the order of files and lines. */
  sorted(): Diagnostic[] {
    const order = new Map<string, number>();
    for (const { file } of this.#found) if (!order.has(file)) order.set(file, order.size);
    return [...this.#found].sort(
      (left, right) =>
        order.get(left.file)! - order.get(right.file)! || left.line - right.line || left.column - right.column,
    );
  }
}

/** `file:line:column: severity ID: message`, the line, a caret and the mend. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, severity, id, message, mend, length, sourceLine } = diagnostic;
  const gutter = `${line}`.padStart(5);
  // What stands far along a line, as in a file that is no source, is shown with what is near.
  const start = column <= SHOWN_BEFORE + SHOWN_FROM_HERE ? 0 : column - 1 - SHOWN_BEFORE;
  const shown = sourceLine.slice(start, column - 1 + SHOWN_FROM_HERE).replace(UNPRINTABLE, '.');
  const indent = shown.slice(0, column - 1 - start).replace(/[^\t]/g, ' ');
  const caret = `${' '.repeat(5)} | ${indent}${'^'.repeat(Math.min(length, SHOWN_FROM_HERE))}`;
  return `${file}:${line}:${column}: ${severity} ${id}: ${message}\n${gutter} | ${shown}\n${caret}\n      = mend: ${mend}`;
}

/** Characters of a line that are shown before the place and from it on. */
const SHOWN_BEFORE = 60;
const SHOWN_FROM_HERE = 140;
/** A terminal takes them as commands. */
const UNPRINTABLE = /(?!\t)[\p{Cc}]/gu;

/** Thrown when a source does not compile: the message is the first error, `diagnostics` hold all. */
export class CompileError extends UserError {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    const first = diagnostics.find(({ severity }) => severity === 'error')!;
    const { id, message, mend, file, line } = first;
    super(id, message, { place: { file, line }, mend });
    this.diagnostics = diagnostics;
  }
}
