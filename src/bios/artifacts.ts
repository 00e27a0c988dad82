/**
 * The files that the firmware receives by fw_cfg, by name (`etc/acpi/tables`, `etc/e820` …). `acpi build` writes them to a directory
 * as they are, `boot` hands them to the machine. On QEMU, where `etc/…` names are taken, they travel under the prefix below, and
 * the toolkit's ROM looks there first.
 */
export type FirmwareFiles = ReadonlyMap<string, Uint8Array>;

export const FW_CFG_OVERRIDE_PREFIX = 'opt/q35/';
