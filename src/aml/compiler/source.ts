/** One file of ASL; each character is one byte of the file (Latin-1), so that strings keep what they hold. */
export class SourceText {
  readonly file: string;
  readonly text: string;
  #lineStarts: number[] | undefined;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  /** Line and column, both from 1, of the character at `offset`. */
  positionOf(offset: number): { line: number; column: number } {
    const starts = this.#starts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - starts[low] + 1 };
  }

  /** The text of line `line` without its end. */
  lineText(line: number): string {
    const starts = this.#starts();
    return this.text.slice(starts[line - 1], starts[line] ?? this.text.length).replace(/[\r\n]+$/, '');
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
  readonly source: SourceText;
  readonly start: number;
  readonly end: number;
  /** Nothing but blanks and comments stands before it on its line. */
  readonly startsLine: boolean;
}
