import type { BarConfig, BarKind } from '../../emulator/machine/config.ts';
import { alignUp, KIB, MIB } from '../../shared/bytes.ts';
import type { NumberedFunction } from './bus-numbers.ts';
import { type Claim, type Packing, packWindow } from './packing.ts';
import type { WindowKind } from './plan.ts';

export const WINDOW_KINDS: readonly WindowKind[] = ['io', 'mem32', 'mem64-prefetchable'];

/** What a bridge window's base and size are multiples of (PCI-to-PCI Bridge 1.2 §3.2.5.6, §3.2.5.8, §3.2.5.9). */
export const WINDOW_GRANULARITY: Readonly<Record<WindowKind, number>> = {
  io: 4 * KIB,
  mem32: MIB,
  'mem64-prefetchable': MIB,
};

/** Memory BARs keep a page to themselves, so that a guest can map each one alone. */
const BAR_PAGE = 4 * KIB;

/**
 * Which window a BAR is taken from. A bridge's only 64-bit window is prefetchable, so a 64-bit BAR that is not goes below 4 GiB; so
 * does a prefetchable 32-bit BAR, because the prefetchable window lies above.
 */
export const WINDOW_OF_BAR: Readonly<Record<BarKind, WindowKind>> = {
  io: 'io',
  mem32: 'mem32',
  'mem32-prefetchable': 'mem32',
  mem64: 'mem32',
  'mem64-prefetchable': 'mem64-prefetchable',
};

/** QEMU's root port options that keep address space for devices that come later. */
export const RESERVE_OPTION: Readonly<Record<WindowKind, string>> = {
  io: 'io-reserve',
  mem32: 'mem-reserve',
  'mem64-prefetchable': 'pref64-reserve',
};

/**
 * Kept behind a port that takes hotplug and says nothing else: what Linux asks for (`pci=hpiosize`, `hpmmiosize`). A port whose windows
 * are open is left alone; a closed one would be moved, or end in "can't assign; no space".
 */
const HOTPLUG_RESERVE: Readonly<Record<WindowKind, number>> = {
  io: 4 * KIB,
  mem32: 2 * MIB,
  'mem64-prefetchable': 2 * MIB,
};

/** Bytes that a bridge keeps at least: what its reserve option says, or the default of a hotplug port. */
function reserveOf({ config }: NumberedFunction, kind: WindowKind, parse: (text: string) => number): number {
  const option = config.options[RESERVE_OPTION[kind]];
  if (option !== undefined) return parse(option);
  return config.model === 'pcie-root-port' && config.options.hotplug !== 'off' ? HOTPLUG_RESERVE[kind] : 0;
}

/** A claim with its owner: a BAR, or the window of a bridge with the claims behind it. */
export type OwnedClaim = BarClaim | WindowClaim;

export interface BarClaim extends Claim {
  readonly fn: NumberedFunction;
  readonly bar: BarConfig;
}

export interface WindowClaim extends Claim {
  readonly fn: NumberedFunction;
  readonly behind: readonly OwnedClaim[];
  readonly packing: Packing;
  /** Bytes kept for what comes later; 0 without. */
  readonly reserve: number;
}

export const isWindowClaim = (claim: OwnedClaim): claim is WindowClaim => 'behind' in claim;

/** First pass, from the leaves up: everything of one kind that `functions` want from the bus on which they stand. */
export function claimsOf(
  functions: readonly NumberedFunction[],
  kind: WindowKind,
  parseReserve: (text: string) => number,
): OwnedClaim[] {
  return functions.flatMap((fn): OwnedClaim[] => {
    const bars = fn.config.bars
      .filter((bar) => WINDOW_OF_BAR[bar.kind] === kind)
      .map((bar): BarClaim => {
        const size = kind === 'io' ? bar.size : Math.max(bar.size, BAR_PAGE);
        return { fn, bar, size, alignment: size };
      });
    if (fn.bridge === undefined) return bars;
    const behind = claimsOf(fn.bridge.functions, kind, parseReserve);
    const packing = packWindow(behind);
    const reserve = reserveOf(fn, kind, parseReserve);
    const granularity = WINDOW_GRANULARITY[kind];
    const size = alignUp(Math.max(packing.size, reserve), granularity);
    if (size === 0) return bars;
    return [...bars, { fn, behind, packing, reserve, size, alignment: Math.max(packing.alignment, granularity) }];
  });
}
