import { add, compare, divide, multiply, squareRoot } from '../softfloat/arithmetic.ts';
import { roundToIntegral } from '../softfloat/convert.ts';
import { EXTENDED, FLOAT_FLAG, type FloatFormat, KIND } from '../softfloat/format.ts';
import type { Operand } from '../softfloat/operand.ts';
import { remainder, scale } from '../softfloat/remainder.ts';
import { RFLAGS, STATUS_FLAGS } from '../state.ts';
import { type IntegerBytes, loadInteger, loadReal, type RealBytes } from './loads.ts';
import { CONDITIONS, STATUS, type X87Operation, type X87Unit } from './x87-unit.ts';

type Binary = (x: X87Unit, format: FloatFormat, a: Operand, b: Operand) => void;

/** FADD…FDIVR by ModRM.reg; compares (2, 3) stand apart. `a` is the destination. */
const BINARY: Readonly<Record<number, Binary>> = {
  0: (x, format, a, b) => add(x.unit, format, a, b),
  1: (x, format, a, b) => multiply(x.unit, format, a, b),
  4: (x, format, a, b) => add(x.unit, format, a, b, true),
  5: (x, format, a, b) => add(x.unit, format, b, a, true),
  6: (x, format, a, b) => divide(x.unit, format, a, b),
  7: (x, format, a, b) => divide(x.unit, format, b, a),
};

/** ST ← ST op memory. */
const withOperand =
  (operation: number, fetch: (x: X87Unit) => void): X87Operation =>
  (x) => {
    fetch(x);
    if (operation === 2 || operation === 3) return compareWithOperand(x, operation === 3);
    if (x.isEmpty(0)) {
      if (x.stackFault(false)) x.writeIndefinite(0);
      return;
    }
    x.load(0, x.unit.a);
    BINARY[operation](x, x.format, x.unit.a, x.unit.b);
    x.complete(0);
  };

/** FADD…FDIVR m32fp, m64fp. */
export const withReal = (operation: number, bytes: RealBytes) => withOperand(operation, (x) => loadReal(x, bytes));

/** FIADD…FIDIVR m16int, m32int. */
export const withInteger = (operation: number, bytes: IntegerBytes) =>
  withOperand(operation, (x) => setInteger(x.unit.b, loadInteger(x, bytes)));

function setInteger(operand: Operand, value: bigint) {
  if (value === 0n) operand.setZero(0);
  else operand.setFinite(value < 0n ? 1 : 0, value < 0n ? -value : value, 0);
}

/** Register forms: D8 puts the result into ST, DC and DE into ST(i), where 4–7 are the reverse of the memory forms'. */
export const withRegister =
  (operation: number, toOther: boolean, pops: boolean): X87Operation =>
  (x) => {
    const index = x.operands.modRm & 7;
    const target = toOther ? index : 0;
    if (x.isEmpty(0) || x.isEmpty(index)) {
      if (!x.stackFault(false)) return;
      x.writeIndefinite(target);
      if (pops) x.pop();
      return;
    }
    x.load(target, x.unit.a);
    x.load(toOther ? 0 : index, x.unit.b);
    BINARY[operation](x, x.format, x.unit.a, x.unit.b);
    if (x.complete(target) && pops) x.pop();
  };

const LESS = STATUS.C0;
const EQUAL = STATUS.C3;
const UNORDERED = STATUS.C0 | STATUS.C2 | STATUS.C3;

function conditionsOf(outcome: -1 | 0 | 1 | 2): number {
  return outcome === 2 ? UNORDERED : outcome === 0 ? EQUAL : outcome < 0 ? LESS : 0;
}

/** FCOM memory. */
function compareWithOperand(x: X87Unit, pops: boolean) {
  if (x.isEmpty(0)) {
    const masked = x.stackFault(false);
    x.setConditions(UNORDERED);
    if (masked && pops) x.pop();
    return;
  }
  x.load(0, x.unit.a);
  finishCompare(x, false, pops ? 1 : 0);
}

function finishCompare(x: X87Unit, quiet: boolean, pops: number) {
  const outcome = compare(x.unit, x.unit.a, x.unit.b, quiet);
  const blocked = x.blocked;
  x.raise();
  // The processor under our vectors sets them even when the exception is not masked.
  x.setConditions(conditionsOf(outcome));
  if (blocked) return;
  for (let count = 0; count < pops; count++) x.pop();
}

