import type { DmaPort } from '../../../src/emulator/machine/ports.ts';

/** RAM from address 0 as a bus master sees it; beyond its end every access is refused. */
export class TestMemory implements DmaPort {
  readonly bytes: Uint8Array;

  constructor(byteLength: number) {
    this.bytes = new Uint8Array(byteLength);
  }

  read(iova: number, target: Uint8Array): boolean {
    if (iova + target.length > this.bytes.length) {
      target.fill(0xff);
      return false;
    }
    target.set(this.bytes.subarray(iova, iova + target.length));
    return true;
  }

  write(iova: number, source: Uint8Array): boolean {
    if (iova + source.length > this.bytes.length) return false;
    this.bytes.set(source, iova);
    return true;
  }
}
