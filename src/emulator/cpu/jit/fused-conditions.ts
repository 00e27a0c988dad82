import { carryOfSource, type FlagWords, signExtend, zeroExtend } from '../isa/flags.ts';
import type { I32, I64 } from '../isa/semantics.ts';
import { i32, i64 } from '../wasm/expr.ts';
import type { PendingFlags } from './deferred-flags.ts';

/** The upper bits of a condition code: what it tests, whichever way (SDM vol. 1 appendix B). */
const TEST = { BELOW: 1, ZERO: 2, BELOW_OR_EQUAL: 3, SIGN: 4, LESS: 6, LESS_OR_EQUAL: 7 } as const;

/** A condition straight from the operands of the result that set the flags; undefined: it needs the flags themselves. */
export function fusedCondition(c: Pick<FlagWords, 'let'>, { source, r }: PendingFlags, code: number): I32 | undefined {
  const { kind, size, a, b } = source;
  const inverted = (code & 1) === 1;
  const invert = (test: I32): I32 => (inverted ? i32.eqz(test) : test);
  const signed = (value: I64): I64 => signExtend(size, value);
  const test = code >> 1;
  if (test === TEST.ZERO) {
    const [left, right] = kind === 'sub' ? [a, b] : [zeroExtend(size, r), i64.const(0)];
    return inverted ? i64.ne(left, right) : i64.eq(left, right);
  }
  if (test === TEST.SIGN) return invert(i64.ltS(signed(r), i64.const(0)));
  if (kind === 'logic') {
    if (test === TEST.LESS) return invert(i64.ltS(signed(r), i64.const(0)));
    return test === TEST.LESS_OR_EQUAL ? invert(i64.leS(signed(r), i64.const(0))) : undefined;
  }
  if (kind !== 'sub') return test === TEST.BELOW ? invert(i32.wrap(carryOfSource(c, source, r))) : undefined;
  switch (test) {
    case TEST.BELOW:
      return inverted ? i64.geU(a, b) : i64.ltU(a, b);
    case TEST.BELOW_OR_EQUAL:
      return inverted ? i64.gtU(a, b) : i64.leU(a, b);
    case TEST.LESS:
      return inverted ? i64.geS(signed(a), signed(b)) : i64.ltS(signed(a), signed(b));
    case TEST.LESS_OR_EQUAL:
      return inverted ? i64.gtS(signed(a), signed(b)) : i64.leS(signed(a), signed(b));
  }
  return undefined;
}
