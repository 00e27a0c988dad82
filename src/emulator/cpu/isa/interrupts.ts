import { CR4_BITS } from '../control-bits.ts';
import { DELIVERY } from '../interpreter/delivery-code.ts';
import { FLAT_SEGMENT, flatAttributes, flatDescriptor } from '../segmentation/flat.ts';
import {
  CPL,
  CR4,
  FLAGS_SYSTEM,
  GDTR_BASE,
  GDTR_LIMIT,
  INTERRUPT_REQUEST,
  REGISTER,
  RFLAGS,
  RIP,
  SEGMENT,
  SEGMENT_ATTRIBUTES,
  SEGMENT_INDEX,
  SEGMENTS,
} from '../state.ts';
import { NMI_BLOCKED, storedRegister } from '../stored-registers.ts';
import { i32, i64 } from '../wasm/expr.ts';
import type { Label } from '../wasm/function-builder.ts';
import { isCanonical } from './canonical.ts';
import {
  isCodeFlat,
  isCodeOf,
  isFlat32,
  isSet,
  setFlags,
  setFlatSegment,
  setNullStack,
  setPrivilege,
} from './privilege.ts';
import { type InstructionRow, row, TRANSFER } from './row.ts';
import type { I32, I64, Semantic, Semantics } from './semantics.ts';

/* INT n and IRET as kernels use them. Every other case is TypeScript's: system/software-interrupts.ts, segmentation/interrupt-return.ts. */

const EVENT_STATE = storedRegister('EVENT_STATE');
/** Flags that IRET takes from the stack at CPL 0; with TF it is TypeScript's. */
const POPPED =
  RFLAGS.CF |
  RFLAGS.PF |
  RFLAGS.AF |
  RFLAGS.ZF |
  RFLAGS.SF |
  RFLAGS.IF |
  RFLAGS.DF |
  RFLAGS.OF |
  RFLAGS.IOPL |
  RFLAGS.NT |
  RFLAGS.AC |
  RFLAGS.VIF |
  RFLAGS.VIP |
  RFLAGS.ID;
/** Segments that a return to the user may have to drop. */
const DATA_SEGMENTS = [SEGMENT_INDEX.ES, SEGMENT_INDEX.DS, SEGMENT_INDEX.FS, SEGMENT_INDEX.GS];
const DPL_3 = 3 << SEGMENT_ATTRIBUTES.DPL_SHIFT;
const SELECTOR = { RPL: 3, TABLE: 4, OFFSET: 0xfff8 } as const;

const interrupt: Semantic = (c) => {
  const vector = i32.and(i32.wrap(c.immediate()), i32.const(0xff));
  const next = c.let(c.nextRip());
  const returnTo = [i32.wrap(next), i32.wrap(i64.shrU(next, i64.const(32)))];
  const isDelivered = c.helper('deliver', [vector, i32.const(-1), i32.const(DELIVERY.SOFTWARE), ...returnTo]);
  c.b.if(isDelivered, () => c.jumpIndirect(c.let(c.stateI64(RIP))));
  c.system();
};

/** From level 0, with nothing that waits to interrupt, no task to go back to, and a whole frame in one page. */
function isUsualReturn(c: Semantics, stack: I64): I32 {
  const flags = c.stateI32(FLAGS_SYSTEM);
  // Descriptors are read as the supervisor whom SMAP watches (SDM vol. 3 §4.6.1); here as whoever runs.
  const isWatched = i32.and(isSet(c.stateI32(CR4), CR4_BITS.SMAP), isSet(flags, RFLAGS.AC));
  return [
    i32.eqz(c.stateI32(CPL)),
    isCodeOf(c, c.size === 8 ? 8 : 4),
    c.size === 8 ? isCodeFlat(c) : isFlat32(c, 0),
    i32.eqz(c.stateI32(INTERRUPT_REQUEST)),
    i32.eqz(i32.or(isSet(flags, RFLAGS.NT | RFLAGS.VM), isWatched)),
    i64.leU(i64.and(stack, i64.const(0xfff)), i64.const(0x1000 - 5 * c.size)),
  ].reduce((all, condition) => i32.and(all, condition));
}

/** Leaves unless `selector` names the one of FLAT_SEGMENT with this DPL, and asks for that level. */
function requireFlat(c: Semantics, selector: I32, segment: number, dpl: 0 | 3, refused: Label): void {
  const rights = i32.and(selector, i32.const(SELECTOR.RPL | SELECTOR.TABLE));
  c.b.brIf(refused, i32.ne(rights, i32.const(dpl)));
  const offset = c.let(i32.and(selector, i32.const(SELECTOR.OFFSET)));
  const isInTable = i32.leU(i32.add(offset, i32.const(7)), c.stateI32(GDTR_LIMIT));
  c.b.brIf(refused, i32.eqz(i32.and(isInTable, i32.ne(offset, i32.const(0)))));
  const descriptor = c.load(c.let(i64.add(c.stateI64(GDTR_BASE), i64.extendI32U(offset))), 8);
  c.b.brIf(refused, i64.ne(descriptor, i64.const(flatDescriptor(segment, dpl))));
}

