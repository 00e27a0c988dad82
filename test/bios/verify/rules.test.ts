import { describe, expect, it } from 'vitest';
import { device, method, name, packageOf, scope } from '../../../src/aml/build.ts';
import { formatFinding } from '../../../src/aml/lint/finding.ts';
import { encodeDefinitionBlock } from '../../../src/aml/table-header.ts';
import type { AmlTerm } from '../../../src/aml/tree.ts';
import { FADT } from '../../../src/bios/acpi/fadt.ts';
import { type AcpiTable, DEFAULT_OEM } from '../../../src/bios/acpi/header.ts';
import { HPET } from '../../../src/bios/acpi/hpet.ts';
import { LOADER_ENTRY_BYTES } from '../../../src/bios/acpi/linker/script.ts';
import { MADT } from '../../../src/bios/acpi/madt.ts';
import { buildRsdt } from '../../../src/bios/acpi/rsdt.ts';
import { SLIT } from '../../../src/bios/acpi/slit.ts';
import { buildXsdt } from '../../../src/bios/acpi/xsdt.ts';
import { checkFirmware, RULES } from '../../../src/bios/verify/check.ts';
import { GIB } from '../../../src/shared/bytes.ts';
import { Workbench } from './workbench.ts';

const ALL_LISTED = ['FACP', 'APIC', 'HPET', 'MCFG', 'SRAT', 'SLIT', 'WAET'];
const PNP0C02 = [0x41, 0xd0, 0x0c, 0x02];
const PNP0A08 = [0x41, 0xd0, 0x0a, 0x08];
const PNP0A03 = [0x41, 0xd0, 0x0a, 0x03];
const PNP0A09 = [0x41, 0xd0, 0x0a, 0x09];
/** The _PRT address of a slot, as a DWord constant. */
const slotAddress = (slot: number) => [0x0c, 0xff, 0xff, slot, 0x00];
/** The extended interrupt descriptor of a fixed link. */
const linkGsi = (gsi: number) => [0x89, 0x06, 0x00, 0x09, 0x01, gsi, 0, 0, 0];
const IO = { space: 1, bitWidth: 32, bitOffset: 0, accessSize: 0 };

const mcfgAllocation = (change: (bytes: Uint8Array) => void) => (bench: Workbench) =>
  bench.entries('MCFG', (bytes) => {
    change(bytes);
    return bytes;
  });

/** For entries of the MADT and the SRAT: the name of the layout decides. */
const without = (signature: string, name: RegExp) => (bench: Workbench) =>
  bench.entries(signature, (bytes, layout) => (name.test(layout) ? undefined : bytes));

const eventTable = (terms: readonly AmlTerm[]): AcpiTable => {
  const identity = { signature: 'SSDT', revision: 2, oemId: 'Q35', oemTableId: 'EVENTS' };
  return { id: 'SSDT', signature: 'SSDT', bytes: encodeDefinitionBlock(identity, terms), pointers: [] };
};

