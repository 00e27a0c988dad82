import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import type { AmlTables, InterpreterFlagValues } from './aml-flags.ts';

/** What the debugger's thread is started with. */
export interface DebugStart {
  readonly tables: AmlTables;
  readonly flags: InterpreterFlagValues;
}

/** What it says to the terminal. */
export type DebugMessage =
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'prompt'; readonly text: string };

/** The shared buffer in which a line goes to the debugger: a state word, the length in bytes, the text. */
export const LINE = { STATE: 0, LENGTH: 1, TEXT: 8, BYTES: 0x1_0000 } as const;
/** Values of the state word. */
export const LINE_STATE = { WAITING: 0, HERE: 1, OVER: 2 } as const;

/**
 * The debugger at a terminal: it runs in a thread of its own, which stands still while a line is edited here, with readline's history.
 * Done when the debugger is left, or `input` ends.
 */
export function debugAtTerminal(
  start: DebugStart,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<void> {
  const shared = new SharedArrayBuffer(LINE.TEXT + LINE.BYTES);
  const words = new Int32Array(shared);
  const terminal = createInterface({ input, output });
  // The thread's module has this one's ending: .ts in the sources, .js when built.
  const module = new URL(`./debug-thread${extname(new URL(import.meta.url).pathname)}`, import.meta.url);
  const worker = new Worker(module, { workerData: { ...start, shared } });
  const typed: string[] = [];
  let isAsked = false;
  let isOver = false;
  /** Gives the next line to a thread that waits for one. */
  const answer = (): void => {
    if (!isAsked || (typed.length === 0 && !isOver)) return;
    isAsked = false;
    const line = typed.shift();
    const bytes = new TextEncoder().encode(line).subarray(0, LINE.BYTES);
    new Uint8Array(shared, LINE.TEXT).set(bytes);
    words[LINE.LENGTH] = bytes.length;
    Atomics.store(words, LINE.STATE, line === undefined ? LINE_STATE.OVER : LINE_STATE.HERE);
    Atomics.notify(words, LINE.STATE);
  };
  worker.on('message', (message: DebugMessage) => {
    if (message.kind === 'print') {
      output.write(`${message.text}\n`);
      return;
    }
    terminal.setPrompt(message.text);
    if (!isOver) terminal.prompt();
    isAsked = true;
    answer();
  });
  terminal.on('line', (line) => {
    typed.push(line);
    answer();
  });
  terminal.on('close', () => {
    isOver = true;
    answer();
  });
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', () => {
      terminal.close();
      resolve();
    });
  });
}
