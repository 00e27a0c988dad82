import { asciiBytes } from '../../shared/bytes.ts';
import { UserError } from '../../shared/errors.ts';
import { characterDevice, directory, encodeCpio, file, symbolicLink } from './cpio.ts';
import { LINUX_INIT } from './linux-init.ts';
import { isElf } from './pvh.ts';

/**
 * The initramfs that reports what Linux saw: busybox, our init, nothing else. The same busybox gives the same bytes.
 * @throws UserError BUSYBOX_FORMAT when `busybox` is not an executable
 */
export function buildInitramfs(busybox: Uint8Array, busyboxFile: string): Uint8Array {
  if (!isElf(busybox)) {
    throw new UserError('BUSYBOX_FORMAT', 'the file is not an executable', {
      place: { file: busyboxFile },
      mend: 'name a statically linked x86-64 busybox (Debian: busybox-static, /bin/busybox)',
    });
  }
  return encodeCpio([
    directory('bin'),
    directory('dev'),
    directory('proc'),
    directory('sys'),
    directory('report'),
    characterDevice('dev/console', 5, 1),
    characterDevice('dev/null', 1, 3, 0o666),
    characterDevice('dev/ttyS0', 4, 64),
    file('bin/busybox', busybox, 0o755),
    symbolicLink('bin/sh', 'busybox'),
    file('init', asciiBytes(LINUX_INIT), 0o755),
  ]);
}
