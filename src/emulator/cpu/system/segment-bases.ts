import { CR4_BITS } from '../control-bits.ts';
import { VECTOR } from '../exceptions/vectors.ts';
import { isCanonicalRegister } from '../mmu/canonical.ts';
import { CR4, SEGMENT, SEGMENT_INDEX, SEGMENTS } from '../state.ts';
import type { CpuContext, DecodedOperands, SystemHandler } from '../system-context.ts';

function requireEnabled(cpu: CpuContext): void {
  if ((cpu.state.u32(CR4) & CR4_BITS.FSGSBASE) === 0) cpu.fault(VECTOR.UD);
}

const baseOf = (segment: number): number => SEGMENTS + segment * SEGMENT.BYTE_LENGTH + SEGMENT.BASE;

const read =
  (segment: number): SystemHandler =>
  (cpu: CpuContext, operands: DecodedOperands) => {
    requireEnabled(cpu);
    operands.writeRm(operands.operandSize, cpu.state.u64(baseOf(segment)));
  };

const write =
  (segment: number): SystemHandler =>
  (cpu: CpuContext, operands: DecodedOperands) => {
    requireEnabled(cpu);
    const base = operands.readRm(operands.operandSize);
    if (!isCanonicalRegister(cpu, base)) cpu.fault(VECTOR.GP, 0);
    cpu.state.setU64(baseOf(segment), base);
    cpu.modesChanged();
  };

/** RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE (SDM vol. 2). */
export const readFsBase = read(SEGMENT_INDEX.FS);
export const readGsBase = read(SEGMENT_INDEX.GS);
export const writeFsBase = write(SEGMENT_INDEX.FS);
export const writeGsBase = write(SEGMENT_INDEX.GS);
