import { PM_BLOCK } from '../../machine/power-management.ts';
import {
  bit,
  bits,
  plain,
  type RegisterSpec,
  type Registers,
  RO,
  RW,
  RW1C,
  RWO,
  reg8,
  reg16,
  reg32,
  WO,
} from '../../registers/declaration.ts';

/** PIRQ[n]_ROUT (ICH9 §13.1.17): off at reset. */
function pirqRoute(offset: number): RegisterSpec {
  return reg8(offset, { ROUTE: bits(3, 0, RW), IRQEN: bit(7, RW, 1) });
}

/** The routing registers of PIRQA–H, in order. */
export const PIRQ_ROUTES = ['PIRQA', 'PIRQB', 'PIRQC', 'PIRQD', 'PIRQE', 'PIRQF', 'PIRQG', 'PIRQH'] as const;

/** LPC interface bridge, D31:F0, beyond the header (ICH9 §13.1). */
export const LPC_REGISTERS: Registers = {
  PMBASE: reg32(0x40, { RTE: bit(0, RO, 1), BASE: bits(15, 7, RW) }),
  ACPI_CNTL: reg8(0x44, { SCI_IRQ_SEL: bits(2, 0, RW), ACPI_EN: bit(7, RW) }),
  GPIOBASE: reg32(0x48, { RTE: bit(0, RO), BASE: bits(15, 6, RO) }),
  PIRQA: pirqRoute(0x60),
  PIRQB: pirqRoute(0x61),
  PIRQC: pirqRoute(0x62),
  PIRQD: pirqRoute(0x63),
  SIRQ_CNTL: plain(0x64, 1, RW),
  PIRQE: pirqRoute(0x68),
  PIRQF: pirqRoute(0x69),
  PIRQG: pirqRoute(0x6a),
  PIRQH: pirqRoute(0x6b),
  // What the bridge decodes onto LPC is stored, not obeyed: this board's LPC devices are always there.
  LPC_IO_DEC: plain(0x80, 2, RW),
  LPC_EN: plain(0x82, 2, RW),
  GEN1_DEC: plain(0x84, 4, RW),
  GEN2_DEC: plain(0x88, 4, RW),
  GEN3_DEC: plain(0x8c, 4, RW),
  GEN4_DEC: plain(0x90, 4, RW),
  GEN_PMCON_1: reg16(0xa0, { PER_SMI_SEL: bits(1, 0, RW), SMI_LOCK: bit(4, RWO), BIOS_PCI_EXP_EN: bit(10, RW) }),
  GEN_PMCON_2: plain(0xa2, 1, RW),
  GEN_PMCON_3: plain(0xa4, 2, RW),
  GPI_ROUT: plain(0xb8, 4, RW),
  BIOS_CNTL: reg8(0xdc, { BIOSWE: bit(0, RW), BLE: bit(1, RW) }),
  RCBA: reg32(0xf0, { EN: bit(0, RW), BASE: bits(31, 14, RW) }),
};

/** SCI_IRQ_SEL → interrupt (ICH9 §13.1.5); 8259 lines up to 15, above that I/O APIC pins. Undefined: reserved. */
export const SCI_INTERRUPTS: readonly (number | undefined)[] = [9, 10, 11, undefined, 20, 21, 22, 23];

/** Bytes of the root complex block. */
export const RCBA_BYTES = 0x4000;

/** DxxIR: the PIRQ of INTA–D of a device (ICH9 §10.1.45). */
function interruptRoute(offset: number): RegisterSpec {
  return reg16(offset, {
    IAR: bits(2, 0, RW, 0),
    IBR: bits(6, 4, RW, 1),
    ICR: bits(10, 8, RW, 2),
    IDR: bits(14, 12, RW, 3),
  });
}

