import { writeSync } from 'node:fs';
import { MarkReader } from '../marks.ts';
import type { GuestRequest } from './node-engine.ts';
import { ownUsage } from './own-usage.ts';
import { guestMachine } from './q35-machine.ts';

// The process that runs a guest on our machine; `node-engine.ts` starts it.

const reader = new MarkReader((text) => {
  const mark = { text, ...ownUsage(), instructions: machine.engine.retired() };
  writeSync(1, `${JSON.stringify(mark)}\n`);
});
const machine = guestMachine(JSON.parse(process.argv[2]) as GuestRequest, reader);
const event = machine.run();
if (event.kind !== 'power-off' && event.kind !== 'idle') {
  process.stderr.write(`${event.kind}\n${event.kind === 'triple-fault' ? event.autopsy : ''}\n${reader.tail}\n`);
  process.exitCode = 1;
}
