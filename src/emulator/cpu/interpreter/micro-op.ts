/**
 * A pre-decoded instruction in Wasm memory: 32 bytes, written by TypeScript, read by the generated handlers. Register fields are
 * absolute addresses in the state block, so a handler needs no table and no branch to find its operands.
 */
export const UOP = {
  HANDLER: 0,
  /** Instructions from this one to the end of its block, itself included; 0 for the fall-through at the end. */
  REMAINING: 2,
  LENGTH: 3,
  /** Offset of the instruction in its page. */
  PAGE_OFFSET: 4,
  /** Register by ModRM.reg (or in the opcode). */
  REG: 6,
  /** Register by ModRM.rm; memory forms: slot of the segment base in EFFECTIVE_BASES. */
  RM: 8,
  BASE: 10,
  INDEX: 12,
  SCALE: 14,
  /** 64 − bits of the address size. */
  ADDRESS_SHIFT: 15,
  /** Displacement; branches: offset of the next instruction in the page. */
  DISPLACEMENT: 16,
  /** Immediate; branches: relative offset. */
  IMMEDIATE: 20,
  /** Branches: micro-op at the target, 0 unknown. Otherwise the low half of a 64-bit immediate. */
  TARGET: 24,
  /** VEX forms: register by VEX.vvvv. */
  VVVV: 24,
  /** Branches: micro-op at the next instruction. Memory forms: number of the segment. */
  FALL_THROUGH: 28,
  SEGMENT: 28,
  BYTE_LENGTH: 32,
} as const;

/** How a handler finds its operands. */
export const FORM = {
  /** Registers, or no ModRM. Branches: target in the same page. */
  REGISTER: 0,
  /** [register + displacement], 64-bit, segment base 0. Branches: target anywhere. */
  BASE: 1,
  /** [base + index × scale + displacement + segment base], 64-bit. */
  FULL: 2,
  /** Address size 16 or 32, or segments with limits. Also stack rows outside 64-bit code. */
  LEGACY: 3,
  /** Register form of a stack row outside 64-bit code. */
  LEGACY_STACK: 4,
  /** Far branch form of a stack row outside 64-bit code. */
  LEGACY_STACK_FAR: 5,
  /**
   * Flat 32-bit code: [base + index × scale + displacement], no limit. An access over the top of 4 GiB wraps: whether it faults is the
   * implementation's choice (SDM vol. 3 §5.3).
   */
  FLAT: 6,
  /** Register form of a stack row there. */
  FLAT_STACK: 7,
  /** Far branch form of a stack row there. */
  FLAT_STACK_FAR: 8,
  COUNT: 9,
} as const;

export type Form = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** The micro-op has a memory operand. */
export function isMemoryForm(form: Form): boolean {
  return form === FORM.BASE || form === FORM.FULL || form === FORM.LEGACY || form === FORM.FLAT;
}

/** Addresses of this form go on without limits up to 4 GiB. */
export function isFlatForm(form: Form): boolean {
  return form >= FORM.FLAT;
}

/** What a handler returns besides the next micro-op's address (a multiple of 32). */
export const NEXT = {
  /** Back to TypeScript. */
  LEAVE: 0,
  /** Bit 0: the address is a block's entry, which takes its count from the budget. */
  ENTER: 1,
  /** Jump to the RIP in JUMP_RIP. */
  JUMP: 2,
} as const;

/** EXIT_REASON when the interpreter returns. */
export const EXIT = {
  /** The next block does not fit into the budget. */
  BUDGET: 0,
  /** FAULT_VECTOR and FAULT_ERROR_CODE hold an exception of CURRENT_UOP. */
  FAULT: 1,
  /** RIP is set: look again (interrupts, other code, mode). */
  CONTINUE: 2,
  /** CURRENT_UOP was withdrawn before it ran: go on at its RIP. */
  STALE: 3,
} as const;
