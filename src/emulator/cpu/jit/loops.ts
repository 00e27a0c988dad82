import type { FlowGraph, Structure } from './control-flow.ts';

/** For each block the blocks of the innermost loop around it, that of the loop's head included; undefined: none. */
export function innermostLoops(
  { successors }: FlowGraph,
  structure: Structure,
): readonly (readonly number[] | undefined)[] {
  const { order } = structure;
  const predecessors: number[][] = successors.map(() => []);
  for (const [from, targets] of successors.entries())
    if (order[from] >= 0) for (const to of targets) predecessors[to].push(from);
  // One for each edge back: a region that is entered in the middle of a nest has one head for all of its loops.
  const bodies: (readonly number[])[] = [];
  for (const [from, targets] of successors.entries()) {
    for (const to of targets) {
      if (order[from] < 0 || order[to] > order[from]) continue;
      const body = new Set([to]);
      collect(from, body, predecessors);
      bodies.push([...body]);
    }
  }
  const innermost: (readonly number[] | undefined)[] = new Array(successors.length).fill(undefined);
  // The smallest last: it stays.
  bodies.sort((left, right) => right.length - left.length);
  for (const body of bodies) for (const block of body) innermost[block] = body;
  return innermost;
}

/** Adds what leads to `from` without passing what the body has already. */
function collect(from: number, body: Set<number>, predecessors: readonly (readonly number[])[]): void {
  if (body.has(from)) return;
  body.add(from);
  for (const before of predecessors[from]) collect(before, body, predecessors);
}
