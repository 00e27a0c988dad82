import { encodeLayout, flagBits, u32 } from '../layout.ts';
import { type AcpiTable, finishTable, type OemIdentity, tableLayout } from './header.ts';

export const WAET_FLAGS = { RTC_GOOD: 0, ACPI_PM_TIMER_GOOD: 1 } as const;

/** Windows ACPI Emulated Devices Table (Microsoft's specification, 2009): spares Windows its work-arounds for real chips. */
export const WAET = tableLayout('WAET', { EMULATED_DEVICE_FLAGS: u32(36, WAET_FLAGS) });

/** One read of the PM timer is enough; the RTC does need its register C read. */
export function buildWaet(oem: OemIdentity): AcpiTable {
  const body = encodeLayout(WAET, { EMULATED_DEVICE_FLAGS: flagBits(WAET_FLAGS, ['ACPI_PM_TIMER_GOOD']) });
  return finishTable({ signature: 'WAET', revision: 1, oem }, body);
}
