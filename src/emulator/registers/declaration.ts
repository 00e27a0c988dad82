/**
 * How registers are declared: a map is data, from which the reset image, the write masks, the dump, the snapshot and the
 * documentation derive. Positions and offsets are those of the datasheet.
 */

/** What software may do with a field, in the datasheets' terms. */
export type Access =
  /** Read only. */
  | 'RO'
  /** Read and write. */
  | 'RW'
  /** A written 1 clears the bit. */
  | 'RW1C'
  /** Write once: the first value other than 0 stays until reset. */
  | 'RWO'
  /** Read and write until locked: by `lockedBy` of the register, else by an RWO field of the same register that is not 0. */
  | 'RWL'
  /** Write only: reads as 0, the device sees the written value. */
  | 'WO';

export const RO = 'RO' satisfies Access;
export const RW = 'RW' satisfies Access;
export const RW1C = 'RW1C' satisfies Access;
export const RWO = 'RWO' satisfies Access;
export const RWL = 'RWL' satisfies Access;
export const WO = 'WO' satisfies Access;

export interface FieldSpec {
  /** Highest and lowest bit, inclusive. */
  readonly high: number;
  readonly low: number;
  readonly access: Access;
  /** Value at reset, right-aligned. */
  readonly reset: number;
}

export type RegisterSize = 1 | 2 | 4 | 8;

export interface RegisterSpec {
  /** Byte offset in the block. */
  readonly offset: number;
  readonly size: RegisterSize;
  readonly fields: Readonly<Record<string, FieldSpec>>;
  /** `REGISTER.FIELD` that locks the RWL fields while it is not 0. */
  readonly lockedBy?: string;
}

export type Registers = Readonly<Record<string, RegisterSpec>>;

export interface RegisterOptions {
  readonly lockedBy?: string;
}

/** One bit. */
export function bit(position: number, access: Access, reset = 0): FieldSpec {
  return bits(position, position, access, reset);
}

/** Bits `high` to `low`, inclusive. `reset` is right-aligned and below 2^53. */
export function bits(high: number, low: number, access: Access, reset = 0): FieldSpec {
  return { high, low, access, reset };
}

export function reg8(offset: number, fields: Record<string, FieldSpec>, options: RegisterOptions = {}): RegisterSpec {
  return { offset, size: 1, fields, ...options };
}

export function reg16(offset: number, fields: Record<string, FieldSpec>, options: RegisterOptions = {}): RegisterSpec {
  return { offset, size: 2, fields, ...options };
}

export function reg32(offset: number, fields: Record<string, FieldSpec>, options: RegisterOptions = {}): RegisterSpec {
  return { offset, size: 4, fields, ...options };
}

export function reg64(offset: number, fields: Record<string, FieldSpec>, options: RegisterOptions = {}): RegisterSpec {
  return { offset, size: 8, fields, ...options };
}

/** A register without named fields: all its bits have the same access. */
export function plain(offset: number, size: RegisterSize, access: Access, reset = 0): RegisterSpec {
  return { offset, size, fields: { VALUE: bits(size * 8 - 1, 0, access, reset) } };
}

/** The same registers `by` bytes further on, each name under `prefix.`: how a capability comes to stand at its offset. */
export function placed(prefix: string, by: number, registers: Registers): Registers {
  return Object.fromEntries(
    Object.entries(registers).map(([name, spec]) => [
      `${prefix}.${name}`,
      {
        ...spec,
        offset: spec.offset + by,
        ...(spec.lockedBy === undefined ? {} : { lockedBy: `${prefix}.${spec.lockedBy}` }),
      },
    ]),
  );
}
