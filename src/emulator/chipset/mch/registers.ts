import { MIB } from '../../../shared/bytes.ts';
import {
  bit,
  bits,
  type FieldSpec,
  plain,
  type Registers,
  RO,
  RW,
  RW1C,
  RWL,
  RWO,
  reg8,
  reg16,
  reg64,
} from '../../registers/declaration.ts';

/** Extended TSEG size in MiB that the query answers with, as QEMU's machine. */
export const EXTENDED_TSEG_MIB = 16;

/** PCIEXBAR.LENGTH: bytes and buses (MCH §5.1.5). 3 is reserved. */
export const PCIEXBAR_LENGTHS = [256 * MIB, 128 * MIB, 64 * MIB] as const;

/** What a PAM register steers: [start, end) of each of its two fields (MCH §5.1.8). PAM0's low field is reserved. */
export const PAM_SEGMENTS: readonly {
  readonly register: string;
  readonly field: 'LO' | 'HI';
  readonly base: number;
  readonly size: number;
}[] = [
  { register: 'PAM0', field: 'HI', base: 0xf_0000, size: 0x1_0000 },
  ...[1, 2, 3, 4, 5, 6].flatMap((index) => [
    { register: `PAM${index}`, field: 'LO' as const, base: 0xc_0000 + (index - 1) * 0x8000, size: 0x4000 },
    { register: `PAM${index}`, field: 'HI' as const, base: 0xc_4000 + (index - 1) * 0x8000, size: 0x4000 },
  ]),
];

/** Bit 0 of a PAM field lets reads go to RAM, bit 1 writes. */
export const PAM_ENABLE = { READ: 1, WRITE: 2 } as const;

function pamFields(low: boolean): Record<string, FieldSpec> {
  return low ? { LO: bits(1, 0, RW), HI: bits(5, 4, RW) } : { HI: bits(5, 4, RW) };
}

/** Registers of the host bridge, D0:F0, beyond the header (MCH §5.1). `topOfLowRam` and `topOfHighRam` in MiB. */
export function mchRegisters(topOfLowRam: number, topOfHighRam: number): Registers {
  return {
    EPBAR: reg64(0x40, { EPBAREN: bit(0, RW), BASE: bits(35, 12, RW) }),
    MCHBAR: reg64(0x48, { MCHBAREN: bit(0, RW), BASE: bits(35, 14, RW) }),
    // Not Intel's: QEMU's way to ask for and choose a TSEG of any size.
    EXTENDED_TSEG: plain(0x50, 2, RW, EXTENDED_TSEG_MIB),
    DEVEN: reg16(0x54, { D0EN: bit(0, RO), D1EN: bit(1, RW), D2F0EN: bit(3, RW), D2F1EN: bit(4, RW) }),
    PCIEXBAR: reg64(0x60, {
      PCIEXBAREN: bit(0, RW),
      LENGTH: bits(2, 1, RW),
      BASE: bits(35, 26, RW, 0xb000_0000 / 2 ** 26),
    }),
    DMIBAR: reg64(0x68, { DMIBAREN: bit(0, RW), BASE: bits(35, 12, RW) }),
    PAM0: reg8(0x90, pamFields(false)),
    PAM1: reg8(0x91, pamFields(true)),
    PAM2: reg8(0x92, pamFields(true)),
    PAM3: reg8(0x93, pamFields(true)),
    PAM4: reg8(0x94, pamFields(true)),
    PAM5: reg8(0x95, pamFields(true)),
    PAM6: reg8(0x96, pamFields(true)),
    LAC: reg8(0x97, { MDAP: bit(0, RW), HEN: bit(7, RW) }),
    REMAPBASE: reg16(0x98, { BASE: bits(9, 0, RW, 0x3ff) }),
    REMAPLIMIT: reg16(0x9a, { LIMIT: bits(9, 0, RW) }),
    SMRAM: reg8(0x9d, {
      C_BASE_SEG: bits(2, 0, RO, 0b010),
      G_SMRAME: bit(3, RWL),
      D_LCK: bit(4, RWO),
      D_CLS: bit(5, RW),
      D_OPEN: bit(6, RWL),
    }),
    ESMRAMC: reg8(
      0x9e,
      {
        T_EN: bit(0, RWL),
        TSEG_SZ: bits(2, 1, RWL),
        SM_L2: bit(3, RO, 1),
        SM_L1: bit(4, RO, 1),
        SM_CACHE: bit(5, RO, 1),
        E_SMERR: bit(6, RW1C),
        H_SMRAME: bit(7, RWL),
      },
      { lockedBy: 'SMRAM.D_LCK' },
    ),
    // In units of 64 MiB; the memory controller's own count of all RAM.
    TOM: reg16(0xa0, { TOM: bits(9, 0, RW, Math.ceil(topOfHighRam / 64) & 0x3ff) }),
    TOUUD: reg16(0xa2, { TOUUD: bits(15, 0, RW, Math.min(topOfHighRam, 0xffff)) }),
    TSEGMB: plain(0xac, 4, RW),
    TOLUD: reg16(0xb0, { TOLUD: bits(15, 4, RW, topOfLowRam) }),
    ERRSTS: plain(0xc8, 2, RW1C),
    ERRCMD: plain(0xca, 2, RW),
    SKPD: plain(0xdc, 4, RW),
  };
}
