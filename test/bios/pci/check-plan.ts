import { expect } from 'vitest';
import { WINDOW_GRANULARITY, WINDOW_KINDS, WINDOW_OF_BAR } from '../../../src/bios/pci/demands.ts';
import type { PciPlan, PlannedFunction, Window, WindowKind } from '../../../src/bios/pci/plan.ts';
import { ECAM, HIGH_RAM_BASE } from '../../../src/emulator/machine/memory-map.ts';

interface Resource extends Window {
  readonly name: string;
  readonly alignment: number;
}

const endOf = ({ base, size }: Window): number => base + size;

/** What stands on one bus of one kind: BARs and open bridge windows. */
function resourcesOf(functions: readonly PlannedFunction[], kind: WindowKind): Resource[] {
  return functions.flatMap((fn) => {
    const bars = fn.bars
      .filter((bar) => WINDOW_OF_BAR[bar.kind] === kind)
      .map((bar) => ({ name: `${fn.id} BAR${bar.index}`, base: bar.base, size: bar.size, alignment: bar.size }));
    const window = fn.bridge?.windows[kind];
    if (window === undefined || window.size === 0) return bars;
    return [...bars, { ...window, name: `window of ${fn.id}`, alignment: WINDOW_GRANULARITY[kind] }];
  });
}

const within = (inner: Window, outer: Window): boolean => inner.base >= outer.base && endOf(inner) <= endOf(outer);

function expectDisjoint(windows: readonly (Window & { readonly name?: string })[]): void {
  const sorted = [...windows].sort((left, right) => left.base - right.base);
  for (const [index, window] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next !== undefined && endOf(window) > next.base) {
      throw new Error(`overlap: ${JSON.stringify(window)} and ${JSON.stringify(next)}`);
    }
  }
}

/** No overlap, alignment, containment; and a window neither starts before its first nor ends a granule after its last resource. */
function checkBus(
  functions: readonly PlannedFunction[],
  parents: readonly Window[],
  kind: WindowKind,
  exact: boolean,
): void {
  const resources = resourcesOf(functions, kind);
  expectDisjoint(resources);
  for (const resource of resources) {
    if (resource.base % resource.alignment !== 0) throw new Error(`not aligned: ${JSON.stringify(resource)}`);
    if (!parents.some((parent) => within(resource, parent))) throw new Error(`outside: ${JSON.stringify(resource)}`);
  }
  if (exact) {
    const [parent] = parents;
    const last = Math.max(parent.base, ...resources.map(endOf));
    if (endOf(parent) - last >= WINDOW_GRANULARITY[kind]) throw new Error(`too large: ${JSON.stringify(parent)}`);
  }
  for (const { id, bridge } of functions) {
    if (bridge === undefined) continue;
    const window = bridge.windows[kind];
    const behind = resourcesOf(bridge.functions, kind);
    if ((window.size === 0) !== (behind.length === 0))
      throw new Error(`window of ${id} is open for nothing, or closed`);
    checkBus(bridge.functions, window.size === 0 ? [] : [window], kind, window.size > 0);
  }
}

function checkBuses(functions: readonly PlannedFunction[], bus: number, next: number): number {
  let reached = next;
  for (const { bdf, bridge } of functions) {
    expect(bdf.bus).toBe(bus);
    if (bridge === undefined) continue;
    expect([bridge.primaryBus, bridge.secondaryBus]).toEqual([bus, reached]);
    reached = checkBuses(bridge.functions, bridge.secondaryBus, reached + 1);
    expect(bridge.subordinateBus).toBe(reached - 1);
  }
  return reached;
}

/** Everything that holds of any plan. */
export function checkPlan(plan: PciPlan): void {
  for (const kind of WINDOW_KINDS) {
    const all = plan.hostBridges.flatMap((hostBridge) => hostBridge.windows[kind]);
    expectDisjoint(kind === 'io' ? all : [...all, ECAM]);
    for (const window of all) {
      if (kind === 'mem64-prefetchable') expect(window.base).toBeGreaterThanOrEqual(HIGH_RAM_BASE);
      else expect(endOf(window)).toBeLessThanOrEqual(kind === 'io' ? 0x1_0000 : 0xfec0_0000);
    }
    for (const hostBridge of plan.hostBridges) checkBus(hostBridge.functions, hostBridge.windows[kind], kind, false);
  }
  for (const { functions, firstBus, lastBus } of plan.hostBridges) {
    expect(checkBuses(functions, firstBus, firstBus + 1) - 1).toBeLessThanOrEqual(lastBus);
  }
}
