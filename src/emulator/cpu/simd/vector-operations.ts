/* Numbers of the vector operations that live in TypeScript, between generated code and `VectorHelper`. Facts only. */

export const VECTOR_OPERATION = {
  PHMINPOSUW: 0,
  MPSADBW: 1,
  /** All four string comparisons: immediate, lengths and kind in one word. */
  PCMPSTR: 2,
  AESENC: 3,
  AESENCLAST: 4,
  AESDEC: 5,
  AESDECLAST: 6,
  AESIMC: 7,
  AESKEYGENASSIST: 8,
  PCLMULQDQ: 9,
  SHA1NEXTE: 10,
  SHA1MSG1: 11,
  SHA1MSG2: 12,
  SHA1RNDS4: 13,
  SHA256RNDS2: 14,
  SHA256MSG1: 15,
  SHA256MSG2: 16,
  /** On 32 bytes; shifts: bit 8 of the control for quadwords, bit 9 for 32 bytes. */
  VPERMD: 17,
  VPERMQ: 18,
  VPERM2F128: 19,
  VPSLLV: 20,
  VPSRLV: 21,
  VPSRAV: 22,
} as const;

export type VectorOperation = keyof typeof VECTOR_OPERATION;
