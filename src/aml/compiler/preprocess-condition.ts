import type { Diagnostics } from './diagnostics.ts';
import { numberOf } from './numbers.ts';
import type { Token } from './source.ts';

/** Precedences as in C. */
const BINARY: Readonly<Record<string, readonly [number, (left: bigint, right: bigint) => bigint]>> = {
  '||': [1, (left, right) => BigInt(left !== 0n || right !== 0n)],
  '&&': [2, (left, right) => BigInt(left !== 0n && right !== 0n)],
  '|': [3, (left, right) => left | right],
  '^': [4, (left, right) => left ^ right],
  '&': [5, (left, right) => left & right],
  '==': [6, (left, right) => BigInt(left === right)],
  '!=': [6, (left, right) => BigInt(left !== right)],
  '<': [7, (left, right) => BigInt(left < right)],
  '>': [7, (left, right) => BigInt(left > right)],
  '<=': [7, (left, right) => BigInt(left <= right)],
  '>=': [7, (left, right) => BigInt(left >= right)],
  '<<': [8, (left, right) => (right > 63n ? 0n : left << right)],
  '>>': [8, (left, right) => (right > 63n ? 0n : left >> right)],
  '+': [9, (left, right) => left + right],
  '-': [9, (left, right) => left - right],
  '*': [10, (left, right) => left * right],
  '/': [10, (left, right) => (right === 0n ? 0n : left / right)],
  '%': [10, (left, right) => (right === 0n ? 0n : left % right)],
};

/** The value of what stands behind #if and #elif; names that are no macros count as 0. */
export function evaluateCondition(tokens: readonly Token[], directive: Token, diagnostics: Diagnostics): bigint {
  let index = 0;
  let sound = true;
  const fail = (): bigint => {
    sound = false;
    return 0n;
  };
  const primary = (): bigint => {
    const token = tokens[index++];
    if (!token) return fail();
    if (token.kind === 'number') return numberOf(token.text) ?? fail();
    if (token.kind === 'name') return 0n;
    switch (token.text) {
      case '!':
        return BigInt(primary() === 0n);
      case '~':
        return BigInt.asUintN(64, ~primary());
      case '-':
        return -primary();
      case '+':
        return primary();
      case '(': {
        const value = expression(0);
        return tokens[index++]?.text === ')' ? value : fail();
      }
      default:
        return fail();
    }
  };
  const expression = (minimum: number): bigint => {
    let left = primary();
    for (;;) {
      const operator = BINARY[tokens[index]?.text ?? ''];
      if (!operator || operator[0] <= minimum) return left;
      index++;
      left = operator[1](left, expression(operator[0]));
    }
  };
  const value = expression(0);
  if (!sound || index < tokens.length) {
    diagnostics.add(
      'ASL_DIRECTIVE',
      tokens[Math.max(0, index - 1)] ?? directive,
      `#${directive.text} needs an expression`,
    );
  }
  return value;
}
