import { describe, expect, it } from 'vitest';
import { NarrowValues } from '../../../../src/emulator/cpu/jit/narrow-values.ts';
import { i32, i64, localGet } from '../../../../src/emulator/cpu/wasm/expr.ts';

const [RAX, RCX, TEMPORARY] = [localGet('i64', 0), localGet('i64', 1), localGet('i64', 2)];

describe('values of 32 bits', () => {
  it('are loads of up to four bytes, masks and what is made of them', () => {
    const narrow = new NarrowValues([RAX, RCX]);
    expect(narrow.has(i64.load32u(i32.const(16)))).toBe(true);
    expect(narrow.has(i64.load32s(i32.const(16)))).toBe(false);
    expect(narrow.has(i64.and(RAX, i64.const(0xffff_ffffn)))).toBe(true);
    expect(narrow.has(i64.and(RAX, i64.const(-1)))).toBe(false);
    expect(narrow.has(i64.or(i64.const(0xffff_ffffn), i64.load8u(i32.const(16))))).toBe(true);
    expect(narrow.has(i64.add(i64.const(1), i64.load8u(i32.const(16))))).toBe(false);
    expect(narrow.has(i64.shrU(RAX, i64.const(32)))).toBe(true);
    expect(narrow.has(i64.shrU(RAX, i64.const(31)))).toBe(false);
  });

  it('stand in registers and bound locals until those change', () => {
    const narrow = new NarrowValues([RAX, RCX]);
    narrow.write(0, true, false);
    narrow.bind(TEMPORARY, RAX);
    expect([RAX, RCX, TEMPORARY].map((value) => narrow.has(value))).toEqual([true, false, true]);
    // A write that may not happen can only take away.
    narrow.write(1, true, true);
    narrow.write(0, false, true);
    narrow.release(TEMPORARY.immediate);
    expect([RAX, RCX, TEMPORARY].map((value) => narrow.has(value))).toEqual([false, false, false]);
  });
});
