/** Integer operators and comparisons: ACPI 6.5 §20.2.5.4. */
import type { AmlTerm } from '../tree.ts';
import { toBufferObject, toInteger, toStringObject } from './conversions.ts';
import { evaluationError } from './evaluation-error.ts';
import { type AmlObject, integerObject } from './objects.ts';
import type { Expressions, Frame, Run } from './run.ts';
import { storeInto } from './store.ts';

type BinaryKind =
  | 'DefAdd'
  | 'DefSubtract'
  | 'DefMultiply'
  | 'DefMod'
  | 'DefShiftLeft'
  | 'DefShiftRight'
  | 'DefAnd'
  | 'DefNAnd'
  | 'DefOr'
  | 'DefNOr'
  | 'DefXor';

const binary =
  (compute: (left: bigint, right: bigint, bits: bigint) => bigint) =>
  (run: Run, def: { readonly operands: readonly [AmlTerm, AmlTerm, AmlTerm] }, frame: Frame): AmlObject => {
    const [left, right] = [run.integer(def.operands[0], frame), run.integer(def.operands[1], frame)];
    return keep(run, def.operands[2], compute(left, right, BigInt(run.integerBytes * 8)), frame);
  };

const unary =
  (compute: (value: bigint, all: bigint) => bigint) =>
  (run: Run, def: { readonly operands: readonly [AmlTerm, AmlTerm] }, frame: Frame): AmlObject =>
    keep(run, def.operands[1], compute(run.integer(def.operands[0], frame), run.all), frame);

function keep(run: Run, target: AmlTerm, value: bigint, frame: Frame): AmlObject {
  const result = integerObject(value & run.all);
  run.store(target, result, frame);
  return result;
}

function divisor(value: bigint): bigint {
  if (value === 0n) throw evaluationError('AE_AML_DIVIDE_BY_ZERO', 'a division by zero');
  return value;
}

const step =
  (delta: bigint) =>
  (run: Run, { operands: [place] }: { readonly operands: readonly [AmlTerm] }, frame: Frame): AmlObject => {
    const held = run.data(place, frame);
    if (held.type !== 'Reference' || !run.semantics.stepsThroughReferences)
      return keep(run, place, toInteger(held, run.integerBytes) + delta, frame);
    const result = integerObject((toInteger(run.load(held.target), run.integerBytes) + delta) & run.all);
    storeInto(run, held.target, result, held.target.kind !== 'Slot');
    return result;
  };

function isTrue(run: Run, term: AmlTerm, frame: Frame): boolean {
  const object = run.data(term, frame);
  const { logicalBufferBytes } = run.semantics;
  if (object.type !== 'Buffer' || logicalBufferBytes === undefined) return toInteger(object, run.integerBytes) !== 0n;
  return object.bytes.subarray(0, logicalBufferBytes).some((byte) => byte !== 0);
}

const truth = (run: Run, value: boolean): AmlObject => integerObject(value ? run.all : 0n);

/** Negative, zero or positive: the right side is converted to the type of the left (§19.6.70). */
function compare(run: Run, left: AmlObject, right: AmlObject): number {
  switch (left.type) {
    case 'String': {
      const other = toStringObject(right, run.integerBytes).value;
      return left.value < other ? -1 : Number(left.value > other);
    }
    case 'Buffer':
      return compareBytes(left.bytes, toBufferObject(right, run.integerBytes).bytes);
    default: {
      const [first, second] = [toInteger(left, run.integerBytes), toInteger(right, run.integerBytes)];
      return first < second ? -1 : Number(first > second);
    }
  }
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    if (left[index] !== right[index]) return left[index] - right[index];
  }
  return left.length - right.length;
}

const comparison =
  (holds: (order: number) => boolean) =>
  (run: Run, def: { readonly operands: readonly [AmlTerm, AmlTerm] }, frame: Frame): AmlObject =>
    truth(run, holds(compare(run, run.data(def.operands[0], frame), run.data(def.operands[1], frame))));

