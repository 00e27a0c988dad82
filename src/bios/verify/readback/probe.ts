import { hex } from '../../../shared/bytes.ts';
import { RSDP_FILE_NAME } from '../../acpi/linker/script.ts';
import { decodeE820, E820_FILE_NAME } from '../../memory/e820.ts';
import type { PlannedFunction } from '../../pci/plan.ts';
import { bdfText } from '../../pci/plan-text.ts';
import { type ProbeAddress, type ProbeReport, parseProbeReport } from '../../rom/probe/protocol.ts';
import { compareBytes, relinkAt, rsdtInImage, tablesInImage } from './acpi.ts';
import { judged, type ReportItem, same } from './item.ts';
import type { BuiltBoard } from './linux.ts';
import { compareMemoryMap } from './memory.ts';
import { comparePci, type SeenFunction } from './pci.ts';

/** The model whose interrupt the probe takes. */
const INTERRUPT_MODEL = 'edu';

const addressText = (address: ProbeAddress): string => bdfText({ segment: 0, ...address });

function isAt(address: ProbeAddress, { bdf }: PlannedFunction): boolean {
  return address.bus === bdf.bus && address.device === bdf.device && address.function === bdf.function;
}

function compareRun(report: ProbeReport): ReportItem[] {
  const [fault] = report.faults;
  const faultText =
    fault === undefined
      ? 'none'
      : `vector ${fault.vector}, error ${hex(fault.error)}, RIP ${hex(fault.rip)}, CR2 ${hex(fault.cr2)}`;
  return [
    same('probe report', 'complete', report.complete ? 'complete' : 'cut short'),
    same('probe exceptions', 'none', faultText),
    same('probe lines that are garbled', 'none', report.unknown[0] ?? 'none'),
  ];
}

/** RSDP, XSDT and every table behind them, byte for byte, where the guest found them. */
function compareTables({ firmware }: BuiltBoard, report: ProbeReport): ReportItem[] {
  const seen = new Map(report.tables.map((table) => [table.address, table]));
  const addressOf = (signature: string) => report.tables.find((table) => table.signature === signature)?.address;
  const image = relinkAt(firmware, { rsdp: addressOf('RSD PTR '), dsdt: addressOf('DSDT') });
  if (image === undefined) return [judged('acpi', 'tables', 'the probe found no RSDP or DSDT', false)];
  const rsdp = image.files.get(RSDP_FILE_NAME);
  const roots = rsdp === undefined ? [] : [{ name: 'RSDP', gpa: rsdp.gpa, bytes: rsdp.bytes }, ...rsdtInImage(image)];
  const built = [...roots, ...tablesInImage(image)];
  const known = new Set(built.map(({ gpa }) => gpa));
  return [
    ...built.map(({ name, gpa, bytes }) => compareBytes(`acpi ${name} at ${hex(gpa)}`, bytes, seen.get(gpa)?.bytes)),
    ...report.tables
      .filter(({ address }) => !known.has(address))
      .map(({ signature, address }) => judged(`acpi ${signature} at ${hex(address)}`, 'nothing', 'a table', false)),
  ];
}

/** Size, decoding and access through every window above for each BAR of the plan; echoes where a register may be written. */
function compareBars(functions: readonly PlannedFunction[], report: ProbeReport): ReportItem[] {
  return functions.flatMap((fn) =>
    fn.bars.flatMap((bar) => {
      const subject = `bar ${bdfText(fn.bdf)} ${fn.id} BAR${bar.index}`;
      const found = report.bars.find((other) => isAt(other, fn) && other.index === bar.index);
      const text = `${bar.kind} ${hex(bar.base)} size ${hex(bar.size)} decoded`;
      if (found === undefined) return [same(subject, text, undefined)];
      const seen = `${found.kind} ${hex(found.base)} size ${hex(found.size)} ${found.decode ? 'decoded' : 'not decoded'}`;
      const read = found.first !== undefined && found.last !== undefined;
      const items = [same(subject, text, seen), same(`${subject} ends`, 'read', read ? 'read' : 'not read')];
      const { echo } = found;
      if (echo === undefined) return items;
      return [...items, same(`${subject} write at ${hex(echo.offset)}`, hex(echo.expected), hex(echo.read))];
    }),
  );
}

/** One interrupt from each device that the probe can make raise one, on the GSI that the plan and `_PRT` say. */
function compareInterrupts(functions: readonly PlannedFunction[], report: ProbeReport): ReportItem[] {
  return functions
    .filter(({ config, interrupt }) => config.model === INTERRUPT_MODEL && interrupt !== undefined)
    .map((fn) => {
      const found = report.interrupts.find((interrupt) => isAt(interrupt, fn));
      const seen = found === undefined ? undefined : `GSI ${found.gsi ?? 'none'}, ${found.count} taken`;
      return same(`interrupt ${bdfText(fn.bdf)} ${fn.id}`, `GSI ${fn.interrupt?.gsi}, 1 taken`, seen);
    });
}

function everyFunction(functions: readonly PlannedFunction[]): PlannedFunction[] {
  return functions.flatMap((fn) => [fn, ...everyFunction(fn.bridge?.functions ?? [])]);
}

/** Item by item: what was built against what the probe guest saw. */
export function compareProbe(built: BuiltBoard, report: ProbeReport): ReportItem[] {
  const { machine, plan, firmware } = built;
  const functions = everyFunction(plan.hostBridges.flatMap((hostBridge) => hostBridge.functions));
  const e820 = firmware.get(E820_FILE_NAME);
  const ecam = report.ecam && `${hex(report.ecam.base)}, buses ${report.ecam.firstBus}–${report.ecam.lastBus}`;
  const seen = new Map(report.functions.map((fn): [string, SeenFunction] => [addressText(fn), { config: fn.config }]));
  return [
    ...compareRun(report),
    ...(e820 === undefined
      ? []
      : compareMemoryMap(
          decodeE820(e820),
          [...report.memory].sort((a, b) => a.base - b.base),
        )),
    ...compareTables(built, report),
    same('ecam', `${hex(plan.ecam.base)}, buses 0–${plan.ecam.size / 0x10_0000 - 1}`, ecam),
    ...report.functions.map((fn) =>
      same(
        `config ${addressText(fn)} by ECAM and by CF8/CFC`,
        'alike',
        fn.mismatch === undefined ? 'alike' : `different at ${hex(fn.mismatch)}`,
      ),
    ),
    ...comparePci(machine, plan, seen),
    ...compareBars(functions, report),
    ...compareInterrupts(functions, report),
  ];
}

/** Everything that the probe's serial output proves. */
export function verifyProbeSerial(built: BuiltBoard, serial: string): ReportItem[] {
  return compareProbe(built, parseProbeReport(serial));
}
