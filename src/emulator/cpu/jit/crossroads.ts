import type { FlowGraph } from './control-flow.ts';

/** A graph whose loops all have one way in. Nodes from the number of blocks on are crossroads: edges to several blocks that meet there and part again. */
export interface ReducibleGraph extends FlowGraph {
  /** What the edge from a node to a block reaches first: the block, or a crossroads on the way to it. */
  readonly next: (from: number, to: number) => number;
  /** The blocks that ways over a crossroads lead to. */
  readonly destinations: (crossroads: number) => readonly number[];
}

/**
 * Gives every loop a single way in, as structured code wants it: where a loop of blocks is entered at several, all edges to these go over a crossroads,
 * which becomes the loop's head. `graph`: one entry, block 0; what cannot be reached does no harm.
 */
export function reducible(graph: FlowGraph): ReducibleGraph {
  const work = new Crossroads(graph);
  work.separate([...graph.successors.keys()], 0);
  return work.result();
}

class Crossroads {
  /** By node: the blocks that its edges lead to in the end. */
  readonly #targets: (readonly number[])[];
  /** By node: what these edges reach first. */
  readonly #firsts: number[][];

  constructor({ successors }: FlowGraph) {
    this.#targets = [...successors];
    this.#firsts = successors.map((list) => [...list]);
  }

  result(): ReducibleGraph {
    const [targets, firsts] = [this.#targets, this.#firsts];
    return {
      successors: firsts.map((list) => [...new Set(list)]),
      next: (from, to) => firsts[from][targets[from].indexOf(to)],
      destinations: (crossroads) => targets[crossroads],
    };
  }

  /** The loops inside `nodes`, which are entered at `head` alone. */
  separate(nodes: readonly number[], head: number): void {
    for (const loop of this.#loops(nodes.filter((node) => node !== head))) {
      const inside = new Set(loop);
      const ways = this.#waysInto(inside);
      if (ways.length <= 1) this.separate(loop, ways[0] ?? loop[0]);
      else {
        const crossroads = this.#lead(ways);
        this.separate([...loop, crossroads], crossroads);
      }
    }
  }

  #waysInto(inside: ReadonlySet<number>): number[] {
    const ways = new Set<number>();
    for (const [from, firsts] of this.#firsts.entries()) {
      if (inside.has(from)) continue;
      for (const to of firsts) if (inside.has(to)) ways.add(to);
    }
    return [...ways];
  }

  /** All edges to `blocks` go over a new crossroads. */
  #lead(blocks: readonly number[]): number {
    const crossroads = this.#firsts.length;
    const led = new Set(blocks);
    for (const firsts of this.#firsts)
      for (const [index, to] of firsts.entries()) if (led.has(to)) firsts[index] = crossroads;
    this.#targets.push(blocks);
    this.#firsts.push([...blocks]);
    return crossroads;
  }

  /** Sets of several nodes of which each can be reached from each other, within `nodes` (Tarjan). */
  #loops(nodes: readonly number[]): number[][] {
    const loops: number[][] = [];
    const allowed = new Set(nodes);
    const indexes = new Map<number, number>();
    const stack: number[] = [];
    const onStack = new Set<number>();
    const visit = (node: number): number => {
      const own = indexes.size;
      let lowest = own;
      indexes.set(node, own);
      stack.push(node);
      onStack.add(node);
      for (const to of this.#firsts[node]) {
        if (!allowed.has(to)) continue;
        if (!indexes.has(to)) lowest = Math.min(lowest, visit(to));
        else if (onStack.has(to)) lowest = Math.min(lowest, indexes.get(to)!);
      }
      if (lowest < own) return lowest;
      const found = stack.splice(stack.lastIndexOf(node));
      for (const member of found) onStack.delete(member);
      if (found.length > 1) loops.push(found);
      return lowest;
    };
    for (const node of nodes) if (!indexes.has(node)) visit(node);
    return loops;
  }
}