/** Chipset configuration registers behind RCBA (ICH9 §10.1), those that something reads or obeys. */
export const RCBA_REGISTERS: Registers = {
  D31IP: plain(0x3100, 4, RW, 0x0004_2210),
  D29IP: plain(0x3108, 4, RW, 0x1000_4321),
  D28IP: plain(0x310c, 4, RW, 0x0021_4321),
  D27IP: plain(0x3110, 4, RW, 0x0000_0001),
  D26IP: plain(0x3114, 4, RW, 0x3000_0321),
  D25IP: plain(0x3118, 4, RW, 0x0000_0001),
  D31IR: interruptRoute(0x3140),
  D29IR: interruptRoute(0x3144),
  D28IR: interruptRoute(0x3146),
  D27IR: interruptRoute(0x3148),
  D26IR: interruptRoute(0x314c),
  D25IR: interruptRoute(0x3150),
  OIC: reg8(0x31ff, { AEN: bit(0, RW), CEN: bit(1, RW) }),
  RC: plain(0x3400, 4, RW),
  HPTC: reg32(0x3404, { AS: bits(1, 0, RW), AE: bit(7, RW) }),
  GCS: plain(0x3410, 4, RW, 0x20),
  BUC: plain(0x3414, 1, RW),
  FD: plain(0x3418, 4, RW),
  CG: plain(0x341c, 4, RW),
};

/** Routing fields of INTA–D, in order. */
export const INTERRUPT_ROUTE_FIELDS = ['IAR', 'IBR', 'ICR', 'IDR'] as const;

/** Bytes of the power-management block. */
export const PM_BLOCK_BYTES = 0x80;

/** Events that PM1_STS and PM1_EN share (ICH9 §13.8.3.1–2). */
const PM1_EVENTS = { TMROF: 0, GBL: 5, PWRBTN: 8, RTC: 10 } as const;

function eventFields(access: typeof RW | typeof RW1C): Record<string, ReturnType<typeof bit>> {
  return Object.fromEntries(Object.entries(PM1_EVENTS).map(([name, position]) => [name, bit(position, access)]));
}

/** Power-management I/O block at PMBASE (ICH9 §13.8.3). PM1_TMR is a counter, not a register. */
export const PM_REGISTERS: Registers = {
  PM1_STS: reg16(PM_BLOCK.PM1_EVT.offset, { ...eventFields(RW1C), BM: bit(4, RW1C), WAK: bit(15, RW1C) }),
  PM1_EN: reg16(PM_BLOCK.PM1_EVT.offset + 2, eventFields(RW)),
  PM1_CNT: reg32(PM_BLOCK.PM1_CNT.offset, {
    SCI_EN: bit(0, RW),
    BM_RLD: bit(1, RW),
    GBL_RLS: bit(2, WO),
    SLP_TYP: bits(12, 10, RW),
    SLP_EN: bit(13, WO),
  }),
  GPE0_STS: plain(PM_BLOCK.GPE0.offset, 8, RW1C),
  GPE0_EN: plain(PM_BLOCK.GPE0.offset + 8, 8, RW),
  // APMC_EN is set from reset: firmware takes that for "SMM is initialized" and leaves SMM alone, which this board lacks.
  SMI_EN: reg32(0x30, {
    GBL_SMI_EN: bit(0, RW),
    APMC_EN: bit(5, RW, 1),
    TCO_EN: bit(13, RW),
    PERIODIC_EN: bit(14, RW),
  }),
  SMI_STS: plain(0x34, 4, RW1C),
  // The watchdog is absent: its registers keep what is written.
  TCO_RLD: plain(0x60, 2, RW),
  TCO1_STS: plain(0x64, 2, RW1C),
  TCO2_STS: plain(0x66, 2, RW1C),
  TCO1_CNT: reg16(0x68, { NO_REBOOT: bit(0, RW), TCO_TMR_HLT: bit(11, RW), LOCK: bit(12, RWO) }),
  TCO2_CNT: plain(0x6a, 2, RW),
  TCO_TMR: plain(0x72, 2, RW, 4),
};
