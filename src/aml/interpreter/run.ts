import type { DefKind } from '../opcodes.ts';
import type { AmlTerm, Def, NameTerm } from '../tree.ts';
import type { Budget } from './budget.ts';
import type { IntegerBytes } from './conversions.ts';
import type { Mutexes } from './mutexes.ts';
import type { NamespaceNode } from './namespace-tree.ts';
import type { AmlObject, DdbHandleObject, ReferenceTarget } from './objects.ts';
import type { RegionPorts } from './regions.ts';
import type { Semantics } from './semantics.ts';

/** One invocation of a method, or the loading of a table. */
export interface Frame {
  /** Where names are looked for and declared. */
  readonly scope: NamespaceNode;
  /** Shared by the frames of Scope and Device blocks inside one invocation. */
  readonly locals: AmlObject[];
  readonly args: AmlObject[];
  /** What the invocation or the table declared: it goes when the method ends, or the table is unloaded. */
  readonly created: NamespaceNode[];
  /** A table is being loaded: what fails is reported and the next statement runs; objects are made on first use. */
  readonly loading: boolean;
  readonly depth: number;
}

/** What a list of statements ended with. */
export type Flow = 'next' | 'break' | 'continue' | { readonly returned: AmlObject };

/** What Load and LoadTable need: tables by their bytes and by their identity. */
export interface TableLoader {
  /** Loads a definition block that AML found below `scope`; throws evaluation errors for what is no table. */
  load(bytes: Uint8Array, scope: NamespaceNode): DdbHandleObject;
  unload(handle: DdbHandleObject): void;
  /** A table of the firmware with this identity; empty text matches any. */
  find(signature: string, oemId: string, oemTableId: string): Uint8Array | undefined;
}

/** What the operators need of the interpreter. */
export interface Run {
  readonly integerBytes: IntegerBytes;
  readonly all: bigint;
  readonly semantics: Semantics;
  readonly budget: Budget;
  readonly mutexes: Mutexes;
  readonly tables: TableLoader;
  readonly regions: RegionPorts;
  /** The object that `term` gives; Index and RefOf give references. */
  evaluate(term: AmlTerm, frame: Frame): AmlObject;
  /** The same with references to elements followed: an integer, string, buffer, package or other object. */
  data(term: AmlTerm, frame: Frame): AmlObject;
  integer(term: AmlTerm, frame: Frame): bigint;
  /** Stores into a target with implicit conversion; NullName stores nowhere. What the Store gives: `value`, or the answer of a bus. */
  store(target: AmlTerm, value: AmlObject, frame: Frame): AmlObject;
  /** The same without conversion: CopyObject. */
  copyTo(target: AmlTerm, value: AmlObject, frame: Frame): void;
  /** What a SuperName refers to. */
  target(term: AmlTerm, frame: Frame): ReferenceTarget | undefined;
  load(target: ReferenceTarget): AmlObject;
  readField(object: AmlObject): AmlObject;
  /** A copy that shares nothing mutable, charged to the budget. */
  copy(object: AmlObject): AmlObject;
  find(name: NameTerm, frame: Frame): NamespaceNode;
  statements(terms: readonly AmlTerm[], frame: Frame): Flow;
  /** `make` now inside a method, on first use while a table is loaded. */
  deferred(frame: Frame, make: () => AmlObject): AmlObject | (() => AmlObject);
  within(frame: Frame, scope: NamespaceNode): Frame;
  notify(target: string, value: bigint): void;
  debug(value: AmlObject): void;
  report(message: string, path: string): void;
}

export type Expression<Kind extends DefKind> = (run: Run, def: Def<Kind>, frame: Frame) => AmlObject;
export type Expressions<Kind extends DefKind> = { readonly [K in Kind]: Expression<K> };
export type Statement<Kind extends DefKind> = (run: Run, def: Def<Kind>, frame: Frame) => Flow | undefined;
export type Statements<Kind extends DefKind> = { readonly [K in Kind]: Statement<K> };
