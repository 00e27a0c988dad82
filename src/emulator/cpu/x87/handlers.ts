import { CR0_BITS } from '../control-bits.ts';
import { CR0, MMX_TRAP, RFLAGS, X87_VALID } from '../state.ts';
import type { SystemHandler } from '../system-context.ts';
import {
  compareRegister,
  compareToFlags,
  fabs,
  fchs,
  fld1,
  fldz,
  fprem,
  frndint,
  fscale,
  fsqrt,
  ftst,
  fxam,
  fxtract,
  loadConstant,
  withInteger,
  withReal,
  withRegister,
} from './arithmetic.ts';
import {
  fdecstp,
  ffree,
  fincstp,
  fldcw,
  fldenv,
  fnclex,
  fninit,
  fnsave,
  fnstcw,
  fnstenv,
  fnstswAx,
  fnstswMemory,
  frstor,
} from './control.ts';
import { fxrstor, fxsave, ldmxcsr, stmxcsr } from './fxsave.ts';
import {
  fbld,
  fbstp,
  fcmov,
  fild,
  fist,
  fldExtended,
  fldReal,
  fldRegister,
  fstpExtended,
  fstpUnchecked,
  fstReal,
  fstRegister,
  fxch,
} from './loads.ts';
import { f2xm1, fcos, fpatan, fptan, fsin, fsincos, fyl2x, fyl2xp1 } from './transcendental.ts';
import { STATUS, type X87Operation, X87Unit } from './x87-unit.ts';

const UNDEFINED_OPCODE = 6;
const DEVICE_NOT_AVAILABLE = 7;
const FLOATING_POINT_ERROR = 16;

type Row = readonly (X87Operation | undefined)[];
const eight = (build: (operation: number) => X87Operation): Row =>
  Array.from({ length: 8 }, (_, index) => build(index));

/** FISTTP is SSE3. */
const fisttp = (bytes: 2 | 4 | 8): X87Operation => {
  const store = fist(bytes, true, true);
  return (x) => {
    if (!x.cpu.model.features.has('sse3')) x.cpu.fault(UNDEFINED_OPCODE);
    store(x);
  };
};

/** Memory forms: opcode D8–DF, then ModRM.reg (SDM vol. 2 tables ). */
const MEMORY: readonly Row[] = [
  eight((operation) => withReal(operation, 4)),
  [fldReal(4), undefined, fstReal(4, false), fstReal(4, true), fldenv, fldcw, fnstenv, fnstcw],
  eight((operation) => withInteger(operation, 4)),
  [fild(4), fisttp(4), fist(4, false), fist(4, true), undefined, fldExtended, undefined, fstpExtended],
  eight((operation) => withReal(operation, 8)),
  [fldReal(8), fisttp(8), fstReal(8, false), fstReal(8, true), frstor, undefined, fnsave, fnstswMemory],
  eight((operation) => withInteger(operation, 2)),
  [fild(2), fisttp(2), fist(2, false), fist(2, true), fbld, fild(8), fbstp, fist(8, true)],
];

const nothing: X87Operation = () => {};
const carry = (rflags: number) => (rflags & RFLAGS.CF) !== 0;
const zero = (rflags: number) => (rflags & RFLAGS.ZF) !== 0;
const parity = (rflags: number) => (rflags & RFLAGS.PF) !== 0;
const below = (rflags: number) => carry(rflags) || zero(rflags);
const not = (test: (rflags: number) => boolean) => (rflags: number) => !test(rflags);

/** D8 and DC, DE: 2 and 3 are compares; DC and DE exchange subtract and divide with their reverses. */
const toTop = eight((operation) =>
  operation === 2 || operation === 3 ? compareRegister(false, operation - 2) : withRegister(operation, false, false),
);
const reversed = (operation: number) => (operation >= 4 ? operation ^ 1 : operation);
const toOther = (pops: boolean): Row =>
  eight((operation) =>
    operation === 2 || operation === 3
      ? compareRegister(false, pops ? 1 : operation - 2)
      : withRegister(reversed(operation), true, pops),
  );

