import { QueuedSource } from './byte-streams.ts';

/** Ctrl-A, then x: leaves the emulator; Ctrl-A twice sends one (QEMU's keys). */
const ESCAPE = 0x01;
const QUIT = ['x', 'X'].map((key) => key.charCodeAt(0));

/** The person at the terminal. */
export interface Console {
  readonly source: QueuedSource;
  readonly quit: () => boolean;
  close(): void;
}

/** Splits typed bytes into those for the guest and the wish to quit. Exported for the tests. */
export class EscapeFilter {
  #escaped = false;
  quit = false;

  filter(bytes: Uint8Array): Uint8Array {
    const passed: number[] = [];
    for (const byte of bytes) {
      if (this.#escaped) {
        this.#escaped = false;
        if (QUIT.includes(byte)) this.quit = true;
        else passed.push(byte);
      } else if (byte === ESCAPE) this.#escaped = true;
      else passed.push(byte);
    }
    return Uint8Array.from(passed);
  }
}

/** Connects stdin to the guest's serial port: raw on a terminal, as it comes from a pipe. */
export function openConsole(stdin: NodeJS.ReadStream): Console {
  const source = new QueuedSource();
  const escapes = new EscapeFilter();
  const raw = stdin.isTTY === true;
  const onData = (bytes: Buffer) => source.push(raw ? escapes.filter(bytes) : bytes);
  if (raw) stdin.setRawMode(true);
  stdin.on('data', onData);
  stdin.resume();
  return {
    source,
    quit: () => escapes.quit,
    close: () => {
      stdin.off('data', onData);
      if (raw) stdin.setRawMode(false);
      stdin.pause();
    },
  };
}
