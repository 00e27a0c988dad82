import { HPET as HPET_BLOCK } from '../../emulator/machine/memory-map.ts';
import { ADDRESS_SPACES, encodeLayout, gas, u8, u16, u32 } from '../layout.ts';
import { type AcpiTable, finishTable, type OemIdentity, tableLayout } from './header.ts';

/** IA-PC HPET table (IA-PC HPET 1.0a §3.2.4). */
export const HPET = tableLayout('HPET', {
  EVENT_TIMER_BLOCK_ID: u32(36),
  BASE_ADDRESS: gas(40),
  HPET_NUMBER: u8(52),
  MINIMUM_TICK: u16(53),
  PAGE_PROTECTION: u8(55),
});

/** The low half of GCAP_ID: revision 1, three comparators, 64-bit counter, legacy replacement, vendor 8086. */
export const HPET_BLOCK_ID = 0x8086_a201;

export function buildHpet(oem: OemIdentity): AcpiTable {
  const body = encodeLayout(HPET, {
    EVENT_TIMER_BLOCK_ID: HPET_BLOCK_ID,
    BASE_ADDRESS: {
      space: ADDRESS_SPACES.MEMORY,
      bitWidth: 64,
      bitOffset: 0,
      accessSize: 0,
      address: HPET_BLOCK.base,
    },
  });
  return finishTable({ signature: 'HPET', revision: 1, oem }, body);
}
