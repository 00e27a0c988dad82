import { type InstructionRow, type RowOptions, row } from './row.ts';
import type { Semantic } from './semantics.ts';
import { byHelper } from './simd-sse4.ts';

const AES: RowOptions = { prefix: 0x66, feature: 'aes' };
const SHA: RowOptions = { prefix: 0, feature: 'sha-ni' };

/** The helper finds the keys in XMM0. */
const sha256Rounds: Semantic = (c) => {
  c.spillVectors();
  byHelper('SHA256RNDS2')(c);
};

/** AES-NI, PCLMULQDQ and SHA (SDM vol. 1 §12.13, §5.23). */
export const SIMD_CRYPTO_ROWS: readonly InstructionRow[] = [
  row('0f38', 0xdb, 'AESIMC', ['Vdq', 'Wdq'], byHelper('AESIMC'), AES),
  row('0f38', 0xdc, 'AESENC', ['Vdq', 'Wdq'], byHelper('AESENC'), AES),
  row('0f38', 0xdd, 'AESENCLAST', ['Vdq', 'Wdq'], byHelper('AESENCLAST'), AES),
  row('0f38', 0xde, 'AESDEC', ['Vdq', 'Wdq'], byHelper('AESDEC'), AES),
  row('0f38', 0xdf, 'AESDECLAST', ['Vdq', 'Wdq'], byHelper('AESDECLAST'), AES),
  row('0f3a', 0xdf, 'AESKEYGENASSIST', ['Vdq', 'Wdq', 'Ib'], byHelper('AESKEYGENASSIST'), AES),
  row('0f3a', 0x44, 'PCLMULQDQ', ['Vdq', 'Wdq', 'Ib'], byHelper('PCLMULQDQ'), { prefix: 0x66, feature: 'pclmulqdq' }),
  row('0f38', 0xc8, 'SHA1NEXTE', ['Vdq', 'Wdq'], byHelper('SHA1NEXTE'), SHA),
  row('0f38', 0xc9, 'SHA1MSG1', ['Vdq', 'Wdq'], byHelper('SHA1MSG1'), SHA),
  row('0f38', 0xca, 'SHA1MSG2', ['Vdq', 'Wdq'], byHelper('SHA1MSG2'), SHA),
  row('0f38', 0xcb, 'SHA256RNDS2', ['Vdq', 'Wdq'], sha256Rounds, SHA),
  row('0f38', 0xcc, 'SHA256MSG1', ['Vdq', 'Wdq'], byHelper('SHA256MSG1'), SHA),
  row('0f38', 0xcd, 'SHA256MSG2', ['Vdq', 'Wdq'], byHelper('SHA256MSG2'), SHA),
  row('0f3a', 0xcc, 'SHA1RNDS4', ['Vdq', 'Wdq', 'Ib'], byHelper('SHA1RNDS4'), SHA),
];
