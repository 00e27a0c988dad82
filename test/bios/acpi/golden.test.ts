import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { describeTable } from '../../../src/bios/acpi/describe.ts';
import { buildBoardTables } from '../../../src/bios/acpi/tables.ts';
import { planPci } from '../../../src/bios/pci/planner.ts';
import type { BoardFlags } from '../../../src/bios/topology/flags.ts';
import {
  type AcpiDevice,
  INTERRUPT_MODELS,
  linkInterrupts,
  readDevices,
} from '../../../src/bios/verify/acpi-devices.ts';
import {
  type AcpiNamespace,
  elementsOf,
  evaluatePath,
  readNamespace,
} from '../../../src/bios/verify/acpi-namespace.ts';
import { boardOfFlags } from '../../support/boards.ts';
import { GOLDEN } from '../../support/shared-data.ts';

/** Boards that mean the same as QEMU's command lines of these names. */
const BOARDS: Readonly<Record<string, BoardFlags>> = {
  plain: { m: '512', device: ['edu'] },
  smp: { m: '512', smp: '16', device: ['edu'] },
  numa: {
    m: '1024',
    smp: '4',
    numa: ['node,nodeid=0,mem=512M,cpus=0-1', 'node,nodeid=1,mem=512M,cpus=2-3', 'dist,src=0,dst=1,val=21'],
    device: ['edu'],
  },
};

interface Explanation {
  readonly field: string;
  readonly boards?: readonly string[];
  readonly why: string;
}

const explanations = parse(
  readFileSync(new URL('../../../fixtures/golden-differences.yaml', import.meta.url), 'utf8'),
) as Explanation[];

/** Paths of the fields that differ, over every data table that both have. */
function differences(name: string): { compared: number; different: string[] } {
  const { machine } = boardOfFlags(BOARDS[name]);
  const different: string[] = [];
  let compared = 0;
  for (const { signature, bytes } of buildBoardTables(machine, planPci(machine))) {
    const path = join(GOLDEN!, 'qemu-q35', name, `${signature}.aml`);
    if (signature === 'DSDT' || !existsSync(path)) continue;
    const ours = describeTable(bytes);
    const golden = describeTable(new Uint8Array(readFileSync(path)));
    const fields = new Set([...ours.keys(), ...golden.keys()]);
    compared += fields.size;
    different.push(...[...fields].filter((field) => ours.get(field) !== golden.get(field)));
  }
  return { compared, different };
}

const explains = (board: string, field: string) => (entry: Explanation) =>
  new RegExp(`^(${entry.field})$`).test(field) && (entry.boards?.includes(board) ?? true);

describe.skipIf(!GOLDEN)("table fields against QEMU's (needs ../shared/golden)", () => {
  it.each(Object.keys(BOARDS))('%s: every difference is explained', (board) => {
    const { compared, different } = differences(board);
    expect(compared).toBeGreaterThan(150);
    expect(different.filter((field) => !explanations.some(explains(board, field)))).toEqual([]);
  });

  it('every explanation is needed', () => {
    const found = Object.keys(BOARDS).flatMap((board) =>
      differences(board).different.map((field) => ({ board, field })),
    );
    const stale = explanations.filter((entry) => !found.some(({ board, field }) => explains(board, field)(entry)));
    expect(stale).toEqual([]);
  });
});

interface ReadDsdt {
  readonly namespace: AcpiNamespace;
  readonly pci0: AcpiDevice;
}

function readDsdt(bytes: Uint8Array): ReadDsdt {
  const namespace = readNamespace([{ bytes }]);
  return { namespace, pci0: readDevices(namespace).find(({ path }) => path === '\\_SB_.PCI0')! };
}

/** `slot pin → link` of each entry, by interrupt model. */
function routesOf({ pci0 }: ReadDsdt): Map<string, string> {
  const routes = new Map<string, string>();
  for (const model of Object.keys(INTERRUPT_MODELS) as (keyof typeof INTERRUPT_MODELS)[]) {
    for (const { address, pin, link } of pci0.prt![model]!) routes.set(`${model} ${address! >>> 16}.${pin}`, link!);
  }
  return routes;
}

describe.skipIf(!GOLDEN)("the DSDT against QEMU's (needs ../shared/golden)", () => {
  const { machine } = boardOfFlags(BOARDS.plain);
  const tables = buildBoardTables(machine, planPci(machine));
  const ours = readDsdt(tables.find(({ signature }) => signature === 'DSDT')!.bytes);
  const readGolden = () => readDsdt(new Uint8Array(readFileSync(join(GOLDEN!, 'qemu-q35', 'plain', 'DSDT.aml'))));

  it('routes every pin as QEMU does', () => {
    const goldenRoutes = routesOf(readGolden());
    const routes = routesOf(ours);
    expect(routes.size).toBe(2 * 4 * 26);
    for (const [pin, link] of routes) expect(link, pin).toBe(goldenRoutes.get(pin));
  });

  it('lets links take the same interrupts', () => {
    const golden = readGolden();
    for (const letter of 'ABCDEFGH') {
      for (const link of [`\\_SB_.LNK${letter}`, `\\_SB_.GSI${letter}`]) {
        expect(linkInterrupts(ours.namespace, link), link).toEqual(linkInterrupts(golden.namespace, link));
      }
    }
  });

  it('sleeps by the same values', () => {
    const golden = readGolden();
    for (const state of ['\\_S3_', '\\_S5_']) {
      const read = ({ namespace }: ReadDsdt) => elementsOf(evaluatePath(namespace, state)?.term);
      expect(read(ours), state).toEqual(read(golden));
    }
  });
});
