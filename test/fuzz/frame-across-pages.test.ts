import { expect, it } from 'vitest';
import { NEVER_HOT } from '../../src/emulator/cpu/interpreter/generate.ts';
import { finding } from './findings.ts';
import { FuzzMachine } from './fuzz-machine.ts';
import { DATA, dataPage, PAGE } from './memory-map.ts';
import { assembleProgram } from './program.ts';

it('a frame that reaches into an absent page is not pushed', () => {
  const stack = dataPage('absent') + 0x10;
  const draft = finding('UD2 with the stack just above a page’s end', '0f0b', {
    seed: 0,
    gates: 'same-stack',
    slices: [100_000, 101],
    registers: Array.from({ length: 16 }, () => BigInt(stack)),
  });
  const machine = new FuzzMachine(NEVER_HOT);
  const program = assembleProgram(draft);
  machine.load(program);
  machine.runUntil(program.length, program, 100_000);
  // The push faults, which the double fault's gate takes; neither page holds a byte of the frame.
  const end = DATA.physical + stack - DATA.linear;
  expect(machine.ram.subarray(end - PAGE, end)).toEqual(new Uint8Array(PAGE));
});
