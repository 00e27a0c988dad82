import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile } from '../../src/aml/compiler/compile.ts';
import { CompileError } from '../../src/aml/compiler/diagnostics.ts';
import { AmlInterpreter } from '../../src/aml/interpreter/interpreter.ts';
import { integerObject } from '../../src/aml/interpreter/objects.ts';
import { connectRegions, initializeDevices } from '../../src/aml/interpreter/os-start.ts';
import { NT_SEMANTICS, SPEC_SEMANTICS } from '../../src/aml/interpreter/semantics.ts';
import { ROW_BY_CODE } from '../../src/aml/opcodes.ts';
import { TABLE_HEADER_LENGTH } from '../../src/aml/table-header.ts';
import { UserError } from '../../src/shared/errors.ts';
import type { Random } from './random-asl/random.ts';
import { randomSource } from './random-asl/source.ts';

const CORPUS = fileURLToPath(new URL('../../fixtures/aml/interpreter', import.meta.url));

/** Sound tables to spoil: the interpreter's own corpus, which runs every operator. */
export function corpusTables(): Uint8Array[] {
  return readdirSync(CORPUS)
    .filter((file) => file.endsWith('.asl'))
    .sort()
    .map((file) => compile(file, readFileSync(`${CORPUS}/${file}`, 'latin1'), { optimize: 'none' }).tables[0].bytes);
}

/** A table from random ASL; nothing where the compiler refuses the source. */
export function randomTable(seed: number): Uint8Array | undefined {
  try {
    return compile('random.asl', randomSource(seed)).tables[0].bytes;
  } catch (error) {
    if (error instanceof CompileError) return undefined;
    throw error;
  }
}

const OPCODE_BYTES = [...ROW_BY_CODE.keys()].map((code) => (code > 0xff ? [code >> 8, code & 0xff] : [code]));
const EDGES = [0, 1, 0x0a, 0x3f, 0x40, 0x7f, 0x80, 0xfe, 0xff];

/** `table` with a few bytes behind its header changed, doubled, moved or gone; its length says what is there. */
export function mutatedTable(table: Uint8Array, random: Random): Uint8Array {
  const body = [...table.subarray(TABLE_HEADER_LENGTH)];
  const changes = 1 + random.below(6);
  for (let change = 0; change < changes && body.length > 1; change++) {
    const at = random.below(body.length);
    const other = random.below(body.length);
    random.pick([
      () => body.splice(at, 1, body[at] ^ (1 << random.below(8))),
      () => body.splice(at, 1, random.below(256)),
      () => body.splice(at, 1, random.pick(EDGES)),
      () => body.splice(at, 1, body[other]),
      () => overwrite(body, at, random.pick(OPCODE_BYTES)),
      () => overwrite(body, at, body.slice(other, other + 1 + random.below(12))),
      () => body.splice(at, 1 + random.below(4)),
      () => body.splice(at, 0, ...body.slice(other, other + 1 + random.below(12))),
    ])();
  }
  const bytes = new Uint8Array(TABLE_HEADER_LENGTH + body.length);
  bytes.set(table.subarray(0, TABLE_HEADER_LENGTH));
  bytes.set(body, TABLE_HEADER_LENGTH);
  new DataView(bytes.buffer).setUint32(4, bytes.length, true);
  return bytes;
}

/** Same length, so that the packages around still end where they say. */
function overwrite(body: number[], at: number, bytes: readonly number[]): void {
  bytes.slice(0, body.length - at).forEach((byte, index) => {
    body[at + index] = byte;
  });
}

const LIMITS = { steps: 2000, bytes: 0x10_0000 };
const MAX_EVALUATIONS = 40;

/** Loads `table`, starts it as an OS does and evaluates what it declares. Only an error that is no UserError comes out. */
export function runEverything(table: Uint8Array, random: Random): { evaluations: number; failures: number } {
  const counts = { evaluations: 0, failures: 0 };
  const attempt = <Result>(run: () => Result): Result | undefined => {
    counts.evaluations++;
    try {
      return run();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      counts.failures++;
      return undefined;
    }
  };
  const semantics = random.chance(0.5) ? SPEC_SEMANTICS : NT_SEMANTICS;
  const interpreter = attempt(() => new AmlInterpreter([{ bytes: table }], { semantics, limits: LIMITS }));
  if (!interpreter) return counts;
  connectRegions(interpreter);
  initializeDevices(interpreter);
  const args = random.many(7, () => integerObject(BigInt(random.below(4))));
  for (const node of [...interpreter.root.walk()].slice(-MAX_EVALUATIONS))
    attempt(() => interpreter.evaluateNode(node, args));
  return counts;
}
