import type { BusTarget } from '../machine/ports.ts';

/** QEMU's isa-debug-exit: a write of `value` ends the run with exit code (value << 1) | 1, modulo 256 as processes have it. */
export function isaDebugExit(onExit: (code: number) => void): BusTarget {
  return {
    read: () => 0,
    write: (_offset, _size, value) => onExit(((value << 1) | 1) & 0xff),
  };
}
