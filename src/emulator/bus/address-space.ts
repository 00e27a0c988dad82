import type { AccessSize, BusTarget } from '../machine/ports.ts';

/** Plain memory behind a region: byte `base` of the region is byte `hostOffset` of the guest memory. */
export interface HostMemory {
  readonly hostOffset: number;
}

/** What a region is made of: registers, plain memory, or nothing (reads as ones, swallows writes). */
export type RegionContent =
  | { readonly kind: 'target'; readonly target: BusTarget }
  | { readonly kind: 'memory'; readonly memory: HostMemory }
  | { readonly kind: 'hole' };

export interface Region {
  readonly name: string;
  readonly base: number;
  /** Bytes; up to 2^52. */
  readonly size: number;
  /** The higher one wins; of equals the one mapped first. */
  readonly priority: number;
  /** Whether it answers reads, writes or both: PAM steers them apart. */
  readonly direction: 'read' | 'write' | 'both';
  readonly content: RegionContent;
  /** Added to the offset that a target sees: 0 for a region that starts at the target's own beginning. */
  readonly targetOffset: number;
}

/** A piece of the flat view: no two overlap. */
export interface Segment {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly region: Region;
}

export interface RegionOptions {
  readonly priority?: number;
  readonly direction?: 'read' | 'write' | 'both';
  readonly targetOffset?: number;
}

/** A power of two. */
const RECENT_SLOTS = 64;
const MIB_INVERSE = 2 ** -20;

/** Reads guest memory that a region names; given by whoever owns the Wasm memory. */
export interface MemoryAccess {
  readonly bytes: () => Uint8Array;
  /** Bytes at a host offset are about to be read or written: they must be there. */
  settle?(hostOffset: number, byteLength: number): void;
}

/**
 * Routes accesses by address: regions with priorities, flattened into a sorted list for each direction when first used after a
 * change. Unclaimed reads give all ones. It is a BusTarget itself, so that spaces nest (a bridge's window opens onto one).
 */
export class AddressSpace implements BusTarget {
  readonly name: string;
  readonly #memory: MemoryAccess | undefined;
  #regions: Region[] = [];
  #reads: readonly Segment[] | undefined;
  #writes: readonly Segment[] | undefined;
  /** Segments found lately, by MiB of the address: RAM below and above 4 GiB and devices take turns. */
  readonly #recentReads = new Array<Segment | undefined>(RECENT_SLOTS).fill(undefined);
  readonly #recentWrites = new Array<Segment | undefined>(RECENT_SLOTS).fill(undefined);

  /** `memory` is needed only where memory regions are mapped. */
  constructor(name: string, memory?: MemoryAccess) {
    this.name = name;
    this.#memory = memory;
  }

  mapTarget(name: string, base: number, size: number, target: BusTarget, options: RegionOptions = {}): Region {
    return this.#add(name, base, size, { kind: 'target', target }, options);
  }

  mapMemory(name: string, base: number, size: number, hostOffset: number, options: RegionOptions = {}): Region {
    return this.#add(name, base, size, { kind: 'memory', memory: { hostOffset } }, options);
  }

  mapHole(name: string, base: number, size: number, options: RegionOptions = {}): Region {
    return this.#add(name, base, size, { kind: 'hole' }, options);
  }

  unmap(region: Region): void {
    this.#regions = this.#regions.filter((other) => other !== region);
    this.#forget();
  }

  clear(): void {
    this.#regions = [];
    this.#forget();
  }

  regions(): readonly Region[] {
    return this.#regions;
  }

  /** The flat view of one direction, for dumps and tests. */
  segments(direction: 'read' | 'write'): readonly Segment[] {
    if (direction === 'read') {
      this.#reads ??= flatten(this.#regions, 'read');
      return this.#reads;
    }
    this.#writes ??= flatten(this.#regions, 'write');
    return this.#writes;
  }

  /** The segment that answers at `address`, or undefined. */
  find(address: number, write: boolean): Segment | undefined {
    const recent = write ? this.#recentWrites : this.#recentReads;
    const slot = (address * MIB_INVERSE) & (RECENT_SLOTS - 1);
    const last = recent[slot];
    if (last !== undefined && address >= last.start && address < last.end) return last;
    const found = search(this.segments(write ? 'write' : 'read'), address);
    if (found !== undefined) recent[slot] = found;
    return found;
  }

  /**
   * The longest run from `address` on, at most `byteLength` bytes, that one segment claims or that nothing claims
   * (`segment` undefined): how a transfer is cut up.
   */
  run(
    address: number,
    byteLength: number,
    write: boolean,
  ): { readonly segment: Segment | undefined; readonly byteLength: number } {
    const segment = this.find(address, write);
    if (segment !== undefined) return { segment, byteLength: Math.min(byteLength, segment.end - address) };
    const next = this.segments(write ? 'write' : 'read').find(({ start }) => start > address);
    return { segment, byteLength: next === undefined ? byteLength : Math.min(byteLength, next.start - address) };
  }

