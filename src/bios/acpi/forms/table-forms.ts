import { FACS } from '../facs.ts';
import { FADT } from '../fadt.ts';
import { HPET } from '../hpet.ts';
import { MADT, MADT_ENTRIES, MADT_ENTRY_TYPES } from '../madt.ts';
import { MCFG, MCFG_ALLOCATION } from '../mcfg.ts';
import { SLIT } from '../slit.ts';
import { SRAT, SRAT_ENTRY_TYPES, SRAT_MEMORY, SRAT_PROCESSOR, SRAT_X2APIC } from '../srat.ts';
import { WAET } from '../waet.ts';
import { BERT, EINJ, ERST, HEST, WDAT } from './errors.ts';
import { byteAt, type Form, flags, formOf, list, structure, typed } from './form.ts';
import { DMAR, IVRS } from './iommu.ts';
import { BGRT, BOOT, FPDT, NFIT, RASF, UEFI } from './platform.ts';
import { ASF, CSRT, DBG2, DBGP, SPCR, SPMI } from './ports.ts';
import { ECDT, LPIT, PCCT, SBST, WDDT, WDRT } from './power.ts';
import { MSCT, MSDM, SDEV, SLIC, TCPA, TPM2, WPBT, WSMT } from './security.ts';

const HEAD = { TYPE: 1, LENGTH: 1 };

/** Entries that real machines have and this board does not; ACPI 6.5 §5.2.12. */
const OTHER_INTERRUPT_CONTROLLERS = {
  3: structure('NMI Source', { ...HEAD, FLAGS: 2, GSI: 4 }),
  5: structure('Local APIC Address Override', { ...HEAD, RESERVED: 2, ADDRESS: 8 }),
  6: structure('I/O SAPIC', { ...HEAD, IO_APIC_ID: 1, RESERVED: 1, GSI_BASE: 4, ADDRESS: 8 }),
};

/** ACPI 6.5 §5.2.16.4 and §5.2.16.6 */
const OTHER_AFFINITIES = {
  3: structure('GICC Affinity', {
    ...HEAD,
    PROXIMITY_DOMAIN: 4,
    PROCESSOR_UID: 4,
    FLAGS: flags(4, { ENABLED: 0 }),
    CLOCK_DOMAIN: 4,
  }),
  5: structure('Generic Initiator Affinity', {
    ...HEAD,
    RESERVED: 1,
    HANDLE_TYPE: 1,
    PROXIMITY_DOMAIN: 4,
    DEVICE_HANDLE: 16,
    FLAGS: flags(4, { ENABLED: 0, ARCHITECTURAL_TRANSACTIONS: 1 }),
    RESERVED_2: 4,
  }),
};

const madtEntries = Object.entries(MADT_ENTRY_TYPES).map(([kind, type]) => [
  type,
  formOf(MADT_ENTRIES[kind as keyof typeof MADT_ENTRIES]),
]);

/** Forms by signature, for readers: the printer, the checks, comparisons and people. */
export const TABLE_FORMS: Readonly<Record<string, Form>> = {
  FACP: formOf(FADT),
  FACS: formOf(FACS),
  APIC: formOf(
    MADT,
    typed(byteAt(0), byteAt(1), { ...OTHER_INTERRUPT_CONTROLLERS, ...Object.fromEntries(madtEntries) }),
  ),
  MCFG: formOf(MCFG, list(formOf(MCFG_ALLOCATION))),
  HPET: formOf(HPET),
  WAET: formOf(WAET),
  SRAT: formOf(
    SRAT,
    typed(byteAt(0), byteAt(1), {
      [SRAT_ENTRY_TYPES.PROCESSOR]: formOf(SRAT_PROCESSOR),
      [SRAT_ENTRY_TYPES.MEMORY]: formOf(SRAT_MEMORY),
      [SRAT_ENTRY_TYPES.X2APIC]: formOf(SRAT_X2APIC),
      ...OTHER_AFFINITIES,
    }),
  ),
  SLIT: formOf(SLIT, { kind: 'matrix', name: 'LOCALITY', size: 'LOCALITIES' }),
  'ASF!': ASF,
  BERT,
  BGRT,
  BOOT,
  CSRT,
  DBG2,
  DBGP,
  DMAR,
  ECDT,
  EINJ,
  ERST,
  FPDT,
  HEST,
  IVRS,
  LPIT,
  MSCT,
  MSDM,
  NFIT,
  PCCT,
  RASF,
  SBST,
  SDEV,
  SLIC,
  SPCR,
  SPMI,
  TCPA,
  TPM2,
  UEFI,
  WDAT,
  WDDT,
  WDRT,
  WPBT,
  WSMT,
};
