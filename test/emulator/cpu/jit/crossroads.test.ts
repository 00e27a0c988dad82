import { describe, expect, it } from 'vitest';
import { type ReducibleGraph, reducible } from '../../../../src/emulator/cpu/jit/crossroads.ts';

/** Blocks that a walk of the graph by `choices` passes: at a crossroads it goes where it was meant to go. */
function walk(graph: ReducibleGraph, blocks: number, choices: readonly number[]): number[] {
  const passed = [0];
  for (const to of choices) {
    let at = graph.next(passed.at(-1)!, to);
    while (at >= blocks) at = graph.next(at, to);
    passed.push(at);
  }
  return passed;
}

/** Every cycle loses all its nodes when those with one way in are taken away again and again (T1 and T2 of Hecht and Ullman). */
function isReducible(successors: readonly (readonly number[])[]): boolean {
  const edges = new Map(successors.map((list, node) => [node, new Set(list.filter((to) => to !== node))]));
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of [...edges.keys()].filter((each) => each !== 0)) {
      const before = [...edges].filter(([, list]) => list.has(node));
      if (before.length !== 1) continue;
      const [[only, list]] = before;
      list.delete(node);
      for (const to of edges.get(node)!) if (to !== only) list.add(to);
      edges.delete(node);
      changed = true;
    }
  }
  return edges.size === 1;
}

describe('crossroads', () => {
  it('leaves a graph alone whose loops have one way in', () => {
    const successors = [[1, 3], [2], [1, 3], []];
    const graph = reducible({ successors });
    expect(graph.successors).toEqual(successors);
    expect(graph.next(2, 1)).toBe(1);
  });

  it('puts one in front of a loop with two ways in', () => {
    const graph = reducible({ successors: [[1, 2], [2], [1, 3], []] });
    expect(isReducible([[1, 2], [2], [1, 3], []])).toBe(false);
    expect(isReducible(graph.successors)).toBe(true);
    expect(graph.successors).toHaveLength(5);
    expect([...graph.destinations(4)].sort()).toEqual([1, 2]);
    expect(walk(graph, 4, [2, 1, 2, 3])).toEqual([0, 2, 1, 2, 3]);
  });

  it('serves loops in loops, each with several ways in', () => {
    const successors = [[1, 4], [2, 3], [3], [2, 4], [5], [1, 4, 3]];
    const graph = reducible({ successors });
    expect(isReducible(graph.successors)).toBe(true);
    expect(walk(graph, successors.length, [4, 5, 3, 2, 3, 4, 5, 1, 2])).toEqual([0, 4, 5, 3, 2, 3, 4, 5, 1, 2]);
  });
});
