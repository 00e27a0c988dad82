import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toQemuArguments } from '../../../src/bios/topology/qemu-arguments.ts';
import type { PciFunctionConfig } from '../../../src/emulator/machine/config.ts';
import { boardOfFlags, defaultBoard } from '../../support/boards.ts';

const QEMU = 'qemu-system-x86_64';
const hasQemu = spawnSync(QEMU, ['--version']).status === 0;

/** `id → slot.function` of every device with an id, from the monitor's `info qtree`. */
function slotsInQemu(qemuArguments: readonly string[]): Map<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'q35-qtree-'));
  // A file, not a pipe: QEMU drops what a full pipe has not taken when it quits.
  const output = join(folder, 'monitor.txt');
  const file = openSync(output, 'w');
  const run = spawnSync(QEMU, [...qemuArguments, '-display', 'none', '-S', '-monitor', 'stdio'], {
    input: 'info qtree\nquit\n',
    stdio: ['pipe', file, 'pipe'],
    encoding: 'utf8',
    timeout: 60_000,
  });
  closeSync(file);
  const tree = readFileSync(output, 'utf8');
  rmSync(folder, { recursive: true });
  expect(run.stderr.replace(/.*warning: .*\n/g, '')).toBe('');
  expect(run.status).toBe(0);
  const slots = new Map<string, string>();
  for (const [, id, addr] of tree.matchAll(/dev: \S+, id "([^"]+)"(?:(?!dev: )[\s\S])*?\baddr = (\S+)/g)) {
    slots.set(id, addr);
  }
  return slots;
}

function slotsOnBoard(functions: readonly PciFunctionConfig[]): [string, string][] {
  return functions.flatMap((fn) => [
    [fn.id, `${fn.device.toString(16).padStart(2, '0')}.${fn.function}`],
    ...slotsOnBoard(fn.secondary ?? []),
  ]);
}

describe.skipIf(!hasQemu)('QEMU (qemu-system-x86_64, skipped where it is not installed)', () => {
  it('accepts the default board with the same slots', () => {
    const board = defaultBoard();
    const slots = slotsInQemu(toQemuArguments(board));
    for (const [id, slot] of slotsOnBoard(board.machine.hostBridges.flatMap((bridge) => bridge.functions))) {
      expect([id, slots.get(id)]).toEqual([id, slot]);
    }
    expect(slots.get('pxb1')).toBe('01.0');
  });

  it('gives the same slots by itself where a board leaves them out', () => {
    const device = [
      'pxb-pcie,id=p0,bus_nr=0x40,bus=pcie.0',
      'edu,id=e0,bus=pcie.0',
      'pcie-root-port,id=r0,bus=p0,chassis=1',
      'pci-bridge,id=b0,bus=pcie.0,chassis_nr=7,shpc=off',
      'edu,id=e1,bus=b0',
      'edu,id=e2,bus=b0',
      'edu,id=e3,bus=r0',
      'edu,id=e4,bus=pcie.0,addr=1d',
      'edu,id=e5,bus=pcie.0',
    ];
    const { machine } = boardOfFlags({ device });
    const slots = slotsInQemu(['-nodefaults', '-machine', 'q35', ...device.flatMap((text) => ['-device', text])]);
    const ours = slotsOnBoard(machine.hostBridges.flatMap((bridge) => bridge.functions));
    expect(ours).toEqual(ours.map(([id]) => [id, slots.get(id)]));
  });

  it('accepts NUMA nodes and a host bridge in one of them', () => {
    const board = boardOfFlags({
      m: '512',
      smp: '2',
      numa: ['node,mem=256M,cpus=0', 'node,mem=256M,cpus=1', 'dist,src=0,dst=1,val=30'],
      device: ['pxb-pcie,id=p0,bus_nr=0x40,numa_node=1'],
    });
    expect(slotsInQemu(toQemuArguments(board)).get('p0')).toBe('01.0');
  });
});
