import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { add, arg, local, method, ret, store } from '../../src/aml/build.ts';
import { encodeDefinitionBlock } from '../../src/aml/table-header.ts';
import { readAmlTables } from '../../src/cli/aml-flags.ts';
import { debugAtTerminal } from '../../src/cli/debug-terminal.ts';
import AmlDebugCommand from '../../src/commands/aml/debug.ts';
import { runCommand } from '../support/run-command.ts';

describe('q35 aml debug', () => {
  let directory = '';
  let file = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'q35-debug-'));
    file = join(directory, 'dsdt.aml');
    const identity = { signature: 'DSDT', revision: 2, oemId: 'Q35', oemTableId: 'TEST' };
    const body = [store(add(arg(0), arg(1)), local(0)), ret(local(0))];
    writeFileSync(file, encodeDefinitionBlock(identity, [method('SUM', 2, body)]));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('takes commands from flags', async () => {
    const commands = ['debug \\SUM (40, 2)', 'next', 'locals', 'continue'].flatMap((command) => ['-c', command]);
    const { stdout, exitCode } = await runCommand(AmlDebugCommand, [file, ...commands]);
    expect(stdout.split('\n').filter((line) => !line.startsWith('=>'))).toEqual([
      '\\SUM',
      '\\SUM',
      'Local0 = 0x2A',
      '0x2A',
      '',
    ]);
    expect(exitCode).toBe(0);
  });

  it('refuses a missing table', async () => {
    const { stderr, exitCode } = await runCommand(AmlDebugCommand, [join(directory, 'none.aml'), '-c', 'help']);
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/error FILE_READ: .*\n.*\n {2}mend: /)]);
  });

  it('stands still at a terminal while a line is typed', async () => {
    const flags = { fill: 0, semantics: 'spec', initialize: false } as const;
    const [input, output] = [new PassThrough(), new PassThrough()];
    let text = '';
    output.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    const done = debugAtTerminal({ tables: await readAmlTables([file]), flags }, input, output);
    input.end('debug \\SUM (1, 2)\nprint Arg0 + Arg1\ncontinue\n');
    await done;
    expect(text.match(/0x3/g)).toHaveLength(2);
  }, 20_000);
});
