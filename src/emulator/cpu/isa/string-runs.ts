import { DIRECTION } from '../state.ts';
import { i32, i64, select } from '../wasm/expr.ts';
import type { Label } from '../wasm/function-builder.ts';
import type { I32, I64, Semantics, Size } from './semantics.ts';

/**
 * REP string instructions a page at a time. A run does what that many iterations would do, where nothing can go wrong on the way: upwards,
 * inside one page each, which the TLB holds (so it is plain RAM, and for writing neither code nor clean). All else is left to the
 * iteration that follows, one element at a time: it faults, fills the TLB, goes to devices. What a run does must be the same with any
 * TLB, so that a run restored from a snapshot goes on alike: counts of portions and all registers are as single iterations leave them.
 */

const RAX = 0;
const RCX = 1;
const RSI = 6;
const RDI = 7;

/** Shortest run that is worth its preparation, elements. */
const SHORTEST_RUN = 4;

/** `value` of an index register cut to the address size. */
export function stringIndex(c: Semantics, register: number): I64 {
  return i64.and(c.gpr(register, 8), c.addressMask());
}

/** Adds `delta` to an index register in the address size's width. */
export function advanceIndex(c: Semantics, register: number, delta: I64): void {
  const mask = c.let(c.addressMask());
  const old = c.let(c.gpr(register, 8));
  const moved = c.let(i64.and(i64.add(old, delta), mask));
  c.b.if(
    i64.eq(mask, i64.const(0xffff)),
    () => c.setGpr(register, 8, i64.or(i64.and(old, i64.const(~0xffffn)), moved)),
    () => c.setGpr(register, 8, moved),
  );
}

/** Tries a run; `single`: go on with one iteration; `next`: a run is done. `portion` counts down the iterations of this instruction. */
export type StringRun = (c: Semantics, portion: I32, single: Label, next: Label) => void;

/** A place that a run reads or writes. */
interface RunPlace {
  readonly linear: I64;
  readonly room: I64;
}

function place(c: Semantics, which: 'source' | 'destination', write: boolean): RunPlace {
  return c.stringRoom(which, c.let(stringIndex(c, which === 'source' ? RSI : RDI)), write);
}

function cachedHost(c: Semantics, { linear }: RunPlace, write: boolean, single: Label): I32 {
  const host = c.let(c.cachedHost(linear, write));
  c.b.brIf(single, i32.eqz(host));
  return host;
}

function least(c: Semantics, left: I64, right: I64): I64 {
  const a = c.let(left);
  const b = c.let(right);
  return c.let(select(i64.ltU(a, b), a, b));
}

const shiftOf = (size: Size): I64 => i64.const(Math.log2(size));

/** Cheap tests first: most strings are short. */
function leaveIfHopeless(c: Semantics, single: Label): void {
  c.b.brIf(single, i64.ltU(stringIndex(c, RCX), i64.const(SHORTEST_RUN)));
  c.b.brIf(single, i32.ne(c.stateI32(DIRECTION), i32.const(1)));
}

/** Iterations that stay in all places, this portion and RCX. */
function runLength(c: Semantics, portion: I32, places: readonly RunPlace[]): I64 {
  const room = places.map((one) => one.room).reduce((shortest, other) => least(c, shortest, other));
  const wanted = least(c, stringIndex(c, RCX), i64.extendI32U(portion));
  return least(c, wanted, i64.shrU(room, shiftOf(c.size)));
}

function leaveIfShort(c: Semantics, count: I64, single: Label): void {
  c.b.brIf(single, i64.ltU(count, i64.const(SHORTEST_RUN)));
}

/** Registers and portion after `count` iterations of `bytes` bytes in all. */
function finish(c: Semantics, portion: I32, registers: readonly number[], count: I64, bytes: I64): void {
  for (const register of registers) advanceIndex(c, register, bytes);
  advanceIndex(c, RCX, c.let(i64.sub(i64.const(0), count)));
  c.b.set(portion, i32.sub(portion, i32.wrap(count)));
}

