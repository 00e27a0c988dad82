/** The text of a data table back to bytes: the inverse of `print.ts`. */
import { resealTable, TABLE_HEADER_LENGTH } from '../../../aml/table-header.ts';
import { concatBytes } from '../../../shared/bytes.ts';
import { UserError } from '../../../shared/errors.ts';

/** `[024h    8]  NAME : VALUE`; the offset is for readers and is not checked, so that lines can be added. */
const LINE = /^\s*\[[0-9A-Fa-f]+h\s+(\d+)\]\s*([^:"]*?)\s*:\s*(.*)$/;
/** One table's text may not ask for more. */
const MAX_BYTES = 0x100_0000;

/** True when `text` is a data table's and not ASL. */
export const isDataTableSource = (text: string): boolean => LINE.test(withoutComments(text).trimStart().split('\n')[0]);

/**
 * The table that `text` describes. Length and checksum are computed unless the annotation `@as-written` stands in it.
 * Throws `TABLE_SOURCE` with file and line for a line that says nothing, or a value that does not fit.
 */
export function assembleDataTable(text: string, file: string): Uint8Array {
  const parts: Uint8Array[] = [];
  withoutComments(text)
    .split('\n')
    .forEach((line, index) => {
      if (line.trim() === '') return;
      const fail = (message: string, mend: string) =>
        new UserError('TABLE_SOURCE', message, { place: { file, line: index + 1 }, mend });
      const match = LINE.exec(line);
      if (!match) throw fail('the line is no field', 'write [OFFSETh BYTES] NAME : VALUE');
      const byteLength = Number(match[1]);
      if (byteLength > MAX_BYTES)
        throw fail(`a field of ${byteLength} bytes`, 'write the number of bytes that the field takes');
      const bytes = valueBytes(match[3].trim(), byteLength);
      if (!bytes)
        throw fail(
          `"${match[3].trim()}" is no value of ${byteLength} bytes`,
          'write 0x and digits, "text", or bytes as hexadecimal pairs',
        );
      parts.push(bytes);
    });
  const table = concatBytes(parts);
  if (table.length < TABLE_HEADER_LENGTH) {
    throw new UserError(
      'TABLE_SOURCE',
      `${table.length} bytes are too few for a table, whose header has ${TABLE_HEADER_LENGTH}`,
      {
        place: { file },
        mend: 'add the fields of the header',
      },
    );
  }
  return text.includes('/*@as-written*/') ? table : resealTable(table);
}

/** Line comments and block comments; newlines stay, so that lines keep their numbers. */
function withoutComments(text: string): string {
  return text.replace(/"[^"\n]*"|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (piece) =>
    piece.startsWith('"') ? piece : piece.replace(/[^\n]/g, ''),
  );
}

function valueBytes(value: string, byteLength: number): Uint8Array | undefined {
  const bytes = new Uint8Array(byteLength);
  const text = /^"([^"]*)"$/.exec(value)?.[1];
  if (text !== undefined) {
    if (text.length > byteLength) return undefined;
    for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
    return bytes;
  }
  if (/^0x[0-9a-f]+$/i.test(value)) {
    let rest = BigInt(value);
    for (let index = 0; index < byteLength; index++, rest >>= 8n) bytes[index] = Number(rest & 0xffn);
    return rest === 0n ? bytes : undefined;
  }
  if (!/^[0-9a-f]{2}(\s+[0-9a-f]{2})*$/i.test(value)) return undefined;
  const pairs = value.split(/\s+/);
  return pairs.length === byteLength ? Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16)) : undefined;
}
