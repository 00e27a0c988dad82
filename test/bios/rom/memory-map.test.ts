import { describe, expect, it } from 'vitest';
import { buildFirmware } from '../../../src/bios/firmware.ts';
import { E820_FILE_NAME, E820_TYPES, type E820Entry, encodeE820 } from '../../../src/bios/memory/e820.ts';
import { planPci } from '../../../src/bios/pci/planner.ts';
import { buildProbe } from '../../../src/bios/rom/probe/probe.ts';
import { parseProbeReport } from '../../../src/bios/rom/probe/protocol.ts';
import { MIB } from '../../../src/shared/bytes.ts';
import { defaultBoard } from '../../support/boards.ts';
import { runOnEmulator } from './emulator-run.ts';

const { RAM, RESERVED, NVS, UNUSABLE } = E820_TYPES;
const { machine } = defaultBoard();
const firmware = buildFirmware(machine, planPci(machine));
const probe = buildProbe().bytes;
const LOW_END = machine.lowRamBytes;

/** What the ROM adds to every map, in order; type 0 takes away. */
const FIXED: readonly E820Entry[] = [
  { base: 0x9_fc00, size: 0x400, type: RESERVED },
  { base: 0xa_0000, size: 0x5_0000, type: 0 },
  { base: 0xf_0000, size: 0x1_0000, type: RESERVED },
  { base: 0xb000_0000, size: 0x1000_0000, type: RESERVED },
  { base: 0xfffc_0000, size: 0x4_0000, type: RESERVED },
];

/** Paints the entries one over another, interval by interval. */
function painted(entries: readonly E820Entry[]): E820Entry[] {
  const edges = [...new Set(entries.flatMap(({ base, size }) => [base, base + size]))].sort((a, b) => a - b);
  const result: E820Entry[] = [];
  for (const [index, base] of edges.slice(0, -1).entries()) {
    const size = edges[index + 1] - base;
    const type = entries.findLast((entry) => base >= entry.base && base < entry.base + entry.size)?.type ?? 0;
    const last = result.at(-1);
    if (type === 0) continue;
    if (last !== undefined && last.type === type && last.base + last.size === base) {
      result[result.length - 1] = { ...last, size: last.size + size };
    } else result.push({ base, size, type });
  }
  return result;
}

async function mapOf(entries: readonly E820Entry[]): Promise<readonly E820Entry[]> {
  const files = new Map([...firmware, [E820_FILE_NAME, encodeE820(entries)]]);
  return parseProbeReport(await runOnEmulator({ kernel: probe, files })).memory;
}

const MAPS: Readonly<Record<string, readonly E820Entry[]>> = {
  'RAM alone, as QEMU states it': [
    { base: 0, size: LOW_END, type: RAM },
    { base: 0x1_0000_0000, size: 256 * MIB, type: RAM },
  ],
  'unsorted, in pieces that join': [
    { base: 0x1_0800_0000, size: 128 * MIB, type: RAM },
    { base: 64 * MIB, size: LOW_END - 64 * MIB, type: RAM },
    { base: 0x1_0000_0000, size: 128 * MIB, type: RAM },
    { base: 0, size: 64 * MIB, type: RAM },
  ],
  'holes punched into RAM, at its ends and across them': [
    { base: 0, size: LOW_END, type: RAM },
    { base: 0x1_0000_0000, size: 256 * MIB, type: RAM },
    { base: 32 * MIB, size: MIB, type: UNUSABLE },
    { base: 33 * MIB, size: MIB, type: RESERVED },
    { base: 32 * MIB + 0x8_0000, size: MIB, type: RESERVED },
    { base: 0, size: 0x1000, type: RESERVED },
    { base: 0xffff_0000, size: 0x2_0000, type: RESERVED },
    { base: 48 * MIB, size: 0, type: RESERVED },
  ],
  'one range over many': [
    ...Array.from({ length: 40 }, (_, index) => ({ base: (16 + 2 * index) * MIB, size: MIB, type: RESERVED })),
    { base: 0, size: LOW_END, type: RAM },
  ],
};

describe('the memory map that the ROM hands on', () => {
  it.each(Object.entries(MAPS))('%s', async (_, entries) => {
    const seen = await mapOf(entries);
    const tables = seen.filter(({ type }) => type === NVS);
    expect(tables.length).toBe(1);
    expect(tables[0].base + tables[0].size).toBe(LOW_END);
    expect(seen).toEqual(painted([...entries, ...FIXED, ...tables]));
  });

  it('comes from CMOS when there is no etc/e820', async () => {
    const files = new Map([...firmware].filter(([name]) => name !== E820_FILE_NAME));
    const { memory } = parseProbeReport(await runOnEmulator({ kernel: probe, files }));
    const tables = memory.filter(({ type }) => type === NVS);
    expect(memory).toEqual(painted([{ base: 0, size: LOW_END, type: RAM }, ...FIXED, ...tables]));
  });

  it.each([
    [
      'more entries than the ROM has room for',
      Array.from({ length: 97 }, (_, index) => ({ base: (20 + 2 * index) * MIB, size: MIB, type: RESERVED })),
      'too many entries',
    ],
    ['no RAM below 4 GiB', [{ base: 0x1_0000_0000, size: 256 * MIB, type: RAM }], 'less than 16 MiB'],
  ])('is refused: %s', async (_, entries, message) => {
    const files = new Map([
      ...firmware,
      [E820_FILE_NAME, encodeE820([{ base: 0, size: 8 * MIB, type: RAM }, ...entries])],
    ]);
    expect(await runOnEmulator({ kernel: probe, files })).toMatch(new RegExp(`FAIL 0xe3: .*${message}`));
  });
});
