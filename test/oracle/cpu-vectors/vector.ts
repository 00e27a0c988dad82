/** One instruction, or a short sequence (names begin with `sequence`), executed on a real processor: the state before, and the state that it left. */
export interface CpuVector {
  /** SDM form, e.g. `ADD r/m32, r32`. */
  readonly name: string;
  /** Code segment: 16-bit (segments based at CODE_BASE), 32-bit flat compatibility mode, 64-bit. CPL 3 in all. */
  readonly mode: 16 | 32 | 64;
  readonly bytes: Uint8Array;
  readonly before: CpuVectorState;
  readonly after: CpuVectorOutcome;
  /** Status flags that the SDM leaves undefined for this case: not compared. */
  readonly undefinedFlags: number;
}

export interface CpuVectorState {
  /** RAX RCX RDX RBX RSP RBP RSI RDI R8–R15. In 16- and 32-bit mode only the low 32 bits of the first eight count. */
  readonly gpr: readonly bigint[];
  /** RFLAGS with IF and bit 1 set. */
  readonly rflags: number;
  /** Offset in CS of the instruction (linear in 32- and 64-bit mode; in 16-bit mode add CODE_BASE for the linear address). */
  readonly rip: bigint;
  /** Linear addresses; the rest of the data area is 0. */
  readonly memory: readonly MemoryWindow[];
  readonly fpu?: FpuState;
}

export interface CpuVectorOutcome extends CpuVectorState {
  /** Exception that was raised (0 #DE, 6 #UD, 13 #GP, 14 #PF, 16 #MF, 19 #XM …); rip is then the instruction's. Undefined: it ran. */
  readonly fault?: { readonly vector: number; readonly errorCode: number; readonly cr2: bigint };
  /** Bytes that changed; everything else in the data area is as before. */
  readonly memory: readonly MemoryWindow[];
}

export interface MemoryWindow {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** x87, MMX and SSE state, as FXSAVE lays it out. */
export interface FpuState {
  readonly controlWord: number;
  /** With TOP in bits 13:11. */
  readonly statusWord: number;
  /** Abridged: bit set = physical register holds a value. */
  readonly validMask: number;
  readonly mxcsr: number;
  /** ST(0)–ST(7), 80 bits each (MM registers are the low 64 bits of the physical registers). */
  readonly st: readonly bigint[];
  /** XMM0–XMM15, 128 bits each. */
  readonly xmm: readonly bigint[];
  /** Upper halves of YMM0–YMM15, where the instruction can see them. */
  readonly ymm?: readonly bigint[];
}

/** Code: two pages filled with INT3, mapped at linear CODE_BASE. */
export const CODE_BASE = 0x1000_0000;
export const CODE_BYTE_LENGTH = 0x2000;
/** Data and stack: two pages, nothing mapped on either side. In 16-bit mode DS, ES and SS have the base CODE_BASE, limit 0xffff. */
export const DATA_BASE = 0x1000_4000;
export const DATA_BYTE_LENGTH = 0x2000;
/** Base of GS in every mode. FS is not used. */
export const GS_BASE = DATA_BASE + 0x800;
/** Where an instruction stands unless the vector says otherwise. */
export const DEFAULT_RIP = CODE_BASE + 0x100;

/** General registers before each vector, unless it overrides them. RSP points into the data area. */
export const DEFAULT_GPR: readonly bigint[] = [
  0xa1b2_c3d4_e5f6_0718n,
  0x9182_7364_5546_3728n,
  0x1029_3847_5665_7483n,
  0xdead_beef_cafe_f00dn,
  0x1000_5800n,
  0x0bad_cafe_1357_9bdfn,
  0x8765_4321_0fed_cba9n,
  0x7f6e_5d4c_3b2a_1908n,
  0x0102_0304_0506_0708n,
  0xf9f8_f7f6_f5f4_f3f2n,
  0x3c3c_c3c3_5a5a_a5a5n,
  0x7fff_ffff_ffff_fffen,
  0x8000_0000_8000_0001n,
  0x5555_5555_aaaa_aaaan,
  0x0000_0001_ffff_0000n,
  0xffff_0000_0000_8001n,
];
/** RFLAGS before each vector, unless it overrides them. */
export const DEFAULT_RFLAGS = 0x202;

/** FXSAVE state before vectors that touch it, unless they override it: FNINIT, MXCSR 0x1f80, all registers 0. */
export const DEFAULT_FPU: FpuState = {
  controlWord: 0x37f,
  statusWord: 0,
  validMask: 0,
  mxcsr: 0x1f80,
  st: Array.from({ length: 8 }, () => 0n),
  xmm: Array.from({ length: 16 }, () => 0n),
};
