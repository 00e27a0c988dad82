import type { AccessSize, BusTarget } from '../../src/emulator/machine/ports.ts';
import type { RegisterSpace } from './qtest.ts';

interface Block {
  readonly base: number;
  readonly count: number;
  readonly target: BusTarget;
}

/** A bare port and memory space over chosen blocks, for register scripts. */
export class DeviceSpace implements RegisterSpace {
  readonly #ports: Block[] = [];
  readonly #memory: Block[] = [];
  readonly #clock: { advance(nanoseconds: number): void } | undefined;

  /** `clock` moves at `wait`; without one, scripts cannot wait. */
  constructor(clock?: { advance(nanoseconds: number): void }) {
    this.#clock = clock;
  }

  wait(milliseconds: number): void {
    if (!this.#clock) throw new Error('this space has no clock');
    this.#clock.advance(milliseconds * 1_000_000);
  }

  port(base: number, count: number, target: BusTarget): this {
    this.#ports.push({ base, count, target });
    return this;
  }

  memory(base: number, count: number, target: BusTarget): this {
    this.#memory.push({ base, count, target });
    return this;
  }

  portRead(port: number, size: AccessSize): number {
    const block = find(this.#ports, port);
    return block.target.read(port - block.base, size);
  }

  portWrite(port: number, size: AccessSize, value: number): void {
    const block = find(this.#ports, port);
    block.target.write(port - block.base, size, value);
  }

  memoryRead(address: number, size: AccessSize): number {
    const block = find(this.#memory, address);
    return block.target.read(address - block.base, size);
  }

  memoryWrite(address: number, size: AccessSize, value: number): void {
    const block = find(this.#memory, address);
    block.target.write(address - block.base, size, value);
  }
}

function find(blocks: readonly Block[], address: number): Block {
  const found = blocks.find((block) => address >= block.base && address < block.base + block.count);
  if (!found) throw new Error(`no block at 0x${address.toString(16)}`);
  return found;
}
