import { describe, expect, it } from 'vitest';
import { buildFirmware } from '../../../../src/bios/firmware.ts';
import { planPci } from '../../../../src/bios/pci/planner.ts';
import { reportIsOk, type VerifyReport } from '../../../../src/bios/verify/readback/item.ts';
import { type BuiltBoard, verifyLinuxSerial } from '../../../../src/bios/verify/readback/linux.ts';
import { formatJunit } from '../../../../src/bios/verify/readback/report-junit.ts';
import { formatReport, reportJson } from '../../../../src/bios/verify/readback/report-text.ts';
import { defaultBoard } from '../../../support/boards.ts';
import { type FakeReport, perfectReport, serialOf } from './fake-linux.ts';

const { machine } = defaultBoard();
const plan = planPci(machine);
const built: BuiltBoard = { machine, plan, firmware: buildFirmware(machine, plan) };

async function failuresOf(change: (report: FakeReport) => void): Promise<string[]> {
  const report = perfectReport(built);
  change(report);
  const items = await verifyLinuxSerial(built, serialOf(report));
  return items.filter((item) => !item.ok).map((item) => item.subject);
}

const edit = (name: string, replace: (text: string) => string) => (report: FakeReport) => {
  report.set(name, new TextEncoder().encode(replace(new TextDecoder().decode(report.get(name)))));
};
const poke = (name: string, offset: number, mask: number) => (report: FakeReport) => {
  const bytes = report.get(name)?.slice() ?? new Uint8Array(0);
  bytes[offset] ^= mask;
  report.set(name, bytes);
};
const log = (message: string) => edit('dmesg', (text) => `${text}\n[    1.234567] ${message}`);

describe('a guest that saw what was built', () => {
  it('fails no item', async () => {
    expect(await failuresOf(() => {})).toEqual([]);
  });
});

describe('each difference is one failed item', () => {
  const cases: [string, (report: FakeReport) => void, string[]][] = [
    ['a byte of the DSDT', poke('acpi/DSDT', 100, 1), ['acpi DSDT']],
    ['a table that is missing', (report) => report.delete('acpi/MCFG'), ['acpi MCFG']],
    ['a table too many', (report) => report.set('acpi/SSDT', new Uint8Array(36)), ['acpi SSDT']],
    [
      'a table at another address',
      edit('dmesg', (text) => text.replace(/(ACPI: MCFG 0x\S*)0 /, '$18 ')),
      ['acpi MCFG address'],
    ],
    ['an SMBIOS structure', poke('dmi/DMI', 20, 1), ['smbios structures']],
    ['the SMBIOS checksum', poke('dmi/smbios_entry_point', 5, 1), ['smbios entry point checksum']],
    ['the end of RAM', edit('memmap', (text) => text.replace('0x10fffffff', '0x10ffffffe')), ['e820 0x1_0000_0000']],
    ['an e820 type', edit('memmap', (text) => text.replace('2/type:Reserved', '2/type:System RAM')), ['e820 0xf_0000']],
    [
      'a range that was not built',
      edit('memmap', (text) => `${text}\n/x/99/start:0xa0000\n/x/99/end:0xaffff\n/x/99/type:Reserved`),
      ['e820 0xa_0000'],
    ],
    ['a bus that is missing', edit('pci-buses', (text) => text.replace('0000:81', '')), ['pci buses']],
    ['a BAR', poke('pci/0000:02:00.1/config', 0x1c, 1), ['pci 02:00.1 large0 BAR2']],
    [
      'a resource',
      edit('pci/0000:02:00.1/resource', (text) => text.replace('3ffffffff', '2ffffffff')),
      ['pci 02:00.1 large0 BAR2 resource'],
    ],
    ['a window', poke('pci/0000:00:03.0/config', 0x22, 0x10), ['pci 00:03.0 rp1 window mem32']],
    ['a bus number', poke('pci/0000:00:03.0/config', 0x1a, 1), ['pci 00:03.0 rp1 buses']],
    ['an interrupt line', poke('pci/0000:01:00.0/config', 0x3c, 1), ['pci 01:00.0 edu0 interrupt line']],
    ['a GSI', edit('pci/0000:01:00.0/irq', () => '17\n'), ['pci 01:00.0 edu0 GSI']],
    ['a device id', poke('pci/0000:01:00.0/config', 2, 1), ['pci 01:00.0 edu0']],
    ['a class', poke('pci/0000:01:00.0/config', 10, 1), ['pci 01:00.0 edu0 class']],
    ['a function that is missing', (report) => report.delete('pci/0000:00:00.0/config'), ['pci 00:00.0']],
    ['a function too many', (report) => report.set('pci/0000:00:07.0/config', new Uint8Array(256)), ['pci 00:07.0']],
    ['no MMCONFIG', edit('dmesg', (text) => text.replace('reserved in E820', '')), ['dmesg MMCONFIG in e820']],
    ['_OSC for one bridge only', edit('dmesg', (text) => text.replace('OS now controls', '')), ['dmesg _OSC']],
    [
      'no space',
      log("pci 0000:80:01.0: bridge window [io  size 0x1000]: can't assign; no space"),
      ['dmesg no address space that cannot be assigned'],
    ],
    ['an ACPI error', log('ACPI Error: No handler for Region'), ['dmesg no ACPI error']],
    ['an ACPI BIOS error', log('ACPI BIOS Error (bug): Could not resolve'), ['dmesg no ACPI error']],
    ['an ACPI warning', log('ACPI BIOS Warning (bug): Optional field'), ['dmesg no ACPI warning']],
    ['a firmware bug', log('[Firmware Bug]: TSC doesn’t count'), ['dmesg no firmware bug']],
  ];
  it.each(cases)('%s', async (_, change, failures) => {
    expect(await failuresOf(change)).toEqual(failures);
  });
});

