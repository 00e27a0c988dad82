/** Seeded 32-bit generator (mulberry32): the same fixtures from the same sources. */
export class Random {
  #state: number;

  constructor(seed: number | string) {
    this.#state = typeof seed === 'number' ? seed : hash(seed);
  }

  /** Unsigned 32 bits. */
  u32(): number {
    this.#state = (this.#state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  }

  below(limit: number): number {
    return this.u32() % limit;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** `bits` random bits. */
  bits(bits: number): bigint {
    let value = 0n;
    for (let have = 0; have < bits; have += 32) value = (value << 32n) | BigInt(this.u32());
    return BigInt.asUintN(bits, value);
  }

  /** An operand of `bits` bits that is likely to be at an edge. */
  integer(bits: number): bigint {
    const choice = this.below(16);
    const top = 1n << BigInt(bits - 1);
    switch (choice) {
      case 0:
        return 0n;
      case 1:
        return 1n;
      case 2:
        return BigInt.asUintN(bits, -1n);
      case 3:
        return top;
      case 4:
        return top - 1n;
      case 5:
        return BigInt.asUintN(bits, -2n);
      case 6:
        return 1n << BigInt(this.below(bits));
      case 7:
        return BigInt.asUintN(bits, BigInt(this.below(256) - 128));
      default:
        return this.bits(bits);
    }
  }
}

function hash(text: string): number {
  let value = 0x811c_9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x0100_0193);
  return value >>> 0;
}
