/** What the ROM writes to MCH and ICH9, as data. Offsets and values are the datasheets'; the policy is memory-map.ts. */
import { PIRQ_DEFAULT_IRQ } from '../../emulator/machine/interrupt-routing.ts';
import { ECAM, IRQS, PIRQ_IRQS, PORTS, RCBA } from '../../emulator/machine/memory-map.ts';

export interface RegisterWrite {
  readonly register: number;
  readonly size: 1 | 2 | 4;
  readonly value: number;
}

/** CONFIG_ADDRESS (PCI 3.0 §3.2.2.3.2): enable bit, and the packed addresses of the two chipset functions. */
export const CHIPSET_CONFIG = { ENABLE: 0x8000_0000, MCH_DEVFN: 0, LPC_DEVFN: 0x1f << 3 } as const;

/** PAM0–6: reads and writes go to RAM (MCH §5.1.8). PAM0's low half is reserved. */
export const PAM_READ_WRITE: readonly RegisterWrite[] = [
  { register: 0x90, size: 4, value: 0x3333_3330 },
  { register: 0x94, size: 2, value: 0x3333 },
  { register: 0x96, size: 1, value: 0x33 },
];

/** PCIEXBAR (MCH §5.1.5): the high half first, so that no half-written base is ever enabled. 256 MiB, enabled. */
export const MCH_WRITES: readonly RegisterWrite[] = [
  { register: 0x64, size: 4, value: Math.floor(ECAM.base / 2 ** 32) },
  { register: 0x60, size: 4, value: (ECAM.base | 1) >>> 0 },
];

/** ICH9 §13.1: PMBASE, ACPI_CNTL (enabled, SCI on IRQ 9), PIRQA–D, PIRQE–H, RCBA. */
export const LPC_WRITES: readonly RegisterWrite[] = [
  { register: 0x40, size: 4, value: PORTS.PM.base | 1 },
  { register: 0x44, size: 1, value: 0x80 },
  ...PIRQ_DEFAULT_IRQ.map(
    (value, pirq): RegisterWrite => ({ register: (pirq < 4 ? 0x60 : 0x64) + pirq, size: 1, value }),
  ),
  { register: 0xf0, size: 4, value: (RCBA.base | 1) >>> 0 },
];

/** Offsets from RCBA (ICH9 §10.1): HPTC (HPET at 0xfed0_0000) and OIC (I/O APIC at 0xfec0_0000). */
export const RCBA_WRITES: readonly RegisterWrite[] = [
  { register: 0x3404, size: 4, value: 0x80 },
  { register: 0x31ff, size: 1, value: 0x01 },
];

/** ELCR (ICH9 §13.4.11): the lines that PIRQs may take, and the SCI, are level-triggered. */
export const ELCR_VALUE = [...PIRQ_IRQS, IRQS.SCI].reduce((bits, irq) => bits | (1 << irq), 0);
