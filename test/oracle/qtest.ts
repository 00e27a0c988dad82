import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const QEMU = 'qemu-system-x86_64';

/** Whether QEMU is on this machine; tests that compare with it skip by name without it. */
export const hasQemu = spawnSync(QEMU, ['--version']).status === 0;

/** What QEMU runs while its registers are driven. */
export type QemuProcessor =
  /** Stopped: virtual time stands at 0. */
  | 'stopped'
  /** Halted with interrupts off: virtual time passes as real time does. */
  | 'halted';

/** A ROM of 64 KiB whose reset vector is `cli; hlt; jmp`. */
const HALT = { offset: 0xfff0, bytes: [0xfa, 0xf4, 0xeb, 0xfc] } as const;

/** QEMU's q35 with its registers driven over the qtest protocol. */
export class QtestMachine {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #replies: AsyncIterator<string>;
  readonly #folder: string | undefined;

  constructor(args: readonly string[] = [], processor: QemuProcessor = 'stopped') {
    let state = ['-S'];
    if (processor === 'halted') {
      this.#folder = mkdtempSync(join(tmpdir(), 'q35-qtest-'));
      const rom = new Uint8Array(0x1_0000);
      rom.set(HALT.bytes, HALT.offset);
      writeFileSync(join(this.#folder, 'halt.bin'), rom);
      state = ['-bios', join(this.#folder, 'halt.bin')];
    }
    this.#process = spawn(QEMU, [
      ...['-M', 'q35', '-accel', 'tcg', ...state, '-m', '64', '-qtest', 'stdio', '-qtest-log', '/dev/null'],
      ...['-display', 'none', '-nodefaults', '-rtc', 'base=2024-01-01T00:00:00', ...args],
    ]);
    this.#replies = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
  }

  async command(line: string): Promise<string> {
    this.#process.stdin.write(`${line}\n`);
    for (;;) {
      const reply = await this.#replies.next();
      if (reply.done) throw new Error(`QEMU ended at ${line}`);
      if (reply.value.startsWith('OK')) return reply.value.slice(3);
      if (reply.value.startsWith('FAIL')) throw new Error(`${line}: ${reply.value}`);
    }
  }

  async portRead(port: number, size: 1 | 2 | 4): Promise<number> {
    return Number(await this.command(`in${'_bw_l'[size]} 0x${port.toString(16)}`));
  }

  async portWrite(port: number, size: 1 | 2 | 4, value: number): Promise<void> {
    await this.command(`out${'_bw_l'[size]} 0x${port.toString(16)} 0x${value.toString(16)}`);
  }

  async memoryRead(address: number, size: 1 | 2 | 4): Promise<number> {
    return Number(await this.command(`read${'_bw_l'[size]} 0x${address.toString(16)}`));
  }

  async memoryWrite(address: number, size: 1 | 2 | 4, value: number): Promise<void> {
    await this.command(`write${'_bw_l'[size]} 0x${address.toString(16)} 0x${value.toString(16)}`);
  }

  close(): void {
    this.#process.stdin.end();
    this.#process.kill();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** One step of a register script: a write, a read whose value is compared, or at least so many milliseconds of virtual time. */
export type RegisterStep =
  | readonly ['in', number, (1 | 2 | 4)?]
  | readonly ['read', number, (1 | 2 | 4)?]
  | readonly ['out', number, number, (1 | 2 | 4)?]
  | readonly ['write', number, number, (1 | 2 | 4)?]
  | readonly ['wait', number];

/** Runs `steps` on QEMU; the values that the reads gave, in order, each with its step as text. */
export async function runOnQemu(
  steps: readonly RegisterStep[],
  args: readonly string[] = [],
  processor: QemuProcessor = 'stopped',
): Promise<string[]> {
  const machine = new QtestMachine(args, processor);
  const values: string[] = [];
  try {
    for (const step of steps) {
      const address = step[1];
      if (step[0] === 'out') await machine.portWrite(address, step[3] ?? 1, step[2]);
      else if (step[0] === 'write') await machine.memoryWrite(address, step[3] ?? 4, step[2]);
      else if (step[0] === 'wait') await new Promise((resolve) => setTimeout(resolve, step[1]));
      else {
        const value =
          step[0] === 'in'
            ? await machine.portRead(address, step[2] ?? 1)
            : await machine.memoryRead(address, step[2] ?? 4);
        values.push(readingOf(step, value, values.length));
      }
    }
  } finally {
    machine.close();
  }
  return values;
}

/** Ports and memory of our side of a comparison. */
export interface RegisterSpace {
  portRead(port: number, size: 1 | 2 | 4): number;
  portWrite(port: number, size: 1 | 2 | 4, value: number): void;
  memoryRead(address: number, size: 1 | 2 | 4): number;
  memoryWrite(address: number, size: 1 | 2 | 4, value: number): void;
  /** Lets `milliseconds` of virtual time pass; absent where scripts do not wait. */
  wait?(milliseconds: number): void;
}

/** Runs `steps` on our devices, as runOnQemu does on QEMU's. */
export function runOnDevices(steps: readonly RegisterStep[], space: RegisterSpace): string[] {
  const values: string[] = [];
  for (const step of steps) {
    const address = step[1];
    if (step[0] === 'out') space.portWrite(address, step[3] ?? 1, step[2]);
    else if (step[0] === 'write') space.memoryWrite(address, step[3] ?? 4, step[2]);
    else if (step[0] === 'wait') space.wait!(step[1]);
    else {
      const value = step[0] === 'in' ? space.portRead(address, step[2] ?? 1) : space.memoryRead(address, step[2] ?? 4);
      values.push(readingOf(step, value, values.length));
    }
  }
  return values;
}

function readingOf(step: RegisterStep, value: number, index: number): string {
  return `#${index} ${step[0]} 0x${step[1].toString(16)} = 0x${value.toString(16)}`;
}
