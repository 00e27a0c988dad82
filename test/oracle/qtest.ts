import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';

const QEMU = 'qemu-system-x86_64';

/** Whether QEMU is on this machine; tests that compare with it skip by name without it. */
export const hasQemu = spawnSync(QEMU, ['--version']).status === 0;

/**
 * QEMU's q35 with its processor stopped and its registers driven over the qtest protocol. Virtual time stands at 0, so only what does
 * not need time to pass can be compared.
 */
export class QtestMachine {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #replies: AsyncIterator<string>;

  constructor(args: readonly string[] = []) {
    this.#process = spawn(QEMU, [
      ...['-M', 'q35', '-accel', 'tcg', '-S', '-m', '64', '-qtest', 'stdio', '-qtest-log', '/dev/null'],
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
  }
}

/** One step of a register script: a write, or a read whose value is compared. */
export type RegisterStep =
  | readonly ['in', number, (1 | 2 | 4)?]
  | readonly ['read', number, (1 | 2 | 4)?]
  | readonly ['out', number, number, (1 | 2 | 4)?]
  | readonly ['write', number, number, (1 | 2 | 4)?];

/** Runs `steps` on QEMU; the values that the reads gave, in order, each with its step as text. */
export async function runOnQemu(steps: readonly RegisterStep[], args: readonly string[] = []): Promise<string[]> {
  const machine = new QtestMachine(args);
  const values: string[] = [];
  try {
    for (const step of steps) {
      const address = step[1];
      if (step[0] === 'out') await machine.portWrite(address, step[3] ?? 1, step[2]);
      else if (step[0] === 'write') await machine.memoryWrite(address, step[3] ?? 4, step[2]);
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
}

/** Runs `steps` on our devices, as runOnQemu does on QEMU's. */
export function runOnDevices(steps: readonly RegisterStep[], space: RegisterSpace): string[] {
  const values: string[] = [];
  for (const step of steps) {
    const address = step[1];
    if (step[0] === 'out') space.portWrite(address, step[3] ?? 1, step[2]);
    else if (step[0] === 'write') space.memoryWrite(address, step[3] ?? 4, step[2]);
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
