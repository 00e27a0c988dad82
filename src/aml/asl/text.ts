/**
 * Pieces of ASL text: a piece may span lines, the first stands where the caller puts it. How deep a line is indented is only known in
 * the end: pieces say by control characters, which quoted text has none of, where a level begins and ends.
 */

const INDENT = '    ';
const DEEPER = '\x0e';
const BACK = '\x0f';

/** Every line of `text`, which starts a line, one level deeper. */
export function indented(text: string): string {
  return DEEPER + text + BACK;
}

/** The lines of `text` as deep as the pieces that they are made of say. */
export function laidOut(text: string): string {
  const lines = text.split('\n');
  let level = 0;
  let margin = '';
  const indentBy = (levels: number): void => {
    level += levels;
    margin = INDENT.repeat(level);
  };
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index];
    let start = 0;
    while (line[start] === DEEPER) start++;
    if (start > 0) indentBy(start);
    const end = line.indexOf(BACK, start);
    lines[index] = margin + (end < 0 ? line.slice(start) : line.slice(start).replaceAll(BACK, ''));
    if (end >= 0) indentBy(-line.split(BACK).length + 1);
  }
  return lines.join('\n');
}

/** `text` with a comment behind its first line. */
export function withComment(text: string, comment: string): string {
  const end = text.indexOf('\n');
  return end < 0 ? `${text}  // ${comment}` : `${text.slice(0, end)}  // ${comment}${text.slice(end)}`;
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
