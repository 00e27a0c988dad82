import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEBUGCON, EXIT_PORT, type OracleImage } from './layout.ts';

const QEMU = 'qemu-system-x86_64';
const CPU = 'qemu64,vendor=GenuineIntel,+smep,+smap,+umip,+rdtscp,-la57,-svm,-fsgsbase';
const CPU_MAX = 'max,vendor=GenuineIntel,-svm';

/** The fixtures were recorded on 7.2; other versions differ in details that the fixtures note as QEMU's own. */
export function hasRecordedQemu(): boolean {
  const { stdout } = spawnSync(QEMU, ['--version'], { encoding: 'utf8' });
  return (stdout ?? '').startsWith('QEMU emulator version 7.2');
}

/** What the image prints on the debug console of QEMU's Q35 under TCG. Throws when it does not end by itself in 20 s. */
export function runOnQemu({ rom, cpu }: Pick<OracleImage, 'rom' | 'cpu'>, processors = 1): string {
  const folder = mkdtempSync(join(tmpdir(), 'q35-oracle-'));
  try {
    writeFileSync(join(folder, 'rom.bin'), rom);
    const output = join(folder, 'output');
    const machine = ['-M', 'q35', '-accel', 'tcg', '-cpu', cpu === 'max' ? CPU_MAX : CPU];
    const board = ['-m', '16', '-smp', String(processors), '-bios', join(folder, 'rom.bin')];
    const quiet = ['-nodefaults', '-display', 'none', '-no-reboot', '-net', 'none'];
    const debug = ['-chardev', `file,id=c,path=${output}`, '-device', `isa-debugcon,iobase=${DEBUGCON},chardev=c`];
    const exit = ['-device', `isa-debug-exit,iobase=${EXIT_PORT},iosize=4`];
    const result = spawnSync(QEMU, [...machine, ...board, ...quiet, ...debug, ...exit], { timeout: 20_000 });
    const text = readFileSync(output, 'latin1');
    if (result.status !== 1)
      throw new Error(`QEMU ended with ${result.status ?? result.signal}: ${result.stderr}\n${text}`);
    return text;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
