import { device, eisaId, name, str } from '../../../aml/build.ts';
import { io, memory32Fixed } from '../../../aml/resources/build-resources.ts';
import { resourceTemplate } from '../../../aml/resources/resource-template.ts';
import type { AmlTerm } from '../../../aml/tree.ts';
import { HPET, PORTS } from '../../../emulator/machine/memory-map.ts';

/** Present, enabled, working, not shown. */
const STA_HIDDEN = 0x0b;
const STA_PRESENT = 0x0f;

/** IA-PC HPET 1.0a §3.2.3; its legacy interrupts are the PIT's and the RTC's. */
export function hpetDevice(): AmlTerm {
  return device('HPET', [
    name('_HID', eisaId('PNP0103')),
    name('_UID', 0),
    name('_STA', STA_PRESENT),
    name('_CRS', resourceTemplate([memory32Fixed(HPET.base, HPET.size, 'ReadOnly')])),
  ]);
}

/** QEMU's fw_cfg, which Linux exposes in /sys/firmware/qemu_fw_cfg. */
export function fwCfgDevice(): AmlTerm {
  return device('FWCF', [
    name('_HID', str('QEMU0002')),
    name('_STA', STA_HIDDEN),
    name('_CRS', resourceTemplate([io(PORTS.FW_CFG.base, PORTS.FW_CFG.count)])),
  ]);
}
