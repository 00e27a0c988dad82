import { hex } from '../../shared/bytes.ts';
import { WINDOW_KINDS } from './demands.ts';
import { byteText } from './explanations.ts';
import type { Bdf, PciPlan, PlannedFunction, PlannedHostBridge, Window, WindowKind } from './plan.ts';

const SHORT_KIND: Readonly<Record<WindowKind, string>> = { io: 'io', mem32: 'mem32', 'mem64-prefetchable': 'pref64' };

/** `00:1f.2`, with the segment before it when it is not 0. */
export function bdfText({ segment, bus, device, function: fn }: Bdf): string {
  const two = (value: number) => value.toString(16).padStart(2, '0');
  const prefix = segment === 0 ? '' : `${segment.toString(16).padStart(4, '0')}:`;
  return `${prefix}${two(bus)}:${two(device)}.${fn}`;
}

function windowText({ base, size }: Window): string {
  return size === 0 ? 'closed' : `${hex(base)}–${hex(base + size - 1)} (${byteText(size)})`;
}

function interruptText({ interrupt }: PlannedFunction): string {
  if (interrupt === undefined) return '';
  const pin = 'ABCD'[interrupt.pin - 1];
  return `  INT${pin} → PIRQ${'ABCDEFGH'[interrupt.pirq]} → GSI ${interrupt.gsi} (IRQ ${interrupt.irq})`;
}

/** Lines below a function's own: its BARs and windows, with their reasons when asked for. */
function detailLines(fn: PlannedFunction, explain: boolean): string[] {
  const lines: string[] = [];
  const add = (text: string, explanation: string) => {
    lines.push(text);
    if (explain) lines.push(`    ${explanation}`);
  };
  for (const { index, kind, base, size, explanation } of fn.bars) {
    add(`BAR${index} ${kind} ${windowText({ base, size })}`, explanation);
  }
  const { bridge } = fn;
  if (bridge === undefined) return lines;
  for (const kind of WINDOW_KINDS) {
    const window = bridge.windows[kind];
    if (window.size > 0 || explain) add(`window ${SHORT_KIND[kind]} ${windowText(window)}`, bridge.explanations[kind]);
  }
  return lines;
}

function functionLines(fn: PlannedFunction, explain: boolean, last: boolean): string[] {
  const { bridge } = fn;
  const two = (bus: number) => bus.toString(16).padStart(2, '0');
  const buses = bridge === undefined ? '' : `  buses ${two(bridge.secondaryBus)}–${two(bridge.subordinateBus)}`;
  const title = `${bdfText(fn.bdf)} ${fn.config.model} ${fn.id}${buses}${interruptText(fn)}`;
  const behind = bridge?.functions ?? [];
  const details = detailLines(fn, explain).map((line) => `${behind.length > 0 ? '│' : ' '}    ${line}`);
  return indented([title, ...details, ...treeLines(behind, explain)], last);
}

function indented([title, ...rest]: readonly string[], last: boolean): string[] {
  return [`${last ? '└─' : '├─'} ${title}`, ...rest.map((line) => `${last ? '  ' : '│ '} ${line}`)];
}

function treeLines(functions: readonly PlannedFunction[], explain: boolean): string[] {
  return functions.flatMap((fn, index) => functionLines(fn, explain, index === functions.length - 1));
}

function hostBridgeLines(hostBridge: PlannedHostBridge, explain: boolean): string[] {
  const { id, firstBus, lastBus, numaNode, windows, functions } = hostBridge;
  const node = numaNode === undefined ? '' : `, NUMA node ${numaNode}`;
  const title = `${id}: buses ${firstBus.toString(16).padStart(2, '0')}–${lastBus.toString(16).padStart(2, '0')}${node}`;
  const details = WINDOW_KINDS.map((kind) => {
    const texts = windows[kind].map(windowText);
    return `  ${SHORT_KIND[kind].padEnd(6)} ${texts.length === 0 ? 'none' : texts.join(', ')}`;
  });
  return [title, ...details, ...treeLines(functions, explain)];
}

/** The plan as a tree for people; `explain` adds the reason of each placement. Ends without a newline. */
export function formatPlan(plan: PciPlan, explain: boolean): string {
  const ecam = `ECAM ${windowText(plan.ecam)}, ${plan.writes.length} config writes`;
  return [ecam, ...plan.hostBridges.flatMap((hostBridge) => ['', ...hostBridgeLines(hostBridge, explain)])].join('\n');
}

/** A function as `q35 pci plan --json` prints it. */
function functionJson(fn: PlannedFunction): object {
  const { id, bdf, config, bars, interrupt, bridge } = fn;
  const behind = bridge === undefined ? undefined : { ...bridge, functions: bridge.functions.map(functionJson) };
  return { id, model: config.model, bdf: bdfText(bdf), bars, interrupt, bridge: behind };
}

/** The plan as plain data: addresses and sizes are numbers, bytes. */
export function planJson(plan: PciPlan): object {
  return {
    ecam: plan.ecam,
    hostBridges: plan.hostBridges.map((hostBridge) => ({
      ...hostBridge,
      functions: hostBridge.functions.map(functionJson),
    })),
    writes: plan.writes,
  };
}
