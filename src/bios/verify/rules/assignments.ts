import { equalBytes, hex } from '../../../shared/bytes.ts';
import { type PciPlan, PLAN_FILE_NAME, type PlannedFunction, type Window, type WindowKind } from '../../pci/plan.ts';
import { encodePlanFile } from '../../pci/plan-file.ts';
import { bdfText } from '../../pci/plan-text.ts';
import { type AcpiDevice, rangesOf } from '../acpi-devices.ts';
import type { CheckFacts } from '../facts.ts';
import { contains, overlappingPairs, rangeText } from '../ranges.ts';
import { type Rule, type Violation, violation } from '../rule.ts';

/** BARs, bridge windows and buses of the plan against one another and against `_CRS`. */

const KINDS: readonly WindowKind[] = ['io', 'mem32', 'mem64-prefetchable'];

/** A function and the windows of the bus on which it stands. */
interface Seat {
  readonly fn: PlannedFunction;
  /** Windows that its addresses may come from: what the bridge above, or the host bridge, decodes. */
  readonly windows: Readonly<Record<WindowKind, readonly Window[]>>;
  readonly above: string;
  /** Buses that the bridge above hands on. */
  readonly buses: Window;
}

function* seats(
  functions: readonly PlannedFunction[],
  windows: Seat['windows'],
  above: string,
  buses: Window,
): Generator<Seat> {
  for (const fn of functions) {
    yield { fn, windows, above, buses };
    const { bridge } = fn;
    if (!bridge) continue;
    const own = (kind: WindowKind) => (bridge.windows[kind].size > 0 ? [bridge.windows[kind]] : []);
    const behind = { io: own('io'), mem32: own('mem32'), 'mem64-prefetchable': own('mem64-prefetchable') };
    const { secondaryBus, subordinateBus } = bridge;
    yield* seats(bridge.functions, behind, bdfText(fn.bdf), {
      base: secondaryBus,
      size: subordinateBus - secondaryBus + 1,
    });
  }
}

/** The DSDT's host bridge of a bus number. */
function acpiBridge({ hostBridges }: CheckFacts, segment: number, bus: number): AcpiDevice | undefined {
  return hostBridges.find(({ seg, bbn }) => (seg ?? 0) === segment && (bbn ?? 0) === bus);
}

/** Every function of the plan; at the top, windows are those of `_CRS` where there is one, else the plan's. */
function allSeats(facts: CheckFacts, plan: PciPlan): Seat[] {
  return plan.hostBridges.flatMap((host) => {
    const device = acpiBridge(facts, host.segment, host.firstBus);
    const ranges = device?.crs ? rangesOf(device).filter(({ producer }) => producer) : undefined;
    const memory = ranges?.filter(({ kind }) => kind === 'memory');
    const windows = ranges
      ? {
          io: ranges.filter(({ kind }) => kind === 'io'),
          mem32: memory!.filter(({ base }) => base < 2 ** 32),
          'mem64-prefetchable': memory!,
        }
      : host.windows;
    const buses = { base: host.firstBus, size: host.lastBus - host.firstBus + 1 };
    return [...seats(host.functions, windows, device?.path ?? host.id, buses)];
  });
}

function withPlan(
  check: (seats: readonly Seat[], plan: PciPlan, facts: CheckFacts) => readonly Violation[],
): Rule['check'] {
  return (facts) => (facts.plan ? check(allSeats(facts, facts.plan), facts.plan, facts) : []);
}

/** Window kinds in which a BAR may lie. */
function windowsFor(kind: string): readonly WindowKind[] {
  if (kind === 'io') return ['io'];
  return kind === 'mem64-prefetchable' ? ['mem64-prefetchable', 'mem32'] : ['mem32'];
}

const bdf = ({ fn }: Seat) => ({ path: fn.id, bdf: bdfText(fn.bdf) });

