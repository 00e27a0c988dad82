import { RFLAGS } from '../state.ts';

/** Result of PCMPESTRI and its relatives: bits of the valid comparison (IntRes2), and how many elements there are. */
export interface StringComparison {
  readonly bits: number;
  readonly count: 8 | 16;
  readonly flags: number;
}

/**
 * SDM vol. 2 §4.1: compares the strings at `a` (destination) and `b` (source). Lengths in elements, −1: up to the first zero.
 * `control` is the immediate.
 */
export function compareStrings(
  view: DataView,
  a: number,
  b: number,
  control: number,
  lengthA: number,
  lengthB: number,
): StringComparison {
  const words = (control & 1) !== 0;
  const signed = (control & 2) !== 0;
  const count = words ? 8 : 16;
  const element = (base: number, index: number): number => {
    if (words) return signed ? view.getInt16(base + index * 2, true) : view.getUint16(base + index * 2, true);
    return signed ? view.getInt8(base + index) : view.getUint8(base + index);
  };
  const lengthOf = (base: number, given: number): number => {
    if (given >= 0) return Math.min(given, count);
    for (let index = 0; index < count; index++) if (element(base, index) === 0) return index;
    return count;
  };
  const first = lengthOf(a, lengthA);
  const second = lengthOf(b, lengthB);
  const equal = (i: number, j: number) => element(a, i) === element(b, j);
  let bits = 0;
  for (let j = 0; j < count; j++) {
    let holds = false;
    switch ((control >> 2) & 3) {
      case 0:
        // Equal any: is b[j] one of a's characters?
        if (j < second) for (let i = 0; i < first; i++) if (equal(i, j)) holds = true;
        break;
      case 1:
        // Ranges: a holds pairs of bounds.
        if (j < second) {
          for (let i = 0; i + 1 < first; i += 2) {
            if (element(a, i) <= element(b, j) && element(b, j) <= element(a, i + 1)) holds = true;
          }
        }
        break;
      case 2:
        // Equal each: two ended strings are equal behind their ends.
        holds = j < first && j < second ? equal(j, j) : j >= first && j >= second;
        break;
      default:
        // Equal ordered: a begins at b[j].
        holds = true;
        for (let i = 0; i < first && i + j < count; i++) if (i + j >= second || !equal(i, i + j)) holds = false;
    }
    if (holds) bits |= 1 << j;
  }
  const negate = (control & 0x10) !== 0;
  const masked = (control & 0x20) !== 0;
  if (negate) bits ^= masked ? (1 << second) - 1 : (1 << count) - 1;
  let flags = 0;
  if (bits !== 0) flags |= RFLAGS.CF;
  if (second < count) flags |= RFLAGS.ZF;
  if (first < count) flags |= RFLAGS.SF;
  if ((bits & 1) !== 0) flags |= RFLAGS.OF;
  return { bits, count, flags };
}
