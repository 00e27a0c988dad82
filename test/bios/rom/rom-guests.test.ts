import { beforeAll, describe, expect, it } from 'vitest';
import { executeScript } from '../../../src/bios/acpi/linker/load.ts';
import type { FirmwareFiles } from '../../../src/bios/artifacts.ts';
import { buildFirmware } from '../../../src/bios/firmware.ts';
import { decodeE820, E820_TYPES } from '../../../src/bios/memory/e820.ts';
import type { PlannedFunction } from '../../../src/bios/pci/plan.ts';
import { planPci } from '../../../src/bios/pci/planner.ts';
import { buildProbe } from '../../../src/bios/rom/probe/probe.ts';
import { parseProbeReport } from '../../../src/bios/rom/probe/protocol.ts';
import { toQemuArguments } from '../../../src/bios/topology/qemu-arguments.ts';
import { defaultBoard } from '../../support/boards.ts';
import { runOnEmulator } from './emulator-run.ts';
import { buildLinux32Guest, LINUX32_REGISTERS } from './linux32-guest.ts';
import { hasQemu, runOnQemu } from './qemu-run.ts';
import { buildRealModeGuest } from './real-mode-guest.ts';
import type { RomRun } from './rom-run.ts';

const board = defaultBoard();
const plan = planPci(board.machine);
const files = buildFirmware(board.machine, plan);
const probe = buildProbe().bytes;

function flatten(functions: readonly PlannedFunction[]): PlannedFunction[] {
  return functions.flatMap((fn) => [fn, ...flatten(fn.bridge?.functions ?? [])]);
}

describe.skipIf(!hasQemu)('the ROM on QEMU (skipped without qemu-system-x86_64)', () => {
  it("hands QEMU's own tables to a PVH guest when there is no plan", async () => {
    const serial = await runOnQemu({ kernel: probe });
    const report = parseProbeReport(serial);
    expect(serial).toContain('q35: pci: no plan');
    expect(report).toMatchObject({ complete: true, faults: [], unknown: [] });
    const signatures = report.tables.map(({ signature }) => signature);
    expect(signatures).toEqual(expect.arrayContaining(['RSD PTR ', 'FACP', 'FACS', 'DSDT', 'APIC', 'MCFG']));
    expect(report.tables.filter(({ signature, sum }) => signature !== 'FACS' && sum !== 0)).toEqual([]);
  });
});

const machines = [
  { name: 'QEMU', present: hasQemu, boot: (run: RomRun) => runOnQemu({ board: toQemuArguments(board), ...run }) },
  { name: 'our machine', present: true, boot: runOnEmulator },
];

