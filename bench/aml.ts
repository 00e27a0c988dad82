/**
 * The CPU time of disassembling and compiling golden's definition blocks: here in one process, by iasl one process a file.
 *
 *     node bench/aml.ts [--match PATTERN] [--without-iasl]
 *
 * iasl disassembles each table with the others of its machine as externals, and compiles our disassembly, which it accepts.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compile } from '../src/aml/compiler/compile.ts';
import { disassemble } from '../src/aml/disassemble.ts';
import { type GoldenMachine, goldenMachines } from '../test/aml/golden.ts';

const options = {
  match: { type: 'string', default: '' },
  'without-iasl': { type: 'boolean', default: false },
} as const;
const { match, 'without-iasl': withoutIasl } = parseArgs({ options }).values;

interface Seconds {
  disassembling: number;
  compiling: number;
}

function cpuSeconds(body: () => void): number {
  const before = process.cpuUsage();
  body();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const machines = [...goldenMachines('qemu-q35'), ...goldenMachines('real-machines')].filter(({ name }) =>
  name.includes(match),
);
const ours: Seconds = { disassembling: 0, compiling: 0 };
const iasl: Seconds = { disassembling: 0, compiling: 0 };
let largest = { file: '', byteLength: 0, seconds: 0 };
let bytes = 0;
let files = 0;

for (const machine of machines) {
  const sources: string[] = [];
  const seconds = cpuSeconds(() =>
    sources.push(...disassemble(machine.tables, { tolerant: true }).map(({ asl }) => asl)),
  );
  ours.disassembling += seconds;
  ours.compiling += cpuSeconds(() => {
    for (const [index, source] of sources.entries()) compile(machine.tables[index].file, source);
  });
  for (const table of machine.tables) bytes += table.bytes.length;
  files += machine.tables.length;
  const [dsdt] = machine.tables;
  if (dsdt && dsdt.bytes.length > largest.byteLength) {
    const alone = cpuSeconds(() => disassemble([dsdt], { tolerant: true }));
    largest = { file: dsdt.file, byteLength: dsdt.bytes.length, seconds: alone };
  }
  if (!withoutIasl) addIasl(machine, sources);
}

/** Every process that the shell started and waited for, by its builtin `times`. */
function addIasl({ tables }: GoldenMachine, sources: readonly string[]): void {
  const cwd = mkdtempSync(join(tmpdir(), 'q35-bench-aml-'));
  try {
    const names = tables.map((_, index) => `t${index}`);
    tables.forEach((table, index) => {
      writeFileSync(join(cwd, `t${index}.aml`), table.bytes);
      writeFileSync(join(cwd, `t${index}.asl`), sources[index], 'latin1');
    });
    const externals = (name: string) => {
      const others = names.filter((other) => other !== name).map((other) => `${other}.aml`);
      return others.length === 0 ? '' : `-e ${others.join(' ')}`;
    };
    iasl.disassembling += childSeconds(
      cwd,
      names.map((name) => `iasl ${externals(name)} -d ${name}.aml`),
    );
    iasl.compiling += childSeconds(
      cwd,
      names.map((name) => `iasl -oa -p out ${name}.asl`),
    );
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

function childSeconds(cwd: string, commands: readonly string[]): number {
  const script = `${commands.map((command) => `${command} >/dev/null 2>&1`).join('\n')}\ntimes`;
  const lines = execFileSync('bash', ['-c', script], { cwd, encoding: 'latin1' }).trim().split('\n');
  // The second line is that of the children: 0m1.234s 0m0.567s.
  return lines[1].split(' ').reduce((sum, text) => {
    const [, minutes, rest] = /(\d+)m([\d.]+)s/.exec(text)!;
    return sum + 60 * Number(minutes) + Number(rest);
  }, 0);
}

const row = (name: string, { disassembling, compiling }: Seconds): string =>
  `${name.padEnd(8)}${disassembling.toFixed(2).padStart(14)}${compiling.toFixed(2).padStart(12)}${(disassembling + compiling).toFixed(2).padStart(10)}`;

const lines = [
  `${files} files of ${machines.length} machines, ${(bytes / 2 ** 20).toFixed(1)} MiB; CPU seconds`,
  `${''.padEnd(8)}${'disassembling'.padStart(14)}${'compiling'.padStart(12)}${'both'.padStart(10)}`,
  row('q35', ours),
];
if (!withoutIasl) {
  const ratio = {
    disassembling: ours.disassembling / iasl.disassembling,
    compiling: ours.compiling / iasl.compiling,
  };
  const both = (ours.disassembling + ours.compiling) / (iasl.disassembling + iasl.compiling);
  lines.push(row('iasl', iasl));
  lines.push(
    `${'q35/iasl'.padEnd(8)}${ratio.disassembling.toFixed(2).padStart(14)}${ratio.compiling.toFixed(2).padStart(12)}${both.toFixed(2).padStart(10)}`,
  );
}
lines.push(`${largest.file} alone: ${(largest.byteLength / 1024).toFixed(0)} KiB in ${largest.seconds.toFixed(2)} s`);
process.stdout.write(`${lines.join('\n')}\n`);
