import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/aml/compiler/compile.ts';
import { AmlInterpreter } from '../../src/aml/interpreter/interpreter.ts';
import { askAcpiexec, evaluateCommands, evaluatedWords, hasAcpiexec } from './acpiexec.ts';
import { evaluateHere } from './acpiexec-comparison.ts';

const DIRECTORY = fileURLToPath(new URL('../../fixtures/aml/interpreter', import.meta.url));

/** Where acpiexec 20200925 does otherwise, by `file METHOD`, and why we do not. */
const MEANT: Readonly<Record<string, string>> = {
  'operators.asl T000': 'computes in elements of a package, which Windows does and acpiexec does not support',
};

/** Methods that acpiexec is asked too: T and a number. S and a number use buses that acpiexec answers with bytes of its own. */
const isCompared = (path: string): boolean => /^\\T\d+$/.test(path);

describe.skipIf(!hasAcpiexec)('the corpus gives what acpiexec gives (needs acpiexec)', () => {
  test.each(readdirSync(DIRECTORY).filter((file) => file.endsWith('.asl')))('%s', async (file) => {
    const source = readFileSync(`${DIRECTORY}/${file}`, 'latin1');
    const { bytes } = compile(file, source, { optimize: 'none' }).tables[0];
    const interpreter = new AmlInterpreter([{ bytes }]);
    const paths = interpreter.paths('Method').filter(isCompared);
    const answers = evaluatedWords(await askAcpiexec([bytes], evaluateCommands(paths)));
    const different: Record<string, string> = {};
    for (const path of paths) {
      const here = evaluateHere(interpreter, path);
      const there = answers.get(path);
      if (here !== there) different[`${file} ${path.slice(1)}`] = `${here} / ${there}`;
    }
    expect(
      Object.keys(different).filter((name) => !(name in MEANT)),
      JSON.stringify(different, undefined, 1),
    ).toEqual([]);
  });
});
