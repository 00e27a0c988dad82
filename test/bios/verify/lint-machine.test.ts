import { describe, expect, it } from 'vitest';
import { FADT } from '../../../src/bios/acpi/fadt.ts';
import { lintMachine } from '../../../src/bios/verify/lint-machine.ts';
import type { ErrorPlace } from '../../../src/shared/errors.ts';
import { Workbench } from './workbench.ts';

/** Where the finding of `rule` stands when the tables of `bench` are linted as files. */
function placeOf(rule: string, bench: Workbench): ErrorPlace | undefined {
  const tables = bench.tables.map(({ signature, bytes }) => ({
    name: signature.toLowerCase(),
    signature,
    bytes,
    file: `dump/${signature}`,
  }));
  return lintMachine(tables).find((finding) => finding.rule === rule)?.place;
}

describe('the lint of a dump says where', () => {
  it('a field is wrong', () => {
    const bench = new Workbench();
    bench.patch('FACP', FADT, { GPE0_BLK_LEN: 3 });
    expect(placeOf('FADT-GPE0', bench)).toEqual({
      file: 'dump/FACP',
      offset: FADT.fields.GPE0_BLK_LEN.offset,
      path: 'FACP.GPE0_BLK_LEN',
    });
  });

  it('a table lacks something', () => {
    const bench = new Workbench();
    bench.entries('APIC', (bytes, layout) => (layout === 'I/O APIC' ? undefined : bytes));
    expect(placeOf('MADT-IOAPIC', bench)).toEqual({ file: 'dump/APIC', offset: 0, path: 'APIC' });
  });

  it('bytes do not sum to 0, under the name that the user gave', () => {
    const bench = new Workbench();
    bench.table('WAET').bytes[9]++;
    expect(placeOf('TABLE-CHECKSUM', bench)).toMatchObject({ file: 'dump/WAET' });
  });
});
