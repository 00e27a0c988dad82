/**
 * Our compiler against iasl on iasl's own disassembly of golden's tables: the bytes, and what both say about the source.
 *
 *     nice -n 10 node test/aml/report-compiler.ts [--match PATTERN] [--step N]
 *
 * Tables that iasl's disassembler loses, or that its compiler refuses, are counted and left out. Where the bytes differ, the source
 * line of the first difference is printed with the table's name.
 */
import { parseArgs } from 'node:util';
import { type Compilation, compile } from '../../src/aml/compiler/compile.ts';
import { CompileError, type Diagnostic } from '../../src/aml/compiler/diagnostics.ts';
import { sourceSpans } from '../../src/aml/compiler/output/listing.ts';
import { goldenMachines } from './golden.ts';
import { compileAsl, disassembleWithIasl } from './iasl.ts';
import { iaslDiagnostics } from './iasl-diagnostics.ts';

const { match = '', step = '1' } = parseArgs({
  options: { match: { type: 'string' }, step: { type: 'string' } },
}).values;
/** iasl as Debian has it. */
const CREATOR = { creatorId: 'INTL', creatorRevision: 0x2020_0925 };

const totals = { tables: 0, lostByIasl: 0, refusedByIasl: 0, equal: 0, different: 0, refusedByUs: 0 };
interface Kind {
  ours: number;
  iasl: number;
  /** On the same line. */
  both: number;
}
const kinds = new Map<string, Kind>();
const kindOf = (id: string): Kind => {
  const known = kinds.get(id) ?? { ours: 0, iasl: 0, both: 0 };
  kinds.set(id, known);
  return known;
};

function countKinds(diagnostics: readonly Diagnostic[], output: string): void {
  const places = new Set<string>();
  for (const { id, line } of diagnostics) {
    places.add(`${id} ${line}`);
    kindOf(id).ours++;
  }
  for (const { id, line } of iaslDiagnostics(output)) {
    kindOf(id).iasl++;
    if (places.has(`${id} ${line}`)) kindOf(id).both++;
  }
}

function ours(file: string, text: string): Compilation | undefined {
  try {
    return compile(file, text, CREATOR);
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    const [{ line, id, message }] = error.diagnostics.filter(({ severity }) => severity === 'error');
    process.stdout.write(`${file}:${line}: refused: ${id}: ${message}\n`);
    return undefined;
  }
}

function compareBytes(file: string, { tables: [table] }: Compilation, theirs: Uint8Array): void {
  if (Buffer.compare(table.bytes, theirs) === 0) {
    totals.equal++;
    return;
  }
  totals.different++;
  const at = table.bytes.findIndex((byte, index) => index >= 36 && byte !== theirs[index]);
  // A PkgLength differs first: the cause is further on, at the first line whose own bytes are not there.
  const span = sourceSpans(table).find(
    ({ start, end }) => start >= at && !Buffer.from(theirs).includes(Buffer.from(table.bytes.subarray(start, end))),
  );
  const where = span ? `${span.line}: ${span.source.lineText(span.line).trim()}` : `byte ${at}`;
  process.stdout.write(`${file}:${where}: the bytes differ\n`);
}

const tables = [...goldenMachines('qemu-q35'), ...goldenMachines('real-machines')].flatMap((machine) => machine.tables);
tables.forEach(({ file, bytes }, index) => {
  if (!file.includes(match) || index % Number(step) !== 0) return;
  totals.tables++;
  let text = '';
  try {
    text = disassembleWithIasl([bytes]).text;
  } catch {
    // It crashes on some: there is no text then.
  }
  if (text === '') {
    totals.lostByIasl++;
    return;
  }
  const { table: theirs, output } = compileAsl(text, ['-vi']);
  if (!theirs) {
    totals.refusedByIasl++;
    return;
  }
  const compilation = ours(file, text);
  if (!compilation) {
    totals.refusedByUs++;
    return;
  }
  compareBytes(file, compilation, theirs);
  countKinds(compilation.diagnostics, output);
});

const rows = [...kinds].sort(([, left], [, right]) => right.iasl + right.ours - left.iasl - left.ours);
const column = (value: number): string => `${value}`.padStart(8);
process.stdout.write(`${JSON.stringify(totals)}\n${'diagnostic'.padEnd(28)}    ours    iasl    both\n`);
for (const [id, { ours: own, iasl, both }] of rows) {
  process.stdout.write(`${id.padEnd(28)}${column(own)}${column(iasl)}${column(both)}\n`);
}
