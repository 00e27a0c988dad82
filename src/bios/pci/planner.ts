import type { HostBridgeConfig, MachineConfig } from '../../emulator/machine/config.ts';
import { ECAM } from '../../emulator/machine/memory-map.ts';
import { parseSize } from '../topology/numbers.ts';
import { busRanges, type NumberedFunction, numberBuses } from './bus-numbers.ts';
import { configWrites } from './config-writes.ts';
import { claimsOf, isWindowClaim, type OwnedClaim, WINDOW_KINDS } from './demands.ts';
import { explainClosed, explainPlacement, explainWindow } from './explanations.ts';
import { shareAmongHostBridges } from './host-windows.ts';
import { routeInterrupt } from './interrupts.ts';
import type {
  BarAssignment,
  PciPlan,
  PlannedBridge,
  PlannedFunction,
  PlannedHostBridge,
  Window,
  WindowKind,
} from './plan.ts';

/** What the second pass fills in for a function. */
interface Placement {
  readonly bars: BarAssignment[];
  readonly windows: Map<WindowKind, { window: Window; explanation: string }>;
}

type Placements = Map<NumberedFunction, Placement>;

function placementOf(placements: Placements, fn: NumberedFunction): Placement {
  const known = placements.get(fn);
  if (known !== undefined) return known;
  const fresh: Placement = { bars: [], windows: new Map() };
  placements.set(fn, fresh);
  return fresh;
}

/** Second pass, from the root down: bases for the claims of a bus, then for what is behind each of its bridges. */
function placeClaims(
  kind: WindowKind,
  claims: readonly OwnedClaim[],
  bases: readonly number[],
  parent: { text: string; windows: readonly Window[] },
  placements: Placements,
): void {
  const ends = [...parent.windows.map(({ base }) => base), ...claims.map((claim, index) => bases[index] + claim.size)];
  for (const [index, claim] of claims.entries()) {
    const base = bases[index];
    const before = Math.max(...ends.filter((end) => end <= base));
    const explanation = explainPlacement(claim, kind, parent.text, base, base - before);
    const placement = placementOf(placements, claim.fn);
    if (isWindowClaim(claim)) {
      const window = { base, size: claim.size };
      placement.windows.set(kind, { window, explanation: explainWindow(claim, kind, explanation) });
      const inner = claim.packing.offsets.map((offset) => base + offset);
      const owner = { text: `the window of ${claim.fn.config.id}`, windows: [window] };
      placeClaims(kind, claim.behind, inner, owner, placements);
    } else {
      const { index: register, kind: barKind, size } = claim.bar;
      placement.bars.push({ index: register, kind: barKind, base, size, explanation });
    }
  }
}

function plannedBridge(
  fn: NumberedFunction,
  placements: Placements,
  devices: readonly number[],
  expanderSlot: number | undefined,
): PlannedBridge | undefined {
  if (fn.bridge === undefined) return undefined;
  const { functions, ...buses } = fn.bridge;
  const { windows } = placementOf(placements, fn);
  const byKind = <T>(value: (kind: WindowKind) => T): Record<WindowKind, T> => ({
    io: value('io'),
    mem32: value('mem32'),
    'mem64-prefetchable': value('mem64-prefetchable'),
  });
  return {
    ...buses,
    windows: byKind((kind) => windows.get(kind)?.window ?? { base: 0, size: 0 }),
    explanations: byKind((kind) => windows.get(kind)?.explanation ?? explainClosed(kind)),
    functions: functions.map((inner) => plannedFunction(inner, placements, devices, expanderSlot)),
  };
}

/** @param above device numbers from the bridge above `fn` up to the root bus */
function plannedFunction(
  fn: NumberedFunction,
  placements: Placements,
  above: readonly number[],
  expanderSlot: number | undefined,
): PlannedFunction {
  const { config, bdf } = fn;
  const devices = [config.device, ...above];
  const pin = config.interruptPin;
  const bars = [...placementOf(placements, fn).bars].sort((left, right) => left.index - right.index);
  return {
    id: config.id,
    bdf,
    config,
    bars,
    interrupt: pin === 0 ? undefined : routeInterrupt(pin, devices, expanderSlot),
    bridge: plannedBridge(fn, placements, devices, expanderSlot),
  };
}

interface NumberedHostBridge {
  readonly config: HostBridgeConfig;
  readonly firstBus: number;
  readonly lastBus: number;
  readonly functions: readonly NumberedFunction[];
}

function placeAll(
  machine: MachineConfig,
  hostBridges: readonly NumberedHostBridge[],
  placements: Placements,
): Record<WindowKind, readonly Window[]>[] {
  const windows = hostBridges.map(
    (): Record<WindowKind, readonly Window[]> => ({
      io: [],
      mem32: [],
      'mem64-prefetchable': [],
    }),
  );
  for (const kind of WINDOW_KINDS) {
    const demands = hostBridges.map(({ config, functions }) => ({
      id: config.id,
      claims: claimsOf(functions, kind, (text) => parseSize(text, { path: config.id })),
    }));
    const rooms = shareAmongHostBridges(machine, kind, demands);
    for (const [index, room] of rooms.entries()) {
      windows[index][kind] = room.windows;
      const parent = { text: demands[index].id, windows: room.windows };
      placeClaims(kind, demands[index].claims, room.bases, parent, placements);
    }
  }
  return windows;
}

/**
 * Plans a board: bus numbers depth first, windows and BARs in two passes (sizes from the leaves up, bases from the root down),
 * interrupts swizzled to the root. The same board gives the same plan.
 * @throws UserError PCI_BUS_SHORTAGE, PCI_IO_SHORTAGE, PCI_MEM32_SHORTAGE, PCI_MEM64_SHORTAGE: what, where, how much, the mend
 */
export function planPci(machine: MachineConfig): PciPlan {
  const ranges = busRanges(machine.hostBridges);
  const numbered = machine.hostBridges.map((config, index): NumberedHostBridge => {
    const { first, last } = ranges[index];
    return { config, firstBus: first, lastBus: last, functions: numberBuses(config, last) };
  });
  const placements: Placements = new Map();
  const windows = placeAll(machine, numbered, placements);
  const hostBridges = numbered.map(
    ({ config, firstBus, lastBus, functions }, index): PlannedHostBridge => ({
      id: config.id,
      uid: config.busNumber,
      segment: config.segment,
      firstBus,
      lastBus,
      numaNode: config.numaNode,
      windows: windows[index],
      functions: functions.map((fn) => plannedFunction(fn, placements, [], config.slot)),
    }),
  );
  return { hostBridges, ecam: ECAM, writes: configWrites(hostBridges) };
}
