import type { I64 } from '../isa/semantics.ts';
import type { Expr } from '../wasm/expr.ts';

/** Opcodes whose results have 32 bits, whatever they are made of. */
const NARROW_LOADS = new Set([0x31, 0x33, 0x35]);
const NARROW_UNARY = new Set([0x79, 0x7a, 0x7b, 0xad]);
const OPCODE = { AND: 0x83, OR: 0x84, XOR: 0x85, SHR_U: 0x88, REM_U: 0x82, DIV_U: 0x80 } as const;
const LIMIT = 1n << 32n;

/** Which general registers and bound values are known to be zero above their low 32 bits: no instruction is needed to make them so. */
export class NarrowValues {
  readonly #registerOfLocal: ReadonlyMap<number, number>;
  #registers = new Set<number>();
  readonly #bound = new Set<number>();

  /** `registers`: the locals of the general registers. */
  constructor(registers: readonly I64[]) {
    this.#registerOfLocal = new Map(registers.map((local, index) => [local.immediate, index]));
  }

  /** A new block: nothing is known. */
  reset(): void {
    this.#registers.clear();
    this.#bound.clear();
  }

  /** What is known here; the function makes it known again. */
  remember(): () => void {
    const [registers, bound] = [[...this.#registers], [...this.#bound]];
    return () => {
      this.reset();
      for (const index of registers) this.#registers.add(index);
      for (const local of bound) this.#bound.add(local);
    };
  }

  /** Register `index` was written, perhaps; `isNarrow`: with 32 bits. */
  write(index: number, isNarrow: boolean, isConditional: boolean): void {
    if (!isNarrow) this.#registers.delete(index);
    else if (!isConditional) this.#registers.add(index);
  }

  /** `local` was bound to `value`. */
  bind(local: Expr, value: I64): void {
    if (this.has(value)) this.#bound.add(local.immediate);
  }

  /** A local was handed out anew. */
  release(local: number): void {
    this.#bound.delete(local);
  }

  has(value: I64): boolean {
    const [a, b] = [value.a, value.b] as [I64, I64];
    switch (value.kind) {
      case 'const':
        return value.wide === undefined ? value.immediate >= 0 : value.wide >= 0n && value.wide < LIMIT;
      case 'local': {
        const register = this.#registerOfLocal.get(value.immediate);
        return register === undefined ? this.#bound.has(value.immediate) : this.#registers.has(register);
      }
      case 'load':
        return NARROW_LOADS.has(value.opcode);
      case 'unary':
        return NARROW_UNARY.has(value.opcode);
      case 'select':
        return this.has(a) && this.has(b);
      case 'binary':
        return this.#hasResult(value.opcode, a, b);
    }
    return false;
  }

  #hasResult(opcode: number, a: I64, b: I64): boolean {
    switch (opcode) {
      case OPCODE.AND:
        return this.has(a) || this.has(b);
      case OPCODE.OR:
      case OPCODE.XOR:
        return this.has(a) && this.has(b);
      case OPCODE.SHR_U:
        return this.has(a) || (b.kind === 'const' && (b.immediate & 63) >= 32);
      case OPCODE.DIV_U:
      case OPCODE.REM_U:
        return this.has(a);
    }
    return false;
  }
}
