/** Memory24, Memory32 and Memory32Fixed: ACPI 6.5 §6.4.3.1, §6.4.3.3, §6.4.3.4. */
import {
  ACCESS_TYPES,
  type AccessType,
  aslHex,
  bodyView,
  type DescriptorCodec,
  indexOfKeyword,
  NAME_SLOT,
  u16,
  u32,
} from './descriptor.ts';

interface MovableMemory {
  readonly access: AccessType;
  readonly minimum: number;
  readonly maximum: number;
  readonly alignment: number;
  readonly byteLength: number;
}

/** Addresses and length in units of 256 bytes. */
export interface Memory24 extends MovableMemory {
  readonly kind: 'Memory24';
}

export const MEMORY24: DescriptorCodec<Memory24> = {
  kind: 'Memory24',
  tags: [0x81],
  encode({ access, minimum, maximum, alignment, byteLength }) {
    const numbers = [minimum, maximum, alignment, byteLength].flatMap(u16);
    return { tag: 0x81, body: [indexOfKeyword(ACCESS_TYPES, access), ...numbers] };
  },
  decode(body) {
    if (body.length < 9) return undefined;
    const view = bodyView(body);
    return {
      kind: 'Memory24',
      access: ACCESS_TYPES[body[0] & 1],
      minimum: view.getUint16(1, true),
      maximum: view.getUint16(3, true),
      alignment: view.getUint16(5, true),
      byteLength: view.getUint16(7, true),
    };
  },
  asl({ access, minimum, maximum, alignment, byteLength }) {
    const numbers = [minimum, maximum, alignment, byteLength].map((value) => aslHex(value, 4));
    return { name: 'Memory24', args: [access, ...numbers, NAME_SLOT] };
  },
};

/** Addresses and length in bytes. */
export interface Memory32 extends MovableMemory {
  readonly kind: 'Memory32';
}

export const MEMORY32: DescriptorCodec<Memory32> = {
  kind: 'Memory32',
  tags: [0x85],
  encode({ access, minimum, maximum, alignment, byteLength }) {
    const numbers = [minimum, maximum, alignment, byteLength].flatMap(u32);
    return { tag: 0x85, body: [indexOfKeyword(ACCESS_TYPES, access), ...numbers] };
  },
  decode(body) {
    if (body.length < 17) return undefined;
    const view = bodyView(body);
    return {
      kind: 'Memory32',
      access: ACCESS_TYPES[body[0] & 1],
      minimum: view.getUint32(1, true),
      maximum: view.getUint32(5, true),
      alignment: view.getUint32(9, true),
      byteLength: view.getUint32(13, true),
    };
  },
  asl({ access, minimum, maximum, alignment, byteLength }) {
    const numbers = [minimum, maximum, alignment, byteLength].map((value) => aslHex(value, 8));
    return { name: 'Memory32', args: [access, ...numbers, NAME_SLOT] };
  },
};

export interface Memory32Fixed {
  readonly kind: 'Memory32Fixed';
  readonly access: AccessType;
  readonly base: number;
  readonly byteLength: number;
}

export const MEMORY32_FIXED: DescriptorCodec<Memory32Fixed> = {
  kind: 'Memory32Fixed',
  tags: [0x86],
  encode({ access, base, byteLength }) {
    return { tag: 0x86, body: [indexOfKeyword(ACCESS_TYPES, access), ...u32(base), ...u32(byteLength)] };
  },
  decode(body) {
    if (body.length < 9) return undefined;
    const view = bodyView(body);
    return {
      kind: 'Memory32Fixed',
      access: ACCESS_TYPES[body[0] & 1],
      base: view.getUint32(1, true),
      byteLength: view.getUint32(5, true),
    };
  },
  asl({ access, base, byteLength }) {
    return { name: 'Memory32Fixed', args: [access, aslHex(base, 8), aslHex(byteLength, 8), NAME_SLOT] };
  },
};
