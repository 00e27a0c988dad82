import { UserError } from '../../shared/errors.ts';
import { type DecodedSet, decodeTables, type SourceTable } from '../decode.ts';
import { formatPath, parseNameString } from '../name-string.ts';
import type { AmlTerm, Def, DefTerm, InvocationTerm, NameTerm } from '../tree.ts';
import { ARITHMETIC } from './arithmetic.ts';
import { bytesOf, type IntegerBytes, maskOf, toInteger } from './conversions.ts';
import { DECLARATIONS } from './declarations.ts';
import { evaluationError } from './evaluation-error.ts';
import { readBufferField, readFieldUnit } from './fields.ts';
import { declarationPlace, findNode, NamespaceNode } from './namespace-tree.ts';
import { OBJECT_OPERATORS } from './object-operators.ts';
import {
  type AmlObject,
  copyObject,
  integerObject,
  type MethodObject,
  type ReferenceTarget,
  UNINITIALIZED,
} from './objects.ts';
import { OSI_STRINGS, predefinedObjects } from './predefined.ts';
import { AbsentHardware, type RegionHandler } from './regions.ts';
import type { Flow, Frame, Run } from './run.ts';
import { EFFECTS, STATEMENTS } from './statements.ts';
import { storeInto } from './store.ts';

export interface InterpreterOptions {
  /** By REGION_SPACES value; `default` serves the others. Without it hardware is absent and reads as 0. */
  readonly regions?: { readonly [space: number]: RegionHandler; readonly default?: RegionHandler };
  /** What `_OSI` answers with true. */
  readonly osi?: readonly string[];
  /** Terms that one evaluation may run. */
  readonly maxSteps?: number;
}

/** Something that went wrong without ending the evaluation, or while a table was loaded. */
export interface InterpreterProblem {
  readonly path: string;
  readonly message: string;
}

export interface Notification {
  readonly path: string;
  readonly value: bigint;
}

const MAX_METHOD_DEPTH = 128;
const DEFAULT_MAX_STEPS = 5_000_000;

const EXPRESSIONS = { ...ARITHMETIC, ...OBJECT_OPERATORS, ...EFFECTS } as const;
const STATEMENT_HANDLERS = { ...DECLARATIONS, ...STATEMENTS } as const;

type Handler = (run: Run, def: DefTerm, frame: Frame) => unknown;
const expressionOf = (kind: string): Handler | undefined => (EXPRESSIONS as unknown as Record<string, Handler>)[kind];
const statementOf = (kind: string): Handler | undefined =>
  (STATEMENT_HANDLERS as unknown as Record<string, Handler>)[kind];

/**
 * Runs AML: loads definition blocks into a namespace and evaluates what is in it. Time is virtual, hardware is a port, nothing
 * depends on the host. Errors are UserErrors whose message begins with ACPICA's name for them.
 */
export class AmlInterpreter implements Run {
  readonly root = new NamespaceNode('', undefined, { type: 'Scope' });
  readonly integerBytes: IntegerBytes;
  readonly all: bigint;
  readonly problems: InterpreterProblem[] = [];
  readonly notifications: Notification[] = [];
  /** What was stored into Debug. */
  readonly debugOutput: AmlObject[] = [];
  readonly set: DecodedSet;
  readonly #regions: NonNullable<InterpreterOptions['regions']>;
  readonly #absent = new AbsentHardware();
  readonly #maxSteps: number;
  #steps = 0;
  #time = 0n;

  /** Loads `tables`, the DSDT first. What a table does wrong at load time goes to `problems`. Throws as `decodeTables`. */
  constructor(tables: readonly SourceTable[], options: InterpreterOptions = {}) {
    this.set = decodeTables(tables);
    this.integerBytes = (this.set.tables[0]?.header.revision ?? 2) < 2 ? 4 : 8;
    this.all = maskOf(this.integerBytes);
    this.#regions = options.regions ?? {};
    this.#maxSteps = options.maxSteps ?? DEFAULT_MAX_STEPS;
    for (const [segment, object] of predefinedObjects(new Set(options.osi ?? OSI_STRINGS), this.all)) {
      this.root.children.set(segment, new NamespaceNode(segment, this.root, object));
    }
    for (const table of this.set.tables) this.#loadTable(table.terms);
  }

