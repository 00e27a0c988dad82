import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** ACPICA's compiler, the outside oracle; tests that need it skip by name where it is not installed. */
export const hasIasl = spawnSync('iasl', ['-v']).status === 0;

function inTemporaryDirectory<Result>(body: (directory: string) => Result): Result {
  const directory = mkdtempSync(join(tmpdir(), 'q35-aml-'));
  try {
    return body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export interface Compilation {
  /** Nothing when there were errors. */
  readonly table: Uint8Array | undefined;
  /** What was written all the same: with `-f`. */
  readonly forced: Uint8Array | undefined;
  readonly output: string;
  readonly errors: number;
  readonly warnings: number;
}

/** `iasl` over ASL text. */
export function compileAsl(text: string, options: readonly string[] = []): Compilation {
  return inTemporaryDirectory((directory) => {
    writeFileSync(join(directory, 'table.asl'), text);
    const result = spawnSync('iasl', [...options, '-p', 'table', 'table.asl'], { cwd: directory, encoding: 'latin1' });
    const output = result.stdout + result.stderr;
    const path = join(directory, 'table.aml');
    const [, errors, warnings] = /(\d+) Errors, (\d+) Warnings/.exec(output) ?? [undefined, '-1', '-1'];
    const forced = existsSync(path) ? new Uint8Array(readFileSync(path)) : undefined;
    return {
      table: errors === '0' ? forced : undefined,
      forced,
      output,
      errors: Number(errors),
      warnings: Number(warnings),
    };
  });
}

/** `iasl -d` over tables: the text of the first, and what iasl said. */
export function disassembleWithIasl(tables: readonly Uint8Array[]): { text: string; output: string } {
  return inTemporaryDirectory((directory) => {
    const names = tables.map((table, index) => {
      writeFileSync(join(directory, `t${index}.aml`), table);
      return `t${index}.aml`;
    });
    const externals = names.length > 1 ? ['-e', ...names.slice(1)] : [];
    const output = execFileSync('iasl', [...externals, '-d', names[0]], {
      cwd: directory,
      encoding: 'latin1',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const path = join(directory, 't0.dsl');
    return { text: existsSync(path) ? readFileSync(path, 'latin1') : '', output };
  });
}
