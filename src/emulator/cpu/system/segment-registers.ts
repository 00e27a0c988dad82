import { VECTOR } from '../exceptions/vectors.ts';
import { segmentLinear } from '../segmentation/access.ts';
import { castInterruptShadow, loadSegment } from '../segmentation/load-segment.ts';
import { Stack } from '../segmentation/stack.ts';
import { SEGMENT_INDEX } from '../state.ts';
import type { CpuContext, DecodedOperands } from '../system-context.ts';
import { setGprPart } from './registers.ts';

/** Segment that PUSH and POP name by opcode. */
const BY_OPCODE: Readonly<Record<number, number>> = {
  6: SEGMENT_INDEX.ES,
  7: SEGMENT_INDEX.ES,
  14: SEGMENT_INDEX.CS,
  22: SEGMENT_INDEX.SS,
  23: SEGMENT_INDEX.SS,
  30: SEGMENT_INDEX.DS,
  31: SEGMENT_INDEX.DS,
  4000: SEGMENT_INDEX.FS,
  4001: SEGMENT_INDEX.FS,
  4008: SEGMENT_INDEX.GS,
  4009: SEGMENT_INDEX.GS,
};
/** LES, LDS, LSS, LFS, LGS. */
const FAR_POINTER_SEGMENTS: Readonly<Record<number, number>> = {
  196: SEGMENT_INDEX.ES,
  197: SEGMENT_INDEX.DS,
  4018: SEGMENT_INDEX.SS,
  4020: SEGMENT_INDEX.FS,
  4021: SEGMENT_INDEX.GS,
};

/** MOV Sreg, r/m16 (8E). */
export function moveToSegment(cpu: CpuContext, operands: DecodedOperands): void {
  const segment = (operands.modRm >> 3) & 7;
  if (segment > 5 || segment === SEGMENT_INDEX.CS) cpu.fault(VECTOR.UD);
  loadSegment(cpu, segment, Number(operands.readRm(2) & 0xffffn));
  if (segment === SEGMENT_INDEX.SS) castInterruptShadow(cpu);
}

/** MOV r/m, Sreg (8C): 16 bits to memory, zero-extended to a wider register. */
export function moveFromSegment(cpu: CpuContext, operands: DecodedOperands): void {
  const segment = (operands.modRm >> 3) & 7;
  if (segment > 5) cpu.fault(VECTOR.UD);
  const size = operands.isMemory ? 2 : operands.operandSize;
  operands.writeRm(size, BigInt(cpu.state.selector(segment)));
}

export function pushSegment(cpu: CpuContext, operands: DecodedOperands): void {
  const stack = Stack.current(cpu);
  stack.push(operands.operandSize, BigInt(cpu.state.selector(BY_OPCODE[operands.opcode])));
  stack.commit();
}

export function popSegment(cpu: CpuContext, operands: DecodedOperands): void {
  const segment = BY_OPCODE[operands.opcode];
  const stack = Stack.current(cpu);
  const selector = Number(stack.pop(operands.operandSize) & 0xffffn);
  // The pointer moves by the width that SS has now, not by that of the segment on its way in.
  if (segment === SEGMENT_INDEX.SS) {
    loadSegment(cpu, segment, selector);
    castInterruptShadow(cpu);
    stack.commit();
    return;
  }
  loadSegment(cpu, segment, selector);
  stack.commit();
}

/** LDS, LES, LSS, LFS, LGS: offset, then selector. */
export function loadFarPointer(cpu: CpuContext, operands: DecodedOperands): void {
  if (!operands.isMemory) cpu.fault(VECTOR.UD);
  const { offset, selector } = readFarPointer(cpu, operands);
  loadSegment(cpu, FAR_POINTER_SEGMENTS[operands.opcode], selector);
  setGprPart(cpu.state, operands.reg, operands.operandSize, offset);
}

/** m16:16, m16:32 or m16:64 at the memory operand. */
export function readFarPointer(cpu: CpuContext, operands: DecodedOperands): { offset: bigint; selector: number } {
  const { memory } = cpu;
  const size = operands.operandSize;
  const linear = segmentLinear(cpu, operands.segment, operands.effectiveAddress, size + 2, false);
  const offset = size === 8 ? memory.read64(linear) : BigInt(memory.read(linear, size));
  return { offset, selector: memory.read(linear + BigInt(size), 2) };
}
