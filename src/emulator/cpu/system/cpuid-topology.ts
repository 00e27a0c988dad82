import { apicIdWidths, type CpuTopology } from '../../machine/processor-topology.ts';
import type { CpuidLeaf } from './cpuid.ts';

/** Leaf 1 EDX: the fields about several logical processors in EBX are valid. */
const HTT = 1 << 28;
const LEVEL_TYPE = { THREAD: 1, CORE: 2 } as const;
/** Leaf 4 has six bits for the cores of a socket. */
const MAX_LEAF_4_CORES = 64;

/** `answer` of a single processor as the one with `apicId` gives it in `topology` (SDM vol. 2 CPUID; vol. 3 §9.9). */
export function withTopology(
  leaf: number,
  subleaf: number,
  answer: CpuidLeaf,
  topology: CpuTopology,
  apicId: number,
): CpuidLeaf {
  const [eax, ebx, ecx, edx] = answer;
  const { core, socket } = apicIdWidths(topology);
  switch (leaf) {
    case 1: {
      const count = Math.min(topology.cores * topology.threads, 0xff);
      const shared = count > 1 ? HTT : 0;
      return [eax, ((ebx & 0xffff) | (count << 16) | (apicId << 24)) >>> 0, ecx, (edx | shared) >>> 0];
    }
    case 4: {
      if (eax === 0) return answer;
      const cores = Math.min(1 << (socket - core), MAX_LEAF_4_CORES);
      return [((eax & 0x3fff) | (((1 << core) - 1) << 14) | ((cores - 1) << 26)) >>> 0, ebx, ecx, edx];
    }
    case 0x0b: {
      const level = subleaf & 0xff;
      if (subleaf === 0) return [core, topology.threads, (LEVEL_TYPE.THREAD << 8) | level, apicId];
      if (subleaf === 1) return [socket, topology.cores * topology.threads, (LEVEL_TYPE.CORE << 8) | level, apicId];
      return [0, 0, level, apicId];
    }
    default:
      return answer;
  }
}
