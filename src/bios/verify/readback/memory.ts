import { hex } from '../../../shared/bytes.ts';
import { E820_TYPES, type E820Entry } from '../../memory/e820.ts';
import { judged, type ReportItem } from './item.ts';
import type { LinuxReport } from './linux-report.ts';

/** Names of /sys/firmware/memmap (Linux arch/x86/kernel/e820.c, e820_type_to_string). */
const TYPE_OF_NAME: Readonly<Record<string, number>> = {
  'System RAM': E820_TYPES.RAM,
  Reserved: E820_TYPES.RESERVED,
  'ACPI Tables': E820_TYPES.ACPI,
  'ACPI Non-volatile Storage': E820_TYPES.NVS,
  'Unusable memory': E820_TYPES.UNUSABLE,
};
const TYPE_TEXT: Readonly<Record<number, string>> = { 1: 'RAM', 2: 'reserved', 3: 'ACPI', 4: 'NVS', 5: 'unusable' };
/** What the firmware may carve out of RAM for its tables. */
const CARVED: readonly number[] = [E820_TYPES.ACPI, E820_TYPES.NVS, E820_TYPES.RESERVED];

const endOf = ({ base, size }: E820Entry): number => base + size;

function rangeText(entry: E820Entry): string {
  return `${hex(entry.base)}–${hex(endOf(entry) - 1)} ${TYPE_TEXT[entry.type] ?? `type ${entry.type}`}`;
}

/** The map that the firmware gave Linux, sorted: lines `/sys/firmware/memmap/N/{start,end,type}:value`. */
export function memoryMapOf(report: LinuxReport): E820Entry[] {
  const entries = new Map<string, Map<string, string>>();
  for (const line of report.lines('memmap')) {
    const match = /\/(\d+)\/(start|end|type):(.*)$/.exec(line);
    if (match === null) continue;
    const fields = entries.get(match[1]) ?? new Map<string, string>();
    entries.set(match[1], fields.set(match[2], match[3]));
  }
  return [...entries.values()]
    .map((fields) => {
      const base = Number(fields.get('start'));
      return { base, size: Number(fields.get('end')) + 1 - base, type: TYPE_OF_NAME[fields.get('type') ?? ''] ?? 0 };
    })
    .sort((left, right) => left.base - right.base);
}

/** True when `pieces` fill `whole` without gap or overlap. */
function fills(whole: E820Entry, pieces: readonly E820Entry[]): boolean {
  let next = whole.base;
  for (const piece of pieces) {
    if (piece.base !== next) return false;
    next = endOf(piece);
  }
  return next === endOf(whole);
}

/**
 * Every range that was built, against what Linux got from the firmware. The firmware takes room for its tables out of RAM: such a range
 * is seen in pieces, of which the first and largest is RAM. A range that was not built is an item of its own.
 */
export function compareMemoryMap(built: readonly E820Entry[], seen: readonly E820Entry[]): ReportItem[] {
  const items = built.map((entry) => {
    const pieces = seen.filter((piece) => piece.base < endOf(entry) && endOf(piece) > entry.base);
    const typesMatch =
      entry.type === E820_TYPES.RAM
        ? pieces[0]?.type === entry.type && pieces.slice(1).every(({ type }) => CARVED.includes(type))
        : pieces.every(({ type }) => type === entry.type);
    const text = pieces.map(rangeText).join(', ') || 'nothing';
    return judged(`e820 ${hex(entry.base)}`, rangeText(entry), text, fills(entry, pieces) && typesMatch);
  });
  const strangers = seen.filter(
    (piece) => !built.some((entry) => piece.base < endOf(entry) && endOf(piece) > entry.base),
  );
  return [...items, ...strangers.map((piece) => judged(`e820 ${hex(piece.base)}`, 'nothing', rangeText(piece), false))];
}
