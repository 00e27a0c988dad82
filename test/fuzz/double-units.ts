import type { Random } from '../oracle/cpu-vectors/random.ts';
import { DOUBLES } from './memory-map.ts';
import type { Layout } from './program.ts';
import { absolute, type SlotWriter } from './slot-writer.ts';
import { countDown, setCounter, someInstructions } from './straight-code.ts';

/** Scalar and packed, of both precisions. */
const PREFIXES = [0xf2, 0xf2, 0xf2, 0x66, 0x66, 0xf3];
/** ADD MUL SUB DIV MIN MAX, now and then SQRT; AND and XOR of signs; UCOMIS; conversions; moves. */
const ARITHMETIC = [0x58, 0x58, 0x59, 0x59, 0x5c, 0x5e, 0x5d, 0x5f, 0x51];
const OTHERS = [0x5a, 0x2a, 0x2c, 0x2d, 0x10, 0x11, 0xc2];
/** Of packed ones: shuffles, logic, a comparison to flags. */
const PACKED_OTHERS = [...OTHERS, 0x14, 0x15, 0x28, 0x2e, 0x57];
/** XMM0–XMM7. */
const REGISTERS = 8;
/** Longest of them: prefix, two of opcode, ModRM, SIB, displacement, immediate. */
const LONGEST = 10;
const RESERVED = 24;
const NOT_ZERO = 0x75;

/** A loop of arithmetic in floating-point numbers that round, overflow, or are none. */
export function doubles(layout: Layout, writer: SlotWriter): void {
  const { random, mode } = layout;
  if (mode === 16) {
    someInstructions(layout, writer, 4);
    return;
  }
  setCounter(writer, 0, 1 + random.below(30));
  const start = writer.position;
  for (let count = 2 + random.below(6); count > 0 && writer.room >= LONGEST + RESERVED; count--) {
    writer.add(...operation(random, mode));
  }
  countDown(writer, 0);
  writer.shortBranch(NOT_ZERO, start);
  if (random.below(4) === 0 && writer.room >= LONGEST) {
    // STMXCSR: what has happened is seen.
    writer.add(0x0f, 0xae, ...absolute(mode, 3, DOUBLES.linear - 8));
  }
}

function operation(random: Random, mode: 64 | 32): number[] {
  const prefix = random.pick(PREFIXES);
  const packed = prefix === 0x66;
  const others = packed ? PACKED_OTHERS : OTHERS;
  const opcode = random.pick(random.below(4) === 0 ? others : ARITHMETIC);
  const reg = random.below(REGISTERS);
  const linear = DOUBLES.linear + (packed ? 16 * random.below(DOUBLES.count / 2) : 8 * random.below(DOUBLES.count));
  const operand = random.below(2) === 0 ? [0xc0 | (reg << 3) | random.below(REGISTERS)] : absolute(mode, reg, linear);
  // CMPPD and its like have a predicate.
  return [prefix, 0x0f, opcode, ...operand, ...(opcode === 0xc2 ? [random.below(8)] : [])];
}
