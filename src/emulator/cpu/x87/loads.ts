import { convertFloat, fromInteger, toInteger } from '../softfloat/convert.ts';
import { BINARY32, BINARY64, COUNT, EXTENDED, FLOAT_FLAG, type FloatFormat, ROUNDING } from '../softfloat/format.ts';
import { STATUS, type X87Operation, type X87Unit } from './x87-unit.ts';

/** Floating-point memory operands of 4 and 8 bytes. */
export type RealBytes = 4 | 8;
export type IntegerBytes = 2 | 4 | 8;

/** The memory operand as a real, into the unit's operand b. */
export function loadReal(x: X87Unit, bytes: RealBytes) {
  const linear = x.operands.linear();
  if (bytes === 4) x.unit.b.fromF32(x.cpu.memory.read(linear, 4));
  else x.unit.b.fromF64(x.cpu.memory.read64(linear));
}

/** The memory operand as a signed integer. */
export function loadInteger(x: X87Unit, bytes: IntegerBytes): bigint {
  const linear = x.operands.linear();
  if (bytes === 8) return BigInt.asIntN(64, x.cpu.memory.read64(linear));
  return BigInt.asIntN(bytes * 8, BigInt(x.cpu.memory.read(linear, bytes)));
}

/** FLD m32fp, m64fp. */
export const fldReal =
  (bytes: RealBytes): X87Operation =>
  (x) => {
    loadReal(x, bytes);
    if (!x.room()) return;
    const { unit } = x;
    // Denormals are told of, but loaded even when that is not masked.
    const { denormal } = unit.b;
    unit.b.denormal = false;
    convertFloat(unit, EXTENDED, unit.b);
    x.pushResult();
    if (!denormal) return;
    x.status |= STATUS.DE;
    x.summarize();
  };

/** FLD m80fp: bits as they are. */
export const fldExtended: X87Operation = (x) => {
  const linear = x.operands.linear();
  const significand = x.cpu.memory.read64(linear);
  const signExponent = x.cpu.memory.read(linear + 8n, 2);
  if (!x.room()) return;
  pushRaw(x, signExponent, significand);
};

function pushRaw(x: X87Unit, signExponent: number, significand: bigint) {
  x.top -= 1;
  x.write(0, signExponent, significand);
  x.setConditions(0, STATUS.C1);
}

/** FLD ST(i). */
export const fldRegister: X87Operation = (x) => {
  const index = x.operands.modRm & 7;
  if (x.isEmpty(index)) {
    if (x.stackFault(false)) {
      x.top -= 1;
      x.writeIndefinite(0);
    }
    return;
  }
  if (!x.room()) return;
  pushRaw(x, x.signExponent(index), x.significand(index));
};

/** FILD. */
export const fild =
  (bytes: IntegerBytes): X87Operation =>
  (x) => {
    const value = loadInteger(x, bytes);
    if (!x.room()) return;
    fromInteger(x.unit, EXTENDED, value, x.unit.a);
    x.pushResult();
  };

/** FBLD: 18 decimal digits and a sign. */
export const fbld: X87Operation = (x) => {
  const linear = x.operands.linear();
  const low = x.cpu.memory.read64(linear);
  const high = x.cpu.memory.read(linear + 8n, 2);
  if (!x.room()) return;
  let value = 0n;
  for (let digit = 17; digit >= 0; digit--) {
    const nibble = digit >= 16 ? BigInt((high >>> ((digit - 16) * 4)) & 15) : (low >> COUNT[digit * 4]) & 15n;
    value = value * 10n + nibble;
  }
  fromInteger(x.unit, EXTENDED, value, x.unit.a);
  x.unit.sign = (high >>> 15) as 0 | 1;
  x.pushResult();
};

/** FST and FSTP to memory of 4 or 8 bytes. */
export const fstReal =
  (bytes: RealBytes, pops: boolean): X87Operation =>
  (x) => {
    const { unit } = x;
    const format: FloatFormat = bytes === 4 ? BINARY32 : BINARY64;
    const linear = x.operands.linear();
    let stored = true;
    if (x.isEmpty(0)) {
      if ((x.control & STATUS.IE) !== 0) {
        unit.setIndefinite(format);
        writeReal(x, linear, bytes);
      } else stored = false;
      x.stackFault(false);
    } else {
      x.load(0, unit.a);
      // Stores do not tell of denormal operands (SDM vol. 2, FST).
      unit.a.denormal = false;
      convertFloat(unit, format, unit.a);
      stored = !x.storeBlocked;
      if (stored) writeReal(x, linear, bytes);
      else {
        // Nothing is stored, nothing was rounded; but a page fault would still come first.
        probe(x, linear, bytes);
        unit.flags &= ~FLOAT_FLAG.PE;
        unit.roundedUp = false;
      }
      x.raise();
    }
    if (stored && pops) x.pop();
  };

function writeReal(x: X87Unit, linear: bigint, bytes: RealBytes) {
  if (bytes === 4) x.cpu.memory.write(linear, 4, x.unit.f32);
  else x.cpu.memory.write64(linear, x.unit.f64);
}

function probe(x: X87Unit, linear: bigint, bytes: number) {
  x.cpu.memory.read(linear, 1);
  if (bytes > 1) x.cpu.memory.read(linear + BigInt(bytes - 1), 1);
}