/** FCOM, FUCOM and their popping forms with ST(i). */
export const compareRegister =
  (quiet: boolean, pops: number): X87Operation =>
  (x) => {
    const index = x.operands.modRm & 7;
    if (x.isEmpty(0) || x.isEmpty(index)) {
      const masked = x.stackFault(false);
      x.setConditions(UNORDERED);
      if (!masked) return;
      for (let count = 0; count < pops; count++) x.pop();
      return;
    }
    x.load(0, x.unit.a);
    x.load(index, x.unit.b);
    finishCompare(x, quiet, pops);
  };

/** FCOMI, FUCOMI and their popping forms: ZF PF CF, the other status flags 0. */
export const compareToFlags =
  (quiet: boolean, pops: boolean): X87Operation =>
  (x) => {
    const index = x.operands.modRm & 7;
    if (x.isEmpty(0) || x.isEmpty(index)) {
      const masked = x.stackFault(false);
      setFlags(x, 2);
      if (masked && pops) x.pop();
      return;
    }
    x.load(0, x.unit.a);
    x.load(index, x.unit.b);
    const outcome = compare(x.unit, x.unit.a, x.unit.b, quiet);
    const blocked = x.blocked;
    x.raise(false);
    setFlags(x, outcome);
    if (pops && !blocked) x.pop();
  };

function setFlags(x: X87Unit, outcome: -1 | 0 | 1 | 2) {
  const flags =
    outcome === 2 ? RFLAGS.ZF | RFLAGS.PF | RFLAGS.CF : outcome === 0 ? RFLAGS.ZF : outcome < 0 ? RFLAGS.CF : 0;
  x.state.setRflags((x.state.rflags() & ~STATUS_FLAGS) | flags);
}

/** FTST. */
export const ftst: X87Operation = (x) => {
  if (x.isEmpty(0)) {
    x.stackFault(false);
    x.setConditions(UNORDERED);
    return;
  }
  x.load(0, x.unit.a);
  x.unit.b.setZero(0);
  finishCompare(x, false, 0);
};

/** FXAM: class in C3 C2 C0, sign in C1; empty registers too. */
export const fxam: X87Operation = (x) => {
  const sign = x.signExponent(0) >>> 15 ? STATUS.C1 : 0;
  x.setConditions(classOf(x) | sign, CONDITIONS | STATUS.C1);
};

function classOf(x: X87Unit): number {
  if (x.isEmpty(0)) return STATUS.C3 | STATUS.C0;
  const { a } = x.unit;
  x.load(0, a);
  switch (a.kind) {
    case KIND.UNSUPPORTED:
      return 0;
    case KIND.QUIET_NAN:
    case KIND.SIGNALING_NAN:
      return STATUS.C0;
    case KIND.INFINITE:
      return STATUS.C2 | STATUS.C0;
    case KIND.ZERO:
      return STATUS.C3;
    default:
      return a.denormal ? STATUS.C3 | STATUS.C2 : STATUS.C2;
  }
}

/** One-operand instructions on ST; an empty ST is a stack fault. */
const onTop =
  (operation: (x: X87Unit) => void): X87Operation =>
  (x) => {
    if (x.isEmpty(0)) {
      if (x.stackFault(false)) x.writeIndefinite(0);
      return;
    }
    x.load(0, x.unit.a);
    operation(x);
  };

export const fsqrt = onTop((x) => {
  squareRoot(x.unit, x.format, x.unit.a);
  x.complete(0);
});

export const frndint = onTop((x) => {
  roundToIntegral(x.unit, EXTENDED, x.unit.a, x.unit.b);
  x.complete(0);
});

/** FCHS and FABS touch the sign alone, whatever the number. */
const changeSign =
  (change: (signExponent: number) => number): X87Operation =>
  (x) => {
    if (x.isEmpty(0)) {
      if (x.stackFault(false)) x.writeIndefinite(0);
      return;
    }
    x.setSignExponent(0, change(x.signExponent(0)));
    x.setConditions(0, STATUS.C1);
  };

export const fchs = changeSign((signExponent) => signExponent ^ 0x8000);
export const fabs = changeSign((signExponent) => signExponent & 0x7fff);

/** Two-operand instructions on ST and ST(1) that leave the result in ST. */
const onTopTwo =
  (operation: (x: X87Unit) => void): X87Operation =>
  (x) => {
    if (x.isEmpty(0) || x.isEmpty(1)) {
      if (x.stackFault(false)) x.writeIndefinite(0);
      return;
    }
    x.load(0, x.unit.a);
    x.load(1, x.unit.b);
    operation(x);
  };

