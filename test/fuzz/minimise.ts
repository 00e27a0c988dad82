import type { Comparison } from './compare.ts';
import { assembleProgram, type Draft } from './program.ts';
import { slotAddress } from './slot-writer.ts';

const NOP = 0x90;
/** Programs that a minimisation may run. */
const ATTEMPTS = 400;

/** Takes instructions out of a failing program while it still fails, and tells what is left. */
export function minimise(draft: Draft, comparison: Comparison): string {
  let attempts = 0;
  let message = comparison.run(assembleProgram(draft));
  if (message === undefined) return '  does not fail a second time';
  let best = draft;
  const attempt = (candidate: Draft): boolean => {
    if (++attempts > ATTEMPTS) return false;
    const found = comparison.run(assembleProgram(candidate));
    if (found === undefined) return false;
    message = found;
    best = candidate;
    return true;
  };
  attempt({ ...best, timer: [] });
  for (const slot of draft.slots.keys()) attempt({ ...best, slots: without(best.slots, slot, () => true) });
  for (const [slot, instructions] of draft.slots) {
    for (const [index, bytes] of best.slots.get(slot)!.entries()) {
      if (index >= instructions.length || isNothing(bytes)) continue;
      attempt({ ...best, slots: without(best.slots, slot, (position) => position === index) });
    }
  }
  return `  ${message}\n${describe(best)}`;
}

const isNothing = (bytes: readonly number[]): boolean => bytes.every((byte) => byte === NOP);

type Slots = Draft['slots'];

/** The slots with the chosen instructions of one replaced by NOPs of the same length. */
function without(slots: Slots, slot: number, chosen: (index: number) => boolean): Slots {
  const instructions = slots.get(slot)!.map((bytes, index) => (chosen(index) ? bytes.map(() => NOP) : bytes));
  return new Map(slots).set(slot, instructions);
}

function describe({ first, mode, paging, gates, privilege, mxcsr, slots, timer, length, slices }: Draft): string {
  const head = `  from ${slotAddress(first).toString(16)}, ${mode}-bit, ${paging} paging, ${gates}, CPL ${privilege}, MXCSR ${mxcsr.toString(16)}, ${length} instructions, slices ${slices.join(' and ')}, ${timer.length} interrupts`;
  const lines = [...slots].flatMap(([slot, instructions]) => {
    let offset = 0;
    return instructions.flatMap((bytes) => {
      const line = `  ${(slotAddress(slot) + offset).toString(16)}: ${Buffer.from(bytes).toString('hex')}`;
      offset += bytes.length;
      return isNothing(bytes) ? [] : [line];
    });
  });
  return [head, ...lines].join('\n');
}