export const ASSIGNMENT_RULES: readonly Rule[] = [
  {
    id: 'BAR-WINDOW',
    severity: 'error',
    title: 'Every BAR lies in a window of the bridge above it',
    linux: '"BAR n: can\'t claim; no compatible bridge window", then it is moved or left off',
    windows: 'Code 12',
    mend: 'plan again, or enlarge the window (mem-reserve, pref64-reserve, io-reserve)',
    check: withPlan((all) =>
      all.flatMap((seat) =>
        seat.fn.bars
          .filter(
            (bar) => !windowsFor(bar.kind).some((kind) => seat.windows[kind].some((window) => contains(window, bar))),
          )
          .map((bar) => violation(`BAR${bar.index} ${rangeText(bar)} lies in no window of ${seat.above}`, bdf(seat))),
      ),
    ),
  },
  {
    id: 'BAR-ALIGNED',
    severity: 'error',
    title: 'Every BAR is a multiple of its size',
    linux: 'the low address bits are read back as 0: the BAR stands elsewhere',
    windows: 'the same',
    mend: 'plan again',
    check: withPlan((all) =>
      all.flatMap((seat) =>
        seat.fn.bars
          .filter(({ base, size }) => base % size !== 0)
          .map((bar) => violation(`BAR${bar.index} at ${hex(bar.base)}, size ${hex(bar.size)}`, bdf(seat))),
      ),
    ),
  },
  {
    id: 'BAR-OVERLAP',
    severity: 'error',
    title: 'No two BARs overlap',
    linux: '"BAR n: can\'t claim; address conflict"',
    windows: 'Code 12',
    mend: 'plan again',
    check: withPlan((all) => {
      const bars = all.flatMap((seat) => seat.fn.bars.map((bar) => ({ ...bar, seat })));
      return [true, false].flatMap((io) =>
        overlappingPairs(bars.filter(({ kind }) => (kind === 'io') === io)).map(([left, right]) =>
          violation(`BAR${left.index} ${rangeText(left)} and BAR${right.index} of ${right.seat.fn.id}`, bdf(left.seat)),
        ),
      );
    }),
  },
  {
    id: 'BRIDGE-WINDOW',
    severity: 'error',
    title: "Every bridge's window lies in one of the bridge above, at the top in _CRS",
    linux: '"can\'t claim; no compatible bridge window": everything behind it is assigned again, or not',
    windows: 'Code 12 for everything behind it',
    mend: 'build tables and plan together',
    check: withPlan((all) =>
      all.flatMap((seat) =>
        KINDS.filter((kind) => {
          const window = seat.fn.bridge?.windows[kind];
          return window && window.size > 0 && !seat.windows[kind].some((outer) => contains(outer, window));
        }).map((kind) =>
          violation(
            `${kind} ${rangeText(seat.fn.bridge!.windows[kind])} lies in no window of ${seat.above}`,
            bdf(seat),
          ),
        ),
      ),
    ),
  },
  {
    id: 'BRIDGE-OVERLAP',
    severity: 'error',
    title: 'Windows of bridges on one bus do not overlap',
    linux: '"bridge window … conflicts": two bridges claim one address',
    windows: 'Code 12',
    mend: 'plan again',
    check: withPlan((all) =>
      KINDS.flatMap((kind) =>
        overlappingPairs(all.filter(({ fn }) => fn.bridge).map((seat) => ({ ...seat.fn.bridge!.windows[kind], seat })))
          // A window inside that of the bridge above it is as it should be.
          .filter(([left, right]) => left.seat.fn.bdf.bus === right.seat.fn.bdf.bus)
          .map(([left, right]) =>
            violation(`${kind} ${rangeText(left)} and ${rangeText(right)} of ${right.seat.fn.id}`, bdf(left.seat)),
          ),
      ),
    ),
  },
  {
    id: 'BRIDGE-BUSES',
    severity: 'error',
    title: "A bridge's buses lie within those of the bridge above",
    linux: '"bridge configuration invalid ([bus a-b]), reconfiguring"',
    windows: 'nothing behind it is found',
    mend: 'plan again, or lower bus-reserve',
    check: withPlan((all) =>
      all.flatMap((seat) => {
        const { bridge } = seat.fn;
        if (!bridge) return [];
        const { primaryBus, secondaryBus, subordinateBus } = bridge;
        const own = { base: secondaryBus, size: subordinateBus - secondaryBus + 1 };
        const sound =
          primaryBus === seat.fn.bdf.bus && own.size > 0 && contains(seat.buses, own) && secondaryBus > primaryBus;
        return sound
          ? []
          : [violation(`primary ${primaryBus}, secondary ${secondaryBus}, subordinate ${subordinateBus}`, bdf(seat))];
      }),
    ),
  },
  {
    id: 'PLAN-HOST-BRIDGES',
    severity: 'error',
    title: 'The DSDT declares the host bridges of the plan, with their buses',
    linux: 'a host bridge that is not declared is not found, nor what is behind it',
    windows: 'the same',
    mend: 'build tables and plan together',
    check: withPlan((_, plan, facts) => {
      if (!facts.namespace) return [];
      return plan.hostBridges.flatMap(({ id, segment, firstBus, lastBus }) => {
        const device = acpiBridge(facts, segment, firstBus);
        if (!device) return [violation(`bus ${hex(firstBus)} has no host bridge`, { path: id })];
        const buses = rangesOf(device).find(({ kind }) => kind === 'bus');
        const same = !buses || (buses.base === firstBus && buses.size === lastBus - firstBus + 1);
        return same
          ? []
          : [violation(`plan buses ${hex(firstBus)}–${hex(lastBus)}, _CRS ${rangeText(buses)}`, { path: device.path })];
      });
    }),
  },
  {
    id: 'PLAN-FILE',
    severity: 'error',
    title: 'The plan that the firmware replays is the plan that the tables were built from',
    linux: 'BARs and windows stand elsewhere than _CRS and plan.json say',
    windows: 'the same',
    mend: 'build the directory again as a whole',
    check: ({ plan, subject }) => {
      const file = subject.files.get(PLAN_FILE_NAME);
      if (!plan || !file || equalBytes(file, encodePlanFile(plan.writes))) return [];
      return [violation('the writes differ from plan.json', { file: PLAN_FILE_NAME })];
    },
  },
];
