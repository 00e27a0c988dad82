import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GOLDEN as goldenDirectory } from '../../support/shared-data.ts';
import { boardConfig, scriptedMachine } from '../machine/scripted-machine.ts';

interface Dump {
  readonly source: string;
  /** Config space as the guest read it, 256 bytes. */
  readonly bytes: Uint8Array;
}

/** Every `lspci -xxx` dump of the golden guests. */
function dumps(directory: string): Dump[] {
  const root = join(directory, 'qemu-q35');
  return readdirSync(root).flatMap((board) => {
    const sections = readFileSync(join(root, board, 'lspci.txt'), 'utf8').split(
      /\n(?=[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] )/,
    );
    return sections.flatMap((section) => {
      const rows = [...section.matchAll(/^[0-9a-f]0: ((?:[0-9a-f]{2} ?){16})$/gm)];
      if (rows.length !== 16) return [];
      const bytes = Uint8Array.from(
        rows.flatMap((row) => row[1].trim().split(' ')).map((byte) => Number.parseInt(byte, 16)),
      );
      return [{ source: `${board} ${section.slice(0, 7)}`, bytes }];
    });
  });
}

/** Read-only registers whose value is a state: links and slots, power and interrupt status; and ids that a board chooses. */
const STATES = /^(EXP\.(LNKSTA|SLTSTA|SLTCAP|LNKCAP)|STATUS|SECONDARY_STATUS|HEADER_TYPE)$/;

const skipped = goldenDirectory === undefined;

describe.skipIf(skipped)('read-only config space against golden lspci dumps (skipped without ../shared/golden)', () => {
  const { machine } = scriptedMachine(
    boardConfig(
      [
        { id: 'port', model: 'pcie-root-port', device: 4 },
        { id: 'pci', model: 'pci-bridge', device: 5 },
        { id: 'dmi', model: 'i82801b11-bridge', device: 6 },
      ],
      [{ id: 'pxb', busNumber: 0x80, slot: 3, functions: [] }],
    ),
  );
  const ours = new Map(machine.root.functions().map((found) => [found.readConfig(0, 4), found]));
  const compared = skipped
    ? []
    : dumps(goldenDirectory!).filter(({ bytes }) => ours.has(new DataView(bytes.buffer).getUint32(0, true)));

  test('finds the host bridge and the LPC bridge of every golden board, and ports and expanders', () => {
    expect(compared.length).toBeGreaterThanOrEqual(2 * 12 + 8);
  });

  test('every read-only bit that is not a state is the same', () => {
    const differences: string[] = [];
    for (const { source, bytes } of compared) {
      const found = ours.get(new DataView(bytes.buffer).getUint32(0, true))!;
      const { map } = found.registers;
      for (const name of map.order) {
        const { offset, size } = map.registers[name];
        if (STATES.test(name)) continue;
        for (let at = offset; at < Math.min(offset + size, 0x100); at++) {
          const fixed = ~(map.writeMask[at] | map.writeOneToClearMask[at]) & 0xff;
          if ((bytes[at] & fixed) !== (map.resetImage[at] & fixed)) {
            differences.push(
              `${source} ${name}+${at - offset}: ${bytes[at].toString(16)}, ours ${map.resetImage[at].toString(16)}`,
            );
          }
        }
      }
    }
    expect(differences).toEqual([]);
  });
});
