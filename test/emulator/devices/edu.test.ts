import { beforeEach, describe, expect, test } from 'vitest';
import { PciBoard } from '../pci/pci-board.ts';

const BAR = 0xc000_0000;
const SLOT = [0, 3] as const;

let board: PciBoard;
const read = (offset: number): number => board.root.memory.read(BAR + offset, 4);
const write = (offset: number, value: number): void => board.root.memory.write(BAR + offset, 4, value);

/** Lets virtual time pass. */
function pass(nanoseconds: number): void {
  board.clock.skipTo(board.clock.now() + nanoseconds);
  board.clock.runDue();
}

beforeEach(() => {
  board = new PciBoard([{ id: 'edu', model: 'edu', device: 3 }]);
  board.set(SLOT, 'BAR0', BAR);
  board.set(SLOT, 'COMMAND', 6);
});

describe('edu', () => {
  test('identification and liveness', () => {
    expect(read(0)).toBe(0x0100_00ed);
    write(4, 0x1234_5678);
    expect(read(4)).toBe(0xedcb_a987);
    expect(board.root.memory.read(BAR, 2)).toBe(0xffff);
  });

  test('factorial takes time, and interrupts when asked to', () => {
    write(0x20, 0x80);
    write(8, 5);
    expect(read(0x20)).toBe(0x81);
    pass(10_000);
    expect(read(0x20)).toBe(0x80);
    expect(read(8)).toBe(120);
    expect(read(0x24)).toBe(1);
    expect([...board.interrupts]).toEqual([['0 3 1', 1]]);
    write(0x64, 1);
    expect([...board.interrupts]).toEqual([['0 3 1', 0]]);
    write(8, 20);
    pass(10_000);
    expect(read(8)).toBe(Number(2432902008176640000n & 0xffff_ffffn));
  });

  test('MSI instead of INTx once enabled', () => {
    board.set(SLOT, 'MSI.ADDRESS', 0xfee0_0000);
    board.set(SLOT, 'MSI.DATA', 0x31);
    board.set(SLOT, 'MSI.CONTROL', 1);
    write(0x60, 0x10);
    expect(read(0x24)).toBe(0x10);
    expect(board.messages).toEqual([[0xfee0_0000, 0x31]]);
    expect(board.interrupts.size).toBe(0);
  });

  test('DMA there and back; outside the buffer it is refused and logged', () => {
    board.ram.set([1, 2, 3, 4], 0x100);
    const transfer = (source: number, destination: number, count: number, command: number): void => {
      write(0x80, source);
      write(0x88, destination);
      write(0x90, count);
      write(0x98, command);
      expect(read(0x98) & 1).toBe(1);
      pass(1_000_000);
      expect(read(0x98) & 1).toBe(0);
    };
    transfer(0x100, 0x4_0010, 4, 1);
    transfer(0x4_0010, 0x200, 4, 7);
    expect([...board.ram.subarray(0x200, 0x204)]).toEqual([1, 2, 3, 4]);
    expect(read(0x24)).toBe(0x100);
    transfer(0x4_0ffe, 0x300, 4, 3);
    expect(board.guestErrors.length).toBe(1);
    expect(board.ram[0x300]).toBe(0);
  });

  test('a reset drops what was under way', () => {
    write(0x20, 0x80);
    write(8, 5);
    board.root.reset();
    pass(10_000);
    board.set(SLOT, 'BAR0', BAR);
    board.set(SLOT, 'COMMAND', 6);
    expect(read(0x24)).toBe(0);
    expect(read(8)).toBe(0);
  });
});
