import { describe, expect, it } from 'vitest';
import { CPU_MODEL_NAMES, DEFAULT_CPU_MODEL, parseCpuModel } from '../../src/emulator/cpu/model/cpu-model.ts';
import { debianFile } from '../support/debian.ts';
import { bootLinux } from '../support/linux-boot.ts';

const kernel = debianFile('cloudKernel');
const busybox = debianFile('busybox');
/** A boot takes 5 to 10 s of CPU time; machines that test are shared. */
const TIMEOUT = 200_000;
const INSTRUCTION_LIMIT = 6e9;

const INIT = `#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
exec </dev/ttyS0 >/dev/ttyS0 2>&1
echo "Q35 $(grep -m1 ^flags /proc/cpuinfo)"
echo "Q35 $(grep -m1 "^address sizes" /proc/cpuinfo)"
echo "Q35 sum $(echo abc | sha256sum)"
poweroff -f
`;

/** What Linux must find, and must not, besides what every model has. */
const EXPECTED: Readonly<Record<string, readonly [present: readonly string[], absent: readonly string[]]>> = {
  qemu64: [
    ['pni', 'cx16'],
    ['ssse3', 'avx'],
  ],
  'x86-64-v2': [
    ['ssse3', 'sse4_1', 'sse4_2', 'popcnt', 'cx16'],
    ['avx', 'movbe'],
  ],
  'x86-64-v3': [
    ['avx', 'avx2', 'fma', 'bmi1', 'bmi2', 'movbe', 'abm', 'f16c', 'xsave'],
    ['pku', 'la57'],
  ],
  max: [
    ['avx2', 'aes', 'sha_ni', 'adx', 'rdrand', 'rdseed', 'pclmulqdq', 'xsaveopt', 'xsavec', 'xgetbv1', 'xsaves'].concat(
      ['fsgsbase', 'invpcid', 'umip', 'smep', 'smap', 'pku', 'ospke', 'la57', 'pcid'],
    ),
    ['avx512f'],
  ],
};

describe.skipIf(kernel === undefined || busybox === undefined)(
  'Linux on each processor model but the default, which the other boots have (Debian’s kernel and busybox)',
  () => {
    it.each(CPU_MODEL_NAMES.filter((name) => name !== DEFAULT_CPU_MODEL.name))(
      '%s: finds its features and works',
      async (name) => {
        const run = await bootLinux({
          kernelFile: kernel ?? '',
          busyboxFile: busybox ?? '',
          flags: { m: '256' },
          init: INIT,
          cpu: parseCpuModel(name),
          limit: INSTRUCTION_LIMIT,
        });
        expect(run.end).toEqual({ kind: 'power-off' });
        const flags = new Set(/Q35 flags\s*: (.*)/.exec(run.serial)?.[1].trim().split(' '));
        const [present, absent] = EXPECTED[name];
        expect(present.filter((flag) => !flags.has(flag))).toEqual([]);
        expect(absent.filter((flag) => flags.has(flag))).toEqual([]);
        expect(run.serial).toContain(`${flags.has('la57') ? 57 : 48} bits virtual`);
        // `printf 'abc\n' | sha256sum`, which the kernel's and busybox's own ways of computing it must agree on.
        expect(run.serial).toContain('Q35 sum edeaaff3f1774ad2888673770c6d64097e391bc362d7d6fb34982ddf0efd18cb');
      },
      TIMEOUT,
    );
  },
);
