import {
  callFunction,
  countedLoop,
  indirect,
  outerLoop,
  returnTo,
  skipForward,
  straight,
  writeFunction,
} from './control-units.ts';
import { doubles } from './double-units.ts';
import { modifyCode, pushPop, reloadPointers, stringRun, withdrawPage } from './memory-units.ts';
import type { Layout } from './program.ts';
import { type SlotWriter, slotAddress } from './slot-writer.ts';
import { someInstructions, type Unit } from './straight-code.ts';
import {
  inputOutput,
  interruptFlag,
  otherMode,
  returnFromNothing,
  systemCall,
  translationControl,
  watch,
} from './system-units.ts';
import { weighted } from './weighted.ts';

/** What a slot of the main loop does, by weight. */
const UNITS: readonly (readonly [Unit, number])[] = [
  [straight, 8],
  [countedLoop, 8],
  [outerLoop, 4],
  [skipForward, 5],
  [callFunction, 5],
  [indirect, 3],
  [returnTo, 1],
  [modifyCode, 2],
  [stringRun, 3],
  [withdrawPage, 2],
  [inputOutput, 2],
  [interruptFlag, 1],
  [reloadPointers, 3],
  [pushPop, 1],
  [doubles, 3],
  [systemCall, 2],
  [otherMode, 1],
  [returnFromNothing, 1],
  [translationControl, 1],
  [watch, 1],
];

/** Fills a slot: a unit of the main loop, the jump that closes it, or a function. */
export function writeSlot(layout: Layout, writer: SlotWriter, slot: number): void {
  const { random, main, functions } = layout;
  if (functions.includes(slot)) {
    writeFunction(layout, writer, slot);
    writer.finish(false);
    return;
  }
  if (slot === main.at(-1)) {
    someInstructions(layout, writer, 3);
    writer.branch([0xe9], slotAddress(main[0]));
  } else {
    weighted(random, UNITS)(layout, writer, slot);
  }
  writer.finish(random.below(2) === 0);
}