/** FSTP m80fp: bits as they are. */
export const fstpExtended: X87Operation = (x) => {
  const linear = x.operands.linear();
  if (x.isEmpty(0)) {
    if ((x.control & STATUS.IE) !== 0) writeExtended(x, linear, 0xffff, 0xc000_0000_0000_0000n);
    if (x.stackFault(false)) x.pop();
    return;
  }
  writeExtended(x, linear, x.signExponent(0), x.significand(0));
  x.setConditions(0, STATUS.C1);
  x.pop();
};

function writeExtended(x: X87Unit, linear: bigint, signExponent: number, significand: bigint) {
  // Both ends first: a page fault in the middle must not leave half a number.
  x.cpu.memory.write(linear + 8n, 2, signExponent);
  x.cpu.memory.write64(linear, significand);
}

/** FIST, FISTP; `truncates`: FISTTP. */
export const fist =
  (bytes: IntegerBytes, pops: boolean, truncates = false): X87Operation =>
  (x) => {
    const { unit } = x;
    const linear = x.operands.linear();
    if (x.isEmpty(0)) {
      if ((x.control & STATUS.IE) !== 0) writeInteger(x, linear, bytes, -(1n << BigInt(bytes * 8 - 1)));
      if (x.stackFault(false) && pops) x.pop();
      return;
    }
    x.load(0, unit.a);
    const value = toInteger(unit, unit.a, (bytes * 8) as 16 | 32 | 64, truncates ? ROUNDING.TRUNCATE : unit.rounding);
    const stored = !x.blocked;
    if (stored) writeInteger(x, linear, bytes, value);
    x.raise();
    if (stored && pops) x.pop();
  };

function writeInteger(x: X87Unit, linear: bigint, bytes: IntegerBytes, value: bigint) {
  const bits = BigInt.asUintN(bytes * 8, value);
  if (bytes === 8) x.cpu.memory.write64(linear, bits);
  else x.cpu.memory.write(linear, bytes, Number(bits));
}

const LARGEST_BCD = 999_999_999_999_999_999n;

/** FBSTP: rounds to an integer and writes packed decimal; the indefinite is FFFF C000 0000 0000 0000. */
export const fbstp: X87Operation = (x) => {
  const { unit } = x;
  const linear = x.operands.linear();
  if (x.isEmpty(0)) {
    if ((x.control & STATUS.IE) !== 0) writeExtended(x, linear, 0xffff, 0xc000_0000_0000_0000n);
    if (x.stackFault(false)) x.pop();
    return;
  }
  x.load(0, unit.a);
  const value = toInteger(unit, unit.a, 64);
  let magnitude = value < 0n ? -value : value;
  const invalid = (unit.flags & STATUS.IE) !== 0 || magnitude > LARGEST_BCD;
  if (invalid) {
    unit.flags = STATUS.IE;
    unit.roundedUp = false;
  }
  const stored = !x.blocked;
  if (stored && invalid) writeExtended(x, linear, 0xffff, 0xc000_0000_0000_0000n);
  else if (stored) {
    let packed = 0n;
    for (let digit = 0; digit < 18; digit++) {
      packed |= (magnitude % 10n) << COUNT[digit * 4];
      magnitude /= 10n;
    }
    writeExtended(x, linear, Number(packed >> 64n) | (unit.a.sign << 15), BigInt.asUintN(64, packed));
  }
  x.raise();
  if (stored) x.pop();
};

/** FST ST(i), FSTP ST(i): bits as they are. */
export const fstRegister =
  (pops: boolean): X87Operation =>
  (x) => {
    const index = x.operands.modRm & 7;
    if (x.isEmpty(0)) {
      if (!x.stackFault(false)) return;
      x.writeIndefinite(index);
    } else {
      x.write(index, x.signExponent(0), x.significand(0));
      x.setConditions(0, STATUS.C1);
    }
    if (pops) x.pop();
  };

/** D9 D8+i, an undocumented FSTP that does not look whether ST is empty. */
export const fstpUnchecked: X87Operation = (x) => {
  const index = x.operands.modRm & 7;
  if (!x.isEmpty(0)) x.write(index, x.signExponent(0), x.significand(0));
  x.setConditions(0, STATUS.C1);
  x.pop();
};

/** FXCH: empty registers count as the indefinite once the fault is masked. */
export const fxch: X87Operation = (x) => {
  const index = x.operands.modRm & 7;
  if (x.isEmpty(0) || x.isEmpty(index)) {
    if (!x.stackFault(false)) return;
    if (x.isEmpty(0)) x.writeIndefinite(0);
    if (x.isEmpty(index)) x.writeIndefinite(index);
  } else x.setConditions(0, STATUS.C1);
  const signExponent = x.signExponent(0);
  const significand = x.significand(0);
  x.write(0, x.signExponent(index), x.significand(index));
  x.write(index, signExponent, significand);
};

/** FCMOVcc. */
export const fcmov =
  (condition: (rflags: number) => boolean): X87Operation =>
  (x) => {
    const index = x.operands.modRm & 7;
    if (x.isEmpty(0) || x.isEmpty(index)) {
      if (x.stackFault(false)) x.writeIndefinite(0);
      return;
    }
    if (condition(x.state.rflags())) x.write(0, x.signExponent(index), x.significand(index));
  };
