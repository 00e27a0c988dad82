import type { AccessSize } from '../machine/ports.ts';
import type { RegisterMap } from './register-map.ts';

/** Register values by name, as `0x…` text: independent of offsets, so that a snapshot outlives a layout. */
export type RegisterSnapshot = Readonly<Record<string, string>>;

const NOTHING: readonly string[] = [];

/** The live values of a register map. Reads and writes are the bus's; `get` and `set` are the hardware's own, past all masks. */
export class RegisterFile {
  readonly map: RegisterMap;
  readonly bytes: Uint8Array;

  constructor(map: RegisterMap) {
    this.map = map;
    this.bytes = map.resetImage.slice();
  }

  reset(): void {
    this.bytes.set(this.map.resetImage);
  }

  /** Little-endian, unsigned. Bytes outside the block read as ones. */
  read(offset: number, size: AccessSize): number {
    let value = 0;
    for (let index = size - 1; index >= 0; index--) {
      const at = offset + index;
      value = value * 0x100 + (at < this.bytes.length ? this.bytes[at] : 0xff);
    }
    return value;
  }

  /** A bus write under the masks. Returns the registers that it touched, changed or not, in offset order. */
  write(offset: number, size: AccessSize, value: number): readonly string[] {
    if (offset >= this.bytes.length) return NOTHING;
    const blocked = this.#blockedBits(offset, size);
    for (let index = 0; index < size && offset + index < this.bytes.length; index++) {
      const at = offset + index;
      const written = Math.floor(value / 2 ** (8 * index)) & 0xff;
      const mask = this.map.writeMask[at] & ~(blocked === undefined ? 0 : blocked[at]);
      const kept = (this.bytes[at] & ~mask) | (written & mask);
      this.bytes[at] = kept & ~(written & this.map.writeOneToClearMask[at]);
    }
    return this.map.touched(offset, size);
  }

  /** Value of a register; exact below 2^53. */
  get(register: string): number {
    const spec = this.#spec(register);
    let value = 0;
    for (let index = spec.size - 1; index >= 0; index--) value = value * 0x100 + this.bytes[spec.offset + index];
    return value;
  }

  /** Sets a register as the hardware does, read-only bits included. */
  set(register: string, value: number): void {
    const spec = this.#spec(register);
    let rest = value;
    for (let index = 0; index < spec.size; index++) {
      this.bytes[spec.offset + index] = rest % 0x100;
      rest = Math.floor(rest / 0x100);
    }
  }

  /** Value of a field, right-aligned; exact below 2^53. */
  field(register: string, field: string): number {
    const { high, low } = this.#field(register, field);
    const spec = this.#spec(register);
    let value = 0;
    // By bytes from the top, so that 64-bit registers need no BigInt.
    for (let index = high >> 3; index >= low >> 3; index--) {
      let byte = this.bytes[spec.offset + index];
      if (index === high >> 3) byte &= 0xff >> (7 - (high & 7));
      value = value * 0x100 + byte;
    }
    return Math.floor(value / 2 ** (low & 7));
  }

  setField(register: string, field: string, value: number): void {
    const { high, low } = this.#field(register, field);
    const spec = this.#spec(register);
    let rest = value;
    for (let position = low; position <= high; position++) {
      const at = spec.offset + (position >> 3);
      const mask = 1 << (position & 7);
      this.bytes[at] = rest % 2 === 1 ? this.bytes[at] | mask : this.bytes[at] & ~mask;
      rest = Math.floor(rest / 2);
    }
  }

  snapshot(): RegisterSnapshot {
    return Object.fromEntries(this.map.order.map((name) => [name, `0x${this.#big(name).toString(16)}`]));
  }

  /** Restores what `snapshot` gave; registers that it does not name take their reset value. */
  restore(snapshot: RegisterSnapshot): void {
    this.reset();
    for (const [name, text] of Object.entries(snapshot)) {
      const spec = this.map.registers[name];
      if (spec === undefined) continue;
      let value = BigInt(text);
      for (let index = 0; index < spec.size; index++) {
        this.bytes[spec.offset + index] = Number(value & 0xffn);
        value >>= 8n;
      }
    }
  }

  /** One line a register: offset, name, value and its fields, for people. */
  dump(): string {
    const lines = this.map.order.map((name) => {
      const spec = this.map.registers[name];
      const value = this.#big(name)
        .toString(16)
        .padStart(spec.size * 2, '0');
      const fields = Object.keys(spec.fields)
        .filter((field) => field !== 'VALUE')
        .map((field) => `${field}=0x${this.field(name, field).toString(16)}`);
      return `${spec.offset.toString(16).padStart(3, '0')} ${name} ${value}${fields.length > 0 ? ` ${fields.join(' ')}` : ''}`;
    });
    return lines.join('\n');
  }

  /** Bits of RWO and RWL fields that the write must leave alone, or undefined when there are none near. */
  #blockedBits(offset: number, size: number): Uint8Array | undefined {
    let blocked: Uint8Array | undefined;
    for (const placed of this.map.guarded) {
      const spec = this.map.registers[placed.register];
      if (placed.offset >= offset + size || offset >= placed.offset + spec.size) continue;
      const closed =
        placed.spec.access === 'RWO' ? this.field(placed.register, placed.field) !== 0 : this.#locked(placed);
      if (!closed) continue;
      blocked ??= new Uint8Array(this.bytes.length);
      for (let position = placed.spec.low; position <= placed.spec.high; position++) {
        blocked[placed.offset + (position >> 3)] |= 1 << (position & 7);
      }
    }
    return blocked;
  }

  #locked(placed: { register: string }): boolean {
    const spec = this.map.registers[placed.register];
    if (spec.lockedBy !== undefined) {
      const cut = spec.lockedBy.lastIndexOf('.');
      return this.field(spec.lockedBy.slice(0, cut), spec.lockedBy.slice(cut + 1)) !== 0;
    }
    return Object.entries(spec.fields).some(
      ([name, field]) => field.access === 'RWO' && this.field(placed.register, name) !== 0,
    );
  }

  #big(register: string): bigint {
    const spec = this.#spec(register);
    let value = 0n;
    for (let index = spec.size - 1; index >= 0; index--) {
      value = (value << 8n) | BigInt(this.bytes[spec.offset + index]);
    }
    return value;
  }

  #spec(register: string) {
    const spec = this.map.registers[register];
    if (spec === undefined) throw new Error(`${this.map.name} has no register ${register}`);
    return spec;
  }

  #field(register: string, field: string) {
    const spec = this.#spec(register).fields[field];
    if (spec === undefined) throw new Error(`${this.map.name} has no field ${register}.${field}`);
    return spec;
  }
}
