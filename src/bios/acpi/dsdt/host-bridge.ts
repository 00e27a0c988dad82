import { device, eisaId, name } from '../../../aml/build.ts';
import { dwordMemory, io, qwordMemory, wordBusNumber, wordIo } from '../../../aml/resources/build-resources.ts';
import { resourceTemplate } from '../../../aml/resources/resource-template.ts';
import type { AmlTerm } from '../../../aml/tree.ts';
import type { HostBridgeConfig } from '../../../emulator/machine/config.ts';
import { LEGACY_VGA, PCI_IO_WINDOW, PORTS } from '../../../emulator/machine/memory-map.ts';
import type { PlannedHostBridge, Window } from '../../pci/plan.ts';
import { oscMethod } from './osc.ts';
import { bridgeDevices } from './pci-tree.ts';
import { rootRule, routingTable } from './routing-table.ts';

/** Slots that cards may use, and the LPC bridge's; those between belong to ICH9's own functions, which the plan names if there are any. */
const ROUTED_SLOTS = [...Array.from({ length: 25 }, (_, slot) => slot), 31];
const CONFIG_PORTS = { base: PORTS.CONFIG_ADDRESS.base, size: 8 };

/** Name of a host bridge's Device: PCI0 for bus 0, PC80 for bus 0x80. */
export function hostBridgeName(bridge: PlannedHostBridge): string {
  if (bridge.segment === 0 && bridge.firstBus === 0) return 'PCI0';
  const bus = bridge.firstBus.toString(16).toUpperCase().padStart(2, '0');
  // Segments beyond the first: PD, PE …
  return `P${String.fromCharCode('C'.charCodeAt(0) + bridge.segment)}${bus}`;
}

export interface HostBridgeContext {
  readonly config: HostBridgeConfig;
  /** NUMA node where the board names none; undefined without NUMA. */
  readonly defaultNode?: number;
  /** Devices that stand on its bus without being in the plan (the LPC bridge and fw_cfg on bus 0). */
  readonly children: readonly AmlTerm[];
}

/** One PCI Express host bridge: identity, what it decodes, `_OSC`, `_PRT` and the bridges below it. */
export function hostBridge(planned: PlannedHostBridge, { config, defaultNode, children }: HostBridgeContext): AmlTerm {
  const node = planned.numaNode ?? defaultNode;
  const rule = rootRule(config.slot);
  return device(hostBridgeName(planned), [
    name('_HID', eisaId('PNP0A08')),
    name('_CID', eisaId('PNP0A03')),
    name('_UID', planned.uid),
    name('_SEG', planned.segment),
    name('_BBN', planned.firstBus),
    ...(node === undefined ? [] : [name('_PXM', node)]),
    name('_CRS', currentResources(planned)),
    oscMethod(),
    ...routingTable(rule, routedSlots(planned)),
    ...children,
    ...bridgeDevices(planned.functions, rule),
  ]);
}

function routedSlots({ functions }: PlannedHostBridge): number[] {
  const slots = new Set([...ROUTED_SLOTS, ...functions.map(({ bdf }) => bdf.device)]);
  return [...slots].sort((left, right) => left - right);
}

/** Buses, I/O, memory below 4 GiB and the 64-bit windows. ECAM stays out of it. */
function currentResources(bridge: PlannedHostBridge): AmlTerm {
  const { io: ports, mem32, 'mem64-prefetchable': mem64 } = bridge.windows;
  const legacy = bridge.firstBus === 0;
  return resourceTemplate([
    wordBusNumber({ minimum: bridge.firstBus, maximum: bridge.lastBus }),
    ...(legacy ? [io(CONFIG_PORTS.base, CONFIG_PORTS.size)] : []),
    ...(legacy ? joinAdjacent([...legacyPorts(), ...ports]) : ports).map((range) => wordIo(extent(range))),
    ...(legacy ? [dwordMemory(extent(LEGACY_VGA))] : []),
    ...mem32.map((range) => dwordMemory(extent(range))),
    ...mem64.map((range) => qwordMemory({ ...extent(range), cache: 'Prefetchable' })),
  ]);
}

/** First and last address. */
function extent({ base, size }: Window): { minimum: number; maximum: number } {
  return { minimum: base, maximum: base + size - 1 };
}

/** The ports below the PCI window around CONFIG_ADDRESS and CONFIG_DATA: the LPC bridge's devices are on bus 0. */
function legacyPorts(): Window[] {
  const after = CONFIG_PORTS.base + CONFIG_PORTS.size;
  return [
    { base: 0, size: CONFIG_PORTS.base },
    { base: after, size: PCI_IO_WINDOW.base - after },
  ];
}

/** Sorted, with ranges that touch made one. */
function joinAdjacent(ranges: readonly Window[]): Window[] {
  const joined: Window[] = [];
  for (const range of ranges.toSorted((left, right) => left.base - right.base)) {
    const last = joined.at(-1);
    if (last && last.base + last.size === range.base) {
      joined[joined.length - 1] = { base: last.base, size: last.size + range.size };
    } else joined.push(range);
  }
  return joined;
}