  /** Offset in the guest memory of `address` when the whole of [address, address + byteLength) is plain memory; else −1. */
  hostOffset(address: number, byteLength: number, write: boolean): number {
    const segment = this.find(address, write);
    if (segment === undefined || address + byteLength > segment.end) return -1;
    const content = segment.region.content;
    if (content.kind !== 'memory') return -1;
    const offset = content.memory.hostOffset + (address - segment.region.base);
    this.settle(offset, byteLength);
    return offset;
  }

  /** Before whoever found a memory segment touches bytes of it. */
  settle(hostOffset: number, byteLength: number): void {
    this.#memory?.settle?.(hostOffset, byteLength);
  }

  read(address: number, size: AccessSize): number {
    const segment = this.find(address, false);
    if (segment === undefined || address + size > segment.end) return this.#readBytes(address, size);
    return this.#readSegment(segment, address, size);
  }

  write(address: number, size: AccessSize, value: number): void {
    const segment = this.find(address, true);
    if (segment === undefined || address + size > segment.end) {
      this.#writeBytes(address, size, value);
      return;
    }
    this.#writeSegment(segment, address, size, value);
  }

  #readSegment({ region }: Segment, address: number, size: AccessSize): number {
    const content = region.content;
    if (content.kind === 'target') return content.target.read(address - region.base + region.targetOffset, size) >>> 0;
    if (content.kind === 'hole') return allOnes(size);
    const bytes = this.#bytes();
    let at = content.memory.hostOffset + (address - region.base) + size;
    this.settle(at - size, size);
    let value = 0;
    for (let index = 0; index < size; index++) value = value * 0x100 + bytes[--at];
    return value;
  }

  #writeSegment({ region }: Segment, address: number, size: AccessSize, value: number): void {
    const content = region.content;
    if (content.kind === 'target') {
      content.target.write(address - region.base + region.targetOffset, size, value >>> 0);
    } else if (content.kind === 'memory') {
      const bytes = this.#bytes();
      const at = content.memory.hostOffset + (address - region.base);
      this.settle(at, size);
      for (let index = 0; index < size; index++) bytes[at + index] = value >>> (8 * index);
    }
  }

  /** An access that nothing claims as a whole: byte by byte, each to whoever claims it. */
  #readBytes(address: number, size: AccessSize): number {
    let value = 0;
    for (let index = size - 1; index >= 0; index--) {
      const segment = this.find(address + index, false);
      value = value * 0x100 + (segment === undefined ? 0xff : this.#readSegment(segment, address + index, 1));
    }
    return value;
  }

  #writeBytes(address: number, size: AccessSize, value: number): void {
    for (let index = 0; index < size; index++) {
      const segment = this.find(address + index, true);
      if (segment !== undefined) this.#writeSegment(segment, address + index, 1, (value >>> (8 * index)) & 0xff);
    }
  }

  #bytes(): Uint8Array {
    if (this.#memory === undefined) throw new Error(`${this.name}: memory is mapped, but the space was given none`);
    return this.#memory.bytes();
  }

  #add(name: string, base: number, size: number, content: RegionContent, options: RegionOptions): Region {
    const { priority = 0, direction = 'both', targetOffset = 0 } = options;
    const region: Region = { name, base, size, priority, direction, content, targetOffset };
    this.#regions.push(region);
    this.#forget();
    return region;
  }

  #forget(): void {
    this.#reads = undefined;
    this.#writes = undefined;
    this.#recentReads.fill(undefined);
    this.#recentWrites.fill(undefined);
  }
}

/** All ones of `size` bytes: what an access reads that nobody claims. */
export function allOnes(size: AccessSize): number {
  return size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff;
}

function flatten(regions: readonly Region[], direction: 'read' | 'write'): Segment[] {
  const live = regions
    .map((region, order) => ({ region, order }))
    .filter(({ region }) => region.size > 0 && (region.direction === 'both' || region.direction === direction))
    .sort((left, right) => right.region.priority - left.region.priority || left.order - right.order);
  let flat: Segment[] = [];
  for (const { region } of live) flat = insertBelow(flat, region);
  return flat;
}

/** `flat` with `region` added wherever nothing stands yet; stays sorted. */
function insertBelow(flat: readonly Segment[], region: Region): Segment[] {
  const result: Segment[] = [];
  const end = region.base + region.size;
  let start = region.base;
  for (const segment of flat) {
    if (segment.start >= end || segment.end <= start) {
      if (segment.start >= end && start < end) {
        result.push({ start, end, region });
        start = end;
      }
      result.push(segment);
      continue;
    }
    if (start < segment.start) result.push({ start, end: segment.start, region });
    result.push(segment);
    start = Math.max(start, segment.end);
  }
  if (start < end) result.push({ start, end, region });
  return result;
}

function search(segments: readonly Segment[], address: number): Segment | undefined {
  let low = 0;
  let high = segments.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const segment = segments[middle];
    if (address < segment.start) high = middle - 1;
    else if (address >= segment.end) low = middle + 1;
    else return segment;
  }
  return undefined;
}
