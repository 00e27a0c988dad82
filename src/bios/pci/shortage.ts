import { alignUp, hex } from '../../shared/bytes.ts';
import { UserError } from '../../shared/errors.ts';
import {
  type BarClaim,
  isWindowClaim,
  type OwnedClaim,
  RESERVE_OPTION,
  WINDOW_GRANULARITY,
  type WindowClaim,
} from './demands.ts';
import { byteText, claimText, KIND_TEXT } from './explanations.ts';
import type { Window, WindowKind } from './plan.ts';

const CODE: Readonly<Record<WindowKind, string>> = {
  io: 'PCI_IO_SHORTAGE',
  mem32: 'PCI_MEM32_SHORTAGE',
  'mem64-prefetchable': 'PCI_MEM64_SHORTAGE',
};

/** Every BAR and window below a claim, itself included. */
function withInner(claim: OwnedClaim): OwnedClaim[] {
  return isWindowClaim(claim) ? [claim, ...claim.behind.flatMap(withInner)] : [claim];
}

function mendFor(kind: WindowKind, claims: readonly OwnedClaim[]): string {
  const all = claims.flatMap(withInner);
  const granularity = WINDOW_GRANULARITY[kind];
  const reserved = all
    .filter(
      (claim): claim is WindowClaim => isWindowClaim(claim) && claim.reserve > alignUp(claim.packing.size, granularity),
    )
    .sort((left, right) => right.reserve - left.reserve)[0];
  if (reserved !== undefined) {
    const { id, options } = reserved.fn.config;
    return options[RESERVE_OPTION[kind]] === undefined
      ? `give ${id} and ports like it hotplug=off or ${RESERVE_OPTION[kind]}=0: a hotplug port keeps ${byteText(reserved.reserve)}`
      : `lower ${RESERVE_OPTION[kind]} of ${id}`;
  }
  if (kind === 'io') {
    return 'put the devices with I/O BARs behind fewer bridges (each window takes at least 4 KiB), or leave some out';
  }
  const largest = all
    .filter((claim): claim is BarClaim => !isWindowClaim(claim))
    .sort((left, right) => right.size - left.size)[0];
  if (largest === undefined) return 'use fewer bridges';
  const { config } = largest.fn;
  if (kind === 'mem32') {
    return config.model === 'q35-testdev'
      ? `make ${claimText(largest)} 64-bit prefetchable (bar${largest.bar.index}=mem64-prefetchable:SIZE), so that it goes above 4 GiB, or smaller`
      : `leave out ${config.id} or devices like it; ${claimText(largest)} is the largest with ${byteText(largest.size)}`;
  }
  const option = config.model === 'pci-testdev' ? 'membar' : `bar${largest.bar.index}`;
  return `lower ${option} of ${config.id} (${byteText(largest.size)})`;
}

/**
 * The error for claims that found no room: what, where, how much is missing, which setting mends it.
 * @param failed the claims without a place
 * @param claims all that compete for the same room
 * @param missing bytes by which the room is too small
 */
export function shortage(
  kind: WindowKind,
  hostBridge: string,
  failed: readonly OwnedClaim[],
  claims: readonly OwnedClaim[],
  room: readonly Window[],
  missing: number,
): UserError {
  const what = failed.map((claim) => `${claimText(claim)} (${byteText(claim.size)})`);
  const shown = what.length > 3 ? `${what.slice(0, 2).join(', ')} and ${what.length - 2} more` : what.join(', ');
  const where = room.map(({ base, size }) => `${hex(base)}–${hex(base + size - 1)}`).join(', ') || 'nothing left';
  return new UserError(
    CODE[kind],
    `${KIND_TEXT[kind]}: no room for ${shown} below ${hostBridge} in ${where}: ${byteText(missing)} missing`,
    { place: { path: failed[0]?.fn.config.id ?? hostBridge }, mend: mendFor(kind, claims) },
  );
}
