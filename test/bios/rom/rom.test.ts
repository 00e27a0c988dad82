import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parsePvh } from '../../../src/bios/boot/pvh.ts';
import { ROM_BYTES } from '../../../src/bios/rom/layout.ts';
import { buildRom } from '../../../src/bios/rom/rom.ts';
import BiosBuildCommand from '../../../src/commands/bios/build.ts';
import { runCommand } from '../../support/run-command.ts';

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('the ROM', () => {
  it('is the same bytes on every build', () => {
    expect(hash(buildRom().bytes)).toBe(hash(buildRom().bytes));
  });

  it('is 128 KiB and starts with a far jump to F000:entry16, 16 bytes before its end', () => {
    const { bytes, symbols } = buildRom();
    expect(bytes.length).toBe(ROM_BYTES);
    const vector = bytes.subarray(-16);
    const entry = symbols.get('entry16')! - 0xf0000;
    expect([...vector.subarray(0, 5)]).toEqual([0xea, entry & 0xff, entry >> 8, 0x00, 0xf0]);
  });
});

describe('q35 bios build', () => {
  it('writes the image and reports its size, hash and symbols', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'q35-rom-'));
    try {
      const out = join(directory, 'q35.rom');
      const probe = join(directory, 'probe.elf');
      const { stdout, exitCode } = await runCommand(BiosBuildCommand, ['--out', out, '--probe', probe, '--json']);
      expect(exitCode).toBe(0);
      const written = readFileSync(out);
      const report = JSON.parse(stdout);
      expect(report).toMatchObject({ out, size: written.length, sha256: hash(written) });
      expect(parsePvh(readFileSync(probe), probe).entry).toBe(0x10_0000);
      expect(report.symbols.main64).toBe(0xe0000);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('reports a place that cannot be written, with exit code 2', async () => {
    const { stderr, exitCode } = await runCommand(BiosBuildCommand, ['--out', 'package.json/q35.rom']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/error FILE_WRITE/);
  });
});
