import { EFER_BITS } from '../control-bits.ts';
import {
  GS_BASE,
  KERNEL_GS_BASE,
  LSTAR,
  SFMASK,
  STAR,
  SYSENTER_CS,
  SYSENTER_EIP,
  SYSENTER_ESP,
} from '../fast-call-registers.ts';
import { FLAT_SEGMENT, flatAttributes } from '../segmentation/flat.ts';
import {
  CPL,
  EFER,
  EFFECTIVE_BASES,
  FLAGS_SYSTEM,
  INTERRUPT_REQUEST,
  REGISTER,
  RFLAGS,
  SEGMENT_INDEX,
} from '../state.ts';
import { i32, i64 } from '../wasm/expr.ts';
import { isCanonical } from './canonical.ts';
import { statusFlags } from './flags.ts';
import { isCodeFlat, isCodeOf, isFlat32, setFlags, setFlatSegment, setPrivilege } from './privilege.ts';
import { type InstructionRow, row, TRANSFER } from './row.ts';
import type { I32, Semantic, Semantics } from './semantics.ts';

/* System calls as kernels in flat segments make them; every other case is TypeScript's (system/fast-calls.ts). */

const EFFECTIVE_GS_BASE = EFFECTIVE_BASES + SEGMENT_INDEX.GS * 8;
const R11 = 11;

/** Flags that SYSRET takes from R11. */
const RETURNED = 0x003c_7fd7;

const isEnabled = (c: Semantics): I32 => i32.and(c.stateI32(EFER), i32.const(EFER_BITS.SCE));
const isClear = (word: I32, bit: number): I32 => i32.eqz(i32.and(word, i32.const(bit)));

/** Nothing waits to come in behind an instruction that may set IF, single steps included. */
const isQuiet = (c: Semantics, flags: I32): I32 =>
  i32.and(isClear(flags, RFLAGS.TF), i32.eqz(c.stateI32(INTERRUPT_REQUEST)));

/** SYSCALL, without a single-step trap on the way. */
const systemCall: Semantic = (c) => {
  const system = c.let(i32.and(c.stateI32(FLAGS_SYSTEM), i32.const(~RFLAGS.RF)));
  c.b.if(i32.and(i32.and(isEnabled(c), isClear(system, RFLAGS.TF)), isCodeFlat(c)), () => {
    const flags = c.let(i64.or(statusFlags(c), i64.extendI32U(system)));
    c.setGpr(REGISTER.RCX, 8, c.nextRip());
    c.setGpr(R11, 8, flags);
    const masked = i64.and(flags, i64.not(i64.extendI32U(c.stateI32(SFMASK))));
    setFlags(c, c.let(masked));
    const selector = c.let(i32.and(c.stateI32(STAR + 4), i32.const(0xfffc)));
    setFlatSegment(c, SEGMENT_INDEX.CS, selector, flatAttributes(FLAT_SEGMENT.CODE_64, 0));
    setFlatSegment(c, SEGMENT_INDEX.SS, i32.add(selector, i32.const(8)), flatAttributes(FLAT_SEGMENT.DATA, 0));
    setPrivilege(c, 0, true);
    c.jumpIndirect(c.let(c.stateI64(LSTAR)));
  });
  c.system();
};

/** SYSRET to 64-bit code, with nothing that waits to interrupt it. */
const systemReturn: Semantic = (c) => {
  if (c.size !== 8) {
    c.system();
    return;
  }
  const target = c.let(c.gpr(REGISTER.RCX, 8));
  const flags = c.let(i64.or(i64.and(c.gpr(R11, 8), i64.const(RETURNED)), i64.const(2)));
  const isAllowed = i32.and(i32.eqz(c.stateI32(CPL)), i32.and(isEnabled(c), isCanonical(c, target)));
  c.b.if(i32.and(isAllowed, i32.and(isQuiet(c, i32.wrap(flags)), isCodeFlat(c))), () => {
    setFlags(c, flags);
    const base = c.let(i32.shrU(c.stateI32(STAR + 4), i32.const(16)));
    const selectorOf = (distance: number): I32 =>
      i32.and(i32.or(i32.add(base, i32.const(distance)), i32.const(3)), i32.const(0xffff));
    setFlatSegment(c, SEGMENT_INDEX.CS, selectorOf(16), flatAttributes(FLAT_SEGMENT.CODE_64, 3));
    setFlatSegment(c, SEGMENT_INDEX.SS, selectorOf(8), flatAttributes(FLAT_SEGMENT.DATA, 3));
    setPrivilege(c, 3, true);
    c.jumpIndirect(target);
  });
  c.system();
};

