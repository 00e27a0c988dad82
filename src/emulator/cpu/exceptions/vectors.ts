/** Exception vectors (SDM vol. 3 table 6-1). */
export const VECTOR = {
  DE: 0,
  DB: 1,
  NMI: 2,
  BP: 3,
  OF: 4,
  BR: 5,
  UD: 6,
  NM: 7,
  DF: 8,
  TS: 10,
  NP: 11,
  SS: 12,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  MC: 18,
  XM: 19,
} as const;

/** `#PF` and the like; `vector 0x40` for the rest. */
export function vectorName(vector: number): string {
  for (const [name, number] of Object.entries(VECTOR)) if (number === vector) return `#${name}`;
  return `vector 0x${vector.toString(16)}`;
}

/** What an exception means, in words for a person. */
export const VECTOR_MEANING: Readonly<Record<number, string>> = {
  [VECTOR.DE]: 'divide error',
  [VECTOR.DB]: 'debug exception',
  [VECTOR.NMI]: 'non-maskable interrupt',
  [VECTOR.BP]: 'breakpoint',
  [VECTOR.OF]: 'overflow',
  [VECTOR.BR]: 'BOUND range exceeded',
  [VECTOR.UD]: 'invalid opcode',
  [VECTOR.NM]: 'x87 or SSE is switched off (CR0.TS or CR0.EM)',
  [VECTOR.DF]: 'double fault',
  [VECTOR.TS]: 'invalid TSS',
  [VECTOR.NP]: 'segment or gate not present',
  [VECTOR.SS]: 'stack-segment fault',
  [VECTOR.GP]: 'general protection',
  [VECTOR.PF]: 'page fault',
  [VECTOR.MF]: 'x87 error',
  [VECTOR.AC]: 'alignment check',
  [VECTOR.MC]: 'machine check',
  [VECTOR.XM]: 'SIMD floating-point error',
};
