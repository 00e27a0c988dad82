import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { defaultAllocator, executeScript } from '../../../../src/bios/acpi/linker/load.ts';
import { RSDP_FILE_NAME } from '../../../../src/bios/acpi/linker/script.ts';
import { decodeE820, E820_FILE_NAME } from '../../../../src/bios/memory/e820.ts';
import type { PlannedFunction } from '../../../../src/bios/pci/plan.ts';
import { bdfText } from '../../../../src/bios/pci/plan-text.ts';
import { SMBIOS_ANCHOR_FILE_NAME, SMBIOS_TABLES_FILE_NAME } from '../../../../src/bios/smbios/build.ts';
import { tablesInImage } from '../../../../src/bios/verify/readback/acpi.ts';
import type { BuiltBoard } from '../../../../src/bios/verify/readback/linux.ts';
import { DEVICE_CATALOG } from '../../../../src/emulator/machine/device-catalog.ts';
import { checksumByte } from '../../../../src/shared/checksum.ts';

/** Files of a report; names as linux-init.ts has them. */
export type FakeReport = Map<string, Uint8Array>;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const MEMMAP_NAME: Record<number, string> = { 1: 'System RAM', 2: 'Reserved', 4: 'ACPI Non-volatile Storage' };
const hex16 = (value: number) => `0x${value.toString(16).padStart(16, '0')}`;

const logged = (value: number) => `0x${value.toString(16).toUpperCase().padStart(16, '0')}`;

function everyFunction(functions: readonly PlannedFunction[]): PlannedFunction[] {
  return functions.flatMap((fn) => [fn, ...everyFunction(fn.bridge?.functions ?? [])]);
}

function addFunction(report: FakeReport, bdf: string, id: readonly [number, number], classCode = 0): DataView {
  const config = new Uint8Array(256);
  const view = new DataView(config.buffer);
  view.setUint16(0, id[0], true);
  view.setUint16(2, id[1], true);
  view.setUint32(8, classCode * 256, true);
  report.set(`pci/0000:${bdf}/config`, config);
  return view;
}