  /** Each term by itself: one that fails leaves the others alone. */
  #loadTable(terms: readonly AmlTerm[]): void {
    this.#steps = 0;
    this.statements(terms, { ...newFrame(this.root), created: undefined });
  }

  /** Absolute paths, as ASL writes them, of all objects of `type`, parents first. */
  paths(type: AmlObject['type']): string[] {
    const paths: string[] = [];
    for (const node of this.root.walk()) {
      if (!node.aliasOf && node !== this.root && safeType(node) === type) paths.push(node.displayPath);
    }
    return paths;
  }

  /** True when `path` names something. */
  has(path: string): boolean {
    return findNode(this.root, parseNameString(path).path) !== undefined;
  }

  /**
   * Evaluates the object at `path`: a method is run with `args`, a field is read, data is taken as it is.
   * Throws `AML_NOT_FOUND` and the other evaluation errors.
   */
  evaluate(path: string, args?: readonly AmlObject[]): AmlObject;
  /** The object that `term` gives inside a frame. */
  evaluate(term: AmlTerm, frame: Frame): AmlObject;
  evaluate(what: string | AmlTerm, more: readonly AmlObject[] | Frame = []): AmlObject {
    if (typeof what !== 'string') return this.#term(what, more as Frame);
    const node = findNode(this.root, parseNameString(what).path);
    if (!node) throw evaluationError('AE_NOT_FOUND', 'nothing is declared here', what);
    this.#steps = 0;
    const { object } = node;
    if (object.type === 'Method') return this.#invoke(node, object, more as readonly AmlObject[], 0);
    return this.readField(object, node);
  }

  #term(term: AmlTerm, frame: Frame): AmlObject {
    if (++this.#steps > this.#maxSteps) {
      throw evaluationError('AE_AML_LOOP_TIMEOUT', `more than ${this.#maxSteps} steps`, frame.scope.displayPath);
    }
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
        return integerObject(0x2020_0925n);
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
    const fault = kind.startsWith('Arg') ? 'AE_AML_UNINITIALIZED_ARG' : 'AE_AML_UNINITIALIZED_LOCAL';
    throw evaluationError(fault, `${kind} is read before it is written`, frame.scope.displayPath);
  }

  #named(name: NameTerm, frame: Frame): AmlObject {
    const node = this.find(name, frame);
    const { object } = node;
    if (object.type === 'Method') return this.#invoke(node, object, [], frame.depth + 1);
    return this.readField(object, node);
  }

  #invocation({ name, args }: InvocationTerm, frame: Frame): AmlObject {
    const node = this.find(name, frame);
    const { object } = node;
    const values = args.map((arg) => this.#term(arg, frame));
    if (object.type === 'Method') return this.#invoke(node, object, values, frame.depth + 1);
    if (args.length === 0) return this.readField(object, node);
    throw evaluationError('AE_AML_OPERAND_TYPE', `an invocation of ${object.type}`, node.displayPath);
  }

  #invoke(node: NamespaceNode, method: MethodObject, args: readonly AmlObject[], depth: number): AmlObject {
    if (typeof method.body === 'function') return method.body(args);
    if (depth > MAX_METHOD_DEPTH) {
      throw evaluationError(
        'AE_AML_METHOD_LIMIT',
        `${MAX_METHOD_DEPTH} invocations inside one another`,
        node.displayPath,
      );
    }
    const scope = node.aliasOf ?? node;
    const frame: Frame = { ...newFrame(scope), depth };
    args.slice(0, method.argumentCount).forEach((arg, index) => {
      frame.args[index] = arg;
    });
    try {
      const flow = this.statements(method.body, frame);
      return typeof flow === 'object' ? flow.returned : UNINITIALIZED;
    } catch (error) {
      throw withPath(error, scope.displayPath);
    } finally {
      for (const made of frame.created ?? []) made.parent?.children.delete(made.segment);
    }
  }

  statements(terms: readonly AmlTerm[], frame: Frame): Flow {
    let taken = true;
    for (const term of terms) {
      if (term.kind === 'DefElse' && taken) continue;
      if (frame.created) {
        const flow = this.#statement(term, frame);
        if (flow !== 'next') return flow;
      } else this.#loadStatement(term, frame);
      taken = term.kind !== 'DefIf' || this.#predicate;
    }
    return 'next';
  }

  /** Whether the If that was just run held. */
  #predicate = true;

  #loadStatement(term: AmlTerm, frame: Frame): void {
    try {
      this.#statement(term, frame);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.problems.push({ path: error.place.path ?? frame.scope.displayPath, message: error.message });
      this.#predicate = true;
    }
  }

  #statement(term: AmlTerm, frame: Frame): Flow {
    if (term.kind === 'DefIf') return this.#if(term, frame);
    const handler = statementOf(term.kind);
    if (!handler) {
      this.#term(term, frame);
      return 'next';
    }
    if (++this.#steps > this.#maxSteps) {
      throw evaluationError('AE_AML_LOOP_TIMEOUT', `more than ${this.#maxSteps} steps`, frame.scope.displayPath);
    }
    return (handler(this, term as DefTerm, frame) as Flow | undefined) ?? 'next';
  }

  #if({ operands: [predicate, body] }: Def<'DefIf'>, frame: Frame): Flow {
    const holds = this.integer(predicate, frame) !== 0n;
    const flow = holds ? this.statements(body, frame) : 'next';
    this.#predicate = holds;
    return flow;
  }

  data(term: AmlTerm, frame: Frame): AmlObject {
    const object = this.#term(term, frame);
    if (object.type !== 'Reference' || object.target.kind !== 'Element') return object;
    return this.load(object.target);
  }

  integer(term: AmlTerm, frame: Frame): bigint {
    return toInteger(this.data(term, frame), this.integerBytes);
  }

  load(target: ReferenceTarget): AmlObject {
    switch (target.kind) {
      case 'Node':
        return this.readField(target.node.object, target.node);
      case 'Slot':
        return target.slots[target.index];
      case 'Element': {
        const { container, index } = target;
        if (container.type === 'Package') return container.elements[index] ?? UNINITIALIZED;
        if (container.type === 'Buffer') return integerObject(BigInt(container.bytes[index] ?? 0));
        return integerObject(BigInt(container.value.charCodeAt(index) || 0));
      }
      case 'Unresolved': {
        const node = findNode(target.scope, target.path);
        if (!node)
          throw evaluationError('AE_NOT_FOUND', 'a package names what nothing declares', formatPath(target.path));
        return this.load({ kind: 'Node', node });
      }
    }
  }

  readField(object: AmlObject, _node?: NamespaceNode): AmlObject {
    switch (object.type) {
      case 'FieldUnit':
        return this.#fieldValue(readFieldUnit(object, this), object.bitLength, object.bufferAccess);
      case 'BufferField':
        return this.#fieldValue(readBufferField(object), object.bitLength, false);
      default:
        return object;
    }
  }

  /** A field that fits is an integer, a longer one a buffer (§19.6.48). */
  #fieldValue(value: bigint, bitLength: number, asBuffer: boolean): AmlObject {
    if (bitLength <= this.integerBytes * 8 && !asBuffer) return integerObject(value);
    return { type: 'Buffer', bytes: bytesOf(value, (bitLength + 7) >> 3) };
  }

  handlerOf(space: number): RegionHandler {
    return this.#regions[space] ?? this.#regions.default ?? this.#absent;
  }

  target(term: AmlTerm, frame: Frame): ReferenceTarget | undefined {
    if (term.kind === 'NameString') {
      return term.path === '' ? undefined : { kind: 'Node', node: this.find(term, frame) };
    }
    const slot = slotOf(term, frame);
    if (slot) return slot;
    if (term.kind === 'DebugObj') return undefined;
    const object = this.#term(term, frame);
    if (object.type === 'Reference') return object.target;
    return { kind: 'Slot', slots: [object], index: 0 };
  }

  store(target: AmlTerm, value: AmlObject, frame: Frame): void {
    this.#storeTerm(target, value, frame, true);
  }

  copyTo(target: AmlTerm, value: AmlObject, frame: Frame): void {
    this.#storeTerm(target, value, frame, false);
  }

  #storeTerm(term: AmlTerm, value: AmlObject, frame: Frame, convert: boolean): void {
    if (term.kind === 'NameString' && term.path === '') return;
    if (term.kind === 'DebugObj') {
      this.debug(value);
      return;
    }
    const target = this.target(term, frame);
    if (!target) return;
    const held = target.kind === 'Slot' ? target.slots[target.index] : undefined;
    // A store to an argument that was passed by RefOf goes through to what it refers to (§19.3.5.8).
    const through = held?.type === 'Reference' && held.target.kind !== 'Element' && term.kind.startsWith('Arg');
    storeInto(this, through ? held.target : target, value, convert && !(target.kind === 'Slot' && !through));
  }

  find(name: NameTerm, frame: Frame): NamespaceNode {
    const node = findNode(frame.scope, name.path);
    if (!node)
      throw evaluationError('AE_NOT_FOUND', `${formatPath(name.path)} is declared nowhere`, frame.scope.displayPath);
    return node;
  }

  declare(name: NameTerm, frame: Frame, object: AmlObject | (() => AmlObject)): NamespaceNode {
    const { parent, segment } = this.#place(name, frame);
    const node = new NamespaceNode(segment, parent, typeof object === 'function' ? UNINITIALIZED : object);
    if (typeof object === 'function') node.defer(object);
    return this.#add(node, frame);
  }

  alias(name: NameTerm, target: NamespaceNode, frame: Frame): void {
    const { parent, segment } = this.#place(name, frame);
    this.#add(new NamespaceNode(segment, parent, UNINITIALIZED, target.aliasOf ?? target), frame);
  }

  #place(name: NameTerm, frame: Frame): { parent: NamespaceNode; segment: string } {
    const { parent, segment } = declarationPlace(frame.scope, name.path);
    const path = formatPath(name.path);
    if (!parent)
      throw evaluationError('AE_NOT_FOUND', `the scope of ${path} is declared nowhere`, frame.scope.displayPath);
    if (parent.children.has(segment))
      throw evaluationError('AE_ALREADY_EXISTS', `${path} is declared twice`, frame.scope.displayPath);
    return { parent, segment };
  }

  #add(node: NamespaceNode, frame: Frame): NamespaceNode {
    node.parent?.children.set(node.segment, node);
    frame.created?.push(node);
    return node;
  }

  deferred(frame: Frame, make: () => AmlObject): AmlObject | (() => AmlObject) {
    return frame.created ? make() : make;
  }

  within(frame: Frame, scope: NamespaceNode): Frame {
    return { ...frame, scope: scope.aliasOf ?? scope };
  }

  get time(): bigint {
    return this.#time;
  }

  sleep(hundredNanoseconds: bigint): void {
    this.#time += hundredNanoseconds;
  }

  notify(path: string, value: bigint): void {
    this.notifications.push({ path, value });
  }

  debug(value: AmlObject): void {
    this.debugOutput.push(copyObject(value));
  }

  fatal(type: number, code: number, argument: bigint): void {
    this.report(`Fatal (0x${type.toString(16)}, 0x${code.toString(16)}, 0x${argument.toString(16)})`, '');
  }

  report(message: string, path: string): void {
    this.problems.push({ path, message });
  }
}

