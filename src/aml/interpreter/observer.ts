import type { AmlTerm } from '../tree.ts';
import type { NamespaceNode } from './namespace-tree.ts';
import type { AmlObject } from './objects.ts';
import type { BufferTransfer, RegionAccess } from './regions.ts';
import type { Frame } from './run.ts';

/** An access to an operation region as it happened: a plain one with its value, or one with a bus' whole buffer. */
export type RegionEvent =
  | { readonly kind: 'read' | 'write'; readonly access: RegionAccess; readonly value: bigint }
  | { readonly kind: 'transfer'; readonly access: BufferTransfer; readonly answer: Uint8Array };

/** Who looks on while AML runs: a trace, a debugger. A method that throws ends the evaluation with what it throws. */
export interface ExecutionObserver {
  /** Before each statement of a method or a table. */
  statement?(term: AmlTerm, frame: Frame): void;
  /** A method begins; predefined ones of the operating system (`_OSI`) too. */
  enter?(method: NamespaceNode, args: readonly AmlObject[], frame: Frame): void;
  /** It ended: with a value, or with an error. */
  leave?(method: NamespaceNode, outcome: { readonly value?: AmlObject; readonly error?: unknown }): void;
  /** A name in a method was looked up and found. */
  name?(node: NamespaceNode, frame: Frame): void;
  region?(event: RegionEvent): void;
  notify?(path: string, value: bigint): void;
}
