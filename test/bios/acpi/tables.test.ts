import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HEADER_BYTES, TABLE_HEADER } from '../../../src/bios/acpi/header.ts';
import { MADT_ENTRIES } from '../../../src/bios/acpi/madt.ts';
import { nodeRanges } from '../../../src/bios/acpi/srat.ts';
import { buildBoardTables, withRootTables } from '../../../src/bios/acpi/tables.ts';
import { buildFirmware } from '../../../src/bios/firmware.ts';
import { decodeLayout, encodeLayout, layout, u8, u16 } from '../../../src/bios/layout.ts';
import { planPci } from '../../../src/bios/pci/planner.ts';
import { collectFacts } from '../../../src/bios/verify/facts.ts';
import { GIB, MIB } from '../../../src/shared/bytes.ts';
import { byteSum } from '../../../src/shared/checksum.ts';
import { boardOfFlags, defaultBoard } from '../../support/boards.ts';
import { smallBoard, TWO_NODES } from '../board.ts';
import { randomBoard } from '../pci/random-boards.ts';
import { evaluateWithAcpiexec, hasAcpica, roundTripWithIasl } from './acpica.ts';

/** Boards that differ in what tables depend on. */
const BOARDS = {
  'the default board': defaultBoard().machine,
  'two NUMA nodes': boardOfFlags({
    m: '1024',
    smp: '4',
    numa: ['node,nodeid=0,mem=512M,cpus=0-1', 'node,nodeid=1,mem=512M,cpus=2-3', 'dist,src=0,dst=1,val=21'],
    device: ['pxb-pcie,id=pxb1,bus_nr=128,bus=pcie.0,numa_node=1', 'pcie-root-port,id=rp0,bus=pxb1'],
  }).machine,
  'bridges four deep': boardOfFlags({
    pm: 'ich9',
    device: [
      'i82801b11-bridge,id=b0',
      'pci-bridge,id=b1,bus=b0,chassis_nr=1,addr=1',
      'pci-bridge,id=b2,bus=b1,chassis_nr=2,addr=5',
      'pci-bridge,id=b3,bus=b2,chassis_nr=3,addr=9',
      'edu,bus=b3,addr=1f',
    ],
  }).machine,
};

describe('declarative layouts', () => {
  it('refuse fields that overlap', () => {
    expect(() => layout('wrong', { A: u16(0), B: u8(1) })).toThrow(/wrong.B overlaps/);
  });

  it('decode what they encode', () => {
    const values = { TYPE: 2, LENGTH: 10, BUS: 0, SOURCE: 9, GSI: 9, FLAGS: 0xd };
    expect(
      decodeLayout(MADT_ENTRIES.INTERRUPT_OVERRIDE, encodeLayout(MADT_ENTRIES.INTERRUPT_OVERRIDE, values)),
    ).toEqual(values);
  });
});

describe.each(Object.entries(BOARDS))('tables of %s', (_, machine) => {
  const plan = planPci(machine);
  const tables = withRootTables(buildBoardTables(machine, plan));

  it('state their length and sum to 0', () => {
    for (const { signature, bytes } of tables) {
      const header = decodeLayout(TABLE_HEADER, bytes);
      expect(header.SIGNATURE).toBe(signature);
      expect(header.LENGTH).toBe(bytes.length);
      if (signature !== 'FACS') expect(byteSum(bytes), signature).toBe(0);
    }
  });

  it('do not list DSDT and FACS', () => {
    const xsdt = tables.find(({ signature }) => signature === 'XSDT')!;
    expect(xsdt.pointers.map(({ target }) => target)).not.toContain('DSDT');
    expect(xsdt.bytes.length).toBe(HEADER_BYTES + 8 * xsdt.pointers.length);
  });

  it.runIf(hasAcpica)('go through iasl -d and back without error, warning or remark (needs iasl)', () => {
    const { tables: linked } = collectFacts({ source: 'test', files: buildFirmware(machine, plan) });
    expect(linked.map(({ signature }) => signature)).toEqual(
      expect.arrayContaining(['RSDT', 'XSDT', 'FACP', 'FACS', 'DSDT']),
    );
    for (const { signature, bytes } of linked) {
      const { disassembly, summary, again } = roundTripWithIasl(bytes);
      expect(disassembly, signature).not.toMatch(/invalid|warning|error/i);
      expect(summary, signature).toBe('Compilation successful. 0 Errors, 0 Warnings, 0 Remarks');
      expect(again.length, signature).toBeGreaterThanOrEqual(HEADER_BYTES);
    }
  });

  it.runIf(hasAcpica)('let acpiexec evaluate every predefined name (needs acpiexec)', () => {
    const { evaluations, noise } = evaluateWithAcpiexec(tables.find(({ signature }) => signature === 'DSDT')!.bytes);
    expect(noise).toEqual([]);
    expect(evaluations.filter(({ status }) => status !== 'AE_OK')).toEqual([]);
    for (const name of ['_CRS', '_PRT', '_STA', '_HID']) {
      expect(
        evaluations.some(({ path }) => path.endsWith(`.${name}`)),
        name,
      ).toBe(true);
    }
  });
});

describe('the DSDT of random boards', () => {
  it.runIf(hasAcpica)('goes through iasl and acpiexec without a word (needs iasl, acpiexec)', () => {
    fc.assert(
      fc.property(randomBoard, (random) => {
        const { bytes } = buildBoardTables(random, planPci(random)).find(({ signature }) => signature === 'DSDT')!;
        expect(roundTripWithIasl(bytes).summary).toBe('Compilation successful. 0 Errors, 0 Warnings, 0 Remarks');
        const { evaluations, noise } = evaluateWithAcpiexec(bytes);
        expect(noise).toEqual([]);
        expect(evaluations.filter(({ status }) => status !== 'AE_OK')).toEqual([]);
      }),
      // Each takes most of a second outside.
      { numRuns: 5 },
    );
  });
});

describe('NUMA', () => {
  it('deals RAM out in order, without the hole below 1 MiB', () => {
    expect(nodeRanges(smallBoard({ numaNodes: TWO_NODES }))).toEqual([
      { node: 0, base: 0, size: 0xa_0000 },
      { node: 0, base: 0x10_0000, size: 255 * MIB },
      { node: 1, base: 4 * GIB, size: 256 * MIB },
    ]);
  });
});
