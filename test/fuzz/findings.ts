import { DATA, dataPage, PAGE } from './memory-map.ts';
import type { Draft } from './program.ts';

const ENABLED = 0x3202;

/** A program of 64-bit code at CPL 0 that once found something; the rest of its code jumps to its first slot. */
export function finding(
  name: string,
  code: string,
  runs: Pick<Draft, 'seed' | 'slices'> & Partial<Draft>,
): Draft & { name: string } {
  const first = 64;
  return {
    name,
    mode: 64,
    paging: 'long',
    gates: 'own-stack',
    mxcsr: 0x1f80,
    syscallMask: 0,
    privilege: 0,
    data: new Uint8Array(DATA.pages * PAGE),
    registers: Array.from({ length: 16 }, (_, index) => BigInt(index === 4 ? DATA.linear + 0x800 : 0x1_8765_4321)),
    flags: ENABLED,
    entry: 0x1000_1000,
    timer: [],
    length: 150,
    slots: new Map([[first, [[...Buffer.from(code, 'hex')]]]]),
    first,
    ...runs,
  };
}

/** What the fuzzer found, minimised: each is a test for ever. */
export const FINDINGS = [
  // XOR BYTE [0x10001009], 8: the second NOP behind it becomes CWDE.
  finding('a block that the slice cuts is written to by itself', '8034250910001008', {
    seed: 0,
    slices: [101, 5],
  }),
  // MOV ESP, EBX; XOR EBX, 8; PUSH RAX; again: now in a plain page, now into it from the device's page before.
  finding('an access that ends in the page of a slot begins in another one', '89dc83f30850ebf8', {
    seed: 0,
    slices: [100_000, 101],
    registers: Array.from({ length: 16 }, () => BigInt(dataPage('device') + PAGE + 9)),
  }),
  // LDDQU XMM0, [RBP]; again: an address in the highest page, which no slot's mark for "none" may match.
  finding('a vector in the highest page', 'f20ff04500ebf9', {
    seed: 0,
    slices: [100_000, 101],
    registers: Array.from({ length: 16 }, () => 0xffff_ffff_ffff_ff00n),
  }),
  // ADD DL, AL; MOV ES, ESI; the fault goes on at the next slot, which begins again: what the region leaves to TypeScript has the flags.
  finding('a refused segment load keeps the flags of the instruction before', '00c28ec6', {
    seed: 0,
    privilege: 3,
    slices: [100_000, 101],
    registers: Array.from({ length: 16 }, () => 0x1_0055n),
  }),
];