export const moveRun: StringRun = (c, portion, single, next) => {
  const { b } = c;
  leaveIfHopeless(c, single);
  const source = place(c, 'source', false);
  const destination = place(c, 'destination', true);
  const count = runLength(c, portion, [source, destination]);
  leaveIfShort(c, count, single);
  const from = cachedHost(c, source, false, single);
  const to = cachedHost(c, destination, true, single);
  const bytes = c.let(i64.shl(count, shiftOf(c.size)));
  // A destination that begins inside the source repeats what lies between.
  b.brIf(single, i32.ltU(i32.sub(to, from), i32.wrap(bytes)));
  b.memoryCopy(to, from, i32.wrap(bytes));
  finish(c, portion, [RSI, RDI], count, bytes);
  b.br(next);
};

export const storeRun: StringRun = (c, portion, single, next) => {
  const { b, size } = c;
  leaveIfHopeless(c, single);
  const destination = place(c, 'destination', true);
  const count = runLength(c, portion, [destination]);
  leaveIfShort(c, count, single);
  const to = cachedHost(c, destination, true, single);
  const bytes = c.let(i64.shl(count, shiftOf(size)));
  const value = c.let(c.gpr(RAX, size));
  const byte = i32.wrap(i64.and(value, i64.const(0xff)));
  if (size === 1) b.memoryFill(to, byte, i32.wrap(bytes));
  else {
    const repeated = i64.mul(
      i64.and(value, i64.const(0xff)),
      i64.const(0x0101_0101_0101_0101n >> BigInt(64 - size * 8)),
    );
    b.plainIf(
      i64.eq(value, repeated),
      () => b.memoryFill(to, byte, i32.wrap(bytes)),
      () => {
        const at = c.let(to);
        const end = c.let(i32.add(to, i32.wrap(bytes)));
        b.plainLoop((again) => {
          b.storeSized(size, at, value);
          b.set(at, i32.add(at, i32.const(size)));
          b.brIf(again, i32.ne(at, end));
        });
      },
    );
  }
  finish(c, portion, [RDI], count, bytes);
  b.br(next);
};

function loadElement(size: Size, address: I32): I64 {
  if (size === 8) return i64.load(address);
  if (size === 4) return i64.load32u(address);
  return size === 2 ? i64.load16u(address) : i64.load8u(address);
}

/**
 * Passes over elements that do not end SCAS or CMPS. The one that does, and the last of the run in any case, is left to a single iteration, which
 * sets the flags.
 */
function passOver(
  c: Semantics,
  portion: I32,
  count: I64,
  registers: readonly number[],
  ends: (offset: I32) => I32,
): void {
  const { b } = c;
  const offset = b.local('i32');
  const last = c.let(i32.sub(i32.wrap(i64.shl(count, shiftOf(c.size))), i32.const(c.size)));
  b.set(offset, i32.const(0));
  b.block((found) => {
    b.plainLoop((again) => {
      b.brIf(found, ends(offset));
      b.set(offset, i32.add(offset, i32.const(c.size)));
      b.brIf(again, i32.ltU(offset, last));
    });
  });
  const bytes = c.let(i64.extendI32U(offset));
  finish(c, portion, registers, c.let(i64.shrU(bytes, shiftOf(c.size))), bytes);
}

/** SCAS; `until` as the prefix says: REPNE ends at an equal element. */
export function scanRun(until: 'zero' | 'not-zero'): StringRun {
  return (c, portion, single) => {
    leaveIfHopeless(c, single);
    const destination = place(c, 'destination', false);
    const count = runLength(c, portion, [destination]);
    leaveIfShort(c, count, single);
    const host = cachedHost(c, destination, false, single);
    const wanted = c.let(c.gpr(RAX, c.size));
    const compare = until === 'zero' ? i64.eq : i64.ne;
    passOver(c, portion, count, [RDI], (offset) => compare(loadElement(c.size, i32.add(host, offset)), wanted));
  };
}

/** CMPS. */
export function compareRun(until: 'zero' | 'not-zero'): StringRun {
  return (c, portion, single) => {
    leaveIfHopeless(c, single);
    const source = place(c, 'source', false);
    const destination = place(c, 'destination', false);
    const count = runLength(c, portion, [source, destination]);
    leaveIfShort(c, count, single);
    const left = cachedHost(c, source, false, single);
    const right = cachedHost(c, destination, false, single);
    const compare = until === 'zero' ? i64.eq : i64.ne;
    passOver(c, portion, count, [RSI, RDI], (offset) =>
      compare(loadElement(c.size, i32.add(left, offset)), loadElement(c.size, i32.add(right, offset))),
    );
  };
}
