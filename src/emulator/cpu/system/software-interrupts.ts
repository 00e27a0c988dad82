import { DR6_BITS } from '../control-bits.ts';
import { deliverEvent } from '../exceptions/delivery.ts';
import type { CpuEvent } from '../exceptions/event.ts';
import { VECTOR } from '../exceptions/vectors.ts';
import { ioPrivilegeLevel, isVirtual8086 } from '../modes.ts';
import { segmentLinear } from '../segmentation/access.ts';
import { DR, FLAGS_SYSTEM, RFLAGS } from '../state.ts';
import type { CpuContext, DecodedOperands } from '../system-context.ts';

/** INT imm8 (CD): in virtual-8086 mode only with IOPL 3 (there is no VME). */
export function softwareInterrupt(cpu: CpuContext, operands: DecodedOperands): void {
  const { state } = cpu;
  if (isVirtual8086(state) && ioPrivilegeLevel(state) !== 3) cpu.fault(VECTOR.GP, 0);
  deliverEvent(cpu, { vector: Number(operands.immediate & 0xffn), errorCode: -1, kind: 'software' });
}

/** INT3 (CC): not sensitive to IOPL. */
export function breakpoint(cpu: CpuContext): void {
  deliverEvent(cpu, { vector: VECTOR.BP, errorCode: -1, kind: 'software' });
}

/** INTO (CE). */
export function interruptOnOverflow(cpu: CpuContext): void {
  if ((cpu.state.rflags() & RFLAGS.OF) !== 0) {
    deliverEvent(cpu, { vector: VECTOR.OF, errorCode: -1, kind: 'software' });
  }
}

/** INT1 (F1): a debug trap that ignores the gate's DPL. */
export function debugTrap(cpu: CpuContext): void {
  deliverEvent(cpu, { vector: VECTOR.DB, errorCode: -1, kind: 'trap' });
}

/** BOUND r, m (62): signed index against a pair of bounds. */
export function checkBounds(cpu: CpuContext, operands: DecodedOperands): void {
  if (!operands.isMemory) cpu.fault(VECTOR.UD);
  const size = operands.operandSize === 2 ? 2 : 4;
  const linear = segmentLinear(cpu, operands.segment, operands.effectiveAddress, size * 2, false);
  const signed = (value: number) => (size === 2 ? (value << 16) >> 16 : value | 0);
  const lower = signed(cpu.memory.read(linear, size));
  const upper = signed(cpu.memory.read(linear + BigInt(size), size));
  const index = signed(cpu.state.gpr32(operands.reg));
  if (index < lower || index > upper) cpu.fault(VECTOR.BR);
}

/** The trap after an instruction that began with TF set; DR6.BS says why. The engine hands it to ExceptionUnit. */
export function singleStepEvent(cpu: CpuContext): CpuEvent {
  const dr6 = DR + 6 * 8;
  cpu.state.setU32(dr6, (cpu.state.u32(dr6) | DR6_BITS.BS) >>> 0);
  return { vector: VECTOR.DB, errorCode: -1, kind: 'trap' };
}

/** TF is set: each instruction ends with a debug trap. */
export function isSingleStepping(cpu: CpuContext): boolean {
  return (cpu.state.u32(FLAGS_SYSTEM) & RFLAGS.TF) !== 0;
}