/** Register forms with ST(i): opcode, then ModRM.reg. */
const REGISTER: readonly Row[] = [
  toTop,
  [fldRegister, fxch, undefined, fstpUnchecked, undefined, undefined, undefined, undefined],
  [fcmov(carry), fcmov(zero), fcmov(below), fcmov(parity), undefined, undefined, undefined, undefined],
  [
    fcmov(not(carry)),
    fcmov(not(zero)),
    fcmov(not(below)),
    fcmov(not(parity)),
    undefined,
    compareToFlags(true, false),
    compareToFlags(false, false),
    undefined,
  ],
  toOther(false),
  [
    ffree(false),
    fxch,
    fstRegister(false),
    fstRegister(true),
    compareRegister(true, 0),
    compareRegister(true, 1),
    undefined,
    undefined,
  ],
  toOther(true).map((operation, index) => (index === 3 ? undefined : operation)),
  [
    ffree(true),
    fxch,
    fstRegister(true),
    fstRegister(true),
    undefined,
    compareToFlags(true, true),
    compareToFlags(false, true),
    undefined,
  ],
];

/** Whole opcodes: (opcode << 8) | ModRM. */
const FIXED: Readonly<Record<number, X87Operation>> = {
  55760: nothing,
  55776: fchs,
  55777: fabs,
  55780: ftst,
  55781: fxam,
  55784: fld1,
  55785: loadConstant('FLDL2T'),
  55786: loadConstant('FLDL2E'),
  55787: loadConstant('FLDPI'),
  55788: loadConstant('FLDLG2'),
  55789: loadConstant('FLDLN2'),
  55790: fldz,
  55792: f2xm1,
  55793: fyl2x,
  55794: fptan,
  55795: fpatan,
  55796: fxtract,
  55797: fprem(true),
  55798: fdecstp,
  55799: fincstp,
  55800: fprem(false),
  55801: fyl2xp1,
  55802: fsqrt,
  55803: fsincos,
  55804: frndint,
  55805: fscale,
  55806: fsin,
  55807: fcos,
  56041: compareRegister(true, 2),
  56288: nothing,
  56289: nothing,
  56290: fnclex,
  56291: fninit,
  56292: nothing,
  57049: compareRegister(false, 2),
  57312: fnstswAx,
};

/** They neither wait for pending exceptions nor leave pointers behind. */
const NO_WAIT: ReadonlySet<X87Operation> = new Set([fninit, fnclex, fnstcw, fnstswMemory, fnstswAx, fnstenv, fnsave]);
const NO_POINTERS: ReadonlySet<X87Operation> = new Set([...NO_WAIT, fldcw, fldenv, frstor]);
/** FENI, FDISI, FSETPM of the 8087 and 287: ignored, and they do not wait either. */
const IGNORED = new Set([0xdbe0, 0xdbe1, 0xdbe4]);

function find(opcode: number, modRm: number): X87Operation | undefined {
  const extension = (modRm >> 3) & 7;
  if (modRm < 0xc0) return MEMORY[opcode & 7][extension];
  return FIXED[(opcode << 8) | modRm] ?? REGISTER[opcode & 7][extension];
}

const x = new X87Unit();

/** D8–DF. */
const x87: SystemHandler = (cpu, operands) => {
  const { opcode, modRm } = operands;
  const operation = find(opcode, modRm);
  if (operation === undefined) return cpu.fault(UNDEFINED_OPCODE);
  x.begin(cpu, operands);
  const ignored = IGNORED.has((opcode << 8) | modRm);
  x.checkAvailable(!ignored && !NO_WAIT.has(operation));
  operation(x);
  if (!ignored && !NO_POINTERS.has(operation)) x.recordPointers();
};

/** FWAIT: #NM only when MP and TS are both set. */
const fwait: SystemHandler = (cpu, operands) => {
  const both = CR0_BITS.MP | CR0_BITS.TS;
  if ((cpu.state.u32(CR0) & both) === both) cpu.fault(DEVICE_NOT_AVAILABLE);
  x.begin(cpu, operands);
  if ((x.status & STATUS.ES) !== 0) cpu.fault(FLOATING_POINT_ERROR);
};

const emms: SystemHandler = (cpu, operands) => {
  const trap = cpu.state.u32(MMX_TRAP);
  if (trap !== 0) cpu.fault(trap);
  x.begin(cpu, operands);
  if ((x.status & STATUS.ES) !== 0) cpu.fault(FLOATING_POINT_ERROR);
  x.top = 0;
  cpu.state.setU32(X87_VALID, 0);
};

/** The x87 instructions, and what moves its state, by the names of their rows in isa/. */
export const X87_HANDLERS = {
  X87: x87,
  FWAIT: fwait,
  EMMS: emms,
  FXSAVE: fxsave,
  FXRSTOR: fxrstor,
  LDMXCSR: ldmxcsr,
  STMXCSR: stmxcsr,
} as const satisfies Record<string, SystemHandler>;
