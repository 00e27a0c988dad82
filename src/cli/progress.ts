/** A line that is rewritten while something runs. Only a terminal gets it: logs stay clean. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  readonly #enabled: boolean;
  #shown = '';

  constructor(stream: NodeJS.WriteStream, enabled = stream.isTTY === true) {
    this.#stream = stream;
    this.#enabled = enabled;
  }

  show(text: string): void {
    const width = Math.max(20, (this.#stream.columns ?? 80) - 1);
    // Control characters from a guest's output must not reach the terminal.
    const line = [...text]
      .filter((character) => character >= ' ')
      .join('')
      .slice(0, width);
    if (!this.#enabled || line === this.#shown) return;
    this.#stream.write(`\r\x1b[K${line}`);
    this.#shown = line;
  }

  clear(): void {
    if (this.#enabled && this.#shown !== '') this.#stream.write('\r\x1b[K');
    this.#shown = '';
  }
}
