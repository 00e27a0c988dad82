import { MODE_BITS } from '../modes.ts';
import { CPL, FLAGS_SYSTEM, INTERRUPT_REQUEST, MODE, NO_SHADOW, RFLAGS, STI_SHADOW_RIP } from '../state.ts';
import { i32, i64, select } from '../wasm/expr.ts';
import { condition, setStatusFlags, statusFlags, zeroExtend } from './flags.ts';
import { setMmu, supervisorMmu } from './privilege.ts';
import { type InstructionRow, row } from './row.ts';
import type { I64, Semantic, Semantics, Size } from './semantics.ts';
import { pushValue } from './stack.ts';

const RCX = 1;

const jmpRelative: Semantic = (c) => c.jumpRelative();
const jmpIndirect: Semantic = (c) => {
  const target = c.let(c.get(0));
  c.checkTarget(target);
  c.jumpIndirect(target);
};

const callRelative: Semantic = (c) => {
  pushValue(c, c.size, c.let(zeroExtend(c.size, c.nextRip())));
  c.jumpRelative();
};
const callIndirect: Semantic = (c) => {
  const target = c.let(c.get(0));
  c.checkTarget(target);
  pushValue(c, c.size, c.let(zeroExtend(c.size, c.nextRip())));
  c.jumpIndirect(target);
};

function returnTarget(c: Semantics): I64 {
  const target = c.let(c.stackLoad(c.let(c.stackOffset(0)), c.size));
  c.checkTarget(target);
  c.setStackOffset(c.let(c.stackOffset(c.size)));
  return target;
}

const ret: Semantic = (c) => c.jumpIndirect(returnTarget(c));
const retImmediate: Semantic = (c) => {
  const target = returnTarget(c);
  c.setStackOffset(c.let(c.cutToStack(i64.add(c.stackOffset(0), i64.and(c.immediate(), i64.const(0xffff))))));
  c.jumpIndirect(target);
};

/** LOOP, LOOPcc, JrCXZ count in CX, ECX or RCX by the address size. */
function countRegister(c: Semantics): I64 {
  return i64.and(c.gpr(RCX, 8), c.addressMask());
}

function setCountRegister(c: Semantics, value: I64): void {
  // A 32-bit count clears the upper half, a 16-bit one keeps it, as any write of that size.
  const mask = c.let(c.addressMask());
  const old = c.gpr(RCX, 8);
  const keep = i64.const(~0xffffn);
  const cut = c.let(i64.and(value, mask));
  const isWord = i64.eq(mask, i64.const(0xffff));
  c.b.if(
    isWord,
    () => c.setGpr(RCX, 8, i64.or(i64.and(old, keep), cut)),
    () => c.setGpr(RCX, 8, cut),
  );
}

function loop(zeroFlag?: boolean): Semantic {
  return (c) => {
    const count = c.let(i64.and(i64.sub(c.gpr(RCX, 8), i64.const(1)), c.addressMask()));
    setCountRegister(c, count);
    const more = i64.ne(count, i64.const(0));
    c.jumpRelativeIf(zeroFlag === undefined ? more : i32.and(more, condition(c, zeroFlag ? 4 : 5)));
  };
}
const jcxz: Semantic = (c) => c.jumpRelativeIf(i64.eqz(countRegister(c)));

function setSystemFlag(flag: number, set: boolean): Semantic {
  return (c) => {
    const flags = c.stateI32(FLAGS_SYSTEM);
    c.setStateI32(FLAGS_SYSTEM, set ? i32.or(flags, i32.const(flag)) : i32.and(flags, i32.const(~flag)));
  };
}

/** CLI where IOPL allows it; the rest (VME, #GP) is TypeScript's. */
const cli: Semantic = (c) => {
  const iopl = i32.and(i32.shrU(c.stateI32(FLAGS_SYSTEM), i32.const(12)), i32.const(3));
  c.b.if(i32.leU(c.stateI32(CPL), iopl), () => {
    c.setStateI32(FLAGS_SYSTEM, i32.and(c.stateI32(FLAGS_SYSTEM), i32.const(~RFLAGS.IF)));
    c.done();
  });
  c.system();
};

