import { type InterruptRoute, idOf, resourcesOf, routesOf } from '../../aml/interpreter/devices.ts';
import { hex } from '../../shared/bytes.ts';
import { intiWords } from './field-words.ts';
import { type ExplainedMachine, type Explanation, tryTo } from './machine.ts';

/** `_PRT` in words, and who uses an interrupt. */

interface Routing {
  readonly device: string;
  readonly routes: readonly InterruptRoute[];
  readonly problem?: string;
}

function routingsOf({ interpreter }: ExplainedMachine): Routing[] {
  if (!interpreter) return [];
  return [...interpreter.paths('Device'), ...interpreter.paths('Processor')]
    .filter((device) => hasChild(interpreter, device, '_PRT'))
    .map((device) => {
      const read = tryTo(() => routesOf(interpreter, device));
      return 'value' in read ? { device, routes: read.value } : { device, routes: [], problem: read.problem };
    });
}

/** Names of damaged tables hold characters that no path can be written with. */
function hasChild(interpreter: NonNullable<ExplainedMachine['interpreter']>, device: string, name: string): boolean {
  const found = tryTo(() => interpreter.has(`${device}.${name}`));
  return 'value' in found && found.value;
}

/** The interrupts that a link has now, or could have. */
function linkGsis({ interpreter }: ExplainedMachine, link: string): number[] {
  for (const name of ['_CRS', '_PRS']) {
    if (!interpreter || !hasChild(interpreter, link, name)) continue;
    const read = tryTo(() => resourcesOf(interpreter, `${link}.${name}`));
    const gsis =
      'value' in read
        ? read.value.flatMap((item) =>
            item.kind === 'Interrupt' ? item.interrupts : item.kind === 'IRQ' ? item.irqs : [],
          )
        : [];
    if (gsis.some((gsi) => gsi !== 0)) return [...gsis];
  }
  return [];
}

/** The GSIs to which a row leads. */
function gsisOf(machine: ExplainedMachine, { source, index }: InterruptRoute): number[] {
  return source === undefined ? [index] : linkGsis(machine, source);
}

const pinName = (pin: number): string => `INT${'ABCD'[pin] ?? '?'}`;
const slotName = (address: number): string => `device ${hex(Math.floor(address / 0x1_0000))}`;

export function explainRouting(machine: ExplainedMachine): Explanation[] {
  const routings = routingsOf(machine);
  if (routings.length === 0) {
    return [
      {
        title: 'PCI interrupt routing (_PRT)',
        lines: [
          'No device has a _PRT. Linux: "can\'t derive routing for PCI INT A", and devices run on MSI or not at all. Windows: stop 0xA5 (0x0d).',
          'Mend: give each host bridge a _PRT; buses behind bridges without one are swizzled.',
        ],
      },
    ];
  }
  return routings.map(({ device, routes, problem }) => ({
    title: `${device}._PRT${machine.interpreter && hasChild(machine.interpreter, device, '_HID') ? ' (host bridge)' : ' (bus behind a bridge)'}, with I/O APICs in use`,
    lines:
      problem === undefined
        ? routes.map((route) => routeWords(machine, route))
        : [`It cannot be evaluated: ${problem}`],
  }));
}

function routeWords(machine: ExplainedMachine, route: InterruptRoute): string {
  const gsis = gsisOf(machine, route);
  const where =
    route.source === undefined
      ? `GSI ${route.index}, fixed`
      : `link ${route.source}${gsis.length === 0 ? ', which is off or computed from hardware' : `, now GSI ${gsis.join(' or ')}`}`;
  return `${slotName(route.address)} ${pinName(route.pin)} → ${where}`;
}

/** Everything that leads to a global system interrupt. */
export function explainInterrupt(machine: ExplainedMachine, gsi: number): Explanation {
  const { facts, interpreter } = machine;
  const { madt, fadt } = facts;
  const controller = madt?.IO_APIC.filter(({ GSI_BASE }) => GSI_BASE <= gsi).sort(
    (left, right) => right.GSI_BASE - left.GSI_BASE,
  )[0];
  const overrides = madt?.INTERRUPT_OVERRIDE.filter((entry) => entry.GSI === gsi) ?? [];
  const routes = routingsOf(machine).flatMap(({ device, routes: rows }) =>
    rows
      .filter((row) => gsisOf(machine, row).includes(gsi))
      .map(
        (row) =>
          `${slotName(row.address)} ${pinName(row.pin)} on the bus of ${device}${row.source === undefined ? '' : ` by ${row.source}`}`,
      ),
  );
  const users = interpreter ? devicesWith(machine, gsi) : [];
  const isIsa = gsi < 16 && overrides.length === 0 && !madt?.INTERRUPT_OVERRIDE.some(({ SOURCE }) => SOURCE === gsi);
  const lines = [
    controller
      ? `Pin ${gsi - controller.GSI_BASE} of the I/O APIC ${controller.IO_APIC_ID} at ${hex(controller.ADDRESS)}.`
      : madt
        ? 'No I/O APIC of the MADT has it. Linux: "Unable to locate IOAPIC for GSI".'
        : 'There is no MADT: interrupts come by the 8259s.',
    ...overrides.map(({ SOURCE, FLAGS }) => `ISA interrupt ${SOURCE} arrives here: ${intiWords(FLAGS)}.`),
    ...(isIsa
      ? [`ISA interrupt ${gsi} arrives here: edge-triggered, active high, since no override says otherwise.`]
      : []),
    ...(fadt && fadt.SCI_INT === (overrides[0]?.SOURCE ?? gsi)
      ? ['It is the SCI: power management events, level-triggered; Linux names it "acpi" in /proc/interrupts.']
      : []),
    ...(routes.length > 0
      ? ['PCI pins that lead here (level-triggered, active low, shared):', ...routes.map((route) => `  ${route}`)]
      : []),
    ...(users.length > 0 ? ['Devices whose _CRS names it:', ...users.map((user) => `  ${user}`)] : []),
  ];
  const unused = overrides.length === 0 && routes.length === 0 && users.length === 0;
  return {
    title: `Global system interrupt ${gsi}`,
    lines: [...lines, ...(unused && !isIsa ? ['Nothing in the tables leads to it.'] : [])],
  };
}

function devicesWith({ interpreter }: ExplainedMachine, gsi: number): string[] {
  return interpreter!.paths('Device').flatMap((device) => {
    if (!hasChild(interpreter!, device, '_CRS')) return [];
    const read = tryTo(() => resourcesOf(interpreter!, `${device}._CRS`));
    if (!('value' in read)) return [];
    const names = read.value.some(
      (item) =>
        (item.kind === 'Interrupt' && item.interrupts.includes(gsi)) ||
        (item.kind === 'IRQ' && item.irqs.includes(gsi)),
    );
    const id = tryTo(() => idOf(interpreter!, device));
    return names ? [`${device}${'value' in id && id.value !== undefined ? ` (${id.value})` : ''}`] : [];
  });
}
