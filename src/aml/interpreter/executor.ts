import { UserError } from '../../shared/errors.ts';
import type { AmlTerm, Def, DefTerm, InvocationTerm, NameTerm } from '../tree.ts';
import { ARITHMETIC } from './arithmetic.ts';
import { Budget, type EvaluationLimits } from './budget.ts';
import { bytesOf, type IntegerBytes, maskOf, toInteger } from './conversions.ts';
import { DECLARATIONS } from './declarations.ts';
import { evaluationError } from './evaluation-error.ts';
import { readBufferField, readFieldUnit } from './fields.ts';
import { Mutexes } from './mutexes.ts';
import { findName } from './names.ts';
import type { NamespaceNode } from './namespace-tree.ts';
import { OBJECT_OPERATORS } from './object-operators.ts';
import {
  type AmlObject,
  copyObject,
  integerObject,
  type MethodObject,
  type ReferenceTarget,
  UNINITIALIZED,
} from './objects.ts';
import type { ExecutionObserver } from './observer.ts';
import type { ObservedRegions } from './regions.ts';
import type { Flow, Frame, Run, TableLoader } from './run.ts';
import type { Semantics } from './semantics.ts';
import { exchange, exchangesBuffers } from './serial-fields.ts';
import { EFFECTS, STATEMENTS } from './statements.ts';
import { loadFrom, type Slot, slotOf, storeTerm, targetOf } from './storage.ts';
import { TABLE_OPERATORS } from './table-operators.ts';

const EXPRESSIONS = { ...ARITHMETIC, ...OBJECT_OPERATORS, ...EFFECTS, ...TABLE_OPERATORS } as const;
const STATEMENT_HANDLERS = { ...DECLARATIONS, ...STATEMENTS } as const;

type Handler = (run: Run, def: DefTerm, frame: Frame) => unknown;
const expressionOf = (kind: string): Handler | undefined => (EXPRESSIONS as unknown as Record<string, Handler>)[kind];
const statementOf = (kind: string): Handler | undefined =>
  (STATEMENT_HANDLERS as unknown as Record<string, Handler>)[kind];

/** Blocks whose statements a table loads one by one. */
const CONTAINERS: ReadonlySet<string> = new Set([
  'DefScope',
  'DefDevice',
  'DefProcessor',
  'DefPowerRes',
  'DefThermalZone',
]);

/** What happens beside the values: the interpreter collects it. */
export interface ExecutionEvents {
  notify(path: string, value: bigint): void;
  debug(value: AmlObject): void;
  report(message: string, path: string): void;
}

export interface ExecutorOptions {
  readonly integerBytes: IntegerBytes;
  readonly semantics: Semantics;
  readonly limits: EvaluationLimits;
  readonly regions: ObservedRegions;
  readonly tables: TableLoader;
  readonly events: ExecutionEvents;
}

/** Runs terms: the walk over the tree that the operators' handlers call back into. */
export class Executor implements Run {
  readonly integerBytes: IntegerBytes;
  readonly all: bigint;
  readonly semantics: Semantics;
  readonly budget: Budget;
  readonly mutexes = new Mutexes();
  readonly tables: TableLoader;
  readonly regions: ObservedRegions;
  /** Looks on; may be exchanged at any time. */
  observer: ExecutionObserver | undefined;
  readonly #events: ExecutionEvents;
  /** Whether the If that was just run held. */
  #predicate = true;
  /** The value of the statement that was just run, for an implicit return. */
  #lastValue: AmlObject = UNINITIALIZED;
  /** Statements of a table inside one another that are not containers. */
  #loadDepth = 0;
  /** The failure that ends the loading of a table. */
  #fatal: unknown;

  constructor({ integerBytes, semantics, limits, regions, tables, events }: ExecutorOptions) {
    this.integerBytes = integerBytes;
    this.all = maskOf(integerBytes);
    this.semantics = semantics;
    this.budget = new Budget(limits);
    this.regions = regions;
    this.tables = tables;
    this.#events = events;
  }

  evaluate(term: AmlTerm, frame: Frame): AmlObject {
    this.budget.step();
    this.budget.descend();
    try {
      return this.#value(term, frame);
    } finally {
      this.budget.ascend();
    }
  }

