import type { I64 } from '../isa/semantics.ts';
import type { Expr } from '../wasm/expr.ts';

const OPCODE_ADD = 0x7c;
const OPCODE_SUB = 0x7d;
const OPCODE_AND = 0x83;
const OPCODE_SHL = 0x86;
const LOW_32 = 0xffff_ffffn;

/** A value known as an unknown one plus a constant. Equal roots: the same unknown value. */
export interface AddressForm {
  readonly root: number;
  readonly offset: number;
  /** The register whose value at the block's beginning the root is. */
  readonly register?: number;
}

/**
 * What is known of general registers and bound values inside one block: which differ by constants alone. So accesses to the fields of one
 * object, or to one stack frame, are seen to be near one another however the registers move.
 */
export class AddressForms {
  readonly #registers: AddressForm[] = [];
  readonly #registerOfLocal: ReadonlyMap<number, number>;
  readonly #bound = new Map<number, AddressForm>();
  readonly #isCut: boolean;
  #nextRoot = 0;
  /** Roots of sums, by those of their parts. */
  readonly #sums = new Map<string, number>();

  /** `registers`: the locals of the general registers. `isCut`: only the low 32 bits of a value are an address, so that cutting it changes nothing. */
  constructor(registers: readonly I64[], isCut: boolean) {
    this.#isCut = isCut;
    this.#registerOfLocal = new Map(registers.map((local, index) => [local.immediate, index]));
    this.reset(registers.length);
  }

  /** A new block: nothing is known. */
  reset(count = this.#registers.length): void {
    this.#bound.clear();
    for (let index = 0; index < count; index++)
      this.#registers[index] = { root: this.#nextRoot++, offset: 0, register: index };
  }

  /** What is known here; the function makes it known again. */
  remember(): () => void {
    const [registers, bound] = [[...this.#registers], [...this.#bound]];
    return () => {
      for (const [index, form] of registers.entries()) this.#registers[index] = form;
      this.#bound.clear();
      for (const [local, form] of bound) this.#bound.set(local, form);
    };
  }

  /** Register `index` now holds something else. */
  forget(index: number): void {
    this.#registers[index] = { root: this.#nextRoot++, offset: 0 };
  }

  /** Register `index` now holds `value`, all bits of it that count. */
  assign(index: number, value: I64): void {
    this.#registers[index] = this.of(value) ?? { root: this.#nextRoot++, offset: 0 };
  }

  /** `local` was bound to `value`. */
  bind(local: Expr, value: I64): void {
    const form = this.of(value);
    if (form !== undefined) this.#bound.set(local.immediate, form);
  }

  /** A local was handed out anew. */
  release(local: number): void {
    this.#bound.delete(local);
  }

  of(value: I64): AddressForm | undefined {
    if (value.kind === 'local') {
      const register = this.#registerOfLocal.get(value.immediate);
      return register === undefined ? this.#bound.get(value.immediate) : this.#registers[register];
    }
    if (value.kind !== 'binary') return undefined;
    if (this.#isCut && value.opcode === OPCODE_AND && (value.b as I64).wide === LOW_32) return this.of(value.a as I64);
    if (value.opcode !== OPCODE_ADD && value.opcode !== OPCODE_SUB) return undefined;
    const { a, b } = value as { a: I64; b: I64 };
    const form = this.of(a);
    if (form === undefined) return undefined;
    if (b.kind === 'const') {
      if (b.wide !== undefined) return undefined;
      return moved(form, value.opcode === OPCODE_ADD ? b.immediate : -b.immediate);
    }
    return value.opcode === OPCODE_ADD ? this.#sum(form, b) : undefined;
  }

  /** A base and an index: an unknown value of its own, the same wherever both are. */
  #sum(base: AddressForm, index: I64): AddressForm | undefined {
    const isScaled = index.kind === 'binary' && index.opcode === OPCODE_SHL && index.b?.kind === 'const';
    const scale = isScaled ? index.b!.immediate : 0;
    const form = this.of(isScaled ? (index.a as I64) : index);
    if (form === undefined) return undefined;
    const key = `${base.root} ${form.root} ${scale}`;
    const root = this.#sums.get(key) ?? this.#nextRoot++;
    this.#sums.set(key, root);
    return moved({ root, offset: base.offset }, form.offset * 2 ** scale);
  }
}

function moved(form: AddressForm, distance: number): AddressForm | undefined {
  const offset = form.offset + distance;
  return (offset | 0) === offset ? { ...form, offset } : undefined;
}
