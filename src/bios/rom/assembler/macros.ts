import type { Code } from './assembler.ts';
import type { Condition } from './instructions.ts';
import { CONDITIONS } from './instructions.ts';
import { type Immediate, isImmediate, type Memory, type SymbolReference } from './operands.ts';
import { type Gpr, r8, r9, rcx, rdi, rdx, rsi } from './registers.ts';

/** Where arguments travel in the toolkit's 64-bit code (the order of the System V ABI); the result is in RAX. */
export const ARGUMENT_REGISTERS: readonly Gpr[] = [rdi, rsi, rdx, rcx, r8, r9];

/** The condition that holds when `condition` does not: they differ in bit 0. */
export function opposite(condition: Condition): Condition {
  return CONDITIONS[CONDITIONS.indexOf(condition) ^ 1];
}

/** Runs `then` when the flags meet `condition`, else `otherwise`. */
export function when(code: Code, condition: Condition, then: () => void, otherwise?: () => void): void {
  const skip = code.localLabel('else');
  code.branch(opposite(condition), skip);
  then();
  if (otherwise === undefined) {
    code.label(skip);
    return;
  }
  const end = code.localLabel('end');
  code.jump(end);
  code.label(skip);
  otherwise();
  code.label(end);
}

/** Labels that the body of a loop can go to. */
export interface LoopLabels {
  readonly next: string;
  readonly done: string;
}

/** A loop without a condition of its own: the body leaves by a branch to `done`. */
export function repeat(code: Code, body: (labels: LoopLabels) => void): void {
  const labels = { next: code.localLabel('next'), done: code.localLabel('done') };
  code.label(labels.next);
  body(labels);
  code.jump(labels.next);
  code.label(labels.done);
}

/** Runs the body as often as `counter` says, which may be 0, counting it down after each round. */
export function countDown(code: Code, counter: Gpr | Memory, body: (labels: LoopLabels) => void): void {
  const labels = { next: code.localLabel('next'), done: code.localLabel('done') };
  const again = code.localLabel('again');
  code.cmp(counter, 0);
  code.branch('z', labels.done);
  code.label(again);
  body(labels);
  code.label(labels.next);
  code.dec(counter);
  code.branch('nz', again);
  code.label(labels.done);
}

/** A procedure that keeps `saved` registers. */
export function procedure(code: Code, name: string, saved: readonly Gpr[], body: (leave: string) => void): void {
  const leave = code.localLabel('leave');
  code.label(name);
  for (const register of saved) code.push(register);
  body(leave);
  code.label(leave);
  for (const register of [...saved].reverse()) code.pop(register);
  code.ret();
}

/** Calls a procedure; each argument goes to its register in order, so none may stand in the register of an earlier one. */
export function invoke(code: Code, name: string, ...values: (Immediate | Gpr | Memory)[]): void {
  for (const [index, value] of values.entries()) loadRegister(code, ARGUMENT_REGISTERS[index], value);
  code.call(name);
}

/** Moves a value to a 64-bit register in the shortest way; 32-bit sources are zero-extended. */
export function loadRegister(code: Code, target: Gpr, value: Immediate | Gpr | Memory): void {
  const low = lowHalf(target);
  if (isImmediate(value)) loadImmediate(code, target, low, value);
  else if (value === target) return;
  else if (value.size === 64) code.mov(target, value);
  else if (value.size === 32) code.mov(low, value);
  else code.movzx(low, value);
}

function loadImmediate(code: Code, target: Gpr, low: Gpr, value: number | bigint | SymbolReference): void {
  if (typeof value === 'object') code.mov(low, value);
  else if (value === 0) code.xor(low, low);
  else if (BigInt(value) > 0 && BigInt(value) < 1n << 32n) code.mov(low, value);
  else code.mov(target, value);
}

/** The 32-bit name of a 64-bit register. */
export function lowHalf(register: Gpr): Gpr {
  const name = register.code < 8 ? register.name.replace('r', 'e') : `${register.name}d`;
  return { kind: 'gpr', name, size: 32, code: register.code, needsRex: false, high: false };
}
