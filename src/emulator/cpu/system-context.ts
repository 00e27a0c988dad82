import type { CpuTopology } from '../machine/processor-topology.ts';
import type { CpuBus } from './bus.ts';
import type { CpuState } from './cpu-state.ts';
import type { CpuModel } from './model/cpu-model.ts';
import type { EntropySource } from './model/entropy.ts';

export type OperandSize = 1 | 2 | 4 | 8;

/** An exception on its way: one preallocated object is thrown inside system code and caught at the Wasm boundary, never elsewhere. */
export class GuestFault {
  vector = 0;
  /** −1: no error code. */
  errorCode = -1;
}

/**
 * Linear memory as the current instruction sees it: translation, permissions at `privilege` (default: CPL, user if 3), page crossing, A/D bits,
 * MMIO. Throws the GuestFault (#PF with CR2 set, #GP/#SS for non-canonical). Addresses are 64-bit linear; values unsigned.
 */
export interface LinearMemory {
  read(linear: bigint, size: 1 | 2 | 4, privilege?: 'supervisor' | 'user'): number;
  read64(linear: bigint, privilege?: 'supervisor' | 'user'): bigint;
  write(linear: bigint, size: 1 | 2 | 4, value: number, privilege?: 'supervisor' | 'user'): void;
  write64(linear: bigint, value: bigint, privilege?: 'supervisor' | 'user'): void;
  /** Many bytes, a multiple of 8, in ascending order as 8-byte accesses would take them. */
  readBytes(linear: bigint, byteLength: number): DataView;
  writeBytes(linear: bigint, bytes: Uint8Array): void;
  /** Faults as a write of `size` bytes would, and changes nothing but A and D. */
  checkWrite(linear: bigint, size: 1 | 2 | 4 | 8, privilege?: 'supervisor' | 'user'): void;
}

/** Decoded operands of the current instruction, as system and x87 handlers see them. RIP/NEXT_RIP of the state are exact while they run. */
export interface DecodedOperands {
  /** 2, 4 or 8 after prefixes and mode. */
  readonly operandSize: 2 | 4 | 8;
  readonly addressSize: 2 | 4 | 8;
  /** Opcode byte (0F xx as 0x0fxx; x87 D8–DF), and the whole ModRM byte. */
  readonly opcode: number;
  readonly modRm: number;
  /** ModRM.reg with REX.R; ModRM.rm with REX.B when `isMemory` is false. */
  readonly reg: number;
  readonly rm: number;
  /** Register by VEX.vvvv, and VEX.L (256 bits). */
  readonly vvvv: number;
  readonly isWide: boolean;
  /** Base and index registers of the memory operand (−1 none) and the index's left shift: VSIB. */
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly displacement: number;
  readonly isMemory: boolean;
  /** Segment of the memory operand (SEGMENT_INDEX). */
  readonly segment: number;
  /** Offset in that segment, cut to the address size. */
  readonly effectiveAddress: bigint;
  /** Linear address of the memory operand: segment base added (limit and access already checked for reading; canonical in 64-bit mode). */
  linear(): bigint;
  /** Immediate (sign-extended to 64 bits, as unsigned bigint) and, for far pointers and ENTER, the second one. */
  readonly immediate: bigint;
  readonly immediate2: number;
  /** REP/REPNE prefix: 0, 0xf3 or 0xf2; `lock`. */
  readonly repeat: number;
  readonly lock: boolean;
  /** Memory or register operand of `size` bytes; registers as the SDM (a 4-byte register write clears the upper half; 1-byte without REX: AH… for 4–7). */
  readRm(size: OperandSize): bigint;
  writeRm(size: OperandSize, value: bigint): void;
}

/** Everything that system code works on. */
export interface CpuContext {
  readonly state: CpuState;
  readonly memory: LinearMemory;
  readonly bus: CpuBus;
  readonly model: CpuModel;
  readonly entropy: EntropySource;
  readonly topology: CpuTopology;
  /** The initial APIC id of the processor that runs. */
  readonly apicId: number;
  /** Virtual TSC ticks now, exact for the current instruction. */
  tsc(): bigint;
  /** Throws the GuestFault. */
  fault(vector: number, errorCode?: number): never;
  /** CR0/CR3/CR4/EFER/A20 changed, or INVLPG: drop translations (`linear` undefined: all; `global` also global pages). */
  flushTranslations(options: { linear?: bigint; global: boolean }): void;
  /** CS, CPL, CR0, CR4, EFER, RFLAGS.VM/AC or a segment changed: recompute MODE, EFFECTIVE_BASES, MMU index. */
  modesChanged(): void;
  /** DR0–DR3 or DR7 changed. */
  breakpointsChanged(): void;
  /** #DB is due after this instruction, for the reasons `bits` of DR6. */
  debugTrap(bits: number): void;
  /** PAUSE: another processor may run. */
  yieldTurn(): void;
  log(site: string, message: string): void;
}

/** One instruction in TypeScript. Returns nothing: falling through means RIP becomes NEXT_RIP; control transfers set `state.nextRip`. */
export type SystemHandler = (cpu: CpuContext, operands: DecodedOperands) => void;
