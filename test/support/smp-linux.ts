import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GuestRun } from '../../src/cli/guest-run.ts';
import { bootLinux } from './linux-boot.ts';

/**
 * An init that shows what the processors do together: as many equal jobs as processors, guest/processors.c if it is there, the second processor
 * taken away and brought back, and the kernel's messages about all that.
 */
const INIT = `#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
exec </dev/ttyS0 >/dev/ttyS0 2>&1
stty raw -echo
count=$(grep -c ^processor /proc/cpuinfo)
echo "Q35 processors $count online $(cat /sys/devices/system/cpu/online)"
mkdir /out
index=0
while [ $index -lt $count ]; do
  (seq 1 200 | while read n; do echo $((n * n)); done | sha256sum >/out/$index) &
  index=$((index + 1))
done
wait
echo "Q35 jobs $(cat /out/* | wc -l) sums $(sort -u /out/* | wc -l)"
[ -f /bin/processors ] && processors $count
second=/sys/devices/system/cpu/cpu1/online
[ -f $second ] && echo 0 >$second && echo "Q35 without the second: $(cat /sys/devices/system/cpu/online)"
[ -f $second ] && echo 1 >$second && echo "Q35 with the second: $(cat /sys/devices/system/cpu/online)"
grep -E "RES|CAL|TLB|LOC" /proc/interrupts
dmesg | grep -iE "smp|tsc|x2apic|clocksource|bug:|warning:|stall"
poweroff -f
`;

/** guest/processors.c, compiled; undefined without gcc. */
export function compileProcessorsProgram(): Uint8Array | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'q35-processors-'));
  try {
    const source = fileURLToPath(new URL('guest/processors.c', import.meta.url));
    const { status } = spawnSync('gcc', ['-O2', '-static', '-pthread', '-o', join(folder, 'program'), source]);
    return status === 0 ? new Uint8Array(readFileSync(join(folder, 'program'))) : undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Boots Debian's kernel with `smp` (QEMU's syntax) and returns the run. */
export function bootSmpLinux(
  kernelFile: string,
  busyboxFile: string,
  smp: string,
  options: { readonly regionsAfter?: number; readonly limit?: number; readonly program?: Uint8Array } = {},
): Promise<GuestRun> {
  const { program, regionsAfter, limit } = options;
  const programs = new Map(program === undefined ? [] : [['processors', program]]);
  return bootLinux({ kernelFile, busyboxFile, flags: { m: '256', smp }, init: INIT, programs, regionsAfter, limit });
}
