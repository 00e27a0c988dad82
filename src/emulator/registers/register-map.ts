import type { FieldSpec, RegisterSpec, Registers } from './declaration.ts';

/** Where a register or field stands, resolved once. */
export interface PlacedField {
  readonly register: string;
  readonly field: string;
  /** Byte offset of the register. */
  readonly offset: number;
  readonly spec: FieldSpec;
}

/**
 * A checked register declaration with everything that derives from it, one byte a byte of the block. Declarations are the
 * program's own: a fault in one throws a plain Error when the module loads.
 */
export class RegisterMap {
  readonly name: string;
  readonly byteLength: number;
  readonly registers: Registers;
  readonly resetImage: Uint8Array;
  /** Bits that a plain write sets (RW, RWO, RWL). */
  readonly writeMask: Uint8Array;
  readonly writeOneToClearMask: Uint8Array;
  /** Register names in offset order. */
  readonly order: readonly string[];
  /** RWO and RWL fields, which need a look at the present value. */
  readonly guarded: readonly PlacedField[];

  constructor(name: string, byteLength: number, registers: Registers) {
    this.name = name;
    this.byteLength = byteLength;
    this.registers = registers;
    this.resetImage = new Uint8Array(byteLength);
    this.writeMask = new Uint8Array(byteLength);
    this.writeOneToClearMask = new Uint8Array(byteLength);
    const claimed = new Uint8Array(byteLength);
    const guarded: PlacedField[] = [];
    for (const [register, spec] of Object.entries(registers)) {
      this.#claim(register, spec, claimed);
      const occupied = new Set<number>();
      for (const [field, fieldSpec] of Object.entries(spec.fields)) {
        this.#addField(register, field, spec, fieldSpec, occupied);
        if (fieldSpec.access === 'RWO' || fieldSpec.access === 'RWL') {
          guarded.push({ register, field, offset: spec.offset, spec: fieldSpec });
        }
      }
    }
    this.guarded = guarded;
    this.order = Object.keys(registers).sort((left, right) => registers[left].offset - registers[right].offset);
    for (const spec of Object.values(registers)) if (spec.lockedBy !== undefined) this.#checkLock(spec.lockedBy);
  }

  /** The registers that [offset, offset + byteLength) touches, in offset order. */
  touched(offset: number, byteLength: number): readonly string[] {
    return this.order.filter((name) => {
      const spec = this.registers[name];
      return spec.offset < offset + byteLength && offset < spec.offset + spec.size;
    });
  }

  #claim(register: string, spec: RegisterSpec, claimed: Uint8Array): void {
    if (spec.offset < 0 || spec.offset + spec.size > this.byteLength) {
      throw new Error(`${this.name}: ${register} at 0x${spec.offset.toString(16)} lies outside the block`);
    }
    for (let offset = spec.offset; offset < spec.offset + spec.size; offset++) {
      if (claimed[offset] !== 0) throw new Error(`${this.name}: ${register} overlaps at 0x${offset.toString(16)}`);
      claimed[offset] = 1;
    }
  }

  #addField(register: string, field: string, spec: RegisterSpec, fieldSpec: FieldSpec, occupied: Set<number>): void {
    const { high, low, access, reset } = fieldSpec;
    if (low < 0 || high < low || high >= spec.size * 8) {
      throw new Error(`${this.name}: ${register}.${field} does not fit into ${spec.size} bytes`);
    }
    if (reset < 0 || reset >= 2 ** (high - low + 1)) {
      throw new Error(`${this.name}: ${register}.${field} resets to a value that it cannot hold`);
    }
    let value = BigInt(reset);
    for (let position = low; position <= high; position++) {
      if (occupied.has(position)) throw new Error(`${this.name}: ${register}.${field} overlaps at bit ${position}`);
      occupied.add(position);
      const byte = spec.offset + (position >> 3);
      const mask = 1 << (position & 7);
      if ((value & 1n) === 1n) this.resetImage[byte] |= mask;
      value >>= 1n;
      if (access === 'RW' || access === 'RWO' || access === 'RWL') this.writeMask[byte] |= mask;
      if (access === 'RW1C') this.writeOneToClearMask[byte] |= mask;
    }
  }

  #checkLock(lock: string): void {
    const cut = lock.lastIndexOf('.');
    if (this.registers[lock.slice(0, cut)]?.fields[lock.slice(cut + 1)] === undefined) {
      throw new Error(`${this.name}: no field ${lock} to lock with`);
    }
  }
}

/** A block of registers of `byteLength` bytes; throws when two registers or fields overlap. */
export function registerBlock(name: string, byteLength: number, registers: Registers): RegisterMap {
  return new RegisterMap(name, byteLength, registers);
}
