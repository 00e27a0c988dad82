import { childPath } from '../../../aml/namespace.ts';
import { IOAPIC_PINS } from '../../../emulator/machine/memory-map.ts';
import { hex } from '../../../shared/bytes.ts';
import type { PlannedFunction } from '../../pci/plan.ts';
import { bdfText } from '../../pci/plan-text.ts';
import { type AcpiDevice, type InterruptModel, linkInterrupts, type RoutingEntry } from '../acpi-devices.ts';
import type { CheckFacts } from '../facts.ts';
import { type Rule, type Violation, violation } from '../rule.ts';

/** `_PRT` in both interrupt models, against link devices, MADT and plan. */

interface Table {
  readonly device: AcpiDevice;
  readonly model: InterruptModel;
  readonly entries: readonly RoutingEntry[];
}

const MODELS: readonly InterruptModel[] = ['pic', 'apic'];

function tablesOf({ devices }: CheckFacts): Table[] {
  return devices.flatMap((device) =>
    MODELS.flatMap((model) => {
      const entries = device.prt?.[model];
      return entries ? [{ device, model, entries }] : [];
    }),
  );
}

function forEachEntry(
  check: (entry: RoutingEntry, table: Table, facts: CheckFacts) => string | undefined,
): Rule['check'] {
  return (facts) =>
    tablesOf(facts).flatMap((table) =>
      table.entries.flatMap((entry, index) => {
        const message = check(entry, table, facts);
        const path = `${childPath(table.device.path, '_PRT')}[${index}] (${table.model})`;
        return message === undefined ? [] : [violation(message, { path })];
      }),
    );
}

/** The GSI that an entry leads to when its link has just one. */
function gsiOf({ gsi, link }: RoutingEntry, { namespace }: CheckFacts): number | undefined {
  if (gsi !== undefined) return gsi;
  const choices = link === undefined ? undefined : linkInterrupts(namespace!, link);
  return choices?.length === 1 ? choices[0] : undefined;
}

/** The Device of a bus: the host bridge's, or the one with the `_ADR` of the bridge. */
function* busDevices(facts: CheckFacts): Generator<{ device: AcpiDevice; functions: readonly PlannedFunction[] }> {
  for (const host of facts.plan?.hostBridges ?? []) {
    const device = facts.hostBridges.find(
      ({ seg, bbn }) => (seg ?? 0) === host.segment && (bbn ?? 0) === host.firstBus,
    );
    if (device) yield* below(device, host.functions, facts);
  }
}

function* below(
  device: AcpiDevice,
  functions: readonly PlannedFunction[],
  facts: CheckFacts,
): ReturnType<typeof busDevices> {
  yield { device, functions };
  for (const { bdf, bridge } of functions) {
    if (!bridge) continue;
    const address = bdf.device * 0x1_0000 + bdf.function;
    const child = facts.devices.find(({ path, adr }) => adr === address && path.slice(0, -5) === device.path);
    if (child) yield* below(child, bridge.functions, facts);
  }
}

function entryFor(entries: readonly RoutingEntry[], { bdf, interrupt }: PlannedFunction): RoutingEntry | undefined {
  return entries.find(
    ({ address, pin }) =>
      address !== undefined && Math.floor(address / 0x1_0000) === bdf.device && pin === interrupt!.pin - 1,
  );
}

/** The register that says how many has 8 bits, of which 240 are useful: as many as there are vectors. */
const MAX_IOAPIC_PINS = 240;

