import { describe, expect, it } from 'vitest';
import { MADT_ENTRIES, processor } from '../../../src/bios/acpi/madt.ts';
import { resolveProcessors } from '../../../src/bios/topology/processors.ts';
import { apicIds } from '../../../src/emulator/machine/processor-topology.ts';
import type { UserError } from '../../../src/shared/errors.ts';

const parse = (text: string, numaNodes = 0) => resolveProcessors({ text, place: { file: `--smp ${text}` } }, numaNodes);

describe('--smp', () => {
  const cases: readonly (readonly [text: string, sockets: number, cores: number, threads: number])[] = [
    ['1', 1, 1, 1],
    ['4', 1, 4, 1],
    ['cpus=6', 1, 6, 1],
    ['8,sockets=2', 2, 4, 1],
    ['8,threads=2', 1, 4, 2],
    ['8,cores=2', 4, 2, 1],
    ['8,cores=2,threads=2', 2, 2, 2],
    ['8,sockets=2,cores=2', 2, 2, 2],
    ['8,sockets=2,cores=2,threads=2', 2, 2, 2],
    ['sockets=2,cores=3', 2, 3, 1],
    ['cores=4,threads=2', 1, 4, 2],
    ['255', 1, 255, 1],
    ['4,dies=1,maxcpus=4', 1, 4, 1],
    ['maxcpus=4', 1, 4, 1],
  ];
  it.each(cases)('%s is divided as on QEMU', (text, sockets, cores, threads) => {
    expect(parse(text)).toEqual({ sockets, cores, threads });
  });

  it('gives each processor a socket on a board of several NUMA nodes, unless the parts are given', () => {
    expect(parse('4', 2)).toEqual({ sockets: 4, cores: 1, threads: 1 });
    expect(parse('4,sockets=2', 2)).toEqual({ sockets: 2, cores: 2, threads: 1 });
  });

  const wrong: readonly (readonly [text: string, code: string])[] = [
    ['5,sockets=2', 'CPU_TOPOLOGY'],
    ['8,sockets=2,cores=2,threads=1', 'CPU_TOPOLOGY'],
    ['sockets=16,cores=16', 'CPU_TOPOLOGY'],
    ['4,dies=2', 'CPU_TOPOLOGY'],
    ['2,maxcpus=4', 'CPU_TOPOLOGY'],
    ['256', 'NUMBER_RANGE'],
    ['2,core=1', 'OPTION_UNKNOWN'],
  ];
  it.each(wrong)('%s is refused: %s', (text, code) => {
    let error: UserError | undefined;
    try {
      parse(text);
    } catch (thrown) {
      error = thrown as UserError;
    }
    expect(error?.code).toBe(code);
    expect(error?.place.file).toBe(`--smp ${text}`);
  });
});

describe('APIC ids', () => {
  it('have a field of bits for each level', () => {
    expect(apicIds({ sockets: 2, cores: 3, threads: 1 })).toEqual([0, 1, 2, 4, 5, 6]);
    expect(apicIds({ sockets: 1, cores: 3, threads: 2 })).toEqual([0, 1, 2, 3, 4, 5]);
    expect(apicIds({ sockets: 2, cores: 2, threads: 2 })).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('from 255 on stand in x2APIC entries', () => {
    const ids = apicIds({ sockets: 15, cores: 17, threads: 1 });
    expect(ids.at(-1)).toBe((14 << 5) | 16);
    expect(processor(254, ids[254])).toHaveLength(MADT_ENTRIES.LOCAL_X2APIC.byteLength);
    expect(processor(3, ids[3])).toHaveLength(MADT_ENTRIES.LOCAL_APIC.byteLength);
  });
});
