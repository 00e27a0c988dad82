import type { DefKind } from '../opcodes.ts';
import type { AmlTerm, Def, NameTerm } from '../tree.ts';
import type { IntegerBytes } from './conversions.ts';
import type { NamespaceNode } from './namespace-tree.ts';
import type { AmlObject, ReferenceTarget } from './objects.ts';

/** One invocation of a method, or the loading of a table. */
export interface Frame {
  /** Where names are looked for and declared. */
  readonly scope: NamespaceNode;
  /** Shared by the frames of Scope and Device blocks inside one invocation. */
  readonly locals: AmlObject[];
  readonly args: AmlObject[];
  /** What the invocation declared: it goes when the method ends. Nothing while a table is loaded. */
  readonly created: NamespaceNode[] | undefined;
  readonly depth: number;
}

/** What a list of statements ended with. */
export type Flow = 'next' | 'break' | 'continue' | { readonly returned: AmlObject };

/** What the operators need of the interpreter. */
export interface Run {
  readonly integerBytes: IntegerBytes;
  readonly all: bigint;
  /** The object that `term` gives; Index and RefOf give references. */
  evaluate(term: AmlTerm, frame: Frame): AmlObject;
  /** The same with references to elements followed: an integer, string, buffer, package or other object. */
  data(term: AmlTerm, frame: Frame): AmlObject;
  integer(term: AmlTerm, frame: Frame): bigint;
  /** Stores into a target with implicit conversion; NullName stores nowhere. */
  store(target: AmlTerm, value: AmlObject, frame: Frame): void;
  /** The same without conversion: CopyObject. */
  copyTo(target: AmlTerm, value: AmlObject, frame: Frame): void;
  /** What a SuperName refers to. */
  target(term: AmlTerm, frame: Frame): ReferenceTarget | undefined;
  load(target: ReferenceTarget): AmlObject;
  readField(object: AmlObject, node?: NamespaceNode): AmlObject;
  find(name: NameTerm, frame: Frame): NamespaceNode;
  statements(terms: readonly AmlTerm[], frame: Frame): Flow;
  declare(name: NameTerm, frame: Frame, object: AmlObject | (() => AmlObject)): NamespaceNode;
  alias(name: NameTerm, target: NamespaceNode, frame: Frame): void;
  /** `make` now inside a method, on first use while a table is loaded. */
  deferred(frame: Frame, make: () => AmlObject): AmlObject | (() => AmlObject);
  within(frame: Frame, scope: NamespaceNode): Frame;
  notify(target: string, value: bigint): void;
  debug(value: AmlObject): void;
  fatal(type: number, code: number, argument: bigint): void;
  /** Virtual time in units of 100 ns. */
  readonly time: bigint;
  sleep(hundredNanoseconds: bigint): void;
  report(message: string, path: string): void;
}

export type Expression<Kind extends DefKind> = (run: Run, def: Def<Kind>, frame: Frame) => AmlObject;
export type Expressions<Kind extends DefKind> = { readonly [K in Kind]: Expression<K> };
export type Statement<Kind extends DefKind> = (run: Run, def: Def<Kind>, frame: Frame) => Flow | undefined;
export type Statements<Kind extends DefKind> = { readonly [K in Kind]: Statement<K> };
