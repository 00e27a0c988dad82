import { littleEndian, type Mode } from '../oracle/cpu-vectors/encode.ts';
import type { Random } from '../oracle/cpu-vectors/random.ts';
import { ALIAS, CODE, DATA, type DataPage, dataPage, PAGE, SLOT, SLOTS } from './memory-map.ts';
import { weighted } from './weighted.ts';

/** Pages by how often a program reaches for them. */
const PAGE_CHOICES: readonly (readonly [DataPage | 'code' | 'alias' | 'crossing', number])[] = [
  ['plain', 42],
  ['crossing', 8],
  ['retry', 4],
  ['readOnly', 3],
  ['device', 3],
  ['code', 3],
  ['alias', 1],
  ['absent', 1],
];

/** A linear address that an instruction of a program may use. */
export function anyAddress(random: Random): number {
  const kind = weighted(random, PAGE_CHOICES);
  const offset = random.below(PAGE) & -random.pick([1, 1, 4, 8, 16, 32]);
  switch (kind) {
    case 'crossing':
      // From any page into the next: plain ones, read-only, absent, a device's.
      return DATA.linear + PAGE * (1 + random.below(DATA.pages - 1)) - 1 - random.below(31);
    case 'code':
      return CODE.linear + random.below(SLOTS) * SLOT + random.below(32);
    case 'alias':
      return ALIAS.linear + random.below(PAGE);
    case 'plain':
      return dataPage('plain') + PAGE * random.below(2) + offset;
    default:
      return dataPage(kind) + offset;
  }
}

/** Registers that hold addresses, in 64-bit code also those behind. */
export const POINTERS = [3, 5, 6, 7] as const;
export const POINTERS_64 = [...POINTERS, 12, 13] as const;

/** ModRM without its reg, SIB and displacement, and what REX must say. */
export interface AddressBytes {
  readonly modRm: number;
  readonly tail: readonly number[];
  readonly rexB: boolean;
  readonly rexX: boolean;
  /** The displacement, which ends the tail, is `linear` less the end of the instruction. */
  readonly ripRelative?: number;
}

const plain = (modRm: number, tail: readonly number[]): AddressBytes => ({ modRm, tail, rexB: false, rexX: false });

/** A memory operand: an address that is written out, or one by registers, which hold what the program left in them. */
export function anyMemory(random: Random, mode: Mode): AddressBytes {
  const linear = anyAddress(random);
  if (mode === 16) return memory16(random, linear - CODE.linear);
  const absolute = littleEndian(BigInt(linear), 4);
  const choice = random.below(8);
  if (mode === 32 && choice < 4) return plain(0x05, absolute);
  if (choice === 0) return { ...plain(0x05, [0, 0, 0, 0]), ripRelative: linear };
  if (choice < 4) return plain(0x04, [0x25, ...absolute]);
  const base = random.pick(mode === 64 ? POINTERS_64 : POINTERS);
  const wide = random.below(4) === 0;
  const displacement = littleEndian(BigInt(wide ? random.below(0x400) - 0x200 : random.below(256) - 128), wide ? 4 : 1);
  const mod = wide ? 0x80 : 0x40;
  const rexB = base >= 8;
  // RBP's and RSP's low bits ask for a SIB byte.
  if (random.below(4) !== 0 && (base & 7) !== 4)
    return { modRm: mod | (base & 7), tail: displacement, rexB, rexX: false };
  const index = random.below(3) === 0 ? 1 : 4;
  const sib = (random.below(4) << 6) | (index << 3) | (base & 7);
  return { modRm: mod | 4, tail: [sib, ...displacement], rexB, rexX: false };
}

function memory16(random: Random, offset: number): AddressBytes {
  if (random.below(3) === 0) return plain(0x06, littleEndian(BigInt(offset & 0xffff), 2));
  return plain(0x40 | (4 + random.below(4)), [random.below(256)]);
}