/** SYSENTER from flat 32-bit code. */
const systemEnter: Semantic = (c) => {
  const system = c.stateI32(FLAGS_SYSTEM);
  const selector = c.let(i32.and(c.stateI32(SYSENTER_CS), i32.const(0xfffc)));
  const isUsual = i32.and(i32.and(isCodeOf(c, 4), isFlat32(c, 3)), i32.ne(selector, i32.const(0)));
  c.b.if(i32.and(isUsual, isClear(system, RFLAGS.TF)), () => {
    c.setStateI32(FLAGS_SYSTEM, i32.and(system, i32.const(~(RFLAGS.IF | RFLAGS.RF))));
    setFlatSegment(c, SEGMENT_INDEX.CS, selector, flatAttributes(FLAT_SEGMENT.CODE_32, 0));
    setFlatSegment(c, SEGMENT_INDEX.SS, i32.add(selector, i32.const(8)), flatAttributes(FLAT_SEGMENT.DATA, 0));
    setPrivilege(c, 0, true);
    c.setGpr(REGISTER.RSP, 4, c.stateI64(SYSENTER_ESP));
    c.jumpIndirect(c.let(i64.extendI32U(c.stateI32(SYSENTER_EIP))));
  });
  c.system();
};

/** SYSEXIT from flat 32-bit code to such code, with nothing that waits to interrupt it. */
const systemExit: Semantic = (c) => {
  if (c.size !== 4) {
    c.system();
    return;
  }
  const selector = c.let(i32.and(c.stateI32(SYSENTER_CS), i32.const(0xfffc)));
  const isUsual = i32.and(i32.and(isCodeOf(c, 4), isFlat32(c, 0)), i32.ne(selector, i32.const(0)));
  c.b.if(i32.and(i32.and(isUsual, i32.eqz(c.stateI32(CPL))), isQuiet(c, c.stateI32(FLAGS_SYSTEM))), () => {
    const selectorOf = (distance: number): I32 => i32.or(i32.add(selector, i32.const(distance)), i32.const(3));
    setFlatSegment(c, SEGMENT_INDEX.CS, selectorOf(16), flatAttributes(FLAT_SEGMENT.CODE_32, 3));
    setFlatSegment(c, SEGMENT_INDEX.SS, selectorOf(24), flatAttributes(FLAT_SEGMENT.DATA, 3));
    setPrivilege(c, 3, true);
    c.setGpr(REGISTER.RSP, 4, c.gpr(REGISTER.RCX, 4));
    c.jumpIndirect(c.let(c.gpr(REGISTER.RDX, 4)));
  });
  c.system();
};

const swapGsBase: Semantic = (c) => {
  c.b.if(i32.eqz(c.stateI32(CPL)), () => {
    const user = c.let(c.stateI64(GS_BASE));
    const kernel = c.let(c.stateI64(KERNEL_GS_BASE));
    c.setStateI64(GS_BASE, kernel);
    c.setStateI64(EFFECTIVE_GS_BASE, kernel);
    c.setStateI64(KERNEL_GS_BASE, user);
    c.done();
  });
  c.system();
};

export const FAST_CALL_ROWS: readonly InstructionRow[] = [
  row('0f', 0x05, 'SYSCALL', [], systemCall, { ...TRANSFER, only64: true }),
  row('0f', 0x07, 'SYSRET', [], systemReturn, { ...TRANSFER, only64: true, sizes: [4, 8] }),
  row('0f', 0x34, 'SYSENTER', [], systemEnter, TRANSFER),
  row('0f', 0x35, 'SYSEXIT', [], systemExit, { ...TRANSFER, sizes: [4, 8] }),
  row('0f', 0x01, 'SWAPGS', [], swapGsBase, { modRm: 0xf8, only64: true, ends: true, decoded: true }),
];
