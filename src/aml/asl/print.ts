import { equalBytes } from '../../shared/bytes.ts';
import type { DecodedSet, DecodedTable } from '../decode.ts';
import { ROOT } from '../namespace.ts';
import { encodeTable, TABLE_HEADER_OFFSETS } from '../table-header.ts';
import { annotation, bytesText } from './annotations.ts';
import { concessionsOf, foreignScopes, idleDevices } from './concessions.ts';
import { externalsOf, externalsText } from './externals.ts';
import { statementsText } from './print-statements.ts';
import { hexOf, indented, laidOut, quoted } from './text.ts';
import { namesOf } from './uses.ts';

export interface PrintOptions {
  /** ASL 1, which has no operators, instead of ASL 2.0. */
  readonly legacy?: boolean;
}

/** The ASL of one table of a decoded set: a whole DefinitionBlock with the Externals that it needs. */
export function printDefinitionBlock(table: DecodedTable, set: DecodedSet, options: PrintOptions = {}): string {
  const { header, declared: own, terms } = table;
  const names = namesOf(terms);
  const without = foreignScopes(table, set, names);
  const externals = externalsOf(names, { own, all: set.names, without });
  const concessions = concessionsOf(table, set, names, externals);
  const isLegacy = options.legacy ?? false;
  const place = { scope: ROOT, within: '', own, tags: { next: 0 }, concessions, isLegacy };
  const declarations = [...externalsText(externals), ...idleDevices(without)];
  const parts = [declarations, statementsText(terms, place)].filter((lines) => lines.length > 0);
  const body = laidOut(parts.map((lines) => indented(lines.join('\n'))).join('\n\n'));
  const identity = [
    quoted(''),
    quoted(header.signature),
    `${header.revision}`,
    quoted(header.oemId),
    quoted(header.oemTableId),
  ];
  const lines = [
    ...headerComment(table),
    annotation('as-written'),
    ...headerAnnotations(table),
    `DefinitionBlock (${identity.join(', ')}, ${hexOf(header.oemRevision).padStart(10)})`,
    '{',
    body,
    '}',
    ...(table.trailing.length === 0 ? [] : [annotation('trailing', bytesText(table.trailing))]),
  ];
  return `${lines.join('\n')}\n`;
}

/** Fields of the header that a compiler would not make as they are. */
function headerAnnotations({ header, bytes: table, checksumValid, trailing }: DecodedTable): string[] {
  const { length, checksum, oemId, oemTableId, creatorId } = TABLE_HEADER_OFFSETS;
  const { creatorId: _, creatorRevision: __, ...identity } = header;
  const made = encodeTable(identity, new Uint8Array());
  const stated = (offset: number, size: number) => `${offset} ${bytesText(table.subarray(offset, offset + size))}`;
  const field = (offset: number, size: number): string[] => {
    const isMade = equalBytes(table.subarray(offset, offset + size), made.subarray(offset, offset + size));
    return isMade ? [] : [stated(offset, size)];
  };
  const fields = [
    ...(header.length === table.length - trailing.length ? [] : [stated(length, 4)]),
    ...(checksumValid ? [] : [stated(checksum, 1)]),
    ...field(oemId, 6),
    ...field(oemTableId, 8),
    ...field(creatorId, 8),
  ];
  return fields.map((value) => annotation('header', value));
}

function headerComment({ header, file, checksumValid, trailing, problems }: DecodedTable): string[] {
  const lines = [
    `${header.signature}, revision ${header.revision}, ${header.length} bytes${file === undefined ? '' : `, from ${file}`}`,
    `OEM ${quoted(header.oemId)} table ${quoted(header.oemTableId)} revision ${hexOf(header.oemRevision)}`,
    `made by ${quoted(header.creatorId)} ${hexOf(header.creatorRevision)}`,
    ...(checksumValid ? [] : ['the checksum is wrong']),
    ...(trailing.length === 0 ? [] : [`${trailing.length} bytes behind the end that the header states`]),
    ...problems.map(({ offset, path, message }) => `at ${hexOf(offset)} in ${path}: ${message}`),
  ];
  return ['/*', ...lines.map((line) => ` * ${line.replaceAll('*/', '* /')}`), ' */'];
}
