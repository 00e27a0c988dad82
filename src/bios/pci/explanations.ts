import { GIB, hex, KIB, MIB } from '../../shared/bytes.ts';
import { isWindowClaim, type OwnedClaim, WINDOW_GRANULARITY, type WindowClaim } from './demands.ts';
import type { WindowKind } from './plan.ts';

/** `8 GiB`, `1.5 MiB`, `256 bytes`. */
export function byteText(bytes: number): string {
  for (const [unit, name] of [
    [GIB, 'GiB'],
    [MIB, 'MiB'],
    [KIB, 'KiB'],
  ] as const) {
    if (bytes >= unit) return `${Number((bytes / unit).toFixed(2))} ${name}`;
  }
  return `${bytes} bytes`;
}

export const KIND_TEXT: Readonly<Record<WindowKind, string>> = {
  io: 'I/O',
  mem32: '32-bit memory',
  'mem64-prefetchable': '64-bit prefetchable memory',
};

/** `large0 BAR2`, `the window of rp0`. */
export function claimText(claim: OwnedClaim): string {
  return isWindowClaim(claim) ? `the window of ${claim.fn.config.id}` : `${claim.fn.config.id} BAR${claim.bar.index}`;
}

/** Why a BAR stands in this kind of window although its own kind says otherwise. */
function kindNote(claim: OwnedClaim): string {
  if (isWindowClaim(claim)) return '';
  if (claim.bar.kind === 'mem64') return ' (64-bit, but not prefetchable: the only 64-bit window of a bridge is)';
  if (claim.bar.kind === 'mem32-prefetchable') return ' (prefetchable, but the prefetchable window lies above 4 GiB)';
  return '';
}

/** One sentence for a placement: from where it was taken and what its alignment costs. */
export function explainPlacement(
  claim: OwnedClaim,
  kind: WindowKind,
  parent: string,
  base: number,
  gap: number,
): string {
  const size = isWindowClaim(claim) ? claim.size : claim.bar.size;
  const padding = claim.size > size ? `; it keeps the ${byteText(claim.size)} page to itself` : '';
  const cost = gap === 0 ? 'directly after what stands before it' : `${byteText(gap)} before it stay free`;
  return `${byteText(size)} of ${KIND_TEXT[kind]}${kindNote(claim)} at ${hex(base)} from ${parent}, aligned to ${byteText(claim.alignment)}: ${cost}${padding}`;
}

/** Why a bridge window has the size that it has. */
export function explainWindow(claim: WindowClaim, kind: WindowKind, placement: string): string {
  const parts = claim.behind.map((inner) => `${claimText(inner)} ${byteText(inner.size)}`);
  const shown = parts.length > 6 ? [...parts.slice(0, 5), `${parts.length - 5} more`] : parts;
  const content = shown.length > 0 ? `holds ${shown.join(', ')}` : 'holds nothing yet';
  const reserve = claim.reserve > claim.packing.size ? `; reserved to ${byteText(claim.reserve)}` : '';
  const rounding = claim.size - Math.max(claim.packing.size, claim.reserve);
  const rounded = rounding > 0 ? `; ${byteText(rounding)} of rounding to ${byteText(WINDOW_GRANULARITY[kind])}` : '';
  return `${placement}; ${content}${reserve}${rounded}`;
}

export function explainClosed(kind: WindowKind): string {
  return `closed: nothing behind it needs ${KIND_TEXT[kind]}`;
}
