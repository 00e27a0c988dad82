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
} as const;

export type VectorOperation = keyof typeof VECTOR_OPERATION;
