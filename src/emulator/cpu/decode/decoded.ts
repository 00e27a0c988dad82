import type { Size } from '../isa/semantics.ts';
import type { DecodableRow } from '../isa/table.ts';

/** One decoded instruction. Everything that does not depend on register values. */
export interface Decoded {
  entry: DecodableRow;
  /** Bytes, 1–15. */
  length: number;
  size: Size;
  addressSize: 2 | 4 | 8;
  opcode: number;
  modRm: number;
  /** ModRM.reg with REX.R. */
  reg: number;
  /** Register by ModRM.rm with REX.B, or opcode bits 2:0 with REX.B. */
  rm: number;
  isMemory: boolean;
  /** General register of base and index; −1 none, RIP_BASE for rip-relative. */
  base: number;
  index: number;
  /** Left shift of the index. */
  scale: number;
  displacement: number;
  /** SEGMENT_INDEX of the memory operand after overrides. */
  segment: number;
  segmentOverridden: boolean;
  /** Sign-extended immediate or relative offset. */
  immediate: number;
  /** Second immediate: ENTER's level, a far pointer's selector. */
  immediate2: number;
  /** 64-bit immediate or memory offset, where there is one. */
  wide: bigint;
  rex: number;
  lock: boolean;
  repeat: number;
  /** Register by VEX.vvvv; 0 without. */
  vvvv: number;
  /** VEX.L: 256 bits. */
  isWide: boolean;
}

/** `base` of a rip-relative operand. */
export const RIP_BASE = 16;
