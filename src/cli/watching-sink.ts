import type { ByteSink } from '../emulator/machine/ports.ts';

/** Longest line that is kept for showing, characters. */
const LONGEST_LINE = 200;

/** Passes bytes on and notes when a text comes by. */
export class WatchingSink implements ByteSink {
  /** The text has come by. */
  seen = false;
  /** The line so far, or the last one. */
  line = '';
  readonly #next: ByteSink;
  readonly #text: string | undefined;
  #tail = '';

  constructor(next: ByteSink, text: string | undefined) {
    this.#next = next;
    this.#text = text;
  }

  write(byte: number): void {
    this.#next.write(byte);
    const character = String.fromCharCode(byte);
    if (this.line.endsWith('\n') || this.line.length >= LONGEST_LINE) this.line = '';
    this.line += character;
    if (this.seen || this.#text === undefined) return;
    this.#tail = (this.#tail + character).slice(-this.#text.length);
    this.seen = this.#tail === this.#text;
  }
}
