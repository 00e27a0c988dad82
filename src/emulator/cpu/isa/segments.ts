import { CR4_BITS } from '../control-bits.ts';
import { CODE_SIZE, MODE_BITS } from '../modes.ts';
import { FLAT_LIMIT } from '../segmentation/flat.ts';
import {
  CPL,
  CR4,
  EFFECTIVE_BASES,
  FLAGS_SYSTEM,
  GDTR_BASE,
  GDTR_LIMIT,
  MODE,
  READ_LIMITS,
  RFLAGS,
  SEGMENT,
  SEGMENT_ATTRIBUTES,
  SEGMENT_INDEX,
  SEGMENTS,
  WRITE_LIMITS,
} from '../state.ts';
import { i32, i64, select } from '../wasm/expr.ts';
import type { Label } from '../wasm/function-builder.ts';
import { isSet } from './privilege.ts';
import { type InstructionRow, type RowOptions, row, systemRow } from './row.ts';
import type { I32, I64, Semantic, Semantics, Size } from './semantics.ts';
import { pushValue } from './stack.ts';

/*
 * Segment registers. Kernels of 32-bit systems load DS, ES, FS and GS at each entry and exit: writable data segments, and null ones, are loaded here
 * at CPL 0. The rest (code, LDT, SS, faults) is TypeScript's (segmentation/load-segment.ts).
 */

const ALL: readonly Size[] = [2, 4, 8];
const SELECTOR = { RPL: 3, TABLE: 4, OFFSET: 0xfff8 } as const;
/** Access byte of a descriptor, from bit 40 on: present, accessed, writable data that expands up. */
const WRITABLE = { BITS: 0x9f, VALUE: 0x93 } as const;
const ACCESS_SHIFT = 40n;
const DPL_SHIFT = 45n;
const GRANULARITY = 1n << 55n;

/** What a segment register is to hold, bound. */
interface Contents {
  readonly selector: I32;
  readonly attributes: I32;
  readonly base: I64;
  readonly limit: I32;
  /** First offset past what may be accessed: 0 for a null segment. */
  readonly end: I64;
}

const placeOf = (segment: number): number => SEGMENTS + segment * SEGMENT.BYTE_LENGTH;
const isCode64 = (c: Semantics): I32 =>
  i32.eq(i32.and(c.stateI32(MODE), i32.const(MODE_BITS.CODE_SIZE)), i32.const(CODE_SIZE.BITS_64));

/** Writes the register and what derives from it. */
function setSegment(c: Semantics, segment: number, contents: Contents): void {
  const place = placeOf(segment);
  c.setStateI32(place + SEGMENT.SELECTOR, contents.selector);
  c.setStateI32(place + SEGMENT.ATTRIBUTES, contents.attributes);
  c.setStateI64(place + SEGMENT.BASE, contents.base);
  c.setStateI32(place + SEGMENT.LIMIT, contents.limit);
  if (segment >= SEGMENT_INDEX.FS) c.setStateI64(EFFECTIVE_BASES + segment * 8, contents.base);
  c.b.if(i32.eqz(isCode64(c)), () => {
    c.setStateI64(EFFECTIVE_BASES + segment * 8, contents.base);
    c.setStateI64(READ_LIMITS + segment * 8, contents.end);
    c.setStateI64(WRITE_LIMITS + segment * 8, contents.end);
  });
}

/** DS and ES say whether 32-bit code is flat (modes.ts): leaves where that would change. */
function requireSameFlatness(c: Semantics, segment: number, isFlat: I32, refused: Label): void {
  if (segment >= SEGMENT_INDEX.FS) return;
  const place = placeOf(segment);
  const isWhole = i32.eq(c.stateI32(place + SEGMENT.LIMIT), i32.const(FLAT_LIMIT));
  const isData = i32.eq(
    i32.and(c.stateI32(place + SEGMENT.ATTRIBUTES), i32.const(SEGMENT_ATTRIBUTES.NULL_SEGMENT | 0xe)),
    i32.const(0x2),
  );
  const wasFlat = i32.and(i32.and(isWhole, isData), i64.eqz(c.stateI64(place + SEGMENT.BASE)));
  c.b.brIf(refused, i32.and(i32.eqz(isCode64(c)), i32.xor(isFlat, wasFlat)));
}

/** The descriptor of a selector that is not null; leaves where TypeScript must look. */
function readDescriptor(c: Semantics, selector: I32, refused: Label): I64 {
  const { b } = c;
  b.brIf(refused, isSet(selector, SELECTOR.TABLE));
  const offset = c.let(i32.and(selector, i32.const(SELECTOR.OFFSET)));
  b.brIf(refused, i32.gtU(i32.add(offset, i32.const(7)), c.stateI32(GDTR_LIMIT)));
  const descriptor = c.let(c.load(c.let(i64.add(c.stateI64(GDTR_BASE), i64.extendI32U(offset))), 8));
  const access = i64.and(descriptor, i64.const(BigInt(WRITABLE.BITS) << ACCESS_SHIFT));
  b.brIf(refused, i64.ne(access, i64.const(BigInt(WRITABLE.VALUE) << ACCESS_SHIFT)));
  const dpl = i32.and(i32.wrap(i64.shrU(descriptor, i64.const(DPL_SHIFT))), i32.const(3));
  b.brIf(refused, i32.ltU(dpl, i32.and(selector, i32.const(SELECTOR.RPL))));
  return descriptor;
}