type Slot = Extract<ReferenceTarget, { kind: 'Slot' }>;

/** The slot of Local0 to Local7 and Arg0 to Arg6. */
function slotOf({ kind }: AmlTerm, frame: Frame): Slot | undefined {
  const index = kind.charCodeAt(kind.length - 1) - 0x30;
  if (kind.length === 6 && kind.startsWith('Local')) return { kind: 'Slot', slots: frame.locals, index };
  if (kind.length === 4 && kind.startsWith('Arg')) return { kind: 'Slot', slots: frame.args, index };
  return undefined;
}

const newFrame = (scope: NamespaceNode): Frame => ({
  scope,
  locals: new Array<AmlObject>(8).fill(UNINITIALIZED),
  args: new Array<AmlObject>(7).fill(UNINITIALIZED),
  created: [],
  depth: 0,
});

/** The error with the innermost method as its place. */
function withPath(error: unknown, path: string): unknown {
  if (!(error instanceof UserError) || error.place.path !== undefined) return error;
  return new UserError(error.code, error.message, { place: { path }, mend: error.mend, cause: error });
}

/** The type of a node's object; one that cannot be made has none. */
function safeType(node: NamespaceNode): AmlObject['type'] {
  try {
    return node.object.type;
  } catch (error) {
    if (error instanceof UserError) return 'Uninitialized';
    throw error;
  }
}
