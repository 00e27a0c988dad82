import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { TextSink } from '../src/cli/byte-streams.ts';
import { parseRegionsAfter } from '../src/cli/regions-flag.ts';
import { guestMachine } from './engines/q35-machine.ts';
import { guestImage } from './guest-images.ts';
import { lockStep } from './lock-step.ts';
import { GUESTS, type GuestName } from './parts.ts';

const USAGE = `node bench/boot-equality.ts [guest] [options]

Boots a guest of the bench (cloud) twice, in the interpreter and with compiled regions, and compares processors and all of RAM after
every slice. Ends with 1 at the first difference.

  --slice N           instructions in a slice (4999999)
  --limit N           instructions in all
  --regions-after N   entries after which a block is compiled
  --workloads A,B     what the guest runs after its boot
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    slice: { type: 'string', default: '4999999' },
    limit: { type: 'string', default: 'Infinity' },
    'regions-after': { type: 'string', default: '1000' },
    workloads: { type: 'string', default: '' },
  },
});

if (values.help) process.stdout.write(USAGE);
else compareBoots(positionals[0] ?? 'cloud');

function compareBoots(name: string): void {
  const guest = GUESTS.find((candidate) => candidate.name === name);
  if (guest === undefined) throw new Error(`there is no guest '${name}'`);
  const image = guestImage(name as GuestName, join(import.meta.dirname, '..', 'out', 'bench'));
  if ('missing' in image) throw new Error(`${name}: ${image.missing}`);
  const { kernel, initrd, append } = image;
  const request = { kernel, initrd, append: append(values.workloads.split(',')) };
  const serial = new TextSink();
  const [interpreted, compiled] = ['off', values['regions-after']].map((threshold, index) =>
    guestMachine({ ...request, regionsAfter: parseRegionsAfter(threshold) }, index === 0 ? serial : { write() {} }),
  );
  const result = lockStep(interpreted, compiled, {
    slice: Number(values.slice),
    limit: Number(values.limit),
    onSlice: (slices) => {
      if (slices % 20 === 0) process.stderr.write(`${slices} slices: ${serial.lastLine}\n`);
    },
  });
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (result.difference !== undefined) process.exitCode = 1;
}
