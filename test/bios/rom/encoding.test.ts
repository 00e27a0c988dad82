import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/bios/rom/assembler/encoder.ts';
import { encodingCorpus } from './encoding-corpus.ts';
import { intelSyntax } from './intel-syntax.ts';

const FIXTURE = new URL('../../../fixtures/rom/encodings.txt', import.meta.url);
/** Room for one instruction: the longest has 15 bytes. */
const SLOT = 16;
const corpus = encodingCorpus();
const hasAs = ['/usr/bin/as', '/usr/local/bin/as'].some((path) => existsSync(path));

function toHex(bytes: Iterable<number>): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/** Lets GNU as assemble every case in a slot of its own and cuts the padding off by what stands there in a second filling. */
function assembleWithGnu(): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'q35-as-'));
  try {
    const images = [0x00, 0xff].map((fill) => {
      const lines = corpus.map((item, index) => {
        const slot = `.org ${index * SLOT}, 0x${fill.toString(16)}`;
        return `${slot}\n.code${item.mode}\n${intelSyntax(item)}`;
      });
      const source = `.intel_syntax noprefix\n${lines.join('\n')}\n.org ${corpus.length * SLOT}, ${fill}\n`;
      writeFileSync(join(directory, 'corpus.s'), source);
      execFileSync('as', ['--64', '-o', 'corpus.o', 'corpus.s'], { cwd: directory, stdio: 'pipe' });
      execFileSync('objcopy', ['-O', 'binary', '-j', '.text', 'corpus.o', 'corpus.bin'], {
        cwd: directory,
        stdio: 'pipe',
      });
      return readFileSync(join(directory, 'corpus.bin'));
    });
    return corpus.map((_, index) => {
      let length = SLOT;
      while (length > 0 && images[0][index * SLOT + length - 1] !== images[1][index * SLOT + length - 1]) length--;
      return toHex(images[0].subarray(index * SLOT, index * SLOT + length));
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function fixtureLines(encodings: readonly string[]): string[] {
  return corpus.map((item, index) => `${item.mode} | ${intelSyntax(item)} | ${encodings[index]}`);
}

describe('instruction encodings', () => {
  it('equal what GNU as makes of the same text, as recorded in fixtures/rom/encodings.txt', () => {
    const ours = corpus.map(({ mode, mnemonic, operands }) => toHex(encode(mode, mnemonic, operands).bytes));
    const recorded = readFileSync(FIXTURE, 'utf8').trimEnd().split('\n');
    expect(fixtureLines(ours)).toEqual(recorded);
  });

  it.skipIf(!hasAs)('the recording is what the installed GNU as makes', () => {
    const lines = fixtureLines(assembleWithGnu());
    if (process.env.Q35_RECORD === '1') writeFileSync(FIXTURE, `${lines.join('\n')}\n`);
    expect(readFileSync(FIXTURE, 'utf8').trimEnd().split('\n')).toEqual(lines);
  });
});
