import { expect, test } from 'vitest';
import { AmlInterpreter } from '../../src/aml/interpreter/interpreter.ts';
import type { AmlObject } from '../../src/aml/interpreter/objects.ts';
import { OSI_STRINGS } from '../../src/aml/interpreter/predefined.ts';
import { UserError } from '../../src/shared/errors.ts';
import { evaluateWithAcpiexec, hasAcpiexec } from './acpiexec.ts';
import { type GoldenMachine, goldenDirectory, goldenMachines } from './golden.ts';

const missing = !goldenDirectory || !hasAcpiexec;
const NAMES = ['_STA', '_HID', '_UID', '_ADR', '_CID', '_CRS', '_PRS', '_PRT', '_PSS', '_CST', '_BBN', '_S3', '_S5'];
/** Groups that Linux turns on and acpiexec does not. */
const HOST_FEATURES = ['Module Device', 'Processor Device', '3.0 _SCP Extensions', 'Processor Aggregator Device'];

function words(object: AmlObject): string {
  switch (object.type) {
    case 'Integer':
      return `I${object.value.toString(16).toUpperCase()}`;
    case 'String':
      return `S${object.value}`;
    case 'Buffer':
      return `B${Buffer.from(object.bytes).toString('hex').toUpperCase()}`;
    case 'Package':
      return [`P${object.elements.length}`, ...object.elements.map(words)].join(' ');
    default:
      return object.type === 'Uninitialized' ? 'N' : 'R';
  }
}

function evaluateHere(interpreter: AmlInterpreter, path: string): string {
  try {
    return words(interpreter.evaluate(path));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `ERR ${error.message.split(':')[0]}`;
  }
}

/** Paths whose value differs from acpiexec's, and how many were compared. */
function compare({ tables }: GoldenMachine): { compared: number; different: string[] } {
  const interpreter = new AmlInterpreter(tables, { osi: OSI_STRINGS.filter((text) => !HOST_FEATURES.includes(text)) });
  const scopes = ['', ...interpreter.paths('Device'), ...interpreter.paths('Processor')];
  const paths = scopes
    .flatMap((scope) => NAMES.map((name) => (scope === '' ? `\\${name}` : `${scope}.${name}`)))
    .filter((path) => interpreter.has(path));
  const oracle = evaluateWithAcpiexec(
    tables.map(({ bytes }) => bytes),
    paths,
  );
  const different: string[] = [];
  let compared = 0;
  for (const path of paths) {
    // acpiexec runs everything in one session, and so do we: what a method writes, later ones read.
    const here = evaluateHere(interpreter, path);
    const there = oracle.get(path);
    if (there === undefined) continue;
    compared++;
    // ACPICA mends ids to upper case.
    const isId = /_(HID|CID)$/.test(path);
    if (isId ? here.toUpperCase() !== there.toUpperCase() : here !== there)
      different.push(`${path}: ${here} / ${there}`);
  }
  return { compared, different };
}

test.skipIf(missing)("QEMU's devices evaluate as in acpiexec (needs golden, acpiexec)", () => {
  const results = goldenMachines('qemu-q35')
    .filter(({ name }) => ['pxb', 'memhp', 'switch'].includes(name))
    .map(compare);
  expect(results.flatMap(({ different }) => different)).toEqual([]);
  expect(results.reduce((sum, { compared }) => sum + compared, 0)).toBeGreaterThan(300);
});

test.skipIf(missing)('devices of real machines evaluate as in acpiexec (needs golden, acpiexec)', () => {
  const results = goldenMachines('real-machines')
    .filter((_, index) => index % 60 === 0)
    .map(compare);
  const compared = results.reduce((sum, result) => sum + result.compared, 0);
  const different = results.flatMap((result) => result.different);
  expect(different.length / compared, different.slice(0, 10).join('\n')).toBeLessThan(0.01);
});
