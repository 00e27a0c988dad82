import { describe, expect, test } from 'vitest';
import { compile } from '../../src/aml/compiler/compile.ts';
import { disassemble } from '../../src/aml/disassemble.ts';

/** The comments of our disassembly of a template that holds `macro`. */
function wordsOf(macro: string): string[] {
  const source = `DefinitionBlock ("", "SSDT", 2, "Q35", "WORDS", 1) { Name (RES0, ResourceTemplate () { ${macro} }) }`;
  const { bytes } = compile('words.asl', source).tables[0];
  return [...disassemble([{ bytes }])[0].asl.matchAll(/\/\/ (.*)/g)].map(([, words]) => words);
}

describe('comments behind resource macros', () => {
  test.each([
    ['IO (Decode16, 0x60, 0x60, 1, 1)', 'I/O port 0x60'],
    ['IO (Decode16, 0x100, 0x200, 16, 8)', 'I/O ports 0x100-0x107, movable up to 0x200'],
    ['IRQ (Level, ActiveLow, Shared) {10, 11}', 'IRQ 10 or 11, level-triggered, active low, shared'],
    ['Memory24 (ReadOnly, 0x10, 0x20, 0, 1)', 'memory 0x1000-0x10ff'],
    [
      'DWordMemory (ResourceProducer, , , , Prefetchable, ReadWrite, 0, 0xE0000000, 0xEFFFFFFF, 0, 0x10000000)',
      'hands on memory 0xe000_0000-0xefff_ffff, prefetchable',
    ],
    ['WordIO (ResourceProducer, , , , , 0, 0, 0, 0, 0, , , TAG0)', 'hands on I/O ports that code fills in'],
    [
      'GpioInt (Edge, ActiveLow, Shared, PullUp, 0, "\\\\_SB.GPI0") {5}',
      'GPIO interrupt of pin 5 of \\_SB.GPI0, edge-triggered, active low',
    ],
    [
      'I2cSerialBus (0x15, ControllerInitiated, 400000, AddressingMode7Bit, "\\\\_SB.I2C1")',
      'I2C address 0x15 at 400 kHz on \\_SB.I2C1',
    ],
    ['Register (SystemIO, 8, 0, 0xB2)', '8 bits at 0xb2 of SystemIO'],
    ['FixedDMA (5, 1)', 'DMA request line 5, channel 1'],
  ])('%s', (macro, words) => {
    expect(wordsOf(macro)).toEqual([words]);
  });
});