describe.each(machines)('the ROM on $name', ({ name, present, boot }) => {
  describe.skipIf(!present)(`${name}${present ? '' : ' (not installed)'}`, () => {
    describe('with the default board', () => {
      let report: ReturnType<typeof parseProbeReport>;
      beforeAll(async () => {
        report = parseProbeReport(await boot({ kernel: probe, files }));
      });
      const functions = plan.hostBridges.flatMap((bridge) => flatten(bridge.functions));

      it('comes to the end without a fault', () => {
        expect(report).toMatchObject({ complete: true, faults: [], unknown: [] });
      });

      it('loads the tables as the script says, byte for byte', () => {
        const place = (signature: string) => report.tables.find((table) => table.signature === signature)!.address;
        const loaded = executeScript(files, (file) => {
          if (file === 'etc/acpi/rsdp') return place('RSD PTR ');
          // The FACS stands first in the tables' file.
          return place('FACS');
        });
        for (const { address, bytes } of report.tables) {
          const file = [...loaded.files.values()].find(
            ({ gpa, bytes }) => address >= gpa && address < gpa + bytes.length,
          )!;
          expect(bytes).toEqual(file.bytes.subarray(address - file.gpa, address - file.gpa + bytes.length));
        }
        expect(report.tables.length).toBeGreaterThan(9);
      });

      it('hands on the e820 map, with its tables carved out', () => {
        const [built, tables] = [
          decodeE820(files.get('etc/e820')!),
          report.memory.find(({ type }) => type === E820_TYPES.NVS)!,
        ];
        const joined = report.memory.flatMap((range) => {
          if (range === tables) return [];
          return range.base + range.size === tables.base ? [{ ...range, size: range.size + tables.size }] : [range];
        });
        expect(joined).toEqual(built);
      });

      it('programs what the plan says, and every BAR answers', () => {
        for (const { bdf, bars } of functions) {
          const seen = report.bars.filter(
            (bar) => bar.bus === bdf.bus && bar.device === bdf.device && bar.function === bdf.function,
          );
          const facts = ({ index, kind, base, size }: { index: number; kind: string; base: number; size: number }) => ({
            index,
            kind,
            base,
            size,
          });
          expect(seen.map(facts)).toEqual(bars.map(facts));
        }
        expect(report.bars.filter(({ decode }) => !decode)).toEqual([]);
        expect(report.bars.filter(({ echo }) => echo?.holds === false)).toEqual([]);
        expect(report.bars.filter(({ echo }) => echo?.holds).length).toBeGreaterThan(10);
      });

      it('reads the same configuration space by ECAM and CF8/CFC', () => {
        expect(report.functions.length).toBeGreaterThan(functions.length);
        expect(report.functions.filter(({ mismatch }) => mismatch !== undefined)).toEqual([]);
      });

      it('takes an interrupt from behind each bridge, where the plan routes it', () => {
        const planned = functions
          .filter(({ config }) => config.model === 'edu')
          .map(({ bdf: { bus, device, function: fn }, interrupt }) => {
            return { bus, device, function: fn, line: interrupt!.irq, gsi: interrupt!.gsi, count: 1 };
          });
        expect(report.interrupts).toEqual(planned);
        expect(planned.length).toBeGreaterThan(3);
      });
    });

    it('serves INT 15h E820, E801 and 88 and INT 12h to real-mode software', async () => {
      const serial = await boot({ kernel: buildRealModeGuest(), files });
      const lines = serial.split('\r\n').map((line) => line.trim());
      const entries = lines.filter((line) => line.startsWith('e820 ')).map((line) => Buffer.from(line.slice(5), 'hex'));
      const map = decodeE820(Buffer.concat(entries));
      const probed = parseProbeReport(await boot({ kernel: probe, files })).memory;
      expect(map).toEqual(probed);
      // 256 MiB of low RAM: 15 MiB below 16 MiB, 240 MiB above in 64 KiB; at most 63 MiB for function 88h; 639 KiB of base memory.
      expect(lines).toEqual(expect.arrayContaining(['e801 3c00 0f00', '88 fc00', '12 027f', 'done']));
    });

    it('enters a 32-bit kernel as the boot protocol asks', async () => {
      const serial = await boot({ kernel: buildLinux32Guest(), files, append: 'to the kernel' });
      const values = /state ([0-9a-f ]+)/.exec(serial)?.[1].trim().split(' ') ?? [];
      const state = Object.fromEntries(
        LINUX32_REGISTERS.map((name, index) => [name, Number.parseInt(values[index], 16)]),
      );
      expect(state).toMatchObject({ CS: 0x10, DS: 0x18, ES: 0x18, SS: 0x18, EBX: 0, EBP: 0, EDI: 0, CR4: 0, EFER: 0 });
      // Protected mode without paging, interrupts off.
      expect(state.CR0 & 0x8000_0001).toBe(1);
      expect(state.EFLAGS & 0x200).toBe(0);
      expect(serial).toContain('cmdline to the kernel');
      expect(serial).toContain('done');
    });

    const cut = (bytes: Uint8Array, count: number) => bytes.slice(0, bytes.length - count);
    const damaged = (name: string, change: (bytes: Uint8Array) => Uint8Array): FirmwareFiles => {
      return new Map([...files, [name, change(files.get(name)!)]]);
    };
    it.each([
      ['no kernel', {}, 'FAIL 0xe8: no kernel'],
      [
        'a plan that is cut short',
        { kernel: probe, files: damaged('etc/q35/plan', (bytes) => cut(bytes, 16)) },
        'FAIL 0xe2: the PCI plan is cut short',
      ],
      [
        'a plan with other magic',
        { kernel: probe, files: damaged('etc/q35/plan', (bytes) => bytes.with(0, 0)) },
        'FAIL 0xe2: the PCI plan has no Q35P magic',
      ],
      [
        'a script that is cut short',
        { kernel: probe, files: damaged('etc/table-loader', (bytes) => cut(bytes, 4)) },
        'FAIL 0xe4: the table loader script is no whole number of entries',
      ],
      [
        'a script that names a missing file',
        { kernel: probe, files: damaged('etc/table-loader', (bytes) => bytes.with(4, 0x58)) },
        'FAIL 0xe4: the table loader names a file that fw_cfg does not have',
      ],
      [
        'tables that are cut short',
        { kernel: probe, files: damaged('etc/acpi/tables', (bytes) => cut(bytes, 0x1000)) },
        'FAIL 0xe4: the table loader reaches beyond a file',
      ],
    ])('says why it stops: %s', async (_, run, message) => {
      const serial = await boot({ ...run, until: /FAIL [^\n]*\n/ });
      expect(serial).toContain(message);
    });
  });
});