export const fscale = onTopTwo((x) => {
  scale(x.unit, EXTENDED, x.unit.a, x.unit.b);
  x.complete(0);
});

/** FPREM, FPREM1: quotient bits in C0 C3 C1, C2 while the reduction is not complete; an exception clears C2 alone. */
export const fprem = (nearest: boolean): X87Operation => {
  const reduce = onTopTwo((x) => {
    const { unit } = x;
    const { partial, quotient } = remainder(unit, EXTENDED, unit.a, unit.b, nearest);
    const numbers = !unit.a.isNan && !unit.b.isNan && (unit.flags & FLOAT_FLAG.IE) === 0;
    if (!x.complete(0) || !numbers) return;
    const bits =
      (partial ? STATUS.C2 : 0) |
      ((quotient & 4) !== 0 ? STATUS.C0 : 0) |
      ((quotient & 2) !== 0 ? STATUS.C3 : 0) |
      ((quotient & 1) !== 0 ? STATUS.C1 : 0);
    x.setConditions(bits, CONDITIONS | STATUS.C1);
  });
  return (x) => {
    x.setConditions(0, STATUS.C2);
    reduce(x);
  };
};

/** FXTRACT: ST becomes the exponent, and the significand is pushed. */
export const fxtract: X87Operation = (x) => {
  if (x.isEmpty(0)) {
    if (x.stackFault(false)) {
      x.writeIndefinite(0);
      x.top -= 1;
      x.writeIndefinite(0);
    }
    return;
  }
  if (((x.valid >>> ((x.top - 1) & 7)) & 1) !== 0) {
    if (x.stackFault(true)) {
      x.writeIndefinite(0);
      x.top -= 1;
      x.writeIndefinite(0);
    }
    return;
  }
  x.load(0, x.unit.a);
  extract(x);
};

function extract(x: X87Unit) {
  const { unit } = x;
  const { a, b } = unit;
  const { sign } = a;
  if (unit.propagateOne(EXTENDED, a)) {
    const written = x.complete(0);
    if (written) push(x, unit.signExponent, unit.significand80);
    return;
  }
  if (a.kind === KIND.ZERO) {
    unit.flags |= FLOAT_FLAG.ZE;
    unit.setInfinity(EXTENDED, 1);
    if (x.complete(0)) push(x, sign << 15, 0n);
    return;
  }
  if (a.kind === KIND.INFINITE) {
    unit.setInfinity(EXTENDED, 0);
    if (x.complete(0)) push(x, (sign << 15) | 0x7fff, 1n << 63n);
    return;
  }
  unit.denormalTraps(a);
  const { significand } = a;
  setInteger(b, BigInt(a.exponent));
  unit.setExact(EXTENDED, b);
  if (x.complete(0)) push(x, (sign << 15) | 0x3fff, significand);
}

function push(x: X87Unit, signExponent: number, significand: bigint) {
  x.top -= 1;
  x.write(0, signExponent, significand);
}

/** The load-constant instructions: 128 bits of each, rounded as RC says; no flag is raised (SDM vol. 2, FLD1…). */
const CONSTANTS = {
  FLDL2T: { exponent: 1, significand: 0xd49a784bcd1b8afe492bf6ff4dafdb4cn },
  FLDL2E: { exponent: 0, significand: 0xb8aa3b295c17f0bbbe87fed0691d3e88n },
  FLDPI: { exponent: 1, significand: 0xc90fdaa22168c234c4c6628b80dc1cd1n },
  FLDLG2: { exponent: -2, significand: 0x9a209a84fbcff7988f8959ac0b7c9178n },
  FLDLN2: { exponent: -1, significand: 0xb17217f7d1cf79abc9e3b39803f2f6afn },
} as const;

export const loadConstant =
  (name: keyof typeof CONSTANTS): X87Operation =>
  (x) => {
    if (!x.room()) return;
    const { exponent, significand } = CONSTANTS[name];
    x.unit.round(EXTENDED, 0, exponent, significand);
    push(x, x.unit.signExponent, x.unit.significand80);
    x.setConditions(0, STATUS.C1);
  };

export const fld1: X87Operation = (x) => {
  if (!x.room()) return;
  push(x, 0x3fff, 1n << 63n);
  x.setConditions(0, STATUS.C1);
};

export const fldz: X87Operation = (x) => {
  if (!x.room()) return;
  push(x, 0, 0n);
  x.setConditions(0, STATUS.C1);
};
