import { describe, expect, test } from 'vitest';
import { FwCfg } from '../../../src/emulator/devices/fw-cfg.ts';
import { FW_CFG_KEYS } from '../../../src/emulator/machine/fw-cfg-keys.ts';
import { asciiBytes, viewOf } from '../../../src/shared/bytes.ts';
import { UserError } from '../../../src/shared/errors.ts';
import { hasQemu, QtestMachine, type RegisterStep, runOnDevices, runOnQemu } from '../../oracle/qtest.ts';
import { DeviceSpace } from '../../oracle/register-space.ts';
import { TestMemory } from './test-memory.ts';

const BASE = 0x510;

function build() {
  const memory = new TestMemory(0x1_0000);
  const errors: string[] = [];
  const fwCfg = new FwCfg(memory, { guestError: (site) => void errors.push(site) });
  const space = new DeviceSpace().port(BASE, 12, fwCfg.ports);
  const select = (key: number) => space.portWrite(BASE, 2, key);
  const readBytes = (count: number) => Uint8Array.from({ length: count }, () => space.portRead(BASE + 1, 1));
  const dma = (control: number, byteLength: number, address: number) => {
    const view = viewOf(memory.bytes);
    view.setUint32(0x100, control);
    view.setUint32(0x104, byteLength);
    view.setUint32(0x108, 0);
    view.setUint32(0x10c, address);
    space.portWrite(BASE + 8, 4, 0x0001_0000);
    return view.getUint32(0x100);
  };
  return { fwCfg, memory, space, select, readBytes, dma, errors };
}

describe('fw_cfg', () => {
  test('answers with its signature, id and zeros behind each item', () => {
    const { select, readBytes } = build();
    expect(readBytes(5)).toEqual(Uint8Array.of(...asciiBytes('QEMU'), 0));
    select(FW_CFG_KEYS.ID);
    expect(readBytes(5)).toEqual(Uint8Array.of(3, 0, 0, 0, 0));
    select(0x7777);
    expect(readBytes(2)).toEqual(Uint8Array.of(0, 0));
  });

  test('lists files by name with keys from 0x20', () => {
    const { fwCfg, select, readBytes } = build();
    fwCfg.addFile('etc/table-loader', Uint8Array.of(1, 2));
    fwCfg.addFile('bootorder', Uint8Array.of(3));
    fwCfg.addFile('etc/e820', Uint8Array.of(4, 5, 6));
    select(FW_CFG_KEYS.FILE_DIR);
    const directory = readBytes(4 + 3 * 64);
    const view = viewOf(directory);
    const names = [0, 1, 2].map((index) => {
      const entry = directory.subarray(4 + index * 64, 68 + index * 64);
      return `${view.getUint32(4 + index * 64)} ${view.getUint16(8 + index * 64)} ${String.fromCharCode(...entry.subarray(8)).replace(/\0+$/, '')}`;
    });
    expect(view.getUint32(0)).toBe(3);
    expect(names).toEqual(['1 32 bootorder', '3 33 etc/e820', '2 34 etc/table-loader']);
    select(0x21);
    expect(readBytes(3)).toEqual(Uint8Array.of(4, 5, 6));
  });

  test('DMA selects, reads, pads with zeros and skips', () => {
    const { fwCfg, memory, dma } = build();
    fwCfg.setItem(FW_CFG_KEYS.KERNEL_DATA, Uint8Array.of(1, 2, 3, 4, 5, 6));
    memory.bytes.fill(0xee, 0x200, 0x210);
    expect(dma((FW_CFG_KEYS.KERNEL_DATA << 16) | 8 | 4, 2, 0)).toBe(0);
    expect(dma(2, 6, 0x200)).toBe(0);
    expect([...memory.bytes.subarray(0x200, 0x207)]).toEqual([3, 4, 5, 6, 0, 0, 0xee]);
  });

  test('DMA writes only files that allow it', () => {
    const { fwCfg, memory, dma, errors } = build();
    const writes: string[] = [];
    const bytes = new Uint8Array(4);
    fwCfg.addFile('etc/vmgenid_addr', bytes, (offset, byteLength) => void writes.push(`${offset}+${byteLength}`));
    memory.bytes.set([9, 8, 7, 6], 0x300);
    expect(dma((0x20 << 16) | 8 | 16, 4, 0x300)).toBe(0);
    expect([...bytes]).toEqual([9, 8, 7, 6]);
    expect(writes).toEqual(['0+4']);
    expect(dma((0x20 << 16) | 8 | 16, 5, 0x300)).toBe(1);
    expect(dma(8 | 16, 4, 0x300)).toBe(1);
    expect(errors).toContain('fw-cfg-dma');
  });

  test('a DMA target that is refused ends in ERROR', () => {
    const { fwCfg, dma } = build();
    fwCfg.setItem(FW_CFG_KEYS.KERNEL_DATA, new Uint8Array(16));
    expect(dma((FW_CFG_KEYS.KERNEL_DATA << 16) | 8 | 2, 16, 0x1_0000)).toBe(1);
  });

  test('refuses names that no directory entry holds', () => {
    expect(() => build().fwCfg.addFile('x'.repeat(56), new Uint8Array())).toThrow(UserError);
  });
});

const script: RegisterStep[] = [
  ...[1, 1, 1, 1, 1].map((): RegisterStep => ['in', BASE + 1]),
  ['in', BASE + 4, 4],
  ['in', BASE + 8, 4],
  ['out', BASE, FW_CFG_KEYS.ID, 2],
  ...[1, 1, 1, 1, 1].map((): RegisterStep => ['in', BASE + 1]),
  ['out', BASE, 0x3abc, 2],
  ['in', BASE + 1],
  ['out', BASE, 0x4000, 2],
  ['in', BASE + 1],
  ['out', BASE + 1, 0x55],
  ['in', BASE + 1],
];

test.skipIf(!hasQemu)('fw_cfg registers read as on QEMU', async () => {
  expect(runOnDevices(script, build().space)).toEqual(await runOnQemu(script));
});

test.skipIf(!hasQemu)('fw_cfg DMA moves the same bytes as on QEMU', async () => {
  const { fwCfg, memory, dma } = build();
  fwCfg.setItem(FW_CFG_KEYS.ID, Uint8Array.of(3, 0, 0, 0));
  const qemu = new QtestMachine();
  try {
    for (const [control, byteLength] of [
      [(FW_CFG_KEYS.SIGNATURE << 16) | 8 | 2, 6],
      [(FW_CFG_KEYS.ID << 16) | 8 | 2, 3],
      [2, 4],
      [(FW_CFG_KEYS.SIGNATURE << 16) | 8 | 16, 4],
      [(FW_CFG_KEYS.SIGNATURE << 16) | 8 | 4, 2],
      [2, 2],
      [(0x3abc << 16) | 8 | 2, 4],
      [8, 100],
    ]) {
      memory.bytes.fill(0xee, 0x400, 0x410);
      await qemu.command(`memset 0x400 0x10 0xee`);
      const descriptor = [control, byteLength, 0, 0x400].map((word) => word.toString(16).padStart(8, '0')).join('');
      await qemu.command(`write 0x100 0x10 0x${descriptor}`);
      await qemu.portWrite(BASE + 8, 4, 0x0001_0000);
      const result = Number.parseInt((await qemu.command('read 0x100 0x4')).slice(2), 16);
      expect(dma(control, byteLength, 0x400)).toBe(result);
      const bytes = [...memory.bytes.subarray(0x400, 0x410)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
      expect(`0x${bytes}`).toBe((await qemu.command('read 0x400 0x10')).trim());
    }
  } finally {
    qemu.close();
  }
});
