import type { MachineConfig } from '../../../emulator/machine/config.ts';
import { DEVICE_CATALOG } from '../../../emulator/machine/device-catalog.ts';
import { hex, viewOf } from '../../../shared/bytes.ts';
import { WINDOW_KINDS } from '../../pci/demands.ts';
import type { BarAssignment, PciPlan, PlannedBridge, PlannedFunction, Window, WindowKind } from '../../pci/plan.ts';
import { bdfText } from '../../pci/plan-text.ts';
import { judged, type ReportItem, same } from './item.ts';
import type { LinuxReport } from './linux-report.ts';

/** Functions that stand on pcie.0 without being on the board: vendor:device by slot. */
const CHIPSET: ReadonlyMap<string, string> = new Map([
  ['00:00.0', '8086:29c0'],
  ['00:1f.0', '8086:2918'],
]);
/** A PXB's own function on pcie.0. */
const EXPANDER_ID = '1b36:000b';

/** One function as a guest sees it. */
export interface SeenFunction {
  /** Config space: 256 or 4096 bytes. */
  readonly config: Uint8Array;
  /** Lines of sysfs' `resource`: start, end, flags. Undefined for a guest that keeps none. */
  readonly resources?: readonly (readonly [number, number, number])[];
  /** What the guest resolved the interrupt to, in APIC mode the GSI (NaN: to nothing). Undefined for a guest that resolves none. */
  readonly irq?: number;
}

/** Every function in the report, by `bb:dd.f` (segment 0). */
export function seenFunctions(report: LinuxReport): Map<string, SeenFunction> {
  const names = new Set(report.list('pci').map((name) => name.split('/')[0]));
  return new Map(
    [...names].sort().map((name) => {
      const resources = report.lines(`pci/${name}/resource`).map((line): [number, number, number] => {
        const [start, end, flags] = line.split(' ').map(Number);
        return [start, end, flags];
      });
      const irq = report.text(`pci/${name}/irq`);
      const config = report.bytes(`pci/${name}/config`) ?? new Uint8Array(0);
      return [name.replace(/^0000:/, ''), { config, resources, irq: irq === '' ? Number.NaN : Number(irq) }];
    }),
  );
}

function rangeText({ base, size }: Window): string {
  return size === 0 ? 'closed' : `${hex(base)}–${hex(base + size - 1)}`;
}

const idText = (vendor: number, device: number): string =>
  `${vendor.toString(16).padStart(4, '0')}:${device.toString(16).padStart(4, '0')}`;

/** Reads registers of a header; a config space that is too short reads as zeros. */
class Header {
  private readonly view: DataView;

  constructor(config: Uint8Array) {
    const bytes = new Uint8Array(256);
    bytes.set(config.subarray(0, 256));
    this.view = viewOf(bytes);
  }

  u8 = (offset: number): number => this.view.getUint8(offset);
  u16 = (offset: number): number => this.view.getUint16(offset, true);
  u32 = (offset: number): number => this.view.getUint32(offset, true);

  get id(): string {
    return idText(this.u16(0), this.u16(2));
  }

  /** The address in a BAR without its type bits. */
  bar({ index, kind }: BarAssignment): number {
    const low = this.u32(0x10 + 4 * index);
    const high = kind.startsWith('mem64') ? this.u32(0x14 + 4 * index) : 0;
    return high * 2 ** 32 + (kind === 'io' ? low - (low & 3) : low - (low & 0xf));
  }

  /** A bridge's window as its base and limit registers state it (PCI-to-PCI Bridge 1.2 §3.2). */
  window(kind: WindowKind): Window {
    const range = (base: number, limit: number): Window =>
      base > limit ? { base: 0, size: 0 } : { base, size: limit - base + 1 };
    if (kind === 'io') return range((this.u8(0x1c) >>> 4) << 12, ((this.u8(0x1d) >>> 4) << 12) | 0xfff);
    const wide = kind === 'mem64-prefetchable';
    const at = wide ? 0x24 : 0x20;
    const base = (this.u16(at) >>> 4) * 2 ** 20 + (wide ? this.u32(0x28) * 2 ** 32 : 0);
    const limit = (this.u16(at + 2) >>> 4) * 2 ** 20 + 0xf_ffff + (wide ? this.u32(0x2c) * 2 ** 32 : 0);
    return range(base, limit);
  }
}

function compareBar(subject: string, bar: BarAssignment, seen: SeenFunction, header: Header): ReportItem[] {
  const name = `${subject} BAR${bar.index}`;
  const register = same(name, hex(bar.base), hex(header.bar(bar)));
  if (seen.resources === undefined) return [register];
  const [start, end] = seen.resources[bar.index] ?? [0, 0];
  return [
    register,
    same(`${name} resource`, rangeText(bar), rangeText({ base: start, size: end === 0 ? 0 : end - start + 1 })),
  ];
}

