import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** ACPICA's interpreter, the outside oracle; tests that need it skip by name where it is not installed. */
export const hasAcpiexec = spawnSync('acpiexec', ['-v']).error === undefined;

export interface AcpiexecOptions {
  /** Byte that absent hardware reads as. */
  readonly fill?: number;
  /** Seconds after which a While ends; acpiexec counts the host's time, and Sleep really sleeps. */
  readonly loopSeconds?: number;
}

/**
 * What acpiexec's debugger prints for `commands`. It runs `_REG`, as an OS does, but neither `_STA` nor `_INI` (-di), and gives values
 * as the methods returned them (-dr: no repair).
 */
export async function askAcpiexec(
  tables: readonly Uint8Array[],
  commands: readonly string[],
  { fill = 0, loopSeconds = 1 }: AcpiexecOptions = {},
): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'q35-acpiexec-'));
  try {
    const files = tables.map((table, index) => {
      const file = join(directory, `t${index}.aml`);
      writeFileSync(file, table);
      return file;
    });
    const options = ['-di', '-dr', '-to', `${loopSeconds}`, '-fv', `0x${fill.toString(16)}`];
    return await output('acpiexec', [...options, ...files], `${commands.join('\n')}\nquit\n`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Standard output, whatever the exit code: acpiexec also ends with one when it found leaks of its own. */
function output(program: string, args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    child.stdin.on('error', () => {});
    child.stdin.end(input, 'latin1');
  });
}

/** A BreakPoint in AML stops acpiexec's debugger in the method; `go` lets it run on, and does nothing elsewhere. */
export const evaluateCommands = (paths: readonly string[]): string[] =>
  paths.flatMap((path) => [`evaluate ${path}`, 'go', 'go']);

/** The paths that `find NAME` printed, as ASL writes them. */
export function foundPaths(printed: string): string[] {
  return [...printed.matchAll(/^ *(\\\S+) [A-Z][A-Za-z]+ +0x/gm)].map(([, path]) => path);
}

/**
 * What the `evaluate` commands printed, as words: `I1F` an integer, `Stext`, `B00FF`, `P2` a package and its elements behind it,
 * `RLNKA` a reference, `N` nothing, `ERR AE_…`. `OVERFLOW` where the debugger's own buffer is too small (large packages).
 */
export function evaluatedWords(printed: string): Map<string, string> {
  const results = new Map<string, string>();
  for (const section of printed.split(/^Evaluating /m).slice(1)) {
    const [path] = /^\S+/.exec(section)!;
    const body = section.split(/^[-%] evaluate /m)[0];
    const failure = /failed with status (AE_\w+)/.exec(body);
    const value = body.slice(Math.max(body.indexOf('returned object'), 0));
    if (body.includes('AE_BUFFER_OVERFLOW')) results.set(path, 'OVERFLOW');
    else results.set(path, failure ? `ERR ${failure[1]}` : wordsOf(value.split('\n')) || 'N');
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
    else if (text) words.push(`S${unescaped(text[1])}`);
    else if (pkg) words.push(`P${Number(pkg[1])}`);
    else if (line.includes('[Object Reference]')) words.push(referenceWord(line));
    else if (/\[(Device|Processor)\]/.test(line)) words.push('R');
    else if (/Null/.test(line)) words.push('N');
  }
  return words.join(' ');
}

const referenceWord = (line: string): string => `R${(/Name (\S+)/.exec(line)?.[1] ?? '').replace(/_+$/, '')}`;

/** acpiexec prints a character above 0x7f as a negative number. */
const unescaped = (text: string): string =>
  text.replace(/\\x(?:FFFFFF)?([0-9A-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
