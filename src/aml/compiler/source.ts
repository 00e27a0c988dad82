/** One file of ASL; each character is one byte of the file (Latin-1), so that strings keep what they hold. */
export class SourceText {
  readonly file: string;
  readonly text: string;
  #lineStarts: number[] | undefined;
  /** Of `#line` directives, in order: from this line on, lines count from `line` in `file`. */
  readonly #renumbered: { readonly from: number; readonly line: number; readonly file: string }[] = [];

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  /** The line behind the one of `offset` is line `line` of `file`, whatever stands before it. */
  renumberBehind(offset: number, line: number, file: string | undefined): void {
    const { physicalLine, file: current } = this.positionOf(offset);
    this.#renumbered.push({ from: physicalLine + 1, line, file: file ?? current });
  }

  /** File, line and column, both from 1, of the character at `offset`; `physicalLine` is the one of this text. */
  positionOf(offset: number): { file: string; line: number; column: number; physicalLine: number } {
    const starts = this.#starts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    const physicalLine = low + 1;
    const column = offset - starts[low] + 1;
    const rule = this.#renumbered.findLast(({ from }) => from <= physicalLine);
    if (!rule) return { file: this.file, line: physicalLine, column, physicalLine };
    return { file: rule.file, line: rule.line + physicalLine - rule.from, column, physicalLine };
  }

  /** The text of the physical line `line` without its end. */
  lineText(line: number): string {
    const starts = this.#starts();
    return this.text.slice(starts[line - 1], starts[line] ?? this.text.length).replace(/[\r\n]+$/, '');
  }

  /** Lines, an empty last one not counted. */
  get lineCount(): number {
    const starts = this.#starts();
    return starts.at(-1) === this.text.length ? starts.length - 1 : starts.length;
  }

  #starts(): number[] {
    if (this.#lineStarts) return this.#lineStarts;
    const starts = [0];
    for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#lineStarts = starts;
    return starts;
  }
}

export type TokenKind = 'name' | 'number' | 'string' | 'punctuation' | 'annotation' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** What it says: a string without quotes and escapes, an annotation without its marks. */
  readonly text: string;
  /** A name that stands for itself, whatever its characters: no keyword, nothing padded. */
  readonly isVerbatim?: boolean;
  readonly source: SourceText;
  readonly start: number;
  readonly end: number;
  /** Nothing but blanks and comments stands before it on its line. */
  readonly startsLine: boolean;
}
