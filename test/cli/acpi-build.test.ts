import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeTable } from '../../src/aml/table-header.ts';
import AcpiBuildCommand from '../../src/commands/acpi/build.ts';
import { runCommand } from '../support/run-command.ts';

const SSDT = encodeTable({ signature: 'SSDT', revision: 2, oemId: 'USER', oemTableId: 'MINE' }, new Uint8Array(0));

let root: string;
let out: string;
let server: Server;
let url: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'q35-build-'));
  server = createServer((request, response) => {
    if (request.url === '/ssdt.aml') response.end(SSDT);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  rmSync(root, { recursive: true });
});

let count = 0;
beforeEach(() => {
  out = join(root, `out${count++}`);
});

describe('q35 acpi build', () => {
  it('writes fw_cfg files under their names, each table by itself, and the plan', async () => {
    const { stdout, exitCode } = await runCommand(AcpiBuildCommand, ['--out', out]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/etc\/table-loader +\d+ bytes/);
    const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).sort();
    for (const name of [
      'etc/acpi/tables',
      'etc/e820',
      'etc/q35/plan',
      'etc/smbios/smbios-anchor',
      'tables/DSDT.aml',
      'plan.json',
    ]) {
      expect(files).toContain(name);
    }
  });

  it('writes the same bytes each time, over its own directory too', async () => {
    const read = () => readFileSync(join(out, 'etc/acpi/tables')).toString('base64');
    await runCommand(AcpiBuildCommand, ['--out', out]);
    const first = read();
    await runCommand(AcpiBuildCommand, ['--out', out]);
    expect(read()).toBe(first);
    expect(readdirSync(root).filter((name) => /partial|old/.test(name))).toEqual([]);
  });

  it('adds a table from a URL', async () => {
    const { stdout } = await runCommand(AcpiBuildCommand, [
      '--json',
      '--acpitable',
      `file=${url}/ssdt.aml`,
      '--out',
      out,
    ]);
    expect(JSON.parse(stdout).tables).toContainEqual({ id: 'SSDT', byteLength: 36 });
  });

  it.each([
    ['a missing file', () => ['--acpitable', 'file=no-such.aml'], /error FILE_READ: no-such\.aml does not exist/],
    ['a URL that answers with an error', () => ['--acpitable', `file=${url}/none`], /error URL_STATUS: .* 404/],
    ['a URL that nothing answers', () => ['--acpitable', 'file=http://127.0.0.1:9/x'], /error URL_UNREACHABLE/],
    ['a table that is cut short', () => ['--acpitable', `file=${shortTable()}`], /error ACPITABLE_LENGTH/],
    ['an unknown key', () => ['--acpitable', 'sgi=A,file=b'], /error ACPITABLE_KEY/],
    ['RAM too small', () => ['--m', '16'], /error RAM_TOO_SMALL/],
  ])('%s: one error, exit code 2, nothing written', async (_, argv, message) => {
    const { stderr, exitCode } = await runCommand(AcpiBuildCommand, [...argv(), '--out', out]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(existsSync(out)).toBe(false);
  });

  it('leaves a directory alone that it did not write', async () => {
    mkdirSync(out);
    writeFileSync(join(out, 'precious'), 'x');
    const { stderr, exitCode } = await runCommand(AcpiBuildCommand, ['--out', out]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/error OUT_OCCUPIED/);
    expect(readdirSync(out)).toEqual(['precious']);
  });
});

function shortTable(): string {
  const path = join(root, 'short.aml');
  writeFileSync(path, SSDT.subarray(0, 30));
  return path;
}