/** What IRET pops, bound. */
interface Frame {
  readonly rip: I64;
  readonly cs: I32;
  readonly flags: I64;
  readonly rsp: I64;
  readonly ss: I32;
}

function readFrame(c: Semantics, host: I32): Frame {
  const size = c.size;
  const word = (index: number): I64 => c.let(size === 8 ? i64.load(host, index * 8) : i64.load32u(host, index * 4));
  const selector = (index: number): I32 => c.let(i32.load16u(host, index * size));
  return { rip: word(0), cs: selector(1), flags: word(2), rsp: word(3), ss: selector(4) };
}

/** The end of every return: nothing can fault any more. */
function finish(c: Semantics, { rip, cs, flags }: Frame, code: number, dpl: 0 | 3, isStack32: boolean): void {
  setFlags(c, c.let(i64.or(i64.and(flags, i64.const(POPPED)), i64.const(2))));
  setFlatSegment(c, SEGMENT_INDEX.CS, cs, flatAttributes(code, dpl));
  setPrivilege(c, dpl, isStack32);
  c.setStateI32(EVENT_STATE, i32.and(c.stateI32(EVENT_STATE), i32.const(~NMI_BLOCKED)));
  c.jumpIndirect(rip);
}

function returnToUser(c: Semantics, frame: Frame, code: number, refused: Label): void {
  requireFlat(c, frame.cs, code, 3, refused);
  requireFlat(c, frame.ss, FLAT_SEGMENT.DATA, 3, refused);
  for (const segment of DATA_SEGMENTS) {
    const attributes = c.let(c.stateI32(SEGMENTS + segment * SEGMENT.BYTE_LENGTH + SEGMENT.ATTRIBUTES));
    const isUsers = i32.eq(i32.and(attributes, i32.const(DPL_3)), i32.const(DPL_3));
    c.b.brIf(refused, i32.eqz(i32.or(isUsers, isSet(attributes, SEGMENT_ATTRIBUTES.NULL_SEGMENT))));
  }
  setFlatSegment(c, SEGMENT_INDEX.SS, frame.ss, flatAttributes(FLAT_SEGMENT.DATA, 3));
  c.setGpr(REGISTER.RSP, 8, frame.rsp);
  finish(c, frame, code, 3, true);
}

function returnToSupervisor(c: Semantics, frame: Frame, code: number, stack: I64, refused: Label): void {
  requireFlat(c, frame.cs, code, 0, refused);
  if (c.size === 4) {
    c.setGpr(REGISTER.RSP, 4, i64.add(stack, i64.const(3 * 4)));
    finish(c, frame, code, 0, true);
    return;
  }
  c.b.if(i32.eqz(frame.ss), () => {
    setNullStack(c);
    c.setGpr(REGISTER.RSP, 8, frame.rsp);
    finish(c, frame, code, 0, false);
  });
  requireFlat(c, frame.ss, FLAT_SEGMENT.DATA, 0, refused);
  setFlatSegment(c, SEGMENT_INDEX.SS, frame.ss, flatAttributes(FLAT_SEGMENT.DATA, 0));
  c.setGpr(REGISTER.RSP, 8, frame.rsp);
  finish(c, frame, code, 0, true);
}

/** IRETQ in 64-bit code, IRETD in 32-bit code. */
const interruptReturn: Semantic = (c) => {
  if (c.size < 4) {
    c.system();
    return;
  }
  const code = c.size === 8 ? FLAT_SEGMENT.CODE_64 : FLAT_SEGMENT.CODE_32;
  const stack = c.let(c.gpr(REGISTER.RSP, c.size));
  c.b.block((refused) => {
    c.b.brIf(refused, i32.eqz(isUsualReturn(c, stack)));
    const host = c.let(c.cachedHost(stack, false));
    c.b.brIf(refused, i32.eqz(host));
    const frame = readFrame(c, host);
    c.b.brIf(refused, isSet(i32.wrap(frame.flags), c.size === 8 ? RFLAGS.TF : RFLAGS.TF | RFLAGS.VM));
    if (c.size === 8) c.b.brIf(refused, i32.eqz(isCanonical(c, frame.rip)));
    const isToUser = i32.eq(i32.and(frame.cs, i32.const(SELECTOR.RPL)), i32.const(3));
    c.b.if(isToUser, () => returnToUser(c, frame, code, refused));
    returnToSupervisor(c, frame, code, stack, refused);
  });
  c.system();
};

export const INTERRUPT_ROWS: readonly InstructionRow[] = [
  row('1', 0xcd, 'INT', ['Ib'], interrupt, TRANSFER),
  row('1', 0xcf, 'IRET', [], interruptReturn, { ...TRANSFER, sizes: [2, 4, 8] }),
];