function contentsOf(c: Semantics, selector: I32, descriptor: I64): Contents {
  const field = (shift: number, mask: bigint): I64 => i64.and(i64.shrU(descriptor, i64.const(shift)), i64.const(mask));
  const base = c.let(i64.or(field(16, 0xff_ffffn), field(32, 0xff00_0000n)));
  const units = c.let(i64.or(field(0, 0xffffn), field(32, 0xf_0000n)));
  const isCoarse = i32.eqz(i64.eqz(i64.and(descriptor, i64.const(GRANULARITY))));
  const end = c.let(i64.add(units, i64.const(1)));
  const bytes = c.let(select(isCoarse, i64.shl(end, i64.const(12)), end));
  const limit = c.let(i32.wrap(i64.sub(bytes, i64.const(1))));
  return { selector, attributes: c.let(i32.wrap(field(40, 0xf0ffn))), base, limit, end: bytes };
}

/** Loads DS, ES, FS or GS at CPL 0; `finish` does the rest of the instruction. Otherwise nothing has happened. */
function loadSegment(c: Semantics, segment: number, selector: I32, finish: () => void): void {
  const { b } = c;
  const { PROTECTED, VIRTUAL_8086 } = MODE_BITS;
  b.block((refused) => {
    const mode = i32.and(c.stateI32(MODE), i32.const(PROTECTED | VIRTUAL_8086));
    b.brIf(refused, i32.or(i32.ne(mode, i32.const(PROTECTED)), c.stateI32(CPL)));
    // Descriptors are read as the supervisor whom SMAP watches (SDM vol. 3 §4.6.1); here as whoever runs.
    b.brIf(refused, i32.and(isSet(c.stateI32(CR4), CR4_BITS.SMAP), isSet(c.stateI32(FLAGS_SYSTEM), RFLAGS.AC)));
    b.if(i32.eqz(i32.and(selector, i32.const(~SELECTOR.RPL))), () => {
      requireSameFlatness(c, segment, i32.const(0), refused);
      const nothing = { base: i64.const(0), limit: i32.const(0), end: i64.const(0) };
      setSegment(c, segment, { selector, attributes: i32.const(SEGMENT_ATTRIBUTES.NULL_SEGMENT), ...nothing });
      finish();
      c.done();
    });
    const contents = contentsOf(c, selector, readDescriptor(c, selector, refused));
    const isWhole = i32.eq(contents.limit, i32.const(FLAT_LIMIT));
    requireSameFlatness(c, segment, i32.and(isWhole, i64.eqz(contents.base)), refused);
    setSegment(c, segment, contents);
    finish();
    c.done();
  });
  c.system();
}

const moveTo =
  (segment: number): Semantic =>
  (c) =>
    loadSegment(c, segment, c.let(i32.wrap(c.get(0))), () => {});

const pop =
  (segment: number): Semantic =>
  (c) => {
    const value = c.let(c.stackLoad(c.let(c.stackOffset(0)), c.size));
    const selector = c.let(i32.and(i32.wrap(value), i32.const(0xffff)));
    loadSegment(c, segment, selector, () => c.setStackOffset(c.let(c.stackOffset(c.size))));
  };

const selectorOf = (c: Semantics, segment: number): I64 =>
  c.let(i64.extendI32U(c.stateI32(placeOf(segment) + SEGMENT.SELECTOR)));

const push =
  (segment: number): Semantic =>
  (c) =>
    pushValue(c, c.size, selectorOf(c, segment));

const moveFrom =
  (segment: number): Semantic =>
  (c) =>
    c.set(0, selectorOf(c, segment));

const { ES, CS, SS, DS, FS, GS } = SEGMENT_INDEX;
/** POP and MOV end a block where TypeScript runs them, as the mode may change. */
const LOADS: RowOptions = { ends: true, decoded: true, sizes: ALL };
const LEGACY: RowOptions = { no64: true, sizes: ALL, stack: true };
const WIDE: RowOptions = { default64: true, sizes: ALL, stack: true };

export const SEGMENT_ROWS: readonly InstructionRow[] = [
  row('1', 0x06, 'PUSH_SREG', [], push(ES), LEGACY),
  row('1', 0x0e, 'PUSH_SREG', [], push(CS), LEGACY),
  row('1', 0x16, 'PUSH_SREG', [], push(SS), LEGACY),
  row('1', 0x1e, 'PUSH_SREG', [], push(DS), LEGACY),
  row('0f', 0xa0, 'PUSH_SREG', [], push(FS), WIDE),
  row('0f', 0xa8, 'PUSH_SREG', [], push(GS), WIDE),
  row('1', 0x07, 'POP_SREG', [], pop(ES), { ...LOADS, ...LEGACY }),
  systemRow('1', 0x17, 'POP_SREG', [], { no64: true, sizes: ALL }),
  row('1', 0x1f, 'POP_SREG', [], pop(DS), { ...LOADS, ...LEGACY }),
  row('0f', 0xa1, 'POP_SREG', [], pop(FS), { ...LOADS, ...WIDE }),
  row('0f', 0xa9, 'POP_SREG', [], pop(GS), { ...LOADS, ...WIDE }),
  // By ModRM.reg: a load of SS or of what there is not is TypeScript's.
  ...[ES, DS, FS, GS].map((segment) =>
    row('1', 0x8e, 'MOV_TO_SREG', ['Ew'], moveTo(segment), { ...LOADS, group: segment }),
  ),
  ...[CS, SS, 6, 7].map((group) => systemRow('1', 0x8e, 'MOV_TO_SREG', ['Ew'], { sizes: ALL, group })),
  ...[ES, CS, SS, DS, FS, GS].map((segment) =>
    row('1', 0x8c, 'MOV_FROM_SREG', ['Ev'], moveFrom(segment), { group: segment, only: 'reg' }),
  ),
  ...[6, 7].map((group) => systemRow('1', 0x8c, 'MOV_FROM_SREG', ['Ev'], { group, only: 'reg', ends: false })),
  systemRow('1', 0x8c, 'MOV_FROM_SREG', ['Ev'], { only: 'mem', ends: false }),
];