export const ROUTING_RULES: readonly Rule[] = [
  {
    id: 'PRT-ENTRY',
    severity: 'error',
    title: 'An entry is { device and 0xffff, pin 0–3, source, index }',
    linux: '"ACPI Error: _PRT package: invalid"; the whole table is dropped',
    windows: 'stop 0xA5',
    mend: 'write address 0xdddd_ffff, pin 0 to 3, and a link with index 0 or 0 with a GSI',
    check: forEachEntry(({ address, pin, source, gsi }) => {
      const sound =
        address !== undefined && address % 0x1_0000 === 0xffff && address < 0x20_0000 && pin !== undefined && pin < 4;
      if (sound && (source !== undefined || gsi !== undefined)) return undefined;
      return `address ${address === undefined ? 'none' : hex(address)}, pin ${pin}, source ${source ?? gsi}`;
    }),
  },
  {
    id: 'PRT-TWICE',
    severity: 'error',
    title: 'Every pin of a slot is routed once',
    linux: 'the first entry counts',
    windows: 'stop 0xA5, or the last entry counts',
    mend: 'drop the second entry',
    check: (facts) =>
      tablesOf(facts).flatMap(({ device, model, entries }) => {
        const keys = entries.map(({ address, pin }) => `slot ${Math.floor((address ?? 0) / 0x1_0000)} pin ${pin}`);
        const twice = [...new Set(keys.filter((key, index) => keys.indexOf(key) !== index))];
        return twice.map((key) => violation(`${key} (${model})`, { path: childPath(device.path, '_PRT') }));
      }),
  },
  {
    id: 'PRT-LINK',
    severity: 'error',
    title: "An entry's source is an interrupt link device",
    linux: '"ACPI: PCI: Invalid source for interrupt": the device gets no interrupt',
    windows: 'stop 0xA5',
    mend: 'declare the PNP0C0F device that it names, with _CRS, _PRS and _SRS',
    check: forEachEntry(({ source, link }, _, { devices }) => {
      if (source === undefined) return undefined;
      const device = devices.find(({ path }) => path === link);
      return device?.hid === 'PNP0C0F' ? undefined : `${source} is ${device ? `a ${device.hid}` : 'not there'}`;
    }),
  },
  {
    id: 'PRT-GSI',
    severity: 'error',
    title: 'Every GSI is a pin of an I/O APIC',
    linux: '"ERROR: Unable to locate IOAPIC for GSI": the device gets no interrupt',
    windows: 'Code 12',
    mend: 'route to GSI 0–23, or add the I/O APIC to the MADT',
    check: forEachEntry((entry, { model }, facts) => {
      const gsi = model === 'apic' ? gsiOf(entry, facts) : undefined;
      if (gsi === undefined || !facts.madt) return undefined;
      // How many pins an I/O APIC has is not in the MADT, but for this board's first.
      const pins = (base: number): number => (facts.plan && base === 0 ? IOAPIC_PINS : MAX_IOAPIC_PINS);
      const there = facts.madt.IO_APIC.some(({ GSI_BASE }) => gsi >= GSI_BASE && gsi < GSI_BASE + pins(GSI_BASE));
      return there ? undefined : `GSI ${gsi}`;
    }),
  },
  {
    id: 'PRT-LEVEL',
    severity: 'error',
    title: 'A GSI of a PCI interrupt that is an ISA interrupt too is level-triggered there',
    linux: '"irq n: Override triggering"; lost or endless interrupts',
    windows: 'the same',
    mend: 'override the ISA interrupt in the MADT as level-triggered, or route PCI to GSI 16–23',
    check: forEachEntry((entry, { model }, facts) => {
      const gsi = model === 'apic' ? gsiOf(entry, facts) : undefined;
      const isaLines = 16;
      if (gsi === undefined || gsi >= isaLines || !facts.madt) return undefined;
      const level = facts.madt.INTERRUPT_OVERRIDE.some(({ GSI, FLAGS }) => GSI === gsi && (FLAGS & 0b1100) === 0b1100);
      return level ? undefined : `GSI ${gsi} is edge-triggered`;
    }),
  },
  {
    id: 'PRT-MISSING',
    severity: 'error',
    title: 'Every pin that a planned function uses is routed on its bus',
    linux: '"can\'t derive routing for PCI INT": the device gets no interrupt',
    windows: 'Code 12',
    mend: 'add the slot to _PRT, or leave _PRT of the bridge out so that pins are swizzled',
    check: (facts) => fromPlan(facts, (fn, entries) => (entryFor(entries, fn) ? undefined : 'has no entry')),
  },
  {
    id: 'PRT-PLAN',
    severity: 'error',
    title: 'Every pin is routed to the GSI at which the board wires it',
    linux: '"irq n: nobody cared", and a device that waits for ever',
    windows: 'a device that does not answer',
    mend: "state the board's wiring (docs/adding/pci-device.md): swizzle behind bridges, PIRQ by slot on a root bus",
    check: (facts) =>
      fromPlan(facts, (fn, entries) => {
        const entry = entryFor(entries, fn);
        const gsi = entry && gsiOf(entry, facts);
        return gsi === undefined || gsi === fn.interrupt!.gsi ? undefined : `GSI ${gsi}, wired to ${fn.interrupt!.gsi}`;
      }),
  },
];

/** Functions with INTx on buses that have a `_PRT` for the I/O APIC. */
function fromPlan(
  facts: CheckFacts,
  check: (fn: PlannedFunction, entries: readonly RoutingEntry[]) => string | undefined,
): Violation[] {
  return [...busDevices(facts)].flatMap(({ device, functions }) => {
    const entries = device.prt?.apic;
    if (!entries) return [];
    return functions.flatMap((fn) => {
      const message = fn.interrupt && check(fn, entries);
      if (!message) return [];
      const pin = 'ABCD'[fn.interrupt!.pin - 1];
      return [violation(`INT${pin} ${message}`, { path: childPath(device.path, '_PRT'), bdf: bdfText(fn.bdf) })];
    });
  });
}
