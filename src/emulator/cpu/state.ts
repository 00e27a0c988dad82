/**
 * Layout of the processor state in the engine's Wasm memory. The generated interpreter, regions and the TypeScript system code all
 * address it through these offsets; everything is little-endian and naturally aligned.
 */

/** Base of the state block; offset 0 of the memory stays unused, so that 0 can mean "no micro-op". */
export const STATE_BASE = 0x1000;

let next = STATE_BASE;
function place(byteLength: number, alignment = 8): number {
  const offset = Math.ceil(next / alignment) * alignment;
  next = offset + byteLength;
  return offset;
}

/** RAX RCX RDX RBX RSP RBP RSI RDI R8–R15, 8 bytes each. AH…BH are at +1 of the first four. */
export const GPR = place(16 * 8, 64);
/** A register that is always 0: base or index of an effective address that has none. */
export const ZERO_REGISTER = place(8);
/** Where rip-relative operands find the page of the code (virtual address of the current code page, without CS base). */
export const RIP_PAGE = place(8);
/** RIP of the current (while a helper runs) or next (between slices) instruction; a plain offset into CS. */
export const RIP = place(8);
/** RIP of the instruction after the current one, valid while a helper runs. */
export const NEXT_RIP = place(8);

/**
 * Lazy status flags. RESULT: the last result, sign-extended from its operand size. AUX: bit 63 CF, bit 62 CF xor OF, bit 3 AF,
 * bit 0 SF inverted against RESULT's sign, bits 15:8 xored into RESULT's low byte before parity. See flags.ts.
 */
export const FLAGS_RESULT = place(8);
export const FLAGS_AUX = place(8);
/** RFLAGS without CF PF AF ZF SF OF (those are lazy): TF IF DF IOPL NT RF VM AC VIF VIP ID; bit 1 always set. */
export const FLAGS_SYSTEM = place(4);
/** DF as a step for string instructions: +1 or −1; kept in step with FLAGS_SYSTEM. */
export const DIRECTION = place(4);

/** One segment register: selector u32, attributes u32 (SEGMENT_ATTRIBUTES), base u64, limit u32 (in bytes, granularity applied). */
export const SEGMENT = { SELECTOR: 0, ATTRIBUTES: 4, BASE: 8, LIMIT: 16, BYTE_LENGTH: 24 } as const;
/** ES CS SS DS FS GS, then LDTR, TR. */
export const SEGMENTS = place(8 * SEGMENT.BYTE_LENGTH);
export const SEGMENT_INDEX = { ES: 0, CS: 1, SS: 2, DS: 3, FS: 4, GS: 5, LDTR: 6, TR: 7 } as const;
/**
 * Bases that address calculation adds: ES CS SS DS FS GS, 8 bytes each; a seventh is always 0. In 64-bit mode all but FS and GS are 0 here.
 * Derived by `updateModes` whenever a segment or the mode changes.
 */
export const EFFECTIVE_BASES = place(7 * 8);
/** Descriptor bits as in the high dword of a descriptor, shifted right by 8: type 3:0, S 4, DPL 6:5, P 7, AVL 12, L 13, D/B 14, G 15. NULL_SEGMENT marks an unusable segment. */
export const SEGMENT_ATTRIBUTES = {
  TYPE: 0xf,
  S: 0x10,
  DPL_SHIFT: 5,
  P: 0x80,
  L: 0x2000,
  DB: 0x4000,
  G: 0x8000,
  NULL_SEGMENT: 0x1_0000,
} as const;

export const GDTR_BASE = place(8);
export const IDTR_BASE = place(8);
export const GDTR_LIMIT = place(4);
export const IDTR_LIMIT = place(4);

export const CR0 = place(8);
export const CR2 = place(8);
export const CR3 = place(8);
export const CR4 = place(8);
/** CR8 lives in the local APIC. XCR0: */
export const XCR0 = place(8);
export const EFER = place(8);
/** DR0–DR7. */
export const DR = place(8 * 8);
export const DR6 = DR + 6 * 8;
export const DR7 = DR + 7 * 8;
/** Current privilege level 0–3. */
export const CPL = place(4);
/** MODE: what decoding depends on. Bits 1:0 = 0 16-bit, 1 32-bit, 2 64-bit code; see modes.ts. */
export const MODE = place(4);
/** 1 while HLT waits for an interrupt. */
export const HALTED = place(4);
/** 1 for one instruction after STI, MOV SS, POP SS. */
export const INTERRUPT_SHADOW = place(4);

/** MSRs that are plain storage; `msr/` names the rest. Index = position in STORED_MSRS. */
export const MSR_STORAGE = place(64 * 8);

/** Instructions left in this slice (i64; below 0: leave). The interpreter subtracts a block's count at its entry. */
export const BUDGET = place(8);
/** Virtual time at the end of the slice, if all of it runs: now = TICKS_END − BUDGET − what is left of the block. */
export const TICKS_END = place(8);

