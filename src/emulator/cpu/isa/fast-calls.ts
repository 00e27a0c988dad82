import { EFER_BITS } from '../control-bits.ts';
import { FLAT_SEGMENT, flatAttributes } from '../segmentation/flat.ts';
import {
  CPL,
  EFER,
  EFFECTIVE_BASES,
  FLAGS_SYSTEM,
  INTERRUPT_REQUEST,
  REGISTER,
  RFLAGS,
  SEGMENT,
  SEGMENT_INDEX,
  SEGMENTS,
} from '../state.ts';
import { storedRegister } from '../stored-registers.ts';
import { i32, i64 } from '../wasm/expr.ts';
import { isCanonical } from './canonical.ts';
import { statusFlags } from './flags.ts';
import { isCodeFlat, setFlags, setFlatSegment, setPrivilege } from './privilege.ts';
import { type InstructionRow, row, TRANSFER } from './row.ts';
import type { I32, Semantic, Semantics } from './semantics.ts';

/* System calls as 64-bit kernels make them; every other case is TypeScript's (system/fast-calls.ts). */

const STAR = storedRegister('STAR');
const LSTAR = storedRegister('LSTAR');
const SFMASK = storedRegister('SFMASK');
const KERNEL_GS_BASE = storedRegister('KERNEL_GS_BASE');
const GS_BASE = SEGMENTS + SEGMENT_INDEX.GS * SEGMENT.BYTE_LENGTH + SEGMENT.BASE;
const EFFECTIVE_GS_BASE = EFFECTIVE_BASES + SEGMENT_INDEX.GS * 8;
const R11 = 11;

/** Flags that SYSRET takes from R11. */
const RETURNED = 0x003c_7fd7;

const isEnabled = (c: Semantics): I32 => i32.and(c.stateI32(EFER), i32.const(EFER_BITS.SCE));
const isClear = (word: I32, bit: number): I32 => i32.eqz(i32.and(word, i32.const(bit)));

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
  const isQuiet = i32.and(isClear(i32.wrap(flags), RFLAGS.TF), i32.eqz(c.stateI32(INTERRUPT_REQUEST)));
  const isAllowed = i32.and(i32.eqz(c.stateI32(CPL)), i32.and(isEnabled(c), isCanonical(c, target)));
  c.b.if(i32.and(isAllowed, i32.and(isQuiet, isCodeFlat(c))), () => {
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
  row('0f', 0x01, 'SWAPGS', [], swapGsBase, { modRm: 0xf8, only64: true, ends: true, decoded: true }),
];
