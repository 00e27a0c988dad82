import type { MachineConfig } from '../../emulator/machine/config.ts';
import { HIGH_RAM_BASE, PCI_HOLE_32, PCI_IO_WINDOW, PHYSICAL_ADDRESS_BITS } from '../../emulator/machine/memory-map.ts';
import { alignDown, alignUp, GIB } from '../../shared/bytes.ts';
import { type OwnedClaim, WINDOW_GRANULARITY } from './demands.ts';
import { type Bases, packWindow, placeInRanges } from './packing.ts';
import type { Window, WindowKind } from './plan.ts';
import { shortage } from './shortage.ts';

/** 64-bit windows start and end at whole GiB, so that no two host bridges share one (SeaBIOS's floor as well). */
const WINDOW64_GRANULARITY = GIB;

/** What one host bridge wants of one kind. */
export interface HostBridgeClaims {
  readonly id: string;
  readonly claims: readonly OwnedClaim[];
}

/** What it gets: ranges of its own, and a base for each claim. */
export interface HostBridgeRoom {
  readonly windows: readonly Window[];
  readonly bases: readonly number[];
}

/** Takes [base, base+size) out of `ranges`. */
function withoutRange(ranges: readonly Window[], base: number, size: number): Window[] {
  return ranges.flatMap((range) => {
    const end = range.base + range.size;
    if (base + size <= range.base || base >= end) return [range];
    const pieces = [
      { base: range.base, size: base - range.base },
      { base: base + size, size: end - base - size },
    ];
    return pieces.filter((piece) => piece.size > 0);
  });
}

/** The highest aligned base of `size` bytes in `ranges`. */
function highestBase(ranges: readonly Window[], size: number, alignment: number): number | undefined {
  for (const range of [...ranges].reverse()) {
    const base = alignDown(range.base + range.size - size, alignment);
    if (base >= range.base) return base;
  }
  return undefined;
}

const failedOf = (claims: readonly OwnedClaim[], bases: Bases): OwnedClaim[] =>
  claims.filter((_, index) => bases[index] === undefined);

/** The bytes that `claims` want above `room` when they may go on above its end. */
function missingBytes(claims: readonly OwnedClaim[], room: readonly Window[]): number {
  const [first] = room;
  if (first === undefined) return packWindow(claims).size;
  const bases = placeInRanges(claims, [{ base: first.base, size: Number.POSITIVE_INFINITY }]);
  const end = claims.reduce((most, claim, index) => Math.max(most, (bases[index] ?? 0) + claim.size), 0);
  const last = room[room.length - 1];
  return Math.max(end - (last.base + last.size), WINDOW_GRANULARITY.io);
}

/**
 * Shares `pool` out: each further host bridge gets one window of just its size from the top, the first host bridge all that is left,
 * so that it needs no room in advance.
 * @throws UserError PCI_IO_SHORTAGE, PCI_MEM32_SHORTAGE
 */
function shareFromTop(kind: WindowKind, pool: Window, hostBridges: readonly HostBridgeClaims[]): HostBridgeRoom[] {
  const granularity = WINDOW_GRANULARITY[kind];
  let free: readonly Window[] = [pool];
  const [first, ...extra] = hostBridges;
  const rooms = new Map<HostBridgeClaims, HostBridgeRoom>();
  const packed = extra.map((hostBridge) => ({ hostBridge, packing: packWindow(hostBridge.claims) }));
  packed.sort((left, right) => right.packing.alignment - left.packing.alignment);
  for (const { hostBridge, packing } of packed) {
    const size = alignUp(packing.size, granularity);
    if (size === 0) {
      rooms.set(hostBridge, { windows: [], bases: [] });
      continue;
    }
    const base = highestBase(free, size, Math.max(packing.alignment, granularity));
    if (base === undefined) {
      const missing = Math.max(size - Math.max(0, ...free.map((range) => range.size)), granularity);
      throw shortage(kind, hostBridge.id, hostBridge.claims, hostBridge.claims, free, missing);
    }
    rooms.set(hostBridge, { windows: [{ base, size }], bases: packing.offsets.map((offset) => base + offset) });
    free = withoutRange(free, base, size);
  }
  const bases = placeInRanges(first.claims, free);
  const failed = failedOf(first.claims, bases);
  if (failed.length > 0) {
    const competing = hostBridges.flatMap((hostBridge) => hostBridge.claims);
    throw shortage(kind, first.id, failed, competing, free, missingBytes(first.claims, free));
  }
  rooms.set(first, { windows: free, bases: bases as readonly number[] });
  return hostBridges.map((hostBridge) => rooms.get(hostBridge) as HostBridgeRoom);
}

/**
 * 64-bit windows one after the other above RAM, each from and to a whole GiB, up to what the CPU can address.
 * @throws UserError PCI_MEM64_SHORTAGE
 */
function stackAboveRam(pool: Window, hostBridges: readonly HostBridgeClaims[]): HostBridgeRoom[] {
  const kind = 'mem64-prefetchable';
  const end = pool.base + pool.size;
  let cursor = pool.base;
  return hostBridges.map(({ id, claims }) => {
    if (claims.length === 0) return { windows: [], bases: [] };
    const room = { base: cursor, size: Math.max(0, end - cursor) };
    const bases = placeInRanges(claims, [room]);
    const failed = failedOf(claims, bases);
    if (failed.length > 0) throw shortage(kind, id, failed, claims, [room], missingBytes(claims, [room]));
    const placed = bases as readonly number[];
    const base = alignDown(Math.min(...placed), WINDOW64_GRANULARITY);
    const top = Math.max(...claims.map((claim, index) => placed[index] + claim.size));
    cursor = alignUp(top, WINDOW64_GRANULARITY);
    return { windows: [{ base, size: cursor - base }], bases: placed };
  });
}

/** First byte above RAM that a 64-bit window may take. */
export function window64Base(machine: MachineConfig): number {
  const highRam = machine.ramBytes - machine.lowRamBytes;
  return alignUp(HIGH_RAM_BASE + highRam, WINDOW64_GRANULARITY);
}

/**
 * Shares one kind of address space among the host bridges, in disjoint ranges.
 * @throws UserError PCI_IO_SHORTAGE, PCI_MEM32_SHORTAGE, PCI_MEM64_SHORTAGE
 */
export function shareAmongHostBridges(
  machine: MachineConfig,
  kind: WindowKind,
  hostBridges: readonly HostBridgeClaims[],
): HostBridgeRoom[] {
  if (kind !== 'mem64-prefetchable') {
    return shareFromTop(kind, kind === 'io' ? PCI_IO_WINDOW : PCI_HOLE_32, hostBridges);
  }
  const base = window64Base(machine);
  return stackAboveRam({ base, size: 2 ** PHYSICAL_ADDRESS_BITS - base }, hostBridges);
}
