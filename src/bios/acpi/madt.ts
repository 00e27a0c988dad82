import { IOAPIC, IRQS, LOCAL_APIC, PIRQ_IRQS } from '../../emulator/machine/memory-map.ts';
import { encodeLayout, flagBits, type Layout, type LayoutValues, layout, u8, u16, u32 } from '../layout.ts';
import { type AcpiTable, finishTable, type OemIdentity, tableLayout } from './header.ts';

export const MADT_FLAGS = { PCAT_COMPAT: 0 } as const;
export const LOCAL_APIC_FLAGS = { ENABLED: 0, ONLINE_CAPABLE: 1 } as const;

/** Multiple APIC Description Table (ACPI 6.5 §5.2.12). */
export const MADT = tableLayout('MADT', {
  LOCAL_APIC_ADDRESS: u32(36),
  FLAGS: u32(40, MADT_FLAGS),
});

/** The entries that this board uses, by type (ACPI 6.5 table 5.21). */
export const MADT_ENTRIES = {
  /** §5.2.12.2 */
  LOCAL_APIC: layout('Processor Local APIC', {
    TYPE: u8(0),
    LENGTH: u8(1),
    PROCESSOR_UID: u8(2),
    APIC_ID: u8(3),
    FLAGS: u32(4, LOCAL_APIC_FLAGS),
  }),
  /** §5.2.12.3 */
  IO_APIC: layout('I/O APIC', {
    TYPE: u8(0),
    LENGTH: u8(1),
    IO_APIC_ID: u8(2),
    RESERVED: u8(3),
    ADDRESS: u32(4),
    GSI_BASE: u32(8),
  }),
  /** §5.2.12.5 */
  INTERRUPT_OVERRIDE: layout('Interrupt Source Override', {
    TYPE: u8(0),
    LENGTH: u8(1),
    BUS: u8(2),
    SOURCE: u8(3),
    GSI: u32(4),
    FLAGS: u16(8),
  }),
  /** §5.2.12.7 */
  LOCAL_APIC_NMI: layout('Local APIC NMI', {
    TYPE: u8(0),
    LENGTH: u8(1),
    PROCESSOR_UID: u8(2),
    FLAGS: u16(3),
    LINT: u8(5),
  }),
  /** §5.2.12.12 */
  LOCAL_X2APIC: layout('Processor Local x2APIC', {
    TYPE: u8(0),
    LENGTH: u8(1),
    RESERVED: u16(2),
    X2APIC_ID: u32(4),
    FLAGS: u32(8, LOCAL_APIC_FLAGS),
    PROCESSOR_UID: u32(12),
  }),
  /** §5.2.12.13 */
  LOCAL_X2APIC_NMI: layout('Local x2APIC NMI', {
    TYPE: u8(0),
    LENGTH: u8(1),
    FLAGS: u16(2),
    PROCESSOR_UID: u32(4),
    LINT: u8(8),
    RESERVED: u8(9),
    RESERVED_2: u16(10),
  }),
};

export const MADT_ENTRY_TYPES = {
  LOCAL_APIC: 0,
  IO_APIC: 1,
  INTERRUPT_OVERRIDE: 2,
  LOCAL_APIC_NMI: 4,
  LOCAL_X2APIC: 9,
  LOCAL_X2APIC_NMI: 10,
} as const satisfies Record<keyof typeof MADT_ENTRIES, number>;

/** MPS INTI flags (ACPI 6.5 table 5.26). */
export const INTI_FLAGS = { CONFORMS: 0, ACTIVE_HIGH_LEVEL: 0b1101, TRIGGER: 0b1100, LEVEL: 0b1100 } as const;
/** Ids from here on do not fit the 8-bit entry (255 is the broadcast). */
const FIRST_X2APIC_ID = 255;
/** GSI of the PIT: IRQ 0 of the 8259 pair is pin 2 of the I/O APIC, where pin 0 takes the ExtINT. */
const PIT_GSI = 2;
const MADT_REVISION = 4;

/** `apicIds` by processor: UIDs are the processors' numbers. */
export function buildMadt(oem: OemIdentity, apicIds: readonly number[]): AcpiTable {
  const body = encodeLayout(MADT, {
    LOCAL_APIC_ADDRESS: LOCAL_APIC.base,
    FLAGS: flagBits(MADT_FLAGS, ['PCAT_COMPAT']),
  });
  const entries = [
    ...apicIds.map((apicId, uid) => processor(uid, apicId)),
    madtEntry('IO_APIC', { IO_APIC_ID: 0, ADDRESS: IOAPIC.base, GSI_BASE: 0 }),
    madtEntry('INTERRUPT_OVERRIDE', { SOURCE: IRQS.PIT, GSI: PIT_GSI, FLAGS: INTI_FLAGS.CONFORMS }),
    ...[...PIRQ_IRQS, IRQS.SCI]
      .sort((left, right) => left - right)
      .map((irq) => madtEntry('INTERRUPT_OVERRIDE', { SOURCE: irq, GSI: irq, FLAGS: INTI_FLAGS.ACTIVE_HIGH_LEVEL })),
    madtEntry('LOCAL_APIC_NMI', { PROCESSOR_UID: 0xff, FLAGS: INTI_FLAGS.CONFORMS, LINT: 1 }),
  ];
  if (apicIds.some((id) => id >= FIRST_X2APIC_ID))
    entries.push(madtEntry('LOCAL_X2APIC_NMI', { PROCESSOR_UID: 0xffff_ffff, LINT: 1 }));
  return finishTable({ signature: 'APIC', revision: MADT_REVISION, oem }, body, { entries });
}

/** One entry, its type and length filled in. */
export function madtEntry<Kind extends keyof typeof MADT_ENTRIES>(
  kind: Kind,
  values: Partial<LayoutValues<(typeof MADT_ENTRIES)[Kind]>>,
): Uint8Array {
  const target: Layout = MADT_ENTRIES[kind];
  return encodeLayout(target, { ...values, TYPE: MADT_ENTRY_TYPES[kind], LENGTH: target.byteLength });
}

/** The processor's entry; `_MAT` returns the same bytes. */
export function processor(uid: number, apicId: number): Uint8Array {
  const FLAGS = flagBits(LOCAL_APIC_FLAGS, ['ENABLED']);
  return apicId < FIRST_X2APIC_ID
    ? madtEntry('LOCAL_APIC', { PROCESSOR_UID: uid, APIC_ID: apicId, FLAGS })
    : madtEntry('LOCAL_X2APIC', { PROCESSOR_UID: uid, X2APIC_ID: apicId, FLAGS });
}
