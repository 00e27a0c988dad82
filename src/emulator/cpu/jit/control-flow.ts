/** A region's blocks as a graph: successors by block number, entry 0. */
export interface FlowGraph {
  readonly successors: readonly (readonly number[])[];
}

/** What structured emission needs to know of each block. */
export interface Structure {
  /** Position in reverse postorder; −1: unreachable. */
  readonly order: readonly number[];
  /** Blocks that each block dominates immediately, in reverse postorder. */
  readonly children: readonly (readonly number[])[];
  /** Two or more forward edges come in: the block stands behind a Wasm block's end. */
  readonly isMerge: readonly boolean[];
  /** A back edge comes in: the block begins a Wasm loop. */
  readonly isLoop: readonly boolean[];
}

/** Reverse postorder of the blocks that can be reached. */
function reversePostorder({ successors }: FlowGraph): number[] {
  const seen = new Set<number>();
  const postorder: number[] = [];
  const visit = (block: number): void => {
    seen.add(block);
    for (const next of successors[block]) if (!seen.has(next)) visit(next);
    postorder.push(block);
  };
  visit(0);
  return postorder.reverse();
}

/** Immediate dominators by Cooper, Harvey and Kennedy's iteration; the entry's is itself. */
function dominators(graph: FlowGraph, sequence: readonly number[], order: readonly number[]): number[] {
  const predecessors: number[][] = graph.successors.map(() => []);
  for (const from of sequence) for (const to of graph.successors[from]) predecessors[to].push(from);
  const immediate: number[] = new Array(graph.successors.length).fill(-1);
  immediate[0] = 0;
  const intersect = (left: number, right: number): number => {
    let a = left;
    let b = right;
    while (a !== b) {
      while (order[a] > order[b]) a = immediate[a];
      while (order[b] > order[a]) b = immediate[b];
    }
    return a;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of sequence) {
      if (block === 0) continue;
      let candidate = -1;
      for (const from of predecessors[block]) {
        if (immediate[from] < 0) continue;
        candidate = candidate < 0 ? from : intersect(candidate, from);
      }
      if (candidate !== immediate[block]) {
        immediate[block] = candidate;
        changed = true;
      }
    }
  }
  return immediate;
}

/** Works out loops, merges and the dominator tree (Ramsey, "Beyond Relooper"). Every loop of `graph` has one way in. */
export function structureOf(graph: FlowGraph): Structure {
  const sequence = reversePostorder(graph);
  const order: number[] = new Array(graph.successors.length).fill(-1);
  for (const [position, block] of sequence.entries()) order[block] = position;
  const immediate = dominators(graph, sequence, order);
  const children: number[][] = graph.successors.map(() => []);
  for (const block of sequence) if (block !== 0) children[immediate[block]].push(block);
  const forward: number[] = new Array(graph.successors.length).fill(0);
  const isLoop: boolean[] = new Array(graph.successors.length).fill(false);
  for (const from of sequence) {
    for (const to of graph.successors[from]) {
      if (order[to] <= order[from]) isLoop[to] = true;
      else forward[to]++;
    }
  }
  return { order, children, isMerge: forward.map((count) => count >= 2), isLoop };
}