const bitLengthOf = (value: bigint): bigint => (value === 0n ? 0n : BigInt(value.toString(2).length));

function fromBcd(value: bigint): bigint {
  const text = value.toString(16);
  if (/[a-f]/.test(text)) throw evaluationError('AE_AML_NUMERIC_OVERFLOW', `0x${text} is not binary coded decimal`);
  return BigInt(text);
}

function toBcd(value: bigint, all: bigint): bigint {
  const result = BigInt(`0x${value.toString(10)}`);
  if (result > all) throw evaluationError('AE_AML_NUMERIC_OVERFLOW', `${value} has too many decimal digits`);
  return result;
}

type ArithmeticKind =
  | BinaryKind
  | 'DefDivide'
  | 'DefIncrement'
  | 'DefDecrement'
  | 'DefNot'
  | 'DefFindSetLeftBit'
  | 'DefFindSetRightBit'
  | 'DefToBCD'
  | 'DefFromBCD'
  | 'DefLAnd'
  | 'DefLOr'
  | 'DefLNot'
  | 'DefLEqual'
  | 'DefLNotEqual'
  | 'DefLLess'
  | 'DefLLessEqual'
  | 'DefLGreater'
  | 'DefLGreaterEqual';

export const ARITHMETIC: Expressions<ArithmeticKind> = {
  DefAdd: binary((left, right) => left + right),
  DefSubtract: binary((left, right) => left - right),
  DefMultiply: binary((left, right) => left * right),
  DefMod: binary((left, right) => left % divisor(right)),
  DefShiftLeft: binary((left, right, bits) => (right >= bits ? 0n : left << right)),
  DefShiftRight: binary((left, right, bits) => (right >= bits ? 0n : left >> right)),
  DefAnd: binary((left, right) => left & right),
  DefNAnd: binary((left, right) => ~(left & right)),
  DefOr: binary((left, right) => left | right),
  DefNOr: binary((left, right) => ~(left | right)),
  DefXor: binary((left, right) => left ^ right),
  DefDivide: (run, def, frame) => {
    const [dividend, by] = [run.integer(def.operands[0], frame), divisor(run.integer(def.operands[1], frame))];
    keep(run, def.operands[2], dividend % by, frame);
    return keep(run, def.operands[3], dividend / by, frame);
  },
  DefIncrement: step(1n),
  DefDecrement: step(-1n),
  DefNot: unary((value, all) => value ^ all),
  DefFindSetLeftBit: unary(bitLengthOf),
  DefFindSetRightBit: unary((value) => bitLengthOf(value & -value)),
  DefToBCD: unary(toBcd),
  DefFromBCD: unary(fromBcd),
  DefLAnd: (run, def, frame) => {
    // Both sides are always evaluated (§19.6.67 says nothing of short cuts; ACPICA evaluates both).
    const [left, right] = [isTrue(run, def.operands[0], frame), isTrue(run, def.operands[1], frame)];
    return truth(run, left && right);
  },
  DefLOr: (run, def, frame) => {
    const [left, right] = [isTrue(run, def.operands[0], frame), isTrue(run, def.operands[1], frame)];
    return truth(run, left || right);
  },
  DefLNot: (run, def, frame) => truth(run, !isTrue(run, def.operands[0], frame)),
  DefLEqual: comparison((order) => order === 0),
  DefLNotEqual: comparison((order) => order !== 0),
  DefLLess: comparison((order) => order < 0),
  DefLLessEqual: comparison((order) => order <= 0),
  DefLGreater: comparison((order) => order > 0),
  DefLGreaterEqual: comparison((order) => order >= 0),
};

/** Match's comparisons (§19.6.83); an element of a type that does not convert does not match. */
export function matches(run: Run, operator: number, element: AmlObject, value: AmlObject): boolean {
  if (operator === 0) return true;
  if (!['Integer', 'String', 'Buffer'].includes(element.type)) return false;
  // The value is converted to the element's type.
  const order = compare(run, element, value);
  return [true, order === 0, order <= 0, order < 0, order >= 0, order > 0][operator] ?? false;
}
