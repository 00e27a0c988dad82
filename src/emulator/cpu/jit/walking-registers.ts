import type { HandlerKey, HandlerTable } from '../interpreter/handlers.ts';
import { FORM, isMemoryForm, UOP } from '../interpreter/micro-op.ts';
import { parseOperand } from '../isa/row.ts';
import { GPR, REGISTER, ZERO_REGISTER } from '../state.ts';
import type { RegionPlan } from './region-plan.ts';

const COUNT = 16;
/** Steps up to this many bytes stay in a page for a while. */
const LARGEST_STEP = 256;
/** Rows whose first operand is no destination. */
const READERS = new Set(['CMP', 'TEST', 'PUSH', 'BT', 'JMP', 'CALL', 'NOP']);

type Copy = readonly [to: number, from: number];

/**
 * Which general registers change by small steps only, or not at all, in the loop around a block: accesses off them find the same page again and again. A
 * guess that decides where an access looks first, nothing else.
 */
export class WalkingRegisters {
  readonly #plan: RegionPlan;
  readonly #loops: readonly (readonly number[] | undefined)[];
  readonly #view: DataView;
  readonly #handlers: HandlerTable;
  readonly #known = new Map<readonly number[] | undefined, readonly boolean[]>();

  /** `loops`: blocks of the innermost loop around each block of the plan (loops.ts). */
  constructor(
    plan: RegionPlan,
    loops: readonly (readonly number[] | undefined)[],
    view: DataView,
    handlers: HandlerTable,
  ) {
    this.#plan = plan;
    this.#loops = loops;
    this.#view = view;
    this.#handlers = handlers;
  }

  /** The memory operand of the micro-op at `uop` in `block` stands off registers that walk. */
  isWalking(block: number, uop: number): boolean {
    const walks = this.#around(block);
    return [UOP.BASE, UOP.INDEX].every((field) => {
      const register = registerAt(this.#view.getUint16(uop + field, true));
      return register < 0 || walks[register];
    });
  }

  #around(block: number): readonly boolean[] {
    const loop = this.#loops[block];
    let walks = this.#known.get(loop);
    if (walks === undefined) {
      walks = this.#changesIn(loop ?? this.#plan.keys());
      this.#known.set(loop, walks);
    }
    return walks;
  }

  #hasBaseAlone({ form }: HandlerKey, uop: number): boolean {
    if (form !== FORM.FLAT) return form === FORM.BASE;
    return this.#view.getUint16(uop + UOP.INDEX, true) === ZERO_REGISTER;
  }

  #changesIn(blocks: Iterable<number>): boolean[] {
    const walks: boolean[] = new Array(COUNT).fill(true);
    const copies: Copy[] = [];
    for (const number of blocks) {
      // A crossroads is no block.
      if (number >= this.#plan.length) continue;
      const { block } = this.#plan[number];
      for (let index = 0; index < block.count; index++) {
        const uop = block.uop + index * UOP.BYTE_LENGTH;
        const handler = index === 0 ? block.handler : this.#view.getUint16(uop + UOP.HANDLER, true);
        const key = this.#handlers.keyOf(handler);
        if (key !== undefined) this.#note(walks, copies, key, uop);
      }
    }
    spread(walks, copies);
    walks[REGISTER.RSP] = true;
    return walks;
  }

  /** Enters what one instruction does to its destination. */
  #note(walks: boolean[], copies: Copy[], key: HandlerKey, uop: number): void {
    const { mnemonic, operands } = key.entry.row;
    if (operands.length === 0 || READERS.has(mnemonic)) return;
    const fieldOf = (operand: string): number => this.#view.getUint16(uop + (operand === 'E' ? UOP.RM : UOP.REG), true);
    const kinds = operands.map((code) => parseOperand(code).kind);
    const isMemory = kinds.includes('E') && isMemoryForm(key.form);
    if (kinds[0] === 'E' && isMemory) return;
    if (!'EGZ'.includes(kinds[0]) && !operands[0].endsWith('AX')) return;
    const register = kinds[0] === 'fixed' ? REGISTER.RAX : registerAt(fieldOf(kinds[0]));
    if (register < 0 || mnemonic === 'INC' || mnemonic === 'DEC' || mnemonic === 'POP') return;
    const number = (field: number): number => Math.abs(this.#view.getInt32(uop + field, true));
    if ((mnemonic === 'ADD' || mnemonic === 'SUB') && kinds[1] === 'I' && number(UOP.IMMEDIATE) <= LARGEST_STEP) return;
    if (mnemonic === 'MOV' && kinds[1] === 'I') return;
    if (mnemonic === 'MOV' && !isMemory) copies.push([register, registerAt(fieldOf(kinds[1]))]);
    else if (mnemonic === 'LEA' && this.#hasBaseAlone(key, uop) && number(UOP.DISPLACEMENT) <= LARGEST_STEP)
      copies.push([register, registerAt(this.#view.getUint16(uop + UOP.BASE, true))]);
    else if (mnemonic !== 'XOR' || isMemory || fieldOf('E') !== fieldOf('G')) walks[register] = false;
  }
}

/** Number of the general register whose slot `address` is in; −1: another place. */
function registerAt(address: number): number {
  return address >= GPR && address < GPR + COUNT * 8 ? (address - GPR) >> 3 : -1;
}

/** What is copied from a register that jumps about does so too. */
function spread(walks: boolean[], copies: readonly Copy[]): void {
  for (let changed = true; changed; ) {
    changed = false;
    for (const [to, from] of copies) {
      if (!walks[to] || from < 0 || walks[from]) continue;
      walks[to] = false;
      changed = true;
    }
  }
}