/** What a Linux that saw exactly what was built would report. */
export function perfectReport({ machine, plan, firmware }: BuiltBoard): FakeReport {
  const report: FakeReport = new Map();
  const image = executeScript(firmware, defaultAllocator(machine.lowRamBytes));
  const tables = tablesInImage(image);
  const messages: string[] = [`ACPI: RSDP ${logged(image.files.get(RSDP_FILE_NAME)?.gpa ?? 0)} 000024 (v02 Q35FW )`];
  for (const { name, gpa, bytes } of tables) {
    messages.push(`ACPI: ${name.slice(0, 4)} ${logged(gpa)} 000000 (v01)`);
    if (name !== 'XSDT') report.set(`acpi/${name}`, bytes);
  }
  const memmap = decodeE820(firmware.get(E820_FILE_NAME) ?? new Uint8Array(0)).flatMap(
    ({ base, size, type }, index) => [
      `/sys/firmware/memmap/${index}/start:0x${base.toString(16)}`,
      `/sys/firmware/memmap/${index}/end:0x${(base + size - 1).toString(16)}`,
      `/sys/firmware/memmap/${index}/type:${MEMMAP_NAME[type]}`,
    ],
  );
  report.set('memmap', encode(memmap.join('\n')));
  const anchor = (firmware.get(SMBIOS_ANCHOR_FILE_NAME) ?? new Uint8Array(24)).slice();
  anchor[5] = 0;
  anchor[5] = checksumByte(anchor);
  report.set('dmi/smbios_entry_point', anchor);
  report.set('dmi/DMI', firmware.get(SMBIOS_TABLES_FILE_NAME) ?? new Uint8Array(0));
  addFunction(report, '00:00.0', [0x8086, 0x29c0]);
  addFunction(report, '00:1f.0', [0x8086, 0x2918]);
  const buses = ['0000:00'];
  for (const { firstBus, lastBus, windows, functions } of plan.hostBridges) {
    const two = (bus: number) => bus.toString(16).padStart(2, '0');
    messages.push(`pci_bus 0000:${two(firstBus)}: root bus resource [bus ${two(firstBus)}-${two(lastBus)}]`);
    const root = (text: string) => messages.push(`pci_bus 0000:${two(firstBus)}: root bus resource [mem ${text}`);
    for (const { base, size } of windows.mem32)
      root(`0x${base.toString(16)}-0x${(base + size - 1).toString(16)} window]`);
    for (const { base, size } of windows['mem64-prefetchable']) {
      root(`0x${base.toString(16)}-0x${(base + size - 1).toString(16)} pref window]`);
    }
    messages.push('acpi PNP0A08:00: _OSC: OS now controls [PCIeHotplug PME AER PCIeCapability LTR]');
    if (firstBus > 0) buses.push(`0000:${two(firstBus)}`);
    for (const fn of everyFunction(functions)) {
      if (fn.bridge !== undefined) buses.push(`0000:${two(fn.bridge.secondaryBus)}`);
      const { vendorId, deviceId, classCode } = DEVICE_CATALOG[fn.config.model];
      const view = addFunction(report, bdfText(fn.bdf), [vendorId, deviceId], classCode);
      const resources = Array.from({ length: 6 }, () => `${hex16(0)} ${hex16(0)} ${hex16(0)}`);
      for (const { index, base, size } of fn.bars)
        resources[index] = `${hex16(base)} ${hex16(base + size - 1)} ${hex16(0)}`;
      report.set(`pci/0000:${bdfText(fn.bdf)}/resource`, encode(resources.join('\n')));
      if (fn.interrupt !== undefined) report.set(`pci/0000:${bdfText(fn.bdf)}/irq`, encode(`${fn.interrupt.gsi}\n`));
      for (const write of plan.writes) {
        const { bus, device, function: number } = fn.bdf;
        if (write.bus !== bus || write.device !== device || write.function !== number) continue;
        if (write.size === 1) view.setUint8(write.offset, write.value);
        else if (write.size === 2) view.setUint16(write.offset, write.value, true);
        else view.setUint32(write.offset, write.value, true);
      }
    }
  }
  for (const { slot } of machine.hostBridges) {
    if (slot !== undefined) addFunction(report, `00:${slot.toString(16).padStart(2, '0')}.0`, [0x1b36, 0x000b]);
  }
  messages.push(
    'PCI: MMCONFIG for domain 0000 [bus 00-ff] at [mem 0xb0000000-0xbfffffff] (base 0xb0000000)',
    'PCI: MMCONFIG at [mem 0xb0000000-0xbfffffff] reserved in E820',
    'system 00:05: [mem 0xb0000000-0xbfffffff] has been reserved',
    'ACPI: Using IOAPIC for interrupt routing',
  );
  report.set('pci-buses', encode(buses.join('\n')));
  report.set('dmesg', encode(messages.map((message) => `[    0.000000] ${message}`).join('\n')));
  return report;
}

/** A ustar archive: enough of it for readTar, which is compared with busybox's in the boot tests. */
function tar(files: FakeReport): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const [name, bytes] of files) {
    const header = new Uint8Array(512);
    header.set(encode(name), 0);
    header.set(encode(bytes.length.toString(8).padStart(11, '0')), 124);
    header.set(encode('0'), 156);
    blocks.push(header, bytes, new Uint8Array((512 - (bytes.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, new Uint8Array(1024)]);
}

/** The report as the guest prints it. */
export function serialOf(report: FakeReport): string {
  const packed = gzipSync(tar(report));
  const sum = createHash('sha256').update(packed).digest('hex');
  const lines = packed.toString('base64').replace(/.{76}/g, '$&\r\n');
  return [
    'q35: ROM in long mode',
    'Q35 begin linux',
    `Q35 report ${packed.length} ${sum}`,
    lines,
    'Q35 end',
    'Q35 poweroff',
    '',
  ].join('\r\n');
}
