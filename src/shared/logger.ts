/** Where talk goes: stderr in the CLI, an array in tests. Levels as the commands' `--verbose` knows them. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {} };