function compareBridge(subject: string, bridge: PlannedBridge, header: Header): ReportItem[] {
  const buses = (numbers: readonly number[]) => numbers.map((bus) => bus.toString(16).padStart(2, '0')).join(' ');
  const { primaryBus, secondaryBus, subordinateBus, windows } = bridge;
  return [
    same(
      `${subject} buses`,
      buses([primaryBus, secondaryBus, subordinateBus]),
      buses([header.u8(0x18), header.u8(0x19), header.u8(0x1a)]),
    ),
    ...WINDOW_KINDS.map((kind) =>
      same(`${subject} window ${kind}`, rangeText(windows[kind]), rangeText(header.window(kind))),
    ),
  ];
}

/** GSIs of the I/O APIC; a larger number is a message-signalled interrupt, whose routing does not go through `_PRT`. */
const LAST_GSI = 23;

function compareInterrupt(subject: string, fn: PlannedFunction, seen: SeenFunction, header: Header): ReportItem[] {
  const { interrupt } = fn;
  if (interrupt === undefined) return [];
  const line = same(`${subject} interrupt line`, String(interrupt.irq), String(header.u8(0x3c)));
  if (seen.irq === undefined || seen.irq > LAST_GSI) return [line];
  return [line, same(`${subject} GSI`, String(interrupt.gsi), String(seen.irq))];
}

function compareFunction(fn: PlannedFunction, seen: SeenFunction | undefined): ReportItem[] {
  const subject = `pci ${bdfText(fn.bdf)} ${fn.id}`;
  const facts = DEVICE_CATALOG[fn.config.model];
  const built = idText(facts.vendorId, facts.deviceId);
  if (seen === undefined) return [same(subject, built, undefined)];
  const header = new Header(seen.config);
  const classText = (code: number) => hex(code, 6);
  return [
    same(subject, built, header.id),
    same(`${subject} class`, classText(facts.classCode), classText(header.u32(8) >>> 8)),
    ...fn.bars.flatMap((bar) => compareBar(subject, bar, seen, header)),
    ...(fn.bridge === undefined ? [] : compareBridge(subject, fn.bridge, header)),
    ...compareInterrupt(subject, fn, seen, header),
  ];
}

function everyFunction(functions: readonly PlannedFunction[]): PlannedFunction[] {
  return functions.flatMap((fn) => [fn, ...everyFunction(fn.bridge?.functions ?? [])]);
}

/** Functions that the plan does not list: chipset and expanders, by `bb:dd.f`. */
function fixedFunctions(machine: MachineConfig): Map<string, string> {
  const expanders = machine.hostBridges.flatMap(({ slot }): [string, string][] =>
    slot === undefined ? [] : [[`00:${slot.toString(16).padStart(2, '0')}.0`, EXPANDER_ID]],
  );
  return new Map([...CHIPSET, ...expanders]);
}

/** Every function of the plan against what a guest saw: ids, BARs, bus numbers, windows, interrupts; and that there are no others. */
export function comparePci(
  machine: MachineConfig,
  plan: PciPlan,
  seen: ReadonlyMap<string, SeenFunction>,
): ReportItem[] {
  const planned = everyFunction(plan.hostBridges.flatMap(({ functions }) => functions));
  const fixed = fixedFunctions(machine);
  const known = new Set([...fixed.keys(), ...planned.map(({ bdf }) => bdfText(bdf))]);
  return [
    ...[...fixed].map(([bdf, id]) => {
      const found = seen.get(bdf);
      return same(`pci ${bdf}`, id, found === undefined ? undefined : new Header(found.config).id);
    }),
    ...planned.flatMap((fn) => compareFunction(fn, seen.get(bdfText(fn.bdf)))),
    ...[...seen]
      .filter(([bdf]) => !known.has(bdf))
      .map(([bdf, { config }]) => judged(`pci ${bdf}`, 'nothing', new Header(config).id, false)),
  ];
}

/** Bus numbers in ascending order, as Linux names them: `0000:80`. */
export function compareBuses(plan: PciPlan, report: LinuxReport): ReportItem[] {
  const name = (segment: number, bus: number) =>
    `${segment.toString(16).padStart(4, '0')}:${bus.toString(16).padStart(2, '0')}`;
  const built = plan.hostBridges.flatMap(({ segment, firstBus, functions }) => [
    name(segment, firstBus),
    ...everyFunction(functions).flatMap(({ bridge }) =>
      bridge === undefined ? [] : [name(segment, bridge.secondaryBus)],
    ),
  ]);
  return [same('pci buses', built.sort().join(' '), report.lines('pci-buses').sort().join(' '))];
}
