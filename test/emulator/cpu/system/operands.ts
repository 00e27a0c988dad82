import { setGprPart } from '../../../../src/emulator/cpu/system/registers.ts';
import type { DecodedOperands, OperandSize } from '../../../../src/emulator/cpu/system-context.ts';
import type { FakeProcessor } from './fake-processor.ts';

/** Register operands for a handler; anything can be set. */
export function operandsOf(cpu: FakeProcessor, given: Partial<DecodedOperands> = {}): DecodedOperands {
  const rm = given.rm ?? 0;
  return {
    operandSize: 4,
    addressSize: 4,
    opcode: 0,
    modRm: 0xc0,
    reg: 0,
    rm,
    vvvv: 0,
    isWide: false,
    base: -1,
    index: -1,
    scale: 0,
    displacement: 0,
    isMemory: false,
    segment: 3,
    effectiveAddress: 0n,
    linear: () => 0n,
    immediate: 0n,
    immediate2: 0,
    repeat: 0,
    lock: false,
    readRm: (size: OperandSize) => BigInt.asUintN(size * 8, cpu.state.gpr(rm)),
    writeRm: (size: OperandSize, value: bigint) => setGprPart(cpu.state, rm, size, value),
    ...given,
  };
}
