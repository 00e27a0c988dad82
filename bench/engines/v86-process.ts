import { readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { V86 } from 'v86';
import { MarkReader } from '../marks.ts';
import { GUEST_MIB } from './engine.ts';
import type { GuestRequest } from './node-engine.ts';
import { ownUsage } from './own-usage.ts';
import { SEABIOS } from './v86.ts';

// The process that runs a guest on v86; `node-engine.ts` starts it.

const MIB = 0x10_0000;

const request = JSON.parse(process.argv[2]) as GuestRequest;
const buffer = (path: string): { buffer: ArrayBuffer } => ({ buffer: new Uint8Array(readFileSync(path)).buffer });
const reader = new MarkReader((text) => {
  writeSync(1, `${JSON.stringify({ text, ...ownUsage() })}\n`);
  // v86 has no power-off that its caller hears of.
  if (text === 'done') process.exit(0);
});
const machine = new V86({
  wasm_path: createRequire(import.meta.url).resolve('v86/build/v86.wasm'),
  memory_size: GUEST_MIB * MIB,
  bios: buffer(`${SEABIOS}/bios.bin`),
  vga_bios: buffer(`${SEABIOS}/vgabios-stdvga.bin`),
  bzimage: buffer(request.kernel),
  ...(request.initrd !== undefined && { initrd: buffer(request.initrd) }),
  cmdline: request.append,
  acpi: true,
  autostart: true,
  disable_speaker: true,
});
machine.add_listener('serial0-output-byte', reader.write);
