import { AVX_TRAP, EFFECTIVE_BASES, LINEAR_MASK, XMM } from '../state.ts';
import type { CpuContext, DecodedOperands, SystemHandler } from '../system-context.ts';

const UNDEFINED_OPCODE = 6;
type ElementBytes = 4 | 8;

const slot = (register: number): number => XMM + register * 32;
const lengthOf = (operands: DecodedOperands): 16 | 32 => (operands.isWide ? 32 : 16);

function checkEnabled(cpu: CpuContext): void {
  const trap = cpu.state.u32(AVX_TRAP);
  if (trap !== 0) cpu.fault(trap);
}

/** The top bit of a mask's element. */
function isSelected(cpu: CpuContext, register: number, offset: number, bytes: ElementBytes): boolean {
  return (cpu.state.bytes[slot(register) + offset + bytes - 1] & 0x80) !== 0;
}

/** Offsets of the elements that the mask in VEX.vvvv selects. */
function selected(cpu: CpuContext, operands: DecodedOperands, bytes: ElementBytes): number[] {
  const offsets: number[] = [];
  for (let offset = 0; offset < lengthOf(operands); offset += bytes) {
    if (isSelected(cpu, operands.vvvv, offset, bytes)) offsets.push(offset);
  }
  return offsets;
}

const at = (linear: bigint, offset: number): bigint => BigInt.asUintN(64, linear + BigInt(offset));

/** VMASKMOVPS and its relatives: elements that are not selected are neither read nor written, and load as 0. */
const load =
  (bytes: ElementBytes): SystemHandler =>
  (cpu, operands) => {
    checkEnabled(cpu);
    const { state, memory } = cpu;
    const linear = operands.linear();
    const result = new DataView(new ArrayBuffer(32));
    for (const offset of selected(cpu, operands, bytes)) {
      if (bytes === 8) result.setBigUint64(offset, memory.read64(at(linear, offset)), true);
      else result.setUint32(offset, memory.read(at(linear, offset), 4), true);
    }
    for (let offset = 0; offset < 32; offset += 8) {
      state.setU64(slot(operands.reg) + offset, result.getBigUint64(offset, true));
    }
  };

const store =
  (bytes: ElementBytes): SystemHandler =>
  (cpu, operands) => {
    checkEnabled(cpu);
    const { state, memory } = cpu;
    const linear = operands.linear();
    const offsets = selected(cpu, operands, bytes);
    for (const offset of offsets) memory.checkWrite(at(linear, offset), bytes);
    for (const offset of offsets) {
      const from = slot(operands.reg) + offset;
      if (bytes === 8) memory.write64(at(linear, offset), state.u64(from));
      else memory.write(at(linear, offset), 4, state.u32(from));
    }
  };

/** Linear address of a gather's element. */
function elementAddress(cpu: CpuContext, operands: DecodedOperands, index: bigint): bigint {
  const { state } = cpu;
  const base = operands.base < 0 ? 0n : state.gpr(operands.base);
  const offset = base + BigInt(operands.displacement) + (index << BigInt(operands.scale));
  const cut = BigInt.asUintN(operands.addressSize * 8, offset);
  return (cut + state.u64(EFFECTIVE_BASES + operands.segment * 8)) & state.u64(LINEAR_MASK);
}

/**
 * VGATHERDPS and its relatives (SDM vol. 2): each element is finished, and its mask cleared, before the next one is read, so that a page fault
 * goes on where it stopped.
 */
const gather =
  (bytes: ElementBytes): SystemHandler =>
  (cpu, operands) => {
    checkEnabled(cpu);
    const { state, memory } = cpu;
    // VSIB: index 4 is a register too.
    const indexRegister = operands.index < 0 ? 4 : operands.index;
    const { reg, vvvv } = operands;
    const distinct = reg !== vvvv && reg !== indexRegister && vvvv !== indexRegister;
    if ((operands.modRm & 7) !== 4 || !distinct) cpu.fault(UNDEFINED_OPCODE);
    const indexBytes = (operands.opcode & 1) !== 0 ? 8 : 4;
    const count = lengthOf(operands) / Math.max(bytes, indexBytes);
    for (let element = 0; element < count; element++) {
      const offset = element * bytes;
      if (isSelected(cpu, vvvv, offset, bytes)) {
        const place = slot(indexRegister) + element * indexBytes;
        const index = indexBytes === 8 ? state.view.getBigInt64(place, true) : BigInt(state.view.getInt32(place, true));
        const linear = elementAddress(cpu, operands, index);
        if (bytes === 8) state.setU64(slot(reg) + offset, memory.read64(linear));
        else state.setU32(slot(reg) + offset, memory.read(linear, 4));
      }
      state.bytes.fill(0, slot(vvvv) + offset, slot(vvvv) + offset + bytes);
    }
    state.bytes.fill(0, slot(vvvv), slot(vvvv) + 32);
    state.bytes.fill(0, slot(reg) + count * bytes, slot(reg) + 32);
  };

/** By the names of their rows. */
export const MASKED_MOVE_HANDLERS = {
  VMASKMOV_LOAD32: load(4),
  VMASKMOV_LOAD64: load(8),
  VMASKMOV_STORE32: store(4),
  VMASKMOV_STORE64: store(8),
  VGATHER32: gather(4),
  VGATHER64: gather(8),
} as const satisfies Record<string, SystemHandler>;
