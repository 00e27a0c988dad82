import { formatPath } from '../../name-string.ts';
import type { LintRule } from '../rule.ts';

/** The tables as such: bytes that are no AML, checksums, what follows the end. */

export const DECODING_RULES: readonly LintRule[] = [
  {
    id: 'AML-BYTES',
    severity: 'error',
    title: 'Every byte of a definition block is AML',
    linux: '"AE_AML_BAD_OPCODE": the table is not loaded from there on, or the method is aborted',
    windows: 'stop 0xA5 (0x03) while the table is loaded',
    mend: 'name all SSDTs, so that argument counts are known; else the table is damaged or badly patched',
    check: ({ set }) =>
      set.tables.flatMap(({ file, problems }) =>
        problems.map(({ message, offset, path }) => ({
          message,
          place: { ...(file !== undefined && { file }), offset, path: formatPath(path) },
        })),
      ),
  },
  {
    id: 'AML-TRAILING',
    severity: 'remark',
    title: 'A table ends where its header says',
    linux: 'the bytes behind are not looked at',
    windows: 'the bytes behind are not looked at',
    mend: 'dump the table again, or cut the file',
    check: ({ set }) =>
      set.tables
        .filter(({ trailing }) => trailing.length > 0)
        .map(({ file, trailing, header }) => ({
          message: `${trailing.length} bytes follow`,
          place: { ...(file !== undefined && { file }), offset: header.length },
        })),
  },
  {
    id: 'AML-CHECKSUM',
    severity: 'error',
    title: 'The bytes of a definition block sum to 0',
    linux: '"Incorrect checksum in table [DSDT]": the table is used all the same',
    windows: 'the table is ignored; stop 0xA5 for the DSDT',
    mend: 'seal the table again: `q35 acpi patch`',
    check: ({ set }) =>
      set.tables
        .filter(({ checksumValid }) => !checksumValid)
        .map(({ file, header }) => ({
          message: `${header.signature} ${header.oemTableId.trim()} has a wrong checksum`,
          place: { ...(file !== undefined && { file }), offset: 9 },
        })),
  },
  {
    id: 'AML-REVISION',
    severity: 'remark',
    title: 'The DSDT has revision 2 or more, which means integers of 64 bits',
    linux: 'integers have 32 bits: windows above 4 GiB are cut',
    windows: 'the same',
    mend: 'compile with revision 2',
    check: ({ set }) =>
      set.tables
        .filter(({ header }) => header.signature === 'DSDT' && header.revision < 2)
        .map(({ file, header }) => ({
          message: `its revision is ${header.revision}`,
          place: { ...(file !== undefined && { file }), offset: 8 },
        })),
  },
];
