import type { NamespaceNode } from '../interpreter/namespace-tree.ts';
import type { AmlObject } from '../interpreter/objects.ts';
import type { Frame } from '../interpreter/run.ts';
import type { AmlTerm } from '../tree.ts';

/** One method that runs. */
export interface Call {
  readonly method: NamespaceNode;
  readonly args: readonly AmlObject[];
  /** The scope of the statement that runs may lie below the method's. */
  frame: Frame;
  statement: AmlTerm | undefined;
}

/** What runs inside what, the innermost last, as the observer's events tell it. */
export class CallStack {
  readonly calls: Call[] = [];

  get innermost(): Call | undefined {
    return this.calls.at(-1);
  }

  get depth(): number {
    return this.calls.length;
  }

  enter(method: NamespaceNode, args: readonly AmlObject[], frame: Frame): void {
    this.calls.push({ method, args, frame, statement: undefined });
  }

  statement(term: AmlTerm, frame: Frame): void {
    const call = this.innermost;
    if (!call) return;
    call.statement = term;
    call.frame = frame;
  }

  leave(): void {
    this.calls.pop();
  }
}
