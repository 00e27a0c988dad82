import { RFLAGS, STATUS_FLAGS } from '../state.ts';
import type { SystemHandler } from '../system-context.ts';

/** RDRAND and RDSEED: always ready, so CF is 1 and the other status flags 0 (SDM vol. 2). */
export const readRandom: SystemHandler = (cpu, operands) => {
  const { state } = cpu;
  operands.writeRm(operands.operandSize, cpu.entropy.next(state));
  state.setRflags((state.rflags() & ~STATUS_FLAGS) | RFLAGS.CF);
};
