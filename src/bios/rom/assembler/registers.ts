/** The register names of x86 as typed operands. Facts only. */

export type RegisterSize = 8 | 16 | 32 | 64;

export interface Gpr {
  readonly kind: 'gpr';
  readonly name: string;
  readonly size: RegisterSize;
  /** Number in ModRM, 0–15; AH–BH are 4–7 with `high`. */
  readonly code: number;
  /** SPL, BPL, SIL, DIL exist only with a REX prefix. */
  readonly needsRex: boolean;
  /** AH, CH, DH, BH exist only without one. */
  readonly high: boolean;
}

export interface SegmentRegister {
  readonly kind: 'segment';
  readonly name: string;
  readonly code: number;
  /** The override prefix. */
  readonly prefix: number;
}

export interface ControlRegister {
  readonly kind: 'control';
  readonly name: string;
  readonly code: number;
}

export interface DebugRegister {
  readonly kind: 'debug';
  readonly name: string;
  readonly code: number;
}

/** The instruction pointer as a base: RIP-relative addressing (SDM vol. 2 §2.2.1.6). */
export interface InstructionPointer {
  readonly kind: 'ip';
  readonly name: 'rip';
}

function gpr(name: string, size: RegisterSize, code: number): Gpr {
  return { kind: 'gpr', name, size, code, needsRex: size === 8 && code >= 4 && code < 8, high: false };
}

function highByte(name: string, code: number): Gpr {
  return { kind: 'gpr', name, size: 8, code, needsRex: false, high: true };
}

function segment(name: string, code: number, prefix: number): SegmentRegister {
  return { kind: 'segment', name, code, prefix };
}

function control(code: number): ControlRegister {
  return { kind: 'control', name: `cr${code}`, code };
}

function debug(code: number): DebugRegister {
  return { kind: 'debug', name: `dr${code}`, code };
}

export const [al, cl, dl, bl] = [gpr('al', 8, 0), gpr('cl', 8, 1), gpr('dl', 8, 2), gpr('bl', 8, 3)];
export const [ah, ch, dh, bh] = [highByte('ah', 4), highByte('ch', 5), highByte('dh', 6), highByte('bh', 7)];
export const [spl, bpl, sil, dil] = [gpr('spl', 8, 4), gpr('bpl', 8, 5), gpr('sil', 8, 6), gpr('dil', 8, 7)];
export const [r8b, r9b, r10b, r11b] = [gpr('r8b', 8, 8), gpr('r9b', 8, 9), gpr('r10b', 8, 10), gpr('r11b', 8, 11)];
export const [r12b, r13b, r14b, r15b] = [
  gpr('r12b', 8, 12),
  gpr('r13b', 8, 13),
  gpr('r14b', 8, 14),
  gpr('r15b', 8, 15),
];

export const [ax, cx, dx, bx] = [gpr('ax', 16, 0), gpr('cx', 16, 1), gpr('dx', 16, 2), gpr('bx', 16, 3)];
export const [sp, bp, si, di] = [gpr('sp', 16, 4), gpr('bp', 16, 5), gpr('si', 16, 6), gpr('di', 16, 7)];
export const [r8w, r9w, r10w, r11w] = [gpr('r8w', 16, 8), gpr('r9w', 16, 9), gpr('r10w', 16, 10), gpr('r11w', 16, 11)];
export const [r12w, r13w, r14w, r15w] = [
  gpr('r12w', 16, 12),
  gpr('r13w', 16, 13),
  gpr('r14w', 16, 14),
  gpr('r15w', 16, 15),
];

export const [eax, ecx, edx, ebx] = [gpr('eax', 32, 0), gpr('ecx', 32, 1), gpr('edx', 32, 2), gpr('ebx', 32, 3)];
export const [esp, ebp, esi, edi] = [gpr('esp', 32, 4), gpr('ebp', 32, 5), gpr('esi', 32, 6), gpr('edi', 32, 7)];
export const [r8d, r9d, r10d, r11d] = [gpr('r8d', 32, 8), gpr('r9d', 32, 9), gpr('r10d', 32, 10), gpr('r11d', 32, 11)];
export const [r12d, r13d, r14d, r15d] = [
  gpr('r12d', 32, 12),
  gpr('r13d', 32, 13),
  gpr('r14d', 32, 14),
  gpr('r15d', 32, 15),
];

export const [rax, rcx, rdx, rbx] = [gpr('rax', 64, 0), gpr('rcx', 64, 1), gpr('rdx', 64, 2), gpr('rbx', 64, 3)];
export const [rsp, rbp, rsi, rdi] = [gpr('rsp', 64, 4), gpr('rbp', 64, 5), gpr('rsi', 64, 6), gpr('rdi', 64, 7)];
export const [r8, r9, r10, r11] = [gpr('r8', 64, 8), gpr('r9', 64, 9), gpr('r10', 64, 10), gpr('r11', 64, 11)];
export const [r12, r13, r14, r15] = [gpr('r12', 64, 12), gpr('r13', 64, 13), gpr('r14', 64, 14), gpr('r15', 64, 15)];

export const [es, cs, ss] = [segment('es', 0, 0x26), segment('cs', 1, 0x2e), segment('ss', 2, 0x36)];
export const [ds, fs, gs] = [segment('ds', 3, 0x3e), segment('fs', 4, 0x64), segment('gs', 5, 0x65)];

export const [cr0, cr2, cr3, cr4, cr8] = [control(0), control(2), control(3), control(4), control(8)];
export const [dr0, dr1, dr2, dr3, dr6, dr7] = [debug(0), debug(1), debug(2), debug(3), debug(6), debug(7)];

export const rip: InstructionPointer = { kind: 'ip', name: 'rip' };