describe('a guest that reports nothing', () => {
  const serial = serialOf(perfectReport(built));
  const cases: [string, string, RegExp][] = [
    ['silence', '', /stayed silent/],
    ['no init', 'Kernel panic - not syncing: VFS\r\n', /init did not start; the last line was: Kernel panic/],
    ['no report', serial.slice(0, serial.indexOf('Q35 report')), /init did not report/],
    ['half a report', serial.slice(0, serial.length - 3000), /cut short: \d+ of \d+ bytes/],
    ['a damaged report', serial.replace(/A(?=[^\n]*\r\n[^\n]*\r\nQ35 end)/, 'B'), /damaged/],
  ];
  it.each(cases)('%s', async (_, text, message) => {
    const items = await verifyLinuxSerial(built, text);
    expect(items).toHaveLength(1);
    expect([items[0].ok, items[0].subject]).toEqual([false, 'linux report']);
    expect(items[0].seen).toMatch(message);
  });
});

describe('a report', () => {
  const report: VerifyReport = {
    stages: [
      {
        name: 'linux',
        items: [{ subject: 'a <b>', built: '1', seen: '1', ok: true }],
        figures: { instructions: '3 M' },
      },
      { name: 'probe', items: [{ subject: 'c', built: 'x & y', seen: '"z"\u0001', ok: false }] },
    ],
    leftOut: ['the kernel'],
  };

  it('is right when everything is', () => {
    expect(reportIsOk(report)).toBe(false);
    expect(reportIsOk({ ...report, stages: report.stages.slice(0, 1) })).toBe(true);
    expect(reportIsOk({ stages: [], leftOut: [] })).toBe(false);
  });

  it('reads as text', () => {
    expect(formatReport(report)).toMatch(/^linux: 1 items, all as built; instructions 3 M\n {2}ok {6}a <b> +1\n/);
    expect(formatReport(report, true)).not.toMatch(/a <b>/);
    expect(formatReport(report)).toMatch(/FAILED {2}c\n +built {2}x & y\n +seen/);
    expect(formatReport(report)).toMatch(/left out: the kernel\nnot verified: 1 of 2 items failed$/);
    expect(reportJson(report)).toMatchObject({
      ok: false,
      stages: [{ ok: true }, { ok: false }],
      leftOut: ['the kernel'],
    });
  });

  it('is JUnit’s XML', () => {
    const xml = formatJunit(report);
    expect(xml).toContain('<testsuite name="probe" tests="1" failures="1" errors="0" skipped="0">');
    expect(xml).toContain('<failure message="built x &amp; y, seen &quot;z&quot;?"/>');
    expect(xml).toContain('name="a &lt;b&gt;"/>');
    expect(xml).toContain('<skipped/>');
  });
});
