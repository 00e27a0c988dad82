import { closeSync, openSync, writeSync } from 'node:fs';
import type { ByteSink, ByteSource } from '../emulator/machine/ports.ts';
import { UserError } from '../shared/errors.ts';

/** A sink that keeps bytes until `flush`. */
export interface FlushableSink extends ByteSink {
  flush(): void;
  close(): void;
}

/** Collects bytes and hands them on in pieces: one call to the host a slice, not one a byte. */
export class BufferedSink implements FlushableSink {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #close: () => void;
  #buffer = new Uint8Array(4096);
  #length = 0;

  constructor(write: (bytes: Uint8Array) => void, close: () => void = () => {}) {
    this.#write = write;
    this.#close = close;
  }

  write(byte: number): void {
    if (this.#length === this.#buffer.length) this.flush();
    this.#buffer[this.#length++] = byte;
  }

  flush(): void {
    if (this.#length === 0) return;
    const bytes = this.#buffer.slice(0, this.#length);
    this.#length = 0;
    this.#write(bytes);
  }

  close(): void {
    this.flush();
    this.#close();
  }
}

/** Keeps everything as text, a character a byte. */
export class TextSink implements FlushableSink {
  #parts: string[] = [];
  #line = '';

  write(byte: number): void {
    this.#line += String.fromCharCode(byte);
    if (byte === 10) this.flush();
  }

  flush(): void {
    this.#parts.push(this.#line);
    this.#line = '';
  }

  close(): void {}

  get text(): string {
    return this.#parts.join('') + this.#line;
  }

  /** The last line that is complete and not empty. */
  get lastLine(): string {
    return this.#parts.findLast((line) => line.trim() !== '')?.trim() ?? '';
  }
}

/** Bytes typed by a person, queued until the guest takes them. */
export class QueuedSource implements ByteSource {
  readonly #queue: number[] = [];
  #callback = () => {};

  read(): number {
    return this.#queue.shift() ?? -1;
  }

  onData(callback: () => void): void {
    this.#callback = callback;
  }

  push(bytes: Uint8Array): void {
    this.#queue.push(...bytes);
    this.#callback();
  }
}

/**
 * The sink that `--serial` or `--debugcon` names: `stdio`, `file:PATH` or `none`.
 * @throws UserError STREAM_SYNTAX, FILE_WRITE
 */
export function openSink(text: string, flag: string): FlushableSink {
  if (text === 'stdio') return new BufferedSink((bytes) => process.stdout.write(bytes));
  if (text === 'none') return new BufferedSink(() => {});
  const path = /^file:(.+)$/.exec(text)?.[1];
  if (path === undefined) {
    throw new UserError('STREAM_SYNTAX', `'${text}' names no place for output`, {
      place: { file: `${flag} ${text}` },
      mend: 'use stdio, file:PATH or none',
    });
  }
  try {
    const descriptor = openSync(path, 'w');
    return new BufferedSink(
      (bytes) => writeSync(descriptor, bytes),
      () => closeSync(descriptor),
    );
  } catch (error) {
    throw new UserError('FILE_WRITE', `${path} cannot be written: ${(error as Error).message}`, {
      place: { file: path },
      mend: 'choose a place that can be written',
      cause: error,
    });
  }
}
