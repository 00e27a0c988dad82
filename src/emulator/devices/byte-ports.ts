import type { AccessSize, BusTarget } from '../machine/ports.ts';

/** A block of registers one byte wide, as ISA devices have them. */
export interface ByteRegisters {
  readByte(offset: number): number;
  writeByte(offset: number, value: number): void;
}

/** A bus target over byte registers: a wider access is that many byte accesses at ascending offsets, as an ISA bus does it. */
export function bytePorts(registers: ByteRegisters): BusTarget {
  return {
    read(offset: number, size: AccessSize): number {
      let value = 0;
      for (let index = 0; index < size; index++)
        value += (registers.readByte(offset + index) & 0xff) * 2 ** (8 * index);
      return value;
    },
    write(offset: number, size: AccessSize, value: number): void {
      for (let index = 0; index < size; index++) registers.writeByte(offset + index, (value >>> (8 * index)) & 0xff);
    },
  };
}
