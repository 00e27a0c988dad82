/** The debugger's own thread: see debug-terminal.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { AmlDebugger } from '../aml/debugger/debugger.ts';
import { startInterpreter } from './aml-flags.ts';
import { type DebugMessage, type DebugStart, LINE, LINE_STATE } from './debug-terminal.ts';

const { tables, flags, shared } = workerData as DebugStart & { readonly shared: SharedArrayBuffer };
const words = new Int32Array(shared);
const send = (message: DebugMessage): void => parentPort?.postMessage(message);
const print = (text: string): void => send({ kind: 'print', text });

/** Asks the terminal and waits: AML stands still meanwhile. */
function read(prompt: string): string | undefined {
  send({ kind: 'prompt', text: prompt });
  Atomics.wait(words, LINE.STATE, LINE_STATE.WAITING);
  if (Atomics.load(words, LINE.STATE) === LINE_STATE.OVER) return undefined;
  Atomics.store(words, LINE.STATE, LINE_STATE.WAITING);
  return new TextDecoder().decode(new Uint8Array(shared, LINE.TEXT, words[LINE.LENGTH]).slice());
}

const logger = { debug: () => {}, info: print, warn: (message: string) => print(`warning: ${message}`) };
new AmlDebugger(startInterpreter(tables, flags, logger, { offsets: true }), { print, read }).run();
