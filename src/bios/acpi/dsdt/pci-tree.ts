import { device, name } from '../../../aml/build.ts';
import type { AmlTerm } from '../../../aml/tree.ts';
import type { PlannedBridge, PlannedFunction } from '../../pci/plan.ts';
import { type PirqRule, routingTable, secondaryRule } from './routing-table.ts';

/** Name of the Device of a PCI function: `S` and its device and function number packed. */
export function functionName(device: number, functionNumber: number): string {
  return `S${(device * 8 + functionNumber).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** `_ADR` of a PCI function (ACPI 6.5 §6.1.1). */
export function pciAddress(device: number, functionNumber: number): number {
  return device * 0x1_0000 + functionNumber;
}

/** A Device with `_PRT` for every bridge, at any depth; endpoints need none. */
export function bridgeDevices(functions: readonly PlannedFunction[], rule: PirqRule): AmlTerm[] {
  return functions.flatMap(({ bdf, bridge }) => {
    if (!bridge) return [];
    const behind = secondaryRule(rule, bdf.device);
    return [
      device(functionName(bdf.device, bdf.function), [
        name('_ADR', pciAddress(bdf.device, bdf.function)),
        ...routingTable(behind, occupiedSlots(bridge)),
        ...bridgeDevices(bridge.functions, behind),
      ]),
    ];
  });
}

/** Slot 0 always: a card may be plugged into an empty port. */
function occupiedSlots(bridge: PlannedBridge): number[] {
  const slots = new Set([0, ...bridge.functions.map(({ bdf }) => bdf.device)]);
  return [...slots].sort((left, right) => left - right);
}
