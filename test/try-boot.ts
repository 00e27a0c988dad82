import { buildFirmware } from '../src/bios/firmware.ts';
import { buildRom } from '../src/bios/rom/rom.ts';
import { planPci } from '../src/bios/pci/planner.ts';
import { boardOfFlags } from './support/boards.ts';
import { startMachine } from '../src/cli/emulated-machine.ts';
import { TextSink } from '../src/cli/byte-streams.ts';
const t0 = performance.now();
const board = boardOfFlags({ m: '128', device: ['pcie-root-port,id=rp0,hotplug=off', 'edu,bus=rp0'] });
const plan = planPci(board.machine);
const files = buildFirmware(board.machine, plan);
const rom = buildRom().bytes;
console.log('built', performance.now() - t0);
const serial = new TextSink(); const dbg = new TextSink();
const { machine } = startMachine({ board, rom, files, items: new Map(), serial: { sink: serial }, debugcon: dbg, logger: { debug() {}, info() {}, warn: (m) => console.log('W', m) }, stopAtReset: true });
console.log('created', performance.now() - t0);
for (let k = 0; k < 3000; k++) { const n = k === 0 ? 11000 : 20;
  const e = machine.run({ instructions: n });
  if (k > 0 && k % 1 === 0) console.log(machine.engine.retired(), e.kind, Math.round(performance.now() - t0));

  if (e.kind !== 'limit') break;
}
