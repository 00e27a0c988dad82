import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { characterDevice, directory, encodeCpio, file, symbolicLink } from '../../../src/bios/boot/cpio.ts';
import { buildInitramfs } from '../../../src/bios/boot/initramfs.ts';
import { debianFile } from '../../support/debian.ts';

const busybox = debianFile('busybox');

const archive = encodeCpio([
  directory('dev'),
  characterDevice('dev/console', 5, 1),
  file('init', new TextEncoder().encode('#!/bin/sh\n'), 0o755),
  symbolicLink('sh', 'init'),
]);

describe('a cpio archive', () => {
  it.skipIf(busybox === undefined)('is read by another implementation (busybox cpio)', () => {
    const run = spawnSync(busybox ?? '', ['cpio', '-tv'], { input: archive, encoding: 'utf8' });
    const lines = run.stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.replace(/\s+/g, ' '))).toEqual([
      expect.stringMatching(/^drwxr-xr-x 0\/0 .*dev$/),
      expect.stringMatching(/^crw------- 0\/0 .*dev\/console$/),
      expect.stringMatching(/^-rwxr-xr-x 0\/0 10 .*init$/),
      expect.stringMatching(/^lrwxrwxrwx 0\/0 .*sh -> init$/),
    ]);
  });

  it('starts every entry at a multiple of four, and ends with the trailer', () => {
    const text = new TextDecoder('latin1').decode(archive);
    for (const match of text.matchAll(/070701/g)) expect((match.index ?? 0) % 4).toBe(0);
    expect(text).toMatch(/TRAILER!!!\0+$/);
  });
});

describe('the initramfs', () => {
  it('is the same each time', () => {
    const elf = Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 1, 2, 3]);
    const digest = () => createHash('sha256').update(buildInitramfs(elf, 'busybox')).digest('hex');
    expect(digest()).toBe(digest());
  });

  it('refuses a busybox that is none', () => {
    expect(() => buildInitramfs(new Uint8Array(10), 'busybox')).toThrow(/not an executable/);
  });
});
