import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildInitramfs } from '../../../../src/bios/boot/initramfs.ts';
import { VERIFY_APPEND } from '../../../../src/bios/boot/linux-init.ts';
import { buildFirmware } from '../../../../src/bios/firmware.ts';
import { planPci } from '../../../../src/bios/pci/planner.ts';
import { buildRom } from '../../../../src/bios/rom/rom.ts';
import { verifyLinuxSerial } from '../../../../src/bios/verify/readback/linux.ts';
import { boardOfFlags } from '../../../support/boards.ts';
import { debianFile } from '../../../support/debian.ts';
import { bootOnQemu, hasQemu } from '../../../support/qemu.ts';

const kernels = { cloud: debianFile('cloudKernel'), generic: debianFile('kernel') };
const busybox = debianFile('busybox');

/** Two NUMA nodes, hotplug ports with reserved windows, a bridge behind a port, two further host bridges. */
const DEEP_BOARD = {
  m: '2048',
  smp: '2',
  numa: ['node,mem=1G,cpus=0', 'node,mem=1G,cpus=1', 'dist,src=0,dst=1,val=21'],
  device: [
    'pxb-pcie,id=pxb1,bus_nr=0x40,addr=1,numa_node=0',
    'pxb-pcie,id=pxb2,bus_nr=0x80,addr=2,numa_node=1',
    'pcie-root-port,id=rp0,addr=3',
    'pci-bridge,id=br0,bus=rp0',
    'pci-bridge,id=br1,bus=br0,addr=1',
    'edu,id=edu0,bus=br1,addr=3',
    'pci-testdev,id=test0,bus=br1,addr=4,membar=2G',
    'pcie-root-port,id=rp1,bus=pxb1,hotplug=off',
    'virtio-rng-pci,id=rng0,bus=rp1',
    'pcie-root-port,id=rp2,bus=pxb2',
    'edu,id=edu2,bus=rp2',
    'i82801b11-bridge,id=dmi0,addr=1e',
    'edu,id=edu3,bus=dmi0,addr=2',
  ],
};

describe('what Linux sees on QEMU’s q35 with our ROM and files (qemu-system-x86_64 and Debian’s kernels)', () => {
  const cases = [
    ['cloud kernel, a deep board', kernels.cloud, () => boardOfFlags(DEEP_BOARD)],
    ['generic kernel, a deep board', kernels.generic, () => boardOfFlags(DEEP_BOARD)],
  ] as const;
  for (const [name, kernel, boardOf] of cases) {
    const skip = !hasQemu || kernel === undefined || busybox === undefined;
    it.skipIf(skip)(`is what was built: ${name}`, async () => {
      const board = boardOf();
      const plan = planPci(board.machine);
      const firmware = buildFirmware(board.machine, plan);
      const run = await bootOnQemu({
        board,
        rom: buildRom().bytes,
        firmware,
        kernel: kernel ?? '',
        initrd: buildInitramfs(readFileSync(busybox ?? ''), busybox ?? ''),
        append: VERIFY_APPEND,
        timeoutSeconds: 100,
      });
      const items = await verifyLinuxSerial({ machine: board.machine, plan, firmware }, run.serial);
      expect(items.filter((item) => !item.ok)).toEqual([]);
      expect(items.length).toBeGreaterThan(60);
      expect(run.exitCode).toBe(0);
    });
  }
});