/** STI where IOPL allows it and no interrupt waits: then nothing can come in before the next instruction. The rest is TypeScript's. */
const sti: Semantic = (c) => {
  const iopl = i32.and(i32.shrU(c.stateI32(FLAGS_SYSTEM), i32.const(12)), i32.const(3));
  const quiet = i32.and(i32.leU(c.stateI32(CPL), iopl), i32.eqz(c.stateI32(INTERRUPT_REQUEST)));
  c.b.if(quiet, () => {
    // Only the STI that sets IF holds interrupts off behind it.
    const wasSet = i32.and(c.stateI32(FLAGS_SYSTEM), i32.const(RFLAGS.IF));
    c.setStateI32(STI_SHADOW_RIP, select(wasSet, i32.const(NO_SHADOW | 0), i32.wrap(c.nextRip())));
    c.setStateI32(FLAGS_SYSTEM, i32.or(c.stateI32(FLAGS_SYSTEM), i32.const(RFLAGS.IF)));
    c.done();
  });
  c.system();
};

const cmc: Semantic = (c) => setStatusFlags(c, c.let(i64.xor(statusFlags(c), i64.const(RFLAGS.CF))));
const clc: Semantic = (c) => setStatusFlags(c, c.let(i64.and(statusFlags(c), i64.const(~RFLAGS.CF))));
const stc: Semantic = (c) => setStatusFlags(c, c.let(i64.or(statusFlags(c), i64.const(RFLAGS.CF))));
const salc: Semantic = (c) => c.setGpr(0, 1, i64.shrS(c.flagsAux(), i64.const(63)));

/** PUSHF outside virtual-8086 mode: VM and RF read as 0. */
const pushf: Semantic = (c) => {
  c.b.if(i32.eqz(i32.and(c.stateI32(FLAGS_SYSTEM), i32.const(RFLAGS.VM))), () => {
    const system = i64.extendI32U(i32.and(c.stateI32(FLAGS_SYSTEM), i32.const(~(RFLAGS.VM | RFLAGS.RF))));
    pushValue(c, c.size, c.let(zeroExtend(c.size, i64.or(statusFlags(c), system))));
    c.done();
  });
  c.system();
};

/** STAC and CLAC: SMAP opens or closes the user's pages to the supervisor. */
const setAlignmentCheck =
  (set: boolean): Semantic =>
  (c) => {
    const isProtected = i32.and(c.stateI32(MODE), i32.const(MODE_BITS.PROTECTED));
    c.b.if(i32.and(i32.ne(isProtected, i32.const(0)), i32.eqz(c.stateI32(CPL))), () => {
      setSystemFlag(RFLAGS.AC, set)(c);
      setMmu(c, supervisorMmu(c));
      c.done();
    });
    c.system();
  };

/** POPF of a kernel that changes nothing but status flags and IF, with nothing that waits for IF: all else is TypeScript's. */
const popf: Semantic = (c) => {
  if (c.size === 2) {
    c.system();
    return;
  }
  c.b.if(i32.eqz(c.stateI32(CPL)), () => {
    const value = c.let(c.stackLoad(c.let(c.stackOffset(0)), c.size));
    const system = c.let(i32.and(c.stateI32(FLAGS_SYSTEM), i32.const(~2)));
    const wanted = c.let(i32.and(i32.wrap(value), i32.const(~0x8d7)));
    const difference = c.let(i32.xor(system, wanted));
    const changesIf = i32.eq(difference, i32.const(RFLAGS.IF));
    const staysOff = i32.or(i32.and(system, i32.const(RFLAGS.IF)), i32.eqz(c.stateI32(INTERRUPT_REQUEST)));
    const isAllowed = i32.or(i32.eqz(difference), i32.and(changesIf, i32.ne(staysOff, i32.const(0))));
    const clears = i32.and(wanted, i32.const(RFLAGS.RF | RFLAGS.VIF | RFLAGS.VIP));
    c.b.if(i32.and(isAllowed, i32.eqz(clears)), () => {
      c.setStackOffset(c.let(c.stackOffset(c.size)));
      c.setStateI32(FLAGS_SYSTEM, i32.or(wanted, i32.const(2)));
      setStatusFlags(c, value);
      c.done();
    });
  });
  c.system();
};

