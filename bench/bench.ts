import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseRegionsAfter } from '../src/cli/regions-flag.ts';
import { resultChart } from './chart.ts';
import type { Engine } from './engines/engine.ts';
import { q35Engine } from './engines/q35.ts';
import { qemuEngine } from './engines/qemu.ts';
import { v86Engine } from './engines/v86.ts';
import { type GuestImage, guestImage } from './guest-images.ts';
import { partRun } from './marks.ts';
import { chooseParts, type EngineName, GROUPS, GUESTS, type Guest, PARTS, type Part } from './parts.ts';
import { Results } from './results.ts';
import { resultTable } from './table.ts';

const USAGE = `npm run bench -- [part or group ...] [options]

Runs guests on our machine, on QEMU's TCG and (32-bit ones) on v86, in turn, and compares host CPU seconds.

  --list              the parts and groups there are; without names: all
  --rounds N          rounds, of which medians are taken (3)
  --json FILE         the results as JSON
  --chart FILE        a bar chart as SVG (docs/performance.svg is one)
  --engines A,B       only these: q35, qemu, v86
  --regions-after N   our engine compiles a block after N entries; off: never
`;

const ROOT = join(import.meta.dirname, '..');
const OUT = join(ROOT, 'out', 'bench');

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      list: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '3' },
      json: { type: 'string' },
      chart: { type: 'string' },
      engines: { type: 'string', default: 'q35,qemu,v86' },
      'regions-after': { type: 'string' },
    },
  });
  return { ...values, names: positionals };
}

function list(): string {
  const members = (chosen: (part: Part) => boolean) => PARTS.filter(chosen).map(({ name }) => name);
  const groups = Object.entries(GROUPS).map(([name, chosen]) => `${name.padEnd(8)}${members(chosen).join(' ')}`);
  const guests = GUESTS.map(
    ({ name, description, engines }) => `${name.padEnd(8)}${description}: ${engines.join(', ')}`,
  );
  return ['groups', ...groups, '', 'guests', ...guests].join('\n');
}

/** Compiles the programs that run guests in Node, as users run compiled code. */
function compileEngines(): string {
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = spawnSync(process.execPath, [compiler, '-p', join(ROOT, 'bench')], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`tsc failed: ${result.stdout}${result.stderr}`);
  return join(OUT, 'js', 'bench', 'engines');
}

const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);

const flags = options();
if (flags.help) process.stdout.write(USAGE);
else if (flags.list) process.stdout.write(`${list()}\n`);
else await bench(chooseParts(flags.names));

/** The engines that were asked for and can run here. */
function chooseEngines(): Partial<Record<EngineName, Engine>> {
  const programs = compileEngines();
  const all: Record<EngineName, Engine> = {
    q35: q35Engine(programs, parseRegionsAfter(flags['regions-after'])),
    qemu: qemuEngine,
    v86: v86Engine(join(programs, 'v86-process.js')),
  };
  const named = flags.engines.split(',');
  const chosen = Object.entries(all).filter(([name, engine]) => {
    const missing = named.includes(name) ? engine.missing() : undefined;
    if (missing !== undefined) say(`left out: ${name}: ${missing}`);
    return named.includes(name) && missing === undefined;
  });
  return Object.fromEntries(chosen);
}

/** The guests of the chosen parts that can be had here, built. */
function chooseGuests(parts: readonly Part[]): { guest: Guest; image: GuestImage; parts: readonly Part[] }[] {
  return GUESTS.flatMap((guest) => {
    const chosen = parts.filter((part) => part.guest === guest.name);
    if (chosen.length === 0) return [];
    const image = guestImage(guest.name, OUT);
    if (!('missing' in image)) return [{ guest, image, parts: chosen }];
    say(`left out: ${guest.name} (${guest.description}): ${image.missing}`);
    return [];
  });
}

async function bench(chosen: readonly Part[]): Promise<void> {
  const engines = chooseEngines();
  const guests = chooseGuests(chosen);
  const results = new Results(chosen);
  for (let round = 1; round <= Number(flags.rounds); round++) {
    for (const { guest, image, parts } of guests) {
      const workloads = parts.flatMap(({ workload }) => workload ?? []);
      for (const name of guest.engines) {
        const engine = engines[name];
        if (engine === undefined) continue;
        say(`round ${round}: ${guest.name} on ${name}`);
        const marks = await engine.run(image, workloads);
        for (const part of parts) results.add(part, name, partRun(marks, part.workload));
      }
    }
  }
  await report(results);
}

async function report(results: Results): Promise<void> {
  process.stdout.write(`${resultTable(results)}\n`);
  if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(results.toJSON(), null, 2)}\n`);
  if (flags.chart !== undefined) writeFileSync(flags.chart, await resultChart(results));
  const wrong = results.disagreements();
  for (const line of wrong) say(line);
  if (wrong.length > 0) process.exitCode = 1;
}
