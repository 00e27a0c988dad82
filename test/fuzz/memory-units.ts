import { POINTERS, POINTERS_64 } from './addresses.ts';
import { dataPage, entryOf } from './memory-map.ts';
import type { Layout } from './program.ts';
import { absolute, type SlotWriter, slotAddress } from './slot-writer.ts';
import { back, forward, loadAddress, loadRegister, someInstructions } from './straight-code.ts';

/** Flips or sets a byte of code: here, ahead, behind, in a function. */
export function modifyCode({ random, mode, main, functions }: Layout, writer: SlotWriter, slot: number): void {
  const target = random.pick([slot, forward(random, main, slot), back(random, main, slot), random.pick(functions)]);
  const linear = slotAddress(target) + random.below(40);
  const [opcode, reg] = random.pick([
    [0x80, 6],
    [0xc6, 0],
  ]);
  writer.add(opcode, ...absolute(mode, reg, linear), random.pick([0x01, 0x08, 0x28, 0x90, 0x40, random.below(256)]));
}

const STRING_OPCODES = [0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xa6, 0xa7, 0xae, 0xaf];

export function stringRun(layout: Layout, writer: SlotWriter): void {
  const { random, mode } = layout;
  loadRegister(writer, 1, random.below(random.pick([4, 40, 600])));
  loadAddress(random, writer, 6);
  loadAddress(random, writer, 7);
  if (random.below(6) === 0) writer.add(0xfd);
  const wide = mode === 64 && random.below(3) === 0 ? [0x48] : [];
  writer.add(random.pick([0xf2, 0xf3]), ...wide, random.pick(STRING_OPCODES));
  writer.add(0xfc);
  someInstructions(layout, writer, 2);
}

/** The page of retries is taken away, which only the supervisor can do. */
export function withdrawPage(layout: Layout, writer: SlotWriter): void {
  const { random, mode, paging, privilege } = layout;
  if (privilege === 0) {
    const page = dataPage('retry');
    writer.add(0x80, ...absolute(mode, 4, entryOf(page, paging)), 0xfe);
    if (random.below(8) !== 0) writer.add(0x0f, 0x01, ...absolute(mode, 7, page));
  }
  someInstructions(layout, writer, 4);
}

export function reloadPointers(layout: Layout, writer: SlotWriter): void {
  const { random, mode } = layout;
  for (const register of mode === 64 ? POINTERS_64 : POINTERS) loadAddress(random, writer, register);
  someInstructions(layout, writer, 2);
}

export function pushPop(layout: Layout, writer: SlotWriter): void {
  const { random } = layout;
  writer.add(0x9c);
  writer.add(0x50 | random.pick([0, 1, 2, 3]));
  someInstructions(layout, writer, 3);
  writer.add(0x58 | random.pick([0, 1, 2, 3]));
  writer.add(0x9d);
}
