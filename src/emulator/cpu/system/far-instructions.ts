import { farCall, farJump, farReturn } from '../segmentation/far-transfer.ts';
import { interruptReturn } from '../segmentation/interrupt-return.ts';
import { Stack } from '../segmentation/stack.ts';
import { REGISTER } from '../state.ts';
import type { CpuContext, DecodedOperands } from '../system-context.ts';
import { setGprPart } from './registers.ts';
import { readFarPointer } from './segment-registers.ts';

/** JMP ptr16:16/32 (EA): `immediate` is the offset, `immediate2` the selector. */
export function jumpFarPointer(cpu: CpuContext, operands: DecodedOperands): void {
  farJump(cpu, operands.immediate2 & 0xffff, immediateOffset(operands));
}

/** CALL ptr16:16/32 (9A). */
export function callFarPointer(cpu: CpuContext, operands: DecodedOperands): void {
  farCall(cpu, operands.immediate2 & 0xffff, immediateOffset(operands), operands.operandSize);
}

function immediateOffset(operands: DecodedOperands): bigint {
  return BigInt.asUintN(operands.operandSize * 8, operands.immediate);
}

/** JMP m16:16/32/64 (FF /5). */
export function jumpFarMemory(cpu: CpuContext, operands: DecodedOperands): void {
  const { offset, selector } = readFarPointer(cpu, operands);
  farJump(cpu, selector, offset);
}

/** CALL m16:16/32/64 (FF /3). */
export function callFarMemory(cpu: CpuContext, operands: DecodedOperands): void {
  const { offset, selector } = readFarPointer(cpu, operands);
  farCall(cpu, selector, offset, operands.operandSize);
}

/** RETF (CB) and RETF imm16 (CA). */
export function returnFar(cpu: CpuContext, operands: DecodedOperands): void {
  const released = operands.opcode === 0xca ? Number(operands.immediate & 0xffffn) : 0;
  farReturn(cpu, operands.operandSize, released);
}

export function returnFromInterrupt(cpu: CpuContext, operands: DecodedOperands): void {
  interruptReturn(cpu, operands.operandSize);
}

/** ENTER imm16, imm8 at every nesting level: `immediate` is the frame's size, `immediate2` the level. */
export function enterFrame(cpu: CpuContext, operands: DecodedOperands): void {
  const { state } = cpu;
  const size = operands.operandSize;
  const stack = Stack.current(cpu);
  const width = stack.width;
  const level = operands.immediate2 & 0x1f;
  stack.push(size, state.gpr(REGISTER.RBP));
  const frame = stack.pointer;
  if (level > 0) {
    let display = BigInt.asUintN(width, state.gpr(REGISTER.RBP));
    for (let index = 1; index < level; index++) {
      display = BigInt.asUintN(width, display - BigInt(size));
      stack.push(size, stack.peek(size, display));
    }
    stack.push(size, frame);
  }
  const allocated = BigInt.asUintN(width, stack.pointer - (operands.immediate & 0xffffn));
  // The last byte of the frame must be writable, or the fault belongs to this instruction (SDM ENTER).
  stack.probe(size, allocated);
  stack.pointer = allocated;
  stack.commit();
  setGprPart(state, REGISTER.RBP, size, frame);
}
