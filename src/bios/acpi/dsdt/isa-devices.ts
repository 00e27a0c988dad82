import { device, eisaId, name } from '../../../aml/build.ts';
import { dma, io, irqNoFlags } from '../../../aml/resources/build-resources.ts';
import { resourceTemplate } from '../../../aml/resources/resource-template.ts';
import type { AmlTerm } from '../../../aml/tree.ts';
import { IRQS, PORTS } from '../../../emulator/machine/memory-map.ts';
import { pirqRegisters } from './interrupt-links.ts';
import { motherboardPorts } from './motherboard.ts';
import { functionName, pciAddress } from './pci-tree.ts';

/** The ICH9 LPC bridge, 00:1f.0. */
const LPC = { device: 31, function: 0 };
export const LPC_PATH = `\\_SB.PCI0.${functionName(LPC.device, LPC.function)}`;

/** IRQ of the slave 8259's cascade and of the coprocessor's error line. */
const CASCADE_IRQ = 2;
const FPU_IRQ = 13;
/** The 8237's own cascade channel. */
const CASCADE_DMA = 4;

/** Present, enabled, shown, working. */
const STA_PRESENT = 0x0f;

interface IsaDevice {
  readonly name: string;
  readonly hid: string;
  readonly ports: readonly { readonly base: number; readonly count: number }[];
  readonly irq?: number;
  readonly dma?: number;
  readonly uid?: number;
}

/** Devices on the LPC bus: ids by PNP's list. */
const ISA_DEVICES: readonly IsaDevice[] = [
  { name: 'PIC', hid: 'PNP0000', ports: [PORTS.PIC1, PORTS.PIC2], irq: CASCADE_IRQ },
  { name: 'PIT', hid: 'PNP0100', ports: [PORTS.PIT], irq: IRQS.PIT },
  { name: 'DMAC', hid: 'PNP0200', ports: [PORTS.DMA1, PORTS.DMA_PAGE, PORTS.DMA2], dma: CASCADE_DMA },
  { name: 'SPKR', hid: 'PNP0800', ports: [PORTS.NMI_STATUS] },
  { name: 'FPU', hid: 'PNP0C04', ports: [PORTS.FPU_BUSY], irq: FPU_IRQ },
  { name: 'RTC', hid: 'PNP0B00', ports: [PORTS.RTC], irq: IRQS.RTC },
  { name: 'KBD', hid: 'PNP0303', ports: [PORTS.I8042_DATA, PORTS.I8042_COMMAND], irq: IRQS.KEYBOARD },
  { name: 'MOU', hid: 'PNP0F13', ports: [], irq: IRQS.MOUSE },
  { name: 'COM1', hid: 'PNP0501', ports: [PORTS.COM1], irq: IRQS.COM1, uid: 1 },
];

/** The LPC bridge with its PIRQ registers and everything behind it. */
export function lpcBridge(): AmlTerm {
  return device(functionName(LPC.device, LPC.function), [
    name('_ADR', pciAddress(LPC.device, LPC.function)),
    ...pirqRegisters(),
    motherboardPorts(),
    ...ISA_DEVICES.map(isaDevice),
  ]);
}

function isaDevice(entry: IsaDevice): AmlTerm {
  return device(entry.name, [
    name('_HID', eisaId(entry.hid)),
    ...(entry.uid === undefined ? [] : [name('_UID', entry.uid)]),
    name('_STA', STA_PRESENT),
    name(
      '_CRS',
      resourceTemplate([
        ...entry.ports.map(({ base, count }) => io(base, count)),
        ...(entry.irq === undefined ? [] : [irqNoFlags(entry.irq)]),
        ...(entry.dma === undefined ? [] : [dma([entry.dma])]),
      ]),
    ),
  ]);
}
