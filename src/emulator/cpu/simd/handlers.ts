import { isCanonical } from '../mmu/canonical.ts';
import { isCode64 } from '../modes.ts';
import { MMX_TRAP, SEGMENT_INDEX, SSE_TRAP, X87_REGISTERS, X87_STATUS, X87_TOP, X87_VALID, XMM } from '../state.ts';
import type { CpuContext, DecodedOperands, SystemHandler } from '../system-context.ts';
import { MASKED_MOVE_HANDLERS } from './masked-moves.ts';

const RDI = 7;
const STATUS_ES = 0x80;
const FLOATING_POINT_ERROR = 16;
const GENERAL_PROTECTION = 13;

/** Linear address of DS:rDI, with a segment override. */
function destination(cpu: CpuContext, operands: DecodedOperands): bigint {
  const offset = BigInt.asUintN(operands.addressSize * 8, cpu.state.gpr(RDI));
  const flat = operands.segment < SEGMENT_INDEX.FS && operands.addressSize === 8;
  return BigInt.asUintN(64, offset + (flat ? 0n : cpu.state.segmentBase(operands.segment)));
}

/** Stores the bytes of `data` whose mask byte has its top bit set. */
function storeMasked(cpu: CpuContext, operands: DecodedOperands, data: number, mask: number, byteLength: number): void {
  const { state } = cpu;
  const linear = destination(cpu, operands);
  // Whatever the mask says.
  if (isCode64(state) && !isCanonical(state, linear)) cpu.fault(GENERAL_PROTECTION, 0);
  for (let index = 0; index < byteLength; index++) {
    if ((state.bytes[mask + index] & 0x80) !== 0)
      cpu.memory.write(linear + BigInt(index), 1, state.bytes[data + index]);
  }
}

const maskedXmm: SystemHandler = (cpu, operands) => {
  const trap = cpu.state.u32(SSE_TRAP);
  if (trap !== 0) cpu.fault(trap);
  storeMasked(cpu, operands, XMM + operands.reg * 32, XMM + operands.rm * 32, 16);
};

const maskedMmx: SystemHandler = (cpu, operands) => {
  const { state } = cpu;
  const trap = state.u32(MMX_TRAP);
  if (trap !== 0) cpu.fault(trap);
  if ((state.u32(X87_STATUS) & STATUS_ES) !== 0) cpu.fault(FLOATING_POINT_ERROR);
  const register = (index: number) => X87_REGISTERS + (index & 7) * 16;
  storeMasked(cpu, operands, register(operands.reg), register(operands.rm), 8);
  state.setU32(X87_TOP, 0);
  state.setU32(X87_VALID, 0xff);
};

/** Vector instructions that run in TypeScript, by the names of their rows. */
export const SIMD_HANDLERS = {
  MASKMOVDQU: maskedXmm,
  MASKMOVQ: maskedMmx,
  ...MASKED_MOVE_HANDLERS,
} as const satisfies Record<string, SystemHandler>;
