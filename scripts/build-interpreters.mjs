import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

// Generates the interpreter of the default processor into dist/, so that starting a machine does not have to. Runs after the compiler.
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const load = (path) => import(pathToFileURL(join(root, 'dist', ...path.split('/'))));
const { loadBoard } = await load('cli/board-loading.js');
const { openBackends } = await load('cli/backends.js');
const { startMachine } = await load('cli/emulated-machine.js');
const { interpretersToBuild } = await load('cli/interpreter-files.js');
const { silentLogger } = await load('shared/logger.js');

const ROM_BYTES = 0x1_0000;
const nowhere = { write() {} };
const board = loadBoard(undefined, {}, root);
startMachine({
  board,
  rom: new Uint8Array(ROM_BYTES),
  files: new Map(),
  items: new Map(),
  serial: { sink: nowhere },
  debugcon: nowhere,
  logger: silentLogger,
  stopAtReset: true,
  backends: openBackends(board),
  interpreters: interpretersToBuild,
});
