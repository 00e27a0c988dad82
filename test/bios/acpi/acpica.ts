import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** ACPICA's tools as outside oracles; tests that need them skip by name where they are not installed. */
export const hasAcpica = spawnSync('iasl', ['-v']).status === 0 && spawnSync('acpiexec', ['-v']).status === 0;

function inTemporaryDirectory<Result>(body: (directory: string) => Result): Result {
  const directory = mkdtempSync(join(tmpdir(), 'q35-acpi-'));
  try {
    return body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** `iasl -d` and `iasl` on the result: the summary line, and the table that came back. */
export function roundTripWithIasl(table: Uint8Array): { disassembly: string; summary: string; again: Uint8Array } {
  return inTemporaryDirectory((cwd) => {
    writeFileSync(join(cwd, 'table.dat'), table);
    const disassembly = spawnSync('iasl', ['-d', 'table.dat'], { cwd, encoding: 'latin1' });
    const compilation = spawnSync('iasl', ['-p', 'again', 'table.dsl'], { cwd, encoding: 'latin1' });
    const output = compilation.stdout + compilation.stderr;
    const summary = /Compilation \w+\. \d+ Errors, \d+ Warnings, \d+ Remarks/.exec(output)?.[0] ?? output;
    return {
      disassembly: disassembly.stdout + disassembly.stderr,
      summary,
      again: new Uint8Array(readFileSync(join(cwd, 'again.aml'))),
    };
  });
}

export interface Evaluation {
  readonly path: string;
  readonly status: string;
}

/** Methods that take buffers: acpiexec hands them integers, which says nothing about the table. */
const WITH_ARGUMENTS = /\._(OSC|SRS)\b/;

/** acpiexec evaluates every predefined name of the DSDT without arguments; `noise` is what ACPICA said besides. */
export function evaluateWithAcpiexec(dsdt: Uint8Array): { evaluations: Evaluation[]; noise: string[] } {
  return inTemporaryDirectory((cwd) => {
    writeFileSync(join(cwd, 'dsdt.dat'), dsdt);
    const { stdout, stderr } = spawnSync('acpiexec', ['-b', 'execute predefined', 'dsdt.dat'], {
      cwd,
      encoding: 'latin1',
      maxBuffer: 1 << 28,
    });
    const lines = `${stdout}\n${stderr}`.split('\n');
    const evaluations = lines.flatMap((line) => {
      const match = /^(\\\S+)\s+returned (AE_\w+)/.exec(line);
      return match && !WITH_ARGUMENTS.test(line) ? [{ path: match[1], status: match[2] }] : [];
    });
    const noise = lines.filter(
      (line) => /ACPI (Error|Warning|BIOS)|Exception/.test(line) && !WITH_ARGUMENTS.test(line),
    );
    return { evaluations, noise };
  });
}
