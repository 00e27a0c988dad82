import type { AccessSize } from '../../machine/ports.ts';
import { VECTOR } from '../exceptions/vectors.ts';
import { ioPrivilegeLevel, isProtected, isVirtual8086 } from '../modes.ts';
import { segmentLinear } from '../segmentation/access.ts';
import { portsPermitted } from '../segmentation/task-state.ts';
import { CPL, FLAGS_SYSTEM, REGISTER, RFLAGS, SEGMENT_INDEX } from '../state.ts';
import type { CpuContext, DecodedOperands } from '../system-context.ts';
import { setGprPart } from './registers.ts';

/** #GP(0) unless IOPL or the TSS's permission bitmap allows the ports; virtual-8086 mode always asks the bitmap. */
function requirePorts(cpu: CpuContext, port: number, size: number): void {
  const { state } = cpu;
  if (!isProtected(state)) return;
  if (state.u32(CPL) <= ioPrivilegeLevel(state) && !isVirtual8086(state)) return;
  if (!portsPermitted(cpu, port, size)) cpu.fault(VECTOR.GP, 0);
}

/** Even opcodes move a byte, odd ones 2 or 4. */
function transferSize(operands: DecodedOperands): AccessSize {
  if ((operands.opcode & 1) === 0) return 1;
  return operands.operandSize === 2 ? 2 : 4;
}

/** E4, E5, E6, E7 carry the port; EC–EF and the string forms take DX. */
function portOf(cpu: CpuContext, operands: DecodedOperands): number {
  const immediate = operands.opcode >= 0xe4 && operands.opcode <= 0xe7;
  return immediate ? Number(operands.immediate & 0xffn) : cpu.state.gpr32(REGISTER.RDX) & 0xffff;
}

/** IN AL/AX/EAX, imm8 or DX. */
export function portIn(cpu: CpuContext, operands: DecodedOperands): void {
  const size = transferSize(operands);
  const port = portOf(cpu, operands);
  requirePorts(cpu, port, size);
  setGprPart(cpu.state, REGISTER.RAX, size, BigInt(cpu.bus.portRead(port, size) >>> 0));
}

/** OUT imm8 or DX, AL/AX/EAX. */
export function portOut(cpu: CpuContext, operands: DecodedOperands): void {
  const size = transferSize(operands);
  const port = portOf(cpu, operands);
  requirePorts(cpu, port, size);
  cpu.bus.portWrite(port, size, truncate(cpu.state.gpr32(REGISTER.RAX), size));
}

function truncate(value: number, size: AccessSize): number {
  return size === 4 ? value >>> 0 : size === 2 ? value & 0xffff : value & 0xff;
}

/**
 * INS: one element an execution. With REP the instruction stays current until the count is used up, so that virtual time and interrupts
 * are exact at each element.
 */
export function stringIn(cpu: CpuContext, operands: DecodedOperands): void {
  const size = transferSize(operands);
  const port = cpu.state.gpr32(REGISTER.RDX) & 0xffff;
  if (!beginsElement(cpu, operands)) return;
  requirePorts(cpu, port, size);
  const offset = indexRegister(cpu, operands, REGISTER.RDI);
  const linear = segmentLinear(cpu, SEGMENT_INDEX.ES, offset, size, true);
  // A page fault must come before the port is read.
  cpu.memory.checkWrite(linear, size);
  cpu.memory.write(linear, size, cpu.bus.portRead(port, size));
  endElement(cpu, operands, REGISTER.RDI, size);
}

/** OUTS: the source segment can be overridden. */
export function stringOut(cpu: CpuContext, operands: DecodedOperands): void {
  const size = transferSize(operands);
  const port = cpu.state.gpr32(REGISTER.RDX) & 0xffff;
  if (!beginsElement(cpu, operands)) return;
  requirePorts(cpu, port, size);
  const offset = indexRegister(cpu, operands, REGISTER.RSI);
  const linear = segmentLinear(cpu, operands.segment, offset, size, false);
  cpu.bus.portWrite(port, size, cpu.memory.read(linear, size));
  endElement(cpu, operands, REGISTER.RSI, size);
}

function indexRegister(cpu: CpuContext, operands: DecodedOperands, register: number): bigint {
  return BigInt.asUintN(operands.addressSize * 8, cpu.state.gpr(register));
}

/** False when REP finds a count of 0. */
function beginsElement(cpu: CpuContext, operands: DecodedOperands): boolean {
  return operands.repeat === 0 || indexRegister(cpu, operands, REGISTER.RCX) !== 0n;
}

/** Steps the index, counts down, and stays at this instruction while elements are left. */
function endElement(cpu: CpuContext, operands: DecodedOperands, register: number, size: number): void {
  const { state } = cpu;
  const { addressSize } = operands;
  const step = (state.u32(FLAGS_SYSTEM) & RFLAGS.DF) !== 0 ? -size : size;
  setGprPart(state, register, addressSize, BigInt.asUintN(64, state.gpr(register) + BigInt(step)));
  if (operands.repeat === 0) return;
  const left = BigInt.asUintN(addressSize * 8, state.gpr(REGISTER.RCX) - 1n);
  setGprPart(state, REGISTER.RCX, addressSize, left);
  if (left !== 0n) state.nextRip = state.rip;
}
