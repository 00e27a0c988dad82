/** Word, DWord, QWord and Extended address space descriptors: ACPI 6.5 §6.4.3.5. */
import {
  ACCESS_TYPES,
  type AccessType,
  type AslMacro,
  aslHex,
  aslResourceSource,
  bodyView,
  type DescriptorCodec,
  decodeResourceSource,
  encodeResourceSource,
  indexOfKeyword,
  NAME_SLOT,
  type ResourceSource,
  type ResourceUsage,
  USAGES,
  u16,
  u32,
  u64,
} from './descriptor.ts';

export const CACHE_TYPES = ['NonCacheable', 'Cacheable', 'WriteCombining', 'Prefetchable'] as const;
export const MEMORY_TYPES = [
  'AddressRangeMemory',
  'AddressRangeReserved',
  'AddressRangeACPI',
  'AddressRangeNVS',
] as const;
export const TRANSLATIONS = ['TypeStatic', 'TypeTranslation'] as const;
export const DENSITIES = ['DenseTranslation', 'SparseTranslation'] as const;
/** Bits 1–0 of an I/O range's flags; 0 is reserved and has no keyword. */
export const ISA_RANGES = ['', 'NonISAOnlyRanges', 'ISAOnlyRanges', 'EntireRange'] as const;

/** What kind of address the range holds, with its type-specific flags (tables 6.47 to 6.49). */
export type RangeType =
  | {
      readonly type: 'Memory';
      readonly access: AccessType;
      readonly cache: (typeof CACHE_TYPES)[number];
      readonly memoryType: (typeof MEMORY_TYPES)[number];
      readonly translationType: (typeof TRANSLATIONS)[number];
    }
  | {
      readonly type: 'IO';
      readonly ranges: 'NonISAOnlyRanges' | 'ISAOnlyRanges' | 'EntireRange';
      readonly translationType: (typeof TRANSLATIONS)[number];
      readonly density: (typeof DENSITIES)[number];
    }
  | { readonly type: 'BusNumber' }
  | { readonly type: 'Other'; readonly value: number; readonly flags: number };

export type AddressWidth = 'Word' | 'DWord' | 'QWord' | 'Extended';

export interface AddressSpace {
  readonly kind: 'AddressSpace';
  readonly width: AddressWidth;
  readonly range: RangeType;
  readonly usage: ResourceUsage;
  readonly decode: 'PosDecode' | 'SubDecode';
  readonly minFixed: boolean;
  readonly maxFixed: boolean;
  readonly granularity: bigint;
  readonly minimum: bigint;
  /** Last address, inclusive. */
  readonly maximum: bigint;
  /** Added to an address on the secondary side to give the primary side's. */
  readonly translation: bigint;
  /** Bytes or bus numbers. */
  readonly length: bigint;
  readonly source?: ResourceSource;
  /** Extended only: TypeSpecificAttributes. */
  readonly attributes?: bigint;
}

const WIDTHS: Record<AddressWidth, { tag: number; byteLength: 2 | 4 | 8; fixedPart: number }> = {
  Word: { tag: 0x88, byteLength: 2, fixedPart: 3 },
  DWord: { tag: 0x87, byteLength: 4, fixedPart: 3 },
  QWord: { tag: 0x8a, byteLength: 8, fixedPart: 3 },
  Extended: { tag: 0x8b, byteLength: 8, fixedPart: 5 },
};

function encodeRangeType(range: RangeType): [number, number] {
  switch (range.type) {
    case 'Memory':
      return [
        0,
        indexOfKeyword(ACCESS_TYPES, range.access) |
          (indexOfKeyword(CACHE_TYPES, range.cache) << 1) |
          (indexOfKeyword(MEMORY_TYPES, range.memoryType) << 3) |
          (indexOfKeyword(TRANSLATIONS, range.translationType) << 5),
      ];
    case 'IO':
      return [
        1,
        indexOfKeyword(ISA_RANGES, range.ranges) |
          (indexOfKeyword(TRANSLATIONS, range.translationType) << 4) |
          (indexOfKeyword(DENSITIES, range.density) << 5),
      ];
    case 'BusNumber':
      return [2, 0];
    case 'Other':
      return [range.value, range.flags];
  }
}

function decodeRangeType(type: number, flags: number): RangeType {
  const ranges = ISA_RANGES[flags & 3];
  if (type === 0) {
    return {
      type: 'Memory',
      access: ACCESS_TYPES[flags & 1],
      cache: CACHE_TYPES[(flags >> 1) & 3],
      memoryType: MEMORY_TYPES[(flags >> 3) & 3],
      translationType: TRANSLATIONS[(flags >> 5) & 1],
    };
  }
  if (type === 1 && ranges !== '') {
    return {
      type: 'IO',
      ranges,
      translationType: TRANSLATIONS[(flags >> 4) & 1],
      density: DENSITIES[(flags >> 5) & 1],
    };
  }
  if (type === 2 && flags === 0) return { type: 'BusNumber' };
  return { type: 'Other', value: type, flags };
}

