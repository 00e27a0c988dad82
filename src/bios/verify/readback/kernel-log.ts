import { hex } from '../../../shared/bytes.ts';
import type { PciPlan, Window, WindowKind } from '../../pci/plan.ts';
import { judged, type ReportItem } from './item.ts';

/** A message that a right board never causes. */
const FORBIDDEN: readonly { readonly name: string; readonly pattern: RegExp }[] = [
  { name: 'address space that cannot be assigned', pattern: /can't assign|no space|failed to assign/ },
  { name: 'address conflict', pattern: /address space collision|conflicts with|can't claim|invalid BAR/ },
  { name: 'ACPI error', pattern: /^ACPI( BIOS)? (Error|Exception)|^ACPI Error/ },
  { name: 'ACPI warning', pattern: /^ACPI( BIOS)? Warning/ },
  { name: 'firmware bug', pattern: /\[Firmware (Bug|Warn|Info)\]/ },
  { name: 'MMCONFIG rejected', pattern: /not using MMCONFIG|MMCONFIG.*not reserved/ },
  { name: 'interrupt without a handler', pattern: /nobody cared|can't derive routing|no GSI/ },
  { name: 'device that does not answer', pattern: /device inaccessible|Unable to change power state/ },
  { name: 'kernel fault', pattern: /^(BUG|Oops|WARNING|general protection|Kernel panic|unchecked MSR access)/ },
];

/** `[mem 0xb0000000-0xbfffffff]`, digits as the kernel prints them: at least `digits`. */
function memText({ base, size }: Window, digits = 8): string {
  const text = (value: number) => `0x${value.toString(16).padStart(digits, '0')}`;
  return `[mem ${text(base)}-${text(base + size - 1)}`;
}

interface Expectation {
  readonly subject: string;
  readonly built: string;
  /** A part of the message that must be there. */
  readonly text: string;
}

function rootWindowText(kind: WindowKind, window: Window): string | undefined {
  if (kind === 'io') return undefined;
  return kind === 'mem32' ? `${memText(window)} window]` : `${memText(window)} pref window]`;
}

function expectations(plan: PciPlan): Expectation[] {
  const { ecam } = plan;
  const ecamText = memText(ecam);
  const items: Expectation[] = [
    {
      subject: 'dmesg MMCONFIG',
      built: `at ${hex(ecam.base)}`,
      text: `MMCONFIG for domain 0000 [bus 00-ff] at ${ecamText}]`,
    },
    { subject: 'dmesg MMCONFIG in e820', built: 'reserved', text: `MMCONFIG at ${ecamText}] reserved in E820` },
    { subject: 'dmesg ECAM as motherboard resource', built: 'reserved', text: `${ecamText}] has been reserved` },
    { subject: 'dmesg interrupt model', built: 'I/O APIC', text: 'ACPI: Using IOAPIC for interrupt routing' },
  ];
  for (const { segment, firstBus, lastBus, windows } of plan.hostBridges) {
    const two = (bus: number) => bus.toString(16).padStart(2, '0');
    const bus = `${segment.toString(16).padStart(4, '0')}:${two(firstBus)}`;
    items.push({
      subject: `dmesg host bridge ${bus}`,
      built: `buses ${two(firstBus)}–${two(lastBus)}`,
      text: `pci_bus ${bus}: root bus resource [bus ${two(firstBus)}-${two(lastBus)}]`,
    });
    for (const kind of ['mem32', 'mem64-prefetchable'] as const) {
      for (const window of windows[kind]) {
        const text = rootWindowText(kind, window);
        if (text === undefined) continue;
        items.push({
          subject: `dmesg host bridge ${bus} ${kind}`,
          built: `${hex(window.base)}–${hex(window.base + window.size - 1)}`,
          text: `pci_bus ${bus}: root bus resource ${text}`,
        });
      }
    }
  }
  return items;
}

/** What the kernel's messages must say, and what they must not. */
export function compareKernelLog(plan: PciPlan, messages: readonly string[]): ReportItem[] {
  const wanted = expectations(plan).map(({ subject, built, text }) => {
    const found = messages.find((message) => message.includes(text));
    return judged(subject, built, found ?? `no message with "${text}"`, found !== undefined);
  });
  const granted = messages.filter((message) => message.includes('_OSC: OS now controls ['));
  const bridges = plan.hostBridges.length;
  const osc = judged(
    'dmesg _OSC',
    `granted to ${bridges} host bridges`,
    granted[0] === undefined
      ? 'not granted'
      : `granted to ${granted.length}: ${granted[0].replace(/^.*controls /, '')}`,
    granted.length === bridges,
  );
  const forbidden = FORBIDDEN.map(({ name, pattern }) => {
    const found = messages.filter((message) => pattern.test(message));
    const more = found.length > 1 ? ` (and ${found.length - 1} more)` : '';
    return judged(`dmesg no ${name}`, 'none', found.length === 0 ? 'none' : `${found[0]}${more}`, found.length === 0);
  });
  return [...wanted, osc, ...forbidden];
}