function conditionalJumps(): InstructionRow[] {
  return Array.from({ length: 16 }, (_, code) => [
    row('1', 0x70 + code, 'Jcc', ['Jb'], (c) => c.jumpRelativeIf(condition(c, code)), { force64: true }),
    row('0f', 0x80 + code, 'Jcc', ['Jz'], (c) => c.jumpRelativeIf(condition(c, code)), { force64: true }),
  ]).flat();
}

const NEAR = { force64: true } as const;
const NEAR_STACK = { force64: true, stack: true } as const;
const ALL: readonly Size[] = [2, 4, 8];
const SMAP = { ends: true, decoded: true, leavesRegions: true } as const;

export const CONTROL_ROWS: readonly InstructionRow[] = [
  ...conditionalJumps(),
  row('1', 0xeb, 'JMP', ['Jb'], jmpRelative, NEAR),
  row('1', 0xe9, 'JMP', ['Jz'], jmpRelative, NEAR),
  row('1', 0xff, 'JMP', ['Ev'], jmpIndirect, { ...NEAR, group: 4, ends: true }),
  row('1', 0xe8, 'CALL', ['Jz'], callRelative, NEAR_STACK),
  row('1', 0xff, 'CALL', ['Ev'], callIndirect, { ...NEAR_STACK, group: 2, ends: true }),
  row('1', 0xc3, 'RET', [], ret, { ...NEAR_STACK, sizes: ALL, ends: true }),
  row('1', 0xc2, 'RET', ['Iw'], retImmediate, { ...NEAR_STACK, sizes: ALL, ends: true }),
  row('1', 0xe0, 'LOOPNE', ['Jb'], loop(false), NEAR),
  row('1', 0xe1, 'LOOPE', ['Jb'], loop(true), NEAR),
  row('1', 0xe2, 'LOOP', ['Jb'], loop(), NEAR),
  row('1', 0xe3, 'JCXZ', ['Jb'], jcxz, NEAR),
  row('1', 0xf8, 'CLC', [], clc),
  row('1', 0xf9, 'STC', [], stc),
  row('1', 0xf5, 'CMC', [], cmc),
  row('1', 0xfc, 'CLD', [], (c) => {
    setSystemFlag(RFLAGS.DF, false)(c);
    c.setDirection(1);
  }),
  row('1', 0xfd, 'STD', [], (c) => {
    setSystemFlag(RFLAGS.DF, true)(c);
    c.setDirection(-1);
  }),
  row('1', 0xd6, 'SALC', [], salc, { no64: true }),
  row('1', 0xfa, 'CLI', [], cli, { decoded: true }),
  row('1', 0xfb, 'STI', [], sti, { decoded: true, ends: true }),
  row('0f', 0x01, 'CLAC', [], setAlignmentCheck(false), { ...SMAP, modRm: 0xca }),
  row('0f', 0x01, 'STAC', [], setAlignmentCheck(true), { ...SMAP, modRm: 0xcb }),
  row('1', 0x9c, 'PUSHF', [], pushf, { default64: true, stack: true, sizes: ALL, decoded: true }),
  row('1', 0x9d, 'POPF', [], popf, { default64: true, stack: true, sizes: ALL, decoded: true, ends: true }),
];
