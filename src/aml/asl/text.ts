/** Pieces of ASL text: a piece may span lines, the first stands where the caller puts it. */

const INDENT = '    ';

const NEXT_LINE = `\n${INDENT}`;

/** Every line of `text` one level deeper. */
export function indented(text: string): string {
  return INDENT + text.replaceAll('\n', NEXT_LINE);
}

/** `head` and `items`, one a line, in braces. */
export function braced(head: string, items: readonly string[]): string {
  if (items.length === 0) return `${head} {}`;
  return `${head}\n{\n${indented(items.join('\n'))}\n}`;
}

/** `items` in rows of `perRow`, with commas, indented, in braces below `head`. */
export function bracedRows(head: string, items: readonly string[], perRow: number): string {
  if (items.length === 0) return `${head} {}`;
  const rows: string[] = [];
  for (let index = 0; index < items.length; index += perRow) rows.push(items.slice(index, index + perRow).join(', '));
  return `${head}\n{\n${indented(rows.join(',\n'))}\n}`;
}

/** Upper-case hexadecimal in 2, 4, 8 or 16 digits. */
export function hexOf(value: bigint | number): string {
  const digits = value.toString(16).toUpperCase();
  const width = [2, 4, 8, 16].find((count) => digits.length <= count) ?? digits.length;
  return `0x${digits.padStart(width, '0')}`;
}

/** An ASL string literal (ACPI 6.5 §19.2.5). */
export function quoted(text: string): string {
  let out = '"';
  for (const character of text) {
    const code = character.charCodeAt(0);
    if (character === '"' || character === '\\') out += `\\${character}`;
    else if (character === '\n') out += '\\n';
    else if (character === '\r') out += '\\r';
    else if (character === '\t') out += '\\t';
    else if (code < 0x20 || code > 0x7e) out += `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
    else out += character;
  }
  return `${out}"`;
}
