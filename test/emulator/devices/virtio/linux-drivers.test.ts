import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { characterDevice, directory, encodeCpio, file, symbolicLink } from '../../../../src/bios/boot/cpio.ts';
import BootCommand from '../../../../src/commands/boot.ts';
import { asciiBytes } from '../../../../src/shared/bytes.ts';
import { debianFile } from '../../../support/debian.ts';
import { runCommand } from '../../../support/run-command.ts';

/** In the order in which they can be loaded. */
const MODULES = [
  ...['virtio_ring', 'virtio', 'virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci', 'failover'],
  ...['net_failover', 'virtio_net', 'virtio_blk', 'virtio_console', 'virtio-rng'],
];

const kernel = debianFile('cloudKernel');
const busybox = debianFile('busybox');
const modules = kernel === undefined ? [] : modulesBelow(join(dirname(kernel), '..', 'lib'));
const haveAll =
  busybox !== undefined && MODULES.every((name) => modules.some((path) => basename(path) === `${name}.ko`));

function modulesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ko'))
    .map((path) => join(folder, path));
}

/** Uses each device as its driver offers it; results on the console, a mark before each. */
const INIT = `#!/bin/sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in ${MODULES.join(' ')}; do insmod /m/$module.ko || echo "cannot load $module"; done
echo "blk: $(dd if=/dev/vda bs=4096 2>/dev/null | md5sum) $(cat /sys/block/vda/size) $(cat /sys/block/vda/serial)"
dd if=/bin/busybox of=/dev/vda bs=64k count=8 seek=4 conv=fsync 2>/dev/null
echo 3 > /proc/sys/vm/drop_caches
[ "$(dd if=/dev/vda bs=64k skip=4 count=8 2>/dev/null | md5sum)" = "$(dd if=/bin/busybox bs=64k count=8 2>/dev/null | md5sum)" ] && echo "blk: reads back"
cat > /lease <<'END'
#!/bin/sh
[ "$1" = bound ] && echo "net: $ip $router $subnet" && ifconfig $interface $ip netmask $subnet
END
chmod +x /lease
ifconfig eth0 up
udhcpc -i eth0 -n -q -s /lease >/report 2>&1; grep net: /report
ping -c 3 10.0.2.2 | grep transmitted
echo "rng: $(cat /sys/class/misc/hw_random/rng_current) $(dd if=/dev/hwrng bs=16 count=1 2>/dev/null | wc -c)"
echo hello > /dev/hvc0 && echo "console: sent"
grep virtio /proc/interrupts
poweroff -f
`;

/** Kernel options by the way interrupts then take, and the controller that /proc/interrupts names for it. */
const ROUTES = [
  ['MSI-X', '', 'PCI-MSI'],
  ['INTx and the I/O APIC', 'pci=nomsi', 'IO-APIC'],
  ['INTx and the 8259', 'noapic nolapic', 'XT-PIC'],
] as const;

const title = "Debian's virtio drivers work on our devices by %s (needs the kernel, its modules and busybox)";

test.skipIf(!haveAll).each(ROUTES)(
  title,
  async (_route, options, controller) => {
    const folder = mkdtempSync(join(tmpdir(), 'q35-drivers-'));
    try {
      const at = (name: string) => join(folder, name);
      const disk = Uint8Array.from({ length: 0x10_0000 }, (_, index) => (index * 7) ^ (index >> 9));
      writeFileSync(at('disk.img'), disk);
      const initramfs = encodeCpio([
        ...['bin', 'dev', 'proc', 'sys', 'm'].map((name) => directory(name)),
        characterDevice('dev/console', 5, 1),
        file('bin/busybox', readFileSync(busybox!), 0o755),
        symbolicLink('bin/sh', 'busybox'),
        file('init', asciiBytes(INIT), 0o755),
        ...MODULES.map((name) =>
          file(`m/${name}.ko`, readFileSync(modules.find((path) => basename(path) === `${name}.ko`)!)),
        ),
      ]);
      writeFileSync(at('initramfs'), initramfs);
      const run = await runCommand(BootCommand, [
        ...['--kernel', kernel!, '--initrd', at('initramfs'), '--m', '256'],
        ...['--append', `console=ttyS0 quiet ${options}`],
        ...['--drive', `id=d0,file=${at('disk.img')},if=none,format=raw`, '--netdev', 'user,id=n0'],
        ...['--device', 'pcie-root-port,id=rp0,chassis=1,slot=1'],
        ...['--device', 'virtio-blk-pci,drive=d0,bus=rp0,serial=SER1', '--device', 'virtio-net-pci,netdev=n0'],
        ...['--device', 'virtio-rng-pci', '--device', 'virtio-serial-pci'],
        ...['--serial', `file:${at('serial.txt')}`, '--limit', '8G', '--no-reboot'],
      ]);
      expect(run.exitCode).toBe(0);
      const lines = readFileSync(at('serial.txt'), 'latin1')
        .split('\n')
        .map((line) => line.trim());
      expect(lines).toContain(`blk: ${createHash('md5').update(disk).digest('hex')}  - 2048 SER1`);
      expect(lines).toContain('blk: reads back');
      expect(lines).toContain('net: 10.0.2.15 10.0.2.2 255.255.255.0');
      expect(lines).toContain('3 packets transmitted, 3 packets received, 0% packet loss');
      expect(lines).toContain('rng: virtio_rng.0 16');
      expect(lines).toContain('console: sent');
      expect(lines.filter((line) => line.startsWith('cannot load'))).toEqual([]);
      const interrupts = lines.filter((line) => /^\d+: +\d+ .*virtio/.test(line));
      expect(interrupts.length).toBeGreaterThan(0);
      expect(interrupts.filter((line) => !line.includes(controller))).toEqual([]);
      expect(readFileSync(at('disk.img')).subarray(0x4_0000, 0x4_0004)).toEqual(readFileSync(busybox!).subarray(0, 4));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  300_000,
);