/** One way to break each rule. */
const BREAKS: Readonly<Record<string, (bench: Workbench) => void>> = {
  'LOADER-SCRIPT': (bench) => {
    bench.damage = (files) => files.set('etc/table-loader', files.get('etc/table-loader')!.subarray(0, 100));
  },
  'RSDP-CHECKSUM': (bench) => {
    bench.damage = (files) =>
      files.set('etc/table-loader', files.get('etc/table-loader')!.subarray(0, -LOADER_ENTRY_BYTES));
  },
  'RSDP-PLACE': (bench) => {
    bench.damage = (files) => {
      // The zone of the second ALLOCATE, the RSDP's.
      files.get('etc/table-loader')![LOADER_ENTRY_BYTES + 64] = 1;
    };
  },
  'TABLE-CHECKSUM': (bench) => bench.table('WAET').bytes[9]++,
  'TABLE-LENGTH': (bench) => bench.table('WAET').bytes.fill(0xff, 4, 8),
  'TABLE-REQUIRED': (bench) => bench.drop('APIC'),
  'TABLE-ONCE': (bench) => bench.tables.push({ ...bench.table('HPET'), id: 'HPET.2' }),
  'XSDT-NO-DSDT': (bench) => {
    bench.roots = (tables) => [
      ...tables,
      buildRsdt(DEFAULT_OEM, ALL_LISTED),
      buildXsdt(DEFAULT_OEM, [...ALL_LISTED, 'DSDT']),
    ];
  },
  'XSDT-RSDT-AGREE': (bench) => {
    bench.roots = (tables) => [
      ...tables,
      buildRsdt(DEFAULT_OEM, ALL_LISTED.slice(1)),
      buildXsdt(DEFAULT_OEM, ALL_LISTED),
    ];
  },
  'XSDT-ENTRY': (bench) => {
    bench.roots = (tables) => {
      const xsdt = buildXsdt(DEFAULT_OEM, ALL_LISTED);
      return [...tables, buildRsdt(DEFAULT_OEM, ALL_LISTED), { ...xsdt, pointers: xsdt.pointers.slice(0, -1) }];
    };
  },
  'TABLE-IN-RAM': (bench) => {
    bench.e820.find(({ base }) => base === 0x10_0000)!.type = 2;
  },
  'FADT-REVISION': (bench) => bench.patch('FACP', FADT, { REVISION: 1 }),
  'FADT-X-FIELDS': (bench) => bench.patch('FACP', FADT, { PM_TMR_BLK: 0x408 }),
  'FADT-DSDT': (bench) => bench.drop('DSDT'),
  'FACS-PLACE': (bench) => bench.drop('FACS'),
  'FADT-PM-BLOCKS': (bench) => bench.patch('FACP', FADT, { PM_TMR_LEN: 0 }),
  'FADT-BLOCK-OVERLAP': (bench) =>
    bench.patch('FACP', FADT, { GPE0_BLK: 0x604, X_GPE0_BLK: { ...IO, bitWidth: 128, address: 0x604 } }),
  'FADT-BLOCK-RESERVED': (bench) =>
    bench.patch('FACP', FADT, { PM_TMR_BLK: 0x708, X_PM_TMR_BLK: { ...IO, address: 0x708 } }),
  'FADT-GPE0': (bench) => bench.patch('FACP', FADT, { GPE0_BLK_LEN: 15 }),
  'FADT-RESET': (bench) => bench.patch('FACP', FADT, { FLAGS: 0x80a5 }),
  'FADT-SMI': (bench) => bench.patch('FACP', FADT, { ACPI_DISABLE: 2 }),
  'FADT-SPACE': (bench) => bench.patch('FACP', FADT, { X_PM_TMR_BLK: { ...IO, space: 0, address: 0x608 } }),
  'GPE-BLOCK': (bench) => bench.tables.push(eventTable([scope('\\_GPE', [method('_L80', 0, [])])])),
  'PRW-GPE': (bench) =>
    bench.tables.push(eventTable([scope('\\_SB', [device('WAKE', [name('_PRW', packageOf([0x80, 3]))])])])),
  'SLEEP-S5': (bench) => bench.dsdt('_S5_', '_S1_'),
  'MADT-PROCESSOR': (bench) =>
    bench.entries('APIC', (bytes, layout) => {
      if (layout === 'Processor Local APIC') bytes[3] = 0;
      return bytes;
    }),
  'MADT-CPU-DEVICES': (bench) => bench.rebuildDsdt(() => {}, 3),
  'MADT-IOAPIC': without('APIC', /^I\/O APIC$/),
  'MADT-PIT': (bench) =>
    bench.entries('APIC', (bytes, layout) => (/Override/.test(layout) && bytes[3] === 0 ? undefined : bytes)),
  'MADT-SCI': (bench) =>
    bench.entries('APIC', (bytes, layout) => {
      if (/Override/.test(layout) && bytes[3] === 9) bytes[8] = 0x0f;
      return bytes;
    }),
  'MADT-NMI': without('APIC', /NMI/),
  'MADT-OVERRIDE-ONCE': (bench) =>
    bench.entries('APIC', (bytes, layout) => {
      if (/Override/.test(layout) && bytes[3] === 5) bytes[3] = 10;
      return bytes;
    }),
  'FADT-BOARD': (bench) => bench.patch('FACP', FADT, { SCI_INT: 20 }),
  'MADT-BOARD': (bench) => bench.patch('APIC', MADT, { LOCAL_APIC_ADDRESS: 0xfee1_0000 }),
  'HPET-BOARD': (bench) =>
    bench.patch('HPET', HPET, {
      BASE_ADDRESS: { space: 0, bitWidth: 64, bitOffset: 0, accessSize: 0, address: 0xfed0_1000 },
    }),
  'E820-READABLE': (bench) => {
    bench.damage = (files) => files.set('etc/e820', files.get('etc/e820')!.subarray(0, 30));
  },
  'E820-OVERLAP': (bench) => bench.e820.push({ base: 0x20_0000, size: 0x1000, type: 2 }),
  'E820-LEGACY': (bench) => {
    bench.e820[0].size = 0xb_0000;
  },
  'E820-RAM': (bench) => {
    bench.e820[0].base = 0x1000;
  },
  'E820-CHIPSET': (bench) => bench.e820.push({ base: 0xfec0_0000, size: 0x1000, type: 1 }),
  'E820-WINDOWS': (bench) => bench.e820.push({ base: 0xc000_0000, size: 0x1000, type: 1 }),
  'MCFG-ENTRY': mcfgAllocation((bytes) => {
    bytes[10] = 0xff;
    bytes[11] = 0;
  }),
  'MCFG-E820': (bench) => {
    bench.e820 = bench.e820.filter(({ base }) => base !== 0xb000_0000);
  },
  'MCFG-MOTHERBOARD': (bench) => bench.dsdt(PNP0C02, [0x41, 0xd0, 0x0c, 0x03], { all: true }),
  'MCFG-WINDOW': (bench) =>
    bench.rebuildDsdt((plan) => {
      plan.hostBridges[0].windows.mem32 = [{ base: 0xa000_0000, size: 0x5000_0000 }];
    }),
  'MCFG-PLAN': (bench) => {
    bench.plan.ecam.base = 0xe000_0000;
  },
  'MCFG-SIZE': mcfgAllocation((bytes) => {
    bytes[11] = 0xfe;
  }),
  'MCFG-HIGH': (bench) => {
    bench.biosDate = '01/01/2008';
    mcfgAllocation((bytes) => {
      bytes[4] = 0x10;
    })(bench);
  },
  'MCFG-BUSES': mcfgAllocation((bytes) => {
    bytes[11] = 0x3f;
  }),
  'AML-READABLE': (bench) => bench.table('DSDT').bytes.fill(0x02, 36, 37),
  'DEVICE-ID': (bench) => bench.dsdt('_HID', 'XHID', { after: 'PWRB' }),
  'DEVICE-UID': (bench) =>
    bench.dsdt([...Buffer.from('_UID'), 0x01], [...Buffer.from('_UID'), 0x00], { after: 'MBIO' }),
  'PORT-OVERLAP': (bench) => bench.dsdt([0x47, 0x01, 0x40, 0, 0x40, 0], [0x47, 0x01, 0x70, 0, 0x70, 0]),
  'HPET-DEVICE': (bench) =>
    bench.patch('HPET', HPET, {
      BASE_ADDRESS: { space: 0, bitWidth: 64, bitOffset: 0, accessSize: 0, address: 0xfed0_4000 },
    }),
  'SMBIOS-CHECKSUM': (bench) => {
    bench.damage = (files) => files.get('etc/smbios/smbios-anchor')![5]++;
  },
  'SMBIOS-STRUCTURES': (bench) => {
    bench.damage = (files) => files.get('etc/smbios/smbios-tables')!.fill(200, 0, 1);
  },
  'SMBIOS-DATE': (bench) => {
    bench.biosDate = '04/01/2014';
  },
  'PCI-PRESENT': (bench) => {
    bench.dsdt(PNP0A08, PNP0A09, { all: true });
    bench.dsdt(PNP0A03, PNP0A09, { all: true });
  },
  'PCI-ID': (bench) => bench.dsdt(PNP0A08, PNP0A03),
  'PCI-UID': (bench) =>
    bench.rebuildDsdt((plan) => {
      plan.hostBridges[1].uid = plan.hostBridges[0].uid;
    }),
  'PCI-OSC': (bench) => bench.dsdt('_OSC', 'XOSC'),
  'PCI-PRT': (bench) => bench.dsdt('_PRT', 'XPRT'),
  // The length of the first large descriptor of PCI0, its bus range.
  'CRS-READABLE': (bench) => bench.dsdt([0x88, 0x0d], [0x88, 0xff], { after: 'PCI0' }),
  // Length of the bus range: 0x80 buses become 0x81.
  'CRS-RANGE': (bench) => bench.dsdt([0x7f, 0, 0, 0, 0x80, 0], [0x7f, 0, 0, 0, 0x81, 0], { after: 'PCI0' }),
  'CRS-BUS': (bench) => bench.dsdt([...Buffer.from('_BBN'), 0x0a, 0x80], [...Buffer.from('_BBN'), 0x0a, 0x81]),
  'CRS-OVERLAP': (bench) =>
    bench.rebuildDsdt((plan) => {
      plan.hostBridges[1].windows.mem32 = plan.hostBridges[0].windows.mem32;
    }),
  'CRS-CHIPSET': (bench) =>
    bench.rebuildDsdt((plan) => {
      plan.hostBridges[1].windows.mem32 = [{ base: 0xfe80_0000, size: 0x80_0000 }];
    }),
  'BAR-WINDOW': (bench) => {
    bench.fn('edu0').bars[0].base = 0xf000_0000;
  },
  'BAR-ALIGNED': (bench) => {
    bench.fn('edu0').bars[0].base += 0x1000;
  },
  'BAR-OVERLAP': (bench) => {
    bench.fn('edu1').bars[0].base = bench.fn('edu0').bars[0].base;
  },
  'BRIDGE-WINDOW': (bench) => {
    bench.fn('rp0').bridge!.windows.mem32.base = 0x9000_0000;
  },
  'BRIDGE-OVERLAP': (bench) => {
    bench.fn('rp1').bridge!.windows.mem32 = { ...bench.fn('rp0').bridge!.windows.mem32 };
  },
  'BRIDGE-BUSES': (bench) => {
    bench.fn('rp0').bridge!.subordinateBus = 0x90;
  },
  'PLAN-HOST-BRIDGES': (bench) => {
    bench.plan.hostBridges[1].lastBus = 0x90;
  },
  'PLAN-FILE': (bench) => {
    bench.damage = (files) => files.get('etc/q35/plan')!.fill(0xff, -8);
  },
  'PRT-ENTRY': (bench) => bench.dsdt(slotAddress(1), [0x0c, 0xfe, 0xff, 1, 0]),
  'PRT-TWICE': (bench) => bench.dsdt(slotAddress(2), slotAddress(1)),
  'PRT-LINK': (bench) => bench.dsdt('GSIE', 'GSIX', { after: 'PRTA' }),
  'PRT-GSI': (bench) => bench.dsdt(linkGsi(20), linkGsi(40), { all: true }),
  'PRT-LEVEL': (bench) => bench.dsdt(linkGsi(20), linkGsi(3), { all: true }),
  'PRT-MISSING': (bench) => bench.dsdt(slotAddress(2), slotAddress(0x1c), { all: true }),
  'PRT-PLAN': (bench) => {
    bench.fn('edu3').interrupt!.gsi = 16;
  },
  'SRAT-PROCESSORS': without('SRAT', /Processor/),
  'SRAT-MEMORY': without('SRAT', /Memory/),
  'SRAT-OVERLAP': (bench) =>
    bench.entries('SRAT', (bytes, layout) => {
      // Node 1's range, above 4 GiB, to 0.
      if (/Memory/.test(layout) && bytes[2] === 1) bytes.fill(0, 8, 16);
      return bytes;
    }),
  'SLIT-SIZE': (bench) => bench.patch('SLIT', SLIT, { LOCALITIES: 3 }),
  'SLIT-DIAGONAL': (bench) => {
    const { bytes } = bench.table('SLIT');
    bytes[SLIT.byteLength] = 11;
  },
  'SLIT-SYMMETRY': (bench) => {
    const { bytes } = bench.table('SLIT');
    bytes[SLIT.byteLength + 1] = 31;
  },
};

describe('checks on files', () => {
  it('find nothing on the default board with NUMA', () => {
    expect(checkFirmware(new Workbench().subject()).map(formatFinding)).toEqual([]);
  });

  it('have ids of their own, and a break for each', () => {
    const ids = RULES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(Object.keys(BREAKS).sort()).toEqual([...ids].sort());
  });

  it.each(RULES.map(({ id }) => id))('%s is found when it is broken', (id) => {
    const bench = new Workbench();
    BREAKS[id](bench);
    const found = checkFirmware(bench.subject()).filter(({ rule }) => rule === id);
    expect(found.length).toBeGreaterThan(0);
    for (const finding of found) {
      expect(finding.message).not.toMatch(/undefined|NaN|\[object/);
      expect(finding.linux && finding.windows && finding.mend).toBeTruthy();
    }
  });

  it('survive 64-bit windows of any size', () => {
    const bench = new Workbench();
    bench.fn('large0').bars.find(({ size }) => size === 8 * GIB)!.base = 2 ** 45;
    expect(checkFirmware(bench.subject()).map(({ rule }) => rule)).toContain('BAR-WINDOW');
  });
});