/** x87: 8 physical registers of 16 bytes: mantissa u64 at +0, sign and exponent u16 at +8. */
export const X87_REGISTERS = place(8 * 16, 16);
export const X87_CONTROL = place(4);
/** Status word without TOP. */
export const X87_STATUS = place(4);
export const X87_TOP = place(4);
/** 8 bits: 1 = physical register holds a value. (The two-bit tag word is computed.) */
export const X87_VALID = place(4);
export const X87_LAST_IP = place(8);
export const X87_LAST_DP = place(8);
export const X87_LAST_CS = place(4);
export const X87_LAST_DS = place(4);
export const X87_LAST_OPCODE = place(4);
export const MXCSR = place(4);
/** MXCSR's rounding control, masks and sticky PE, and their value with which operations on normal numbers leave it as it is. */
export const MXCSR_FAST = { BITS: 0x7fa0, VALUE: 0x1fa0 } as const;
/** What an SSE or MMX instruction raises at once: 0 nothing, 6 #UD, 7 #NM. Derived from CR0 and CR4 by `updateModes`. */
export const SSE_TRAP = place(4);
export const MMX_TRAP = place(4);
/** 16 vector registers of 32 bytes: XMM in the low 16. (AVX state uses the rest.) */
export const XMM = place(16 * 32, 32);

/** Scratch between Wasm and TypeScript: memory operands that took the slow path, values too wide for i32 parameters. */
export const MEMORY_VALUE = place(64, 16);
/** A pending fault: vector (−1 none), error code, and CR2 for #PF is written directly. */
export const FAULT_VECTOR = place(4);
export const FAULT_ERROR_CODE = place(4);
/** Why the interpreter returned: EXIT_REASON. */
export const EXIT_REASON = place(4);
export const MMU_INDEX = place(4);
export const TLB_READ = place(4);
export const TLB_WRITE = place(4);
/** Ring of the last taken branches for the autopsy: position, then 16 × (from, to). */
export const BRANCH_RING_POSITION = place(4);
export const BRANCH_RING = place(16 * 16);

/** Where an indirect jump out of a handler function goes (RIP). */
export const JUMP_RIP = place(8);
/** Regions that have called one another and not returned. */
export const CALL_DEPTH = place(4);
/** What a region returns whose memory access cannot go on (NEXT). */
export const LEAVE_TO = place(4);
/** The micro-op at which the interpreter stopped. */
export const CURRENT_UOP = place(4);
/** Mixed into the tags of the jump cache: everything besides RIP that an entry depends on (CPL, code size), in bits 63:52. */
export const MODE_KEY = place(8);
/** Mask of the stack pointer's width, and of linear addresses (32 bits outside 64-bit code). */
export const STACK_MASK = place(8);
export const LINEAR_MASK = place(8);
/** First offset past what may be read (written) by segment, ES CS SS DS FS GS: 0 forbids, 64-bit code allows all; expand-down is decided by TypeScript. */
export const READ_LIMITS = place(6 * 8);
export const WRITE_LIMITS = place(6 * 8);
/** Largest RIP that may be jumped to outside 64-bit code: CS's limit. */
export const CODE_LIMIT = place(8);
/** 1 while the processor's INTR pin is asserted, kept by the engine for STI and POPF. */
export const INTERRUPT_REQUEST = place(4);
/** 0–255, a new one with each CR3 write: part of MODE_KEY at CPL 3, so that jumps cached for another address space do not match. */
export const USER_GENERATION = place(4);
/** Low half of the RIP behind the last STI that generated code ran: no interrupt is taken there, so that STI, HLT cannot lose its wake-up. */
export const STI_SHADOW_RIP = place(4);
/** A value of STI_SHADOW_RIP that stands for none (and costs nothing when it is one after all). */
export const NO_SHADOW = 0xffff_ffff;

/** Scratch 16-byte-aligned constants for SSE helpers. */
export const SIMD_SCRATCH = place(256, 16);
/** ZF and CF of a floating-point comparison that a helper made; both: unordered. */
export const COMPARISON = { ZERO: SIMD_SCRATCH + 128, CARRY: SIMD_SCRATCH + 132 } as const;

/** Where the running processor's TLBs and jump cache stand (layout.ts): each processor has its own. */
export const TRANSLATION_AREA = place(4);

/** Rights of the protection keys: two bits each, access and write disabled. */
export const PKRU = place(4);
/** 64 less the width of a linear address, 48 bits or with CR4.LA57 57: bits that only repeat the highest one. Derived by `updateModes`. */
export const CANONICAL_SHIFT = place(8);

/** What an AVX instruction raises at once, as SSE_TRAP: by CR4.OSXSAVE, XCR0, the mode and CR0.TS. */
export const AVX_TRAP = place(4);

export const STATE_END = next;

/** Register numbers as the SDM encodes them. */
export const REGISTER = {
  RAX: 0,
  RCX: 1,
  RDX: 2,
  RBX: 3,
  RSP: 4,
  RBP: 5,
  RSI: 6,
  RDI: 7,
} as const;

/** RFLAGS bits (SDM vol. 1 §3.4.3). */
export const RFLAGS = {
  CF: 1 << 0,
  PF: 1 << 2,
  AF: 1 << 4,
  ZF: 1 << 6,
  SF: 1 << 7,
  TF: 1 << 8,
  IF: 1 << 9,
  DF: 1 << 10,
  OF: 1 << 11,
  IOPL: 3 << 12,
  NT: 1 << 14,
  RF: 1 << 16,
  VM: 1 << 17,
  AC: 1 << 18,
  VIF: 1 << 19,
  VIP: 1 << 20,
  ID: 1 << 21,
} as const;

/** The six lazy ones. */
export const STATUS_FLAGS = RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.OF;