  #value(term: AmlTerm, frame: Frame): AmlObject {
    switch (term.kind) {
      case 'Integer':
        return integerObject(term.value & this.all);
      case 'String':
        return { type: 'String', value: term.value };
      case 'NameString':
        return this.#named(term, frame);
      case 'MethodInvocation':
        return this.#invocation(term, frame);
      case 'RawBytes':
        throw evaluationError('AE_AML_BAD_OPCODE', 'these bytes are no AML', frame.scope.displayPath);
      case 'Ones':
        return integerObject(this.all);
      case 'Revision':
        return integerObject(REVISION);
      case 'DebugObj':
        return { type: 'Debug' };
      default:
        return this.#operator(term, frame);
    }
  }

  #operator(def: DefTerm, frame: Frame): AmlObject {
    const slot = slotOf(def, frame);
    if (slot) return this.#slotValue(slot, def.kind, frame);
    const handler = expressionOf(def.kind);
    if (!handler) throw evaluationError('AE_AML_BAD_OPCODE', `${def.kind} has no value`, frame.scope.displayPath);
    return handler(this, def, frame) as AmlObject;
  }

  #slotValue(slot: Slot, kind: string, frame: Frame): AmlObject {
    const object = slot.slots[slot.index];
    if (object.type !== 'Uninitialized') return object;
    if (this.semantics.uninitializedIsZero) return integerObject(0n);
    const fault = kind.startsWith('Arg') ? 'AE_AML_UNINITIALIZED_ARG' : 'AE_AML_UNINITIALIZED_LOCAL';
    throw evaluationError(fault, `${kind} is read before it is written`, frame.scope.displayPath);
  }

  #named(name: NameTerm, frame: Frame): AmlObject {
    const node = this.find(name, frame);
    const { object } = node;
    return object.type === 'Method' ? this.invoke(node, object, [], frame.depth + 1) : this.readField(object);
  }

  #invocation({ name, args }: InvocationTerm, frame: Frame): AmlObject {
    const node = this.find(name, frame);
    const { object } = node;
    const values = args.map((arg) => this.evaluate(arg, frame));
    if (object.type === 'Method') return this.invoke(node, object, values, frame.depth + 1);
    if (args.length === 0) return this.readField(object);
    throw evaluationError('AE_AML_OPERAND_TYPE', `an invocation of ${object.type}`, node.displayPath);
  }

  /** Runs a method, `depth` invocations below the evaluation. */
  invoke(node: NamespaceNode, method: MethodObject, args: readonly AmlObject[], depth: number): AmlObject {
    this.budget.invoke(depth);
    const scope = node.aliasOf ?? node;
    const frame: Frame = { ...newFrame(scope), depth };
    args.slice(0, method.argumentCount).forEach((arg, index) => {
      frame.args[index] = arg;
    });
    this.observer?.enter?.(scope, args, frame);
    const level = method.serialized ? this.mutexes.enter(method.syncLevel, scope.displayPath) : undefined;
    try {
      const value = typeof method.body === 'function' ? method.body(args) : this.#body(method.body, frame);
      this.observer?.leave?.(scope, { value });
      return value;
    } catch (error) {
      this.observer?.leave?.(scope, { error });
      throw withPath(error, scope.displayPath);
    } finally {
      if (level !== undefined) this.mutexes.restore(level);
      for (const made of frame.created) made.parent?.children.delete(made.segment);
    }
  }

  #body(body: readonly AmlTerm[], frame: Frame): AmlObject {
    const flow = this.statements(body, frame);
    if (typeof flow === 'object') return flow.returned;
    return this.semantics.implicitReturn && body.length > 0 ? this.#lastValue : UNINITIALIZED;
  }

  statements(terms: readonly AmlTerm[], frame: Frame): Flow {
    let taken = true;
    for (const term of terms) {
      if (term.kind === 'DefElse' && taken) continue;
      const flow = frame.loading ? this.#loadStatement(term, frame) : this.#statement(term, frame);
      if (flow !== 'next') return flow;
      taken = term.kind !== 'DefIf' || this.#predicate;
    }
    return 'next';
  }

  /**
   * Runs the statements of a table below `scope` and gives what they declared. A declaration that fails leaves the rest alone; a
   * statement that runs code and fails ends the table where it stands, as in ACPICA: what is there stays. Both are reported.
   */
  loadTable(terms: readonly AmlTerm[], scope: NamespaceNode): readonly NamespaceNode[] {
    const frame: Frame = { ...newFrame(scope), loading: true };
    try {
      this.statements(terms, frame);
    } catch (error) {
      if (error !== this.#fatal || !(error instanceof UserError)) throw error;
      this.report(`${error.message}; the rest of the table is not loaded`, error.place.path ?? scope.displayPath);
    }
    return frame.created;
  }

  #loadStatement(term: AmlTerm, frame: Frame): Flow {
    const isContainer = CONTAINERS.has(term.kind);
    if (this.#loadDepth === 0) this.budget.restart();
    if (!isContainer) this.#loadDepth++;
    try {
      return this.#statement(term, frame);
    } catch (error) {
      if (!(error instanceof UserError) || error === this.#fatal) throw error;
      if (!(term.kind in DECLARATIONS)) {
        this.#fatal = error;
        throw error;
      }
      this.report(error.message, error.place.path ?? frame.scope.displayPath);
      return 'next';
    } finally {
      if (!isContainer) this.#loadDepth--;
    }
  }

  #statement(term: AmlTerm, frame: Frame): Flow {
    this.observer?.statement?.(term, frame);
    this.#lastValue = UNINITIALIZED;
    if (term.kind === 'DefIf') return this.#if(term, frame);
    const handler = statementOf(term.kind);
    if (!handler) {
      this.#lastValue = this.evaluate(term, frame);
      return 'next';
    }
    this.budget.step();
    this.budget.descend();
    try {
      return (handler(this, term as DefTerm, frame) as Flow | undefined) ?? 'next';
    } finally {
      this.budget.ascend();
    }
  }

  #if({ operands: [predicate, body] }: Def<'DefIf'>, frame: Frame): Flow {
    const holds = this.integer(predicate, frame) !== 0n;
    const flow = holds ? this.statements(body, frame) : 'next';
    this.#predicate = holds;
    return flow;
  }

  data(term: AmlTerm, frame: Frame): AmlObject {
    const object = this.evaluate(term, frame);
    if (object.type !== 'Reference' || object.target.kind !== 'Element') return object;
    return this.load(object.target);
  }

  integer(term: AmlTerm, frame: Frame): bigint {
    return toInteger(this.data(term, frame), this.integerBytes);
  }

  load(target: ReferenceTarget): AmlObject {
    return loadFrom(this, target);
  }

  readField(object: AmlObject): AmlObject {
    switch (object.type) {
      case 'FieldUnit':
        if (exchangesBuffers(object)) return exchange(object, this);
        return this.#fieldValue(readFieldUnit(object, this.regions), object.bitLength, object.bufferAccess);
      case 'BufferField':
        return this.#fieldValue(readBufferField(object), object.bitLength, !object.fixedWidth);
      default:
        return object;
    }
  }

  /** A field that fits is an integer, a longer one a buffer (§19.6.48); what CreateField made is always a buffer, as in every OS. */
  #fieldValue(value: bigint, bitLength: number, asBuffer: boolean): AmlObject {
    if (bitLength <= this.integerBytes * 8 && !asBuffer) return integerObject(value);
    const byteLength = (bitLength + 7) >> 3;
    this.budget.allocate(byteLength);
    return { type: 'Buffer', bytes: bytesOf(value, byteLength) };
  }

  target(term: AmlTerm, frame: Frame): ReferenceTarget | undefined {
    return targetOf(this, term, frame);
  }

  store(target: AmlTerm, value: AmlObject, frame: Frame): AmlObject {
    return storeTerm(this, target, value, frame, true);
  }

  copyTo(target: AmlTerm, value: AmlObject, frame: Frame): void {
    storeTerm(this, target, value, frame, false);
  }

  copy(object: AmlObject): AmlObject {
    return copyObject(object, (byteLength) => this.budget.allocate(byteLength));
  }

  find(name: NameTerm, frame: Frame): NamespaceNode {
    const node = findName(name, frame);
    if (!frame.loading) this.observer?.name?.(node, frame);
    return node;
  }

  deferred(frame: Frame, make: () => AmlObject): AmlObject | (() => AmlObject) {
    return frame.loading ? () => this.budget.apart(make) : make();
  }

  within(frame: Frame, scope: NamespaceNode): Frame {
    return { ...frame, scope: scope.aliasOf ?? scope };
  }

  notify(path: string, value: bigint): void {
    this.observer?.notify?.(path, value);
    this.#events.notify(path, value);
  }

  debug(value: AmlObject): void {
    this.#events.debug(this.copy(value));
  }

  report(message: string, path: string): void {
    this.#events.report(message, path);
  }
}

/** The interpreter's version as Revision gives it: ACPICA's, which tables compare with. */
const REVISION = 0x2020_0925n;

/** A frame of an invocation in `scope`. */
export const newFrame = (scope: NamespaceNode): Frame => ({
  scope,
  locals: new Array<AmlObject>(8).fill(UNINITIALIZED),
  args: new Array<AmlObject>(7).fill(UNINITIALIZED),
  created: [],
  loading: false,
  depth: 0,
});

/** The error with the innermost method as its place. */
function withPath(error: unknown, path: string): unknown {
  if (!(error instanceof UserError) || error.place.path !== undefined) return error;
  return new UserError(error.code, error.message, { place: { path }, mend: error.mend, cause: error });
}
