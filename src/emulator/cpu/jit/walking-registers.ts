import { FORM, UOP } from '../interpreter/micro-op.ts';
import type { HandlerKey, HandlerTable } from '../interpreter/handlers.ts';
import { parseOperand } from '../isa/row.ts';
import { GPR, REGISTER, ZERO_REGISTER } from '../state.ts';
import type { RegionPlan } from './region-plan.ts';

const COUNT = 16;
/** Steps up to this many bytes stay in a page for a while. */
const LARGEST_STEP = 256;
/** Rows whose first operand is no destination. */
const READERS = new Set(['CMP', 'TEST', 'PUSH', 'BT', 'JMP', 'CALL', 'NOP']);

/**
 * Which general registers change in a region by small steps only, or not at all: accesses off them find the same page again and again. A guess that
 * decides where an access looks first, nothing else.
 */
export function walkingRegisters(plan: RegionPlan, view: DataView, handlers: HandlerTable): readonly boolean[] {
  const walks: boolean[] = new Array(COUNT).fill(true);
  const copies: [to: number, from: number][] = [];
  for (const { block } of plan) {
    for (let index = 0; index < block.count; index++) {
      const uop = block.uop + index * UOP.BYTE_LENGTH;
      const key = handlers.keyOf(index === 0 ? block.handler : view.getUint16(uop + UOP.HANDLER, true));
      if (key !== undefined) noteChange(walks, copies, key, new DataView(view.buffer, uop, UOP.BYTE_LENGTH));
    }
  }
  // What is copied from a register that jumps about does so too.
  for (let changed = true; changed; ) {
    changed = false;
    for (const [to, from] of copies) {
      if (!walks[to] || walks[from]) continue;
      walks[to] = false;
      changed = true;
    }
  }
  walks[REGISTER.RSP] = true;
  return walks;
}

/** The memory operand of the micro-op at `uop` stands off registers that walk. */
export function isWalking(walks: readonly boolean[], view: DataView, uop: number): boolean {
  return [UOP.BASE, UOP.INDEX].every((field) => {
    const register = registerAt(view.getUint16(uop + field, true));
    return register < 0 || walks[register];
  });
}

/** Number of the general register whose slot `address` is in; −1: another place. */
function registerAt(address: number): number {
  return address >= GPR && address < GPR + COUNT * 8 && address !== ZERO_REGISTER ? (address - GPR) >> 3 : -1;
}

function noteChange(walks: boolean[], copies: [number, number][], key: HandlerKey, uop: DataView): void {
  const { mnemonic, operands } = key.entry.row;
  if (operands.length === 0 || READERS.has(mnemonic)) return;
  const { kind } = parseOperand(operands[0]);
  const isMemoryForm = key.form === FORM.BASE || key.form === FORM.FULL || key.form === FORM.LEGACY;
  if (kind !== 'G' && kind !== 'Z' && !(kind === 'E' && !isMemoryForm)) return;
  const register = registerAt(uop.getUint16(kind === 'E' ? UOP.RM : UOP.REG, true));
  if (register < 0) return;
  const step = Math.abs(uop.getInt32(UOP.IMMEDIATE, true));
  switch (mnemonic) {
    case 'INC':
    case 'DEC':
    case 'POP':
      return;
    case 'ADD':
    case 'SUB':
      if (parseOperand(operands[1]).kind === 'I' && step <= LARGEST_STEP) return;
      break;
    case 'LEA':
      if (Math.abs(uop.getInt32(UOP.DISPLACEMENT, true)) > LARGEST_STEP) break;
      if (registerAt(uop.getUint16(UOP.INDEX, true)) >= 0 && key.form !== FORM.BASE) break;
      if (registerAt(uop.getUint16(UOP.BASE, true)) >= 0) copies.push([register, registerAt(uop.getUint16(UOP.BASE, true))]);
      return;
    case 'XOR':
      if (!isMemoryForm && uop.getUint16(UOP.REG, true) === uop.getUint16(UOP.RM, true)) return;
      break;
    case 'MOV': {
      const source = parseOperand(operands[1]).kind;
      if (source === 'I') return;
      if (isMemoryForm) break;
      copies.push([register, registerAt(uop.getUint16(kind === 'E' ? UOP.REG : UOP.RM, true))]);
      return;
    }
  }
  walks[register] = false;
}