export const ADDRESS_SPACE: DescriptorCodec<AddressSpace> = {
  kind: 'AddressSpace',
  tags: [0x87, 0x88, 0x8a, 0x8b],
  encode(space) {
    const { tag, byteLength } = WIDTHS[space.width];
    const [type, typeFlags] = encodeRangeType(space.range);
    const flags =
      indexOfKeyword(USAGES, space.usage) |
      (space.decode === 'SubDecode' ? 2 : 0) |
      (space.minFixed ? 4 : 0) |
      (space.maxFixed ? 8 : 0);
    const number = (value: bigint): number[] => {
      if (byteLength === 8) return u64(value);
      return byteLength === 4 ? u32(Number(value)) : u16(Number(value));
    };
    const numbers = [space.granularity, space.minimum, space.maximum, space.translation, space.length].flatMap(number);
    // Extended: RevisionID 1 and a reserved byte in front, the attributes behind (§6.4.3.5.4).
    const extended = space.width === 'Extended';
    const tail = extended ? u64(space.attributes ?? 0n) : encodeResourceSource(space.source);
    return { tag, body: [type, flags, typeFlags, ...(extended ? [1, 0] : []), ...numbers, ...tail] };
  },
  decode(body, tag) {
    const width = (Object.keys(WIDTHS) as AddressWidth[]).find((key) => WIDTHS[key].tag === tag)!;
    const { byteLength, fixedPart } = WIDTHS[width];
    const end = fixedPart + 5 * byteLength;
    const extended = width === 'Extended';
    if (body.length < end + (extended ? 8 : 0)) return undefined;
    const view = bodyView(body);
    const number = (index: number): bigint => {
      const offset = fixedPart + index * byteLength;
      if (byteLength === 8) return view.getBigUint64(offset, true);
      return BigInt(byteLength === 4 ? view.getUint32(offset, true) : view.getUint16(offset, true));
    };
    const source = extended ? undefined : decodeResourceSource(body, end);
    return {
      kind: 'AddressSpace',
      width,
      range: decodeRangeType(body[0], body[2]),
      usage: USAGES[body[1] & 1],
      decode: body[1] & 2 ? 'SubDecode' : 'PosDecode',
      minFixed: (body[1] & 4) !== 0,
      maxFixed: (body[1] & 8) !== 0,
      granularity: number(0),
      minimum: number(1),
      maximum: number(2),
      translation: number(3),
      length: number(4),
      ...(source && { source }),
      ...(extended && { attributes: view.getBigUint64(end, true) }),
    };
  },
  asl: aslOfAddressSpace,
};

/** ACPI 6.5 §19.6.32 DWordIO and its siblings: the order of the flags differs from macro to macro. */
function aslOfAddressSpace(space: AddressSpace): AslMacro {
  const { width, range, usage, decode } = space;
  const min = space.minFixed ? 'MinFixed' : 'MinNotFixed';
  const max = space.maxFixed ? 'MaxFixed' : 'MaxNotFixed';
  const digits = WIDTHS[width].byteLength * 2;
  const numbers = [space.granularity, space.minimum, space.maximum, space.translation, space.length].map((value) =>
    aslHex(value, digits),
  );
  const tail =
    width === 'Extended'
      ? [aslHex(space.attributes ?? 0n, 16), NAME_SLOT]
      : [...aslResourceSource(space.source), NAME_SLOT];
  switch (range.type) {
    case 'Memory': {
      const flags = [usage, decode, min, max, range.cache, range.access];
      return { name: `${width}Memory`, args: [...flags, ...numbers, ...tail, range.memoryType, range.translationType] };
    }
    case 'IO': {
      const flags = [usage, min, max, decode, range.ranges];
      return { name: `${width}IO`, args: [...flags, ...numbers, ...tail, range.translationType, range.density] };
    }
    case 'BusNumber':
      if (width === 'Word') return { name: 'WordBusNumber', args: [usage, min, max, decode, ...numbers, ...tail] };
      return { name: `${width}Space`, args: ['0x02', usage, decode, min, max, '0x00', ...numbers, ...tail] };
    case 'Other': {
      const flags = [aslHex(range.value, 2), usage, decode, min, max, aslHex(range.flags, 2)];
      return { name: `${width}Space`, args: [...flags, ...numbers, ...tail] };
    }
  }
}
