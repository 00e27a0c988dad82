import type { MachineConfig } from '../../../emulator/machine/config.ts';
import type { FirmwareFiles } from '../../artifacts.ts';
import { GUEST_MARKER } from '../../boot/linux-init.ts';
import { decodeE820, E820_FILE_NAME } from '../../memory/e820.ts';
import type { PciPlan } from '../../pci/plan.ts';
import { compareAcpi } from './acpi.ts';
import { judged, type ReportItem } from './item.ts';
import { compareKernelLog } from './kernel-log.ts';
import { extractLinuxReport, type LinuxReport } from './linux-report.ts';
import { compareMemoryMap, memoryMapOf } from './memory.ts';
import { compareBuses, comparePci, seenFunctions } from './pci.ts';
import { compareSmbios } from './smbios.ts';

/** What was built: the reference for every comparison. */
export interface BuiltBoard {
  readonly machine: MachineConfig;
  readonly plan: PciPlan;
  readonly firmware: FirmwareFiles;
}

/** Item by item: what was built against what Linux saw. */
export function compareLinux({ machine, plan, firmware }: BuiltBoard, report: LinuxReport): ReportItem[] {
  const e820 = firmware.get(E820_FILE_NAME);
  return [
    ...(e820 === undefined ? [] : compareMemoryMap(decodeE820(e820), memoryMapOf(report))),
    ...compareAcpi(firmware, report),
    ...compareSmbios(firmware, report),
    ...compareBuses(plan, report),
    ...comparePci(machine, plan, seenFunctions(report)),
    ...compareKernelLog(plan, report.messages),
  ];
}

/** Everything that a Linux guest's serial output proves; one failed item when it reported nothing. */
export async function verifyLinuxSerial(built: BuiltBoard, serial: string): Promise<ReportItem[]> {
  const extraction = await extractLinuxReport(serial);
  if ('failure' in extraction) return [judged('linux report', 'a report', extraction.failure, false)];
  const poweredOff = serial.includes(GUEST_MARKER.POWEROFF);
  return [
    judged('linux init', 'powers off by S5', poweredOff ? 'powered off' : 'did not get there', poweredOff),
    ...compareLinux(built, extraction.report),
  ];
}
