/** The source with the AML that each line makes: what iasl writes with -l. */
import { termOffsets } from '../../encode.ts';
import { TABLE_HEADER_LENGTH } from '../../table-header.ts';
import type { CompiledTable } from '../compile.ts';
import type { SourceText } from '../source.ts';
import { asciiOf } from './hex-text.ts';

/** Bytes of a table that one line of the source makes. */
export interface SourceSpan {
  readonly source: SourceText;
  /** Of the text, whatever `#line` says. */
  readonly line: number;
  readonly start: number;
  readonly end: number;
}

/** The lines that `table` comes from, in the order of its bytes, without the header. What no line says belongs to the one before. */
export function sourceSpans(table: CompiledTable): SourceSpan[] {
  const spans: SourceSpan[] = [];
  let open: Omit<SourceSpan, 'end'> | undefined;
  const close = (end: number): void => {
    if (open && end > open.start) spans.push({ ...open, end });
  };
  for (const { part, offset } of termOffsets(table.terms)) {
    const token = table.tokens.get(part);
    if (!token) continue;
    const line = token.source.positionOf(token.start).physicalLine;
    if (open && open.source === token.source && open.line === line) continue;
    const start = offset + TABLE_HEADER_LENGTH;
    close(start);
    open = { source: token.source, line, start };
  }
  close(table.bytes.length);
  return spans;
}

const BYTES_A_LINE = 8;

/** Source lines with their numbers, each followed by its bytes, with offsets from the table's start. */
export function listing(table: CompiledTable): string {
  const spans = sourceSpans(table);
  const first = spans[0]?.start ?? table.bytes.length;
  const out: string[] = [];
  let source: SourceText | undefined;
  /** Lines of each file that have been written. */
  const written = new Map<SourceText, number>();
  const sourceLines = (of: SourceText, upTo: number): void => {
    const from = (written.get(of) ?? 0) + 1;
    if (of !== source) {
      out.push('', `; ${of.file}`);
      source = of;
    }
    // A line that comes again: what Switch or For put somewhere else.
    if (from > upTo) out.push(`${`${upTo}`.padStart(8)}:  ${of.lineText(upTo)}`);
    for (let line = from; line <= upTo; line++) out.push(`${`${line}`.padStart(8)}:  ${of.lineText(line)}`);
    written.set(of, Math.max(upTo, from - 1));
  };
  const rows = (start: number, end: number): void => {
    for (let at = start; at < end; at += BYTES_A_LINE)
      out.push(row(table.bytes.subarray(at, Math.min(at + BYTES_A_LINE, end)), at));
  };
  out.push(`; ${table.identity.signature}, ${table.bytes.length} bytes`);
  rows(0, first);
  for (const span of spans) {
    sourceLines(span.source, span.line);
    rows(span.start, span.end);
  }
  for (const [of, upTo] of written) if (of.lineCount > upTo) sourceLines(of, of.lineCount);
  return `${out.join('\n')}\n`;
}

function row(bytes: Uint8Array, offset: number): string {
  const list = [...bytes];
  const text = list.map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ');
  const place = offset.toString(16).toUpperCase().padStart(8, '0');
  return `${place}:  ${text.padEnd(BYTES_A_LINE * 3)}    "${asciiOf(list)}"`;
}
