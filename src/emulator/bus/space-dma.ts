import type { AccessSize, DmaPort } from '../machine/ports.ts';
import type { AddressSpace, Segment } from './address-space.ts';

/** Bus-master access to an address space: memory by block copies, registers by aligned accesses of up to 4 bytes. */
export class SpaceDma implements DmaPort {
  readonly #space: AddressSpace;
  readonly #bytes: () => Uint8Array;
  readonly #onMemoryWrite: (address: number, byteLength: number) => void;

  /** `onMemoryWrite` hears of each run of plain memory that was written, so that translated code can be forgotten. */
  constructor(
    space: AddressSpace,
    bytes: () => Uint8Array,
    onMemoryWrite: (address: number, byteLength: number) => void,
  ) {
    this.#space = space;
    this.#bytes = bytes;
    this.#onMemoryWrite = onMemoryWrite;
  }

  read(iova: number, target: Uint8Array): boolean {
    let complete = true;
    for (let done = 0; done < target.length; ) {
      const run = this.#space.run(iova + done, target.length - done, false);
      const piece = target.subarray(done, done + run.byteLength);
      if (run.segment === undefined) {
        piece.fill(0xff);
        complete = false;
      } else this.#readSegment(run.segment, iova + done, piece);
      done += run.byteLength;
    }
    return complete;
  }

  write(iova: number, source: Uint8Array): boolean {
    let complete = true;
    for (let done = 0; done < source.length; ) {
      const run = this.#space.run(iova + done, source.length - done, true);
      if (run.segment === undefined) complete = false;
      else this.#writeSegment(run.segment, iova + done, source.subarray(done, done + run.byteLength));
      done += run.byteLength;
    }
    return complete;
  }

  #readSegment(segment: Segment, address: number, target: Uint8Array): void {
    const { content, base } = segment.region;
    if (content.kind === 'memory') {
      const at = content.memory.hostOffset + (address - base);
      this.#space.settle(at, target.length);
      target.set(this.#bytes().subarray(at, at + target.length));
      return;
    }
    for (let done = 0; done < target.length; ) {
      const size = accessSize(address + done, target.length - done);
      const value = this.#space.read(address + done, size);
      for (let index = 0; index < size; index++) target[done + index] = value >>> (8 * index);
      done += size;
    }
  }

  #writeSegment(segment: Segment, address: number, source: Uint8Array): void {
    const { content, base } = segment.region;
    if (content.kind === 'memory') {
      const at = content.memory.hostOffset + (address - base);
      this.#space.settle(at, source.length);
      this.#bytes().set(source, at);
      this.#onMemoryWrite(address, source.length);
      return;
    }
    for (let done = 0; done < source.length; ) {
      const size = accessSize(address + done, source.length - done);
      let value = 0;
      for (let index = size - 1; index >= 0; index--) value = value * 0x100 + source[done + index];
      this.#space.write(address + done, size, value);
      done += size;
    }
  }
}

function accessSize(address: number, byteLength: number): AccessSize {
  if (byteLength >= 4 && address % 4 === 0) return 4;
  return byteLength >= 2 && address % 2 === 0 ? 2 : 1;
}
