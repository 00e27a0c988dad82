import { KIB, MIB } from '../../shared/bytes.ts';

/** What firmware of old finds in CMOS; addresses as QEMU's `pc_cmos_init` fills them. */
export interface CmosFacts {
  /** Bytes of RAM below 4 GiB and from 4 GiB on. */
  readonly lowRamBytes: number;
  readonly highRamBytes: number;
  readonly cpus: number;
}

const CONVENTIONAL_KIB = 640;
/** Equipment byte: coprocessor and PS/2 mouse. */
const EQUIPMENT = 0x06;

/** CMOS bytes by address: memory sizes, equipment, processor count, boot order (disk, CD, network). */
export function cmosBytes(facts: CmosFacts): ReadonlyMap<number, number> {
  const bytes = new Map<number, number>();
  const word = (address: number, value: number) => {
    bytes.set(address, value & 0xff);
    bytes.set(address + 1, (value >> 8) & 0xff);
  };
  const extended = Math.min(0xffff, Math.max(0, Math.floor((facts.lowRamBytes - MIB) / KIB)));
  const above16 = Math.min(0xffff, Math.max(0, Math.floor((facts.lowRamBytes - 16 * MIB) / (64 * KIB))));
  const high = Math.floor(facts.highRamBytes / (64 * KIB));
  bytes.set(0x14, EQUIPMENT);
  word(0x15, CONVENTIONAL_KIB);
  word(0x17, extended);
  word(0x30, extended);
  word(0x34, above16);
  word(0x5b, high & 0xffff);
  bytes.set(0x5d, (high >> 16) & 0xff);
  bytes.set(0x5f, facts.cpus - 1);
  return bytes;
}
