import { describe, expect, test } from 'vitest';
import type { Compressor } from '../../../src/emulator/machine/snapshot/compressor.ts';
import { groupRuns, usedPages } from '../../../src/emulator/machine/snapshot/ram-pages.ts';
import {
  bytesInMemory,
  decodeSnapshot,
  encodeSnapshot,
  restoreSnapshot,
} from '../../../src/emulator/machine/snapshot/snapshot-file.ts';
import { boardConfig, scriptedMachine } from './scripted-machine.ts';

const PAGE = 0x1000;
/** No compression, but a sum at the end: what the port asks for. */
const plain: Compressor = {
  method: 'plain',
  checksum: sum,
  compress: (bytes) => Uint8Array.of(...bytes, sum(bytes)),
  decompress: (bytes, byteLength) => {
    if (bytes.length !== byteLength + 1) throw new Error('length');
    if (sum(bytes.subarray(0, byteLength)) !== bytes[byteLength]) throw new Error('sum');
    return bytes.subarray(0, byteLength);
  },
};
function sum(bytes: Uint8Array): number {
  return bytes.reduce((total, byte) => (total + byte) & 0xff, 0);
}

/** Firmware small enough for a compressor that spreads its bytes. */
const OPTIONS = { fwCfg: { files: new Map([['opt/a', Uint8Array.of(1, 2, 3)]]) } };

function savedFile(): Uint8Array {
  const { machine } = scriptedMachine(undefined, { ...OPTIONS, rom: new Uint8Array(PAGE) });
  const ram = machine.memory.ram();
  ram[0x5000] = 7;
  ram[0x6fff] = 8;
  ram[ram.length - 1] = 9;
  return encodeSnapshot(machine, plain, { note: 'host' });
}

describe('a snapshot file', () => {
  test('brings back RAM, state, what the machine was built from, and the host’s own part', () => {
    const snapshot = decodeSnapshot(bytesInMemory(savedFile()), plain, 'file');
    expect(snapshot.host).toEqual({ note: 'host' });
    expect(snapshot.inputs.files.get('opt/a')).toEqual(Uint8Array.of(1, 2, 3));
    const { machine } = scriptedMachine(snapshot.inputs.config, { ...OPTIONS, rom: snapshot.inputs.rom });
    machine.memory.ram()[0x5000] = 1;
    restoreSnapshot(machine, snapshot, 'file');
    const ram = machine.memory.ram();
    expect([ram[0x5000], ram[0x6fff], ram[ram.length - 1]]).toEqual([7, 8, 9]);
  });

  test('leaves out the pages that are all zeros', () => {
    const ram = new Uint8Array(16 * PAGE);
    for (const page of [0, 3, 4, 15]) ram[page * PAGE + page] = 1;
    const runs = [
      { first: 0, count: 1 },
      { first: 3, count: 2 },
      { first: 15, count: 1 },
    ];
    ram[0] = 1;
    expect(usedPages(ram)).toEqual(runs);
    expect(groupRuns(runs, 3)).toEqual([runs.slice(0, 2), runs.slice(2)]);
    expect(savedFile().length).toBeLessThan(6 * PAGE + 20_000);
  });

  test.each([
    ['is no snapshot', 'SNAPSHOT_FORMAT', (file: Uint8Array) => file.fill(0x41, 0, 4)],
    ['is of another version', 'SNAPSHOT_VERSION', (file: Uint8Array) => file.fill(99, 8, 9)],
    ['has a damaged header', 'SNAPSHOT_DAMAGED', (file: Uint8Array) => file.fill(0x20, 100, 101)],
    ['ends within the prologue', 'SNAPSHOT_DAMAGED', (file: Uint8Array) => file.subarray(0, 20)],
    ['ends within the header', 'SNAPSHOT_DAMAGED', (file: Uint8Array) => file.subarray(0, 200)],
  ])('that %s is refused with %s', (_what, code, spoil) => {
    expect(() => decodeSnapshot(bytesInMemory(spoil(savedFile())), plain, 'file')).toThrow(
      expect.objectContaining({ code }),
    );
  });

  test('whose RAM is damaged is refused when RAM is filled', () => {
    const file = savedFile();
    file[file.length - 1] ^= 1;
    const snapshot = decodeSnapshot(bytesInMemory(file), plain, 'file');
    const { machine } = scriptedMachine(snapshot.inputs.config, { ...OPTIONS, rom: snapshot.inputs.rom });
    expect(() => restoreSnapshot(machine, snapshot, 'file')).toThrow(
      expect.objectContaining({ code: 'SNAPSHOT_DAMAGED' }),
    );
  });

  test('compressed by another method is refused', () => {
    const other = { ...plain, method: 'other' };
    expect(() => decodeSnapshot(bytesInMemory(savedFile()), other, 'file')).toThrow(
      expect.objectContaining({ code: 'SNAPSHOT_VERSION', message: expect.stringContaining('plain instead of other') }),
    );
  });

  test('with a part of another version is refused, and says which', () => {
    const snapshot = decodeSnapshot(bytesInMemory(savedFile()), plain, 'file');
    const { components } = snapshot.state;
    const newer = { ...components, PIT: { ...components.PIT, version: 2 } };
    const { machine } = scriptedMachine(snapshot.inputs.config, { ...OPTIONS, rom: snapshot.inputs.rom });
    const changed = { ...snapshot, state: { ...snapshot.state, components: newer } };
    expect(() => restoreSnapshot(machine, changed, 'file')).toThrow(
      expect.objectContaining({ code: 'SNAPSHOT_VERSION', message: expect.stringContaining('PIT has version 2') }),
    );
  });

  test.each([
    ['memory', { config: { ...boardConfig(), ramBytes: 0xa0_0000 } }, 'memory'],
    ['devices', { config: boardConfig([{ id: 'edu', model: 'edu', device: 3 }]) }, 'PCI devices'],
    ['a ROM', { rom: new Uint8Array(PAGE).fill(1) }, 'ROM'],
    ['a file', { fwCfg: { files: new Map([['opt/a', Uint8Array.of(1, 2, 4)]]) } }, 'fw_cfg file opt/a'],
    ['a file more', { fwCfg: { files: new Map([...OPTIONS.fwCfg.files, ['b', Uint8Array.of(1)]]) } }, 'fw_cfg file b'],
  ] as const)('of a board that differs in %s is refused, and says so', (_what, change, part) => {
    const snapshot = decodeSnapshot(bytesInMemory(savedFile()), plain, 'file');
    const config = 'config' in change ? change.config : snapshot.inputs.config;
    const { machine } = scriptedMachine(config, { ...OPTIONS, rom: snapshot.inputs.rom, ...change });
    expect(() => restoreSnapshot(machine, snapshot, 'file')).toThrow(
      expect.objectContaining({ code: 'SNAPSHOT_BOARD', message: expect.stringContaining(part) }),
    );
  });
});
