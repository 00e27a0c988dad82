import { SEGMENT_INDEX } from '../state.ts';

/** By byte: SEGMENT_INDEX + 1 of the segment overrides, else 0. */
const SEGMENT_OF = new Uint8Array(256);
for (const [byte, segment] of [
  [0x26, SEGMENT_INDEX.ES],
  [0x2e, SEGMENT_INDEX.CS],
  [0x36, SEGMENT_INDEX.SS],
  [0x3e, SEGMENT_INDEX.DS],
  [0x64, SEGMENT_INDEX.FS],
  [0x65, SEGMENT_INDEX.GS],
] as const) {
  SEGMENT_OF[byte] = segment + 1;
}

/** The legacy and REX prefixes of one instruction; an object that is used again for each. */
export class Prefixes {
  operandOverride = false;
  addressOverride = false;
  /** SEGMENT_INDEX; −1 without an override. */
  segment = -1;
  /** 0xf2 or 0xf3, the last of them; 0 without. */
  repeat = 0;
  lock = false;
  /** 0x40–0x4f, or 0. */
  rex = 0;

  /** Reads prefixes from `bytes[start]` on; returns where the opcode stands, at most `end`. */
  read(bytes: Uint8Array, start: number, end: number, is64: boolean): number {
    this.operandOverride = false;
    this.addressOverride = false;
    this.segment = -1;
    this.repeat = 0;
    this.lock = false;
    this.rex = 0;
    let position = start;
    for (; position < end; position++) {
      const byte = bytes[position];
      if (is64 && (byte & 0xf0) === 0x40) {
        this.rex = byte;
        continue;
      }
      if (!this.#take(byte, is64)) break;
      // A REX prefix counts only right before the opcode.
      this.rex = 0;
    }
    return position;
  }

  #take(byte: number, is64: boolean): boolean {
    switch (byte) {
      case 0x66:
        this.operandOverride = true;
        return true;
      case 0x67:
        this.addressOverride = true;
        return true;
      case 0xf0:
        this.lock = true;
        return true;
      case 0xf2:
      case 0xf3:
        this.repeat = byte;
        return true;
    }
    const segment = SEGMENT_OF[byte] - 1;
    if (segment < 0) return false;
    // 64-bit code ignores the others.
    if (!is64 || segment >= SEGMENT_INDEX.FS) this.segment = segment;
    return true;
  }
}
