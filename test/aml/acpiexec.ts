import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** ACPICA's interpreter, the outside oracle; tests that need it skip by name where it is not installed. */
export const hasAcpiexec = spawnSync('acpiexec', ['-v']).error === undefined;

/**
 * What acpiexec says of each of `paths`, in order, as words: `I1F` an integer, `Stext`, `B00FF`, `P2` a package and its elements
 * behind it, `R` a reference, `N` nothing, `ERR AE_…`. Left out where its own debugger gives up (large packages).
 */
export function evaluateWithAcpiexec(tables: readonly Uint8Array[], paths: readonly string[]): Map<string, string> {
  const directory = mkdtempSync(join(tmpdir(), 'q35-acpiexec-'));
  try {
    const files = tables.map((table, index) => {
      const file = join(directory, `t${index}.aml`);
      writeFileSync(file, table);
      return file;
    });
    const input = `${paths.map((path) => `evaluate ${path}\n`).join('')}quit\n`;
    const { stdout } = spawnSync('acpiexec', ['-di', ...files], { input, encoding: 'latin1', maxBuffer: 2 ** 28 });
    return parseSections(stdout);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function parseSections(output: string): Map<string, string> {
  const results = new Map<string, string>();
  for (const section of output.split(/^Evaluating /m).slice(1)) {
    const [path] = /^\S+/.exec(section)!;
    const body = section.split(/^- /m)[0];
    if (body.includes('AE_BUFFER_OVERFLOW')) continue;
    const failure = /failed with status (AE_\w+)/.exec(body);
    results.set(path, failure ? `ERR ${failure[1]}` : wordsOf(body.split('\n')) || 'N');
  }
  return results;
}

function wordsOf(lines: readonly string[]): string {
  const words: string[] = [];
  for (const line of lines) {
    const dump = /^\s*(?:\[Buffer\] Length [0-9A-F]+ =\s*)?[0-9A-F]{4}: ((?:[0-9A-F]{2} )+)/.exec(line);
    const integer = /\[Integer\] = 0*([0-9A-F]+)/.exec(line);
    const text = /\[String\] Length [0-9A-F]+ = "(.*)"/.exec(line);
    const pkg = /\[Package\] Contains (\d+) Elements/.exec(line);
    if (line.includes('[Buffer] Length')) words.push('B');
    if (dump) words.push(`${words.pop()}${dump[1].replaceAll(' ', '')}`);
    else if (integer) words.push(`I${integer[1]}`);
    else if (text) words.push(`S${text[1]}`);
    else if (pkg) words.push(`P${Number(pkg[1])}`);
    else if (/\[(Object Reference|Device|Processor)\]/.test(line)) words.push('R');
    else if (line.includes('Null')) words.push('N');
  }
  return words.join(' ');
}
