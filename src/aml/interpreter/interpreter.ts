import { UserError } from '../../shared/errors.ts';
import type { DecodedSet, SourceTable } from '../decode.ts';
import { parseNameString } from '../name-string.ts';
import type { AmlTerm } from '../tree.ts';
import { DEFAULT_LIMITS, type EvaluationLimits } from './budget.ts';
import type { IntegerBytes } from './conversions.ts';
import { evaluationError } from './evaluation-error.ts';
import { Executor, newFrame } from './executor.ts';
import { LoadedTables } from './loaded-tables.ts';
import { findNode, NamespaceNode } from './namespace-tree.ts';
import type { AmlObject } from './objects.ts';
import type { ExecutionObserver } from './observer.ts';
import { osiStrings, predefinedObjects } from './predefined.ts';
import { type AbsentRegion, ObservedRegions, type RegionHandlers } from './regions.ts';
import type { Frame } from './run.ts';
import { type Semantics, SPEC_SEMANTICS } from './semantics.ts';

export interface InterpreterOptions {
  /** What stands behind operation regions; hardware without a handler is absent and reads as `fill`. */
  readonly regions?: RegionHandlers;
  /** Byte that absent hardware reads as until it is written. Default 0. */
  readonly fill?: number;
  /** What `_OSI` answers with true. Default: all that `semantics` has. */
  readonly osi?: readonly string[];
  readonly semantics?: Semantics;
  readonly limits?: Partial<EvaluationLimits>;
  /** The firmware's other tables, which LoadTable and DataTableRegion find. */
  readonly installed?: readonly SourceTable[];
  readonly observer?: ExecutionObserver;
  /** Keep where each term starts in its table, for `offsetOf`. */
  readonly offsets?: boolean;
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

/**
 * Runs AML: loads definition blocks into a namespace and evaluates what is in it. Time is virtual, hardware is a port, nothing
 * depends on the host. Errors are UserErrors whose message begins with ACPICA's name for them.
 */
export class AmlInterpreter {
  readonly root = new NamespaceNode('', undefined, { type: 'Scope' });
  readonly problems: InterpreterProblem[] = [];
  readonly notifications: Notification[] = [];
  /** What was stored into Debug. */
  readonly debugOutput: AmlObject[] = [];
  readonly #tables: LoadedTables;
  readonly #regions: ObservedRegions;
  readonly #executor: Executor;
  /** Evaluations inside one another: a debugger asks for values while one stands still. */
  #evaluating = 0;

  /** Loads `tables`, the DSDT first. What a table does wrong at load time goes to `problems`. Throws as `decodeTables`. */
  constructor(tables: readonly SourceTable[], options: InterpreterOptions = {}) {
    const { regions = {}, fill = 0, semantics = SPEC_SEMANTICS, limits, observer } = options;
    this.#tables = new LoadedTables(tables, options, (table, scope) => this.#executor.loadTable(table.terms, scope));
    this.#regions = new ObservedRegions(
      regions,
      fill,
      () => this.#executor.observer,
      () => this.#executor.budget.step(),
    );
    this.#executor = new Executor({
      integerBytes: (this.set.tables[0]?.header.revision ?? 2) < 2 ? 4 : 8,
      semantics,
      limits: { ...DEFAULT_LIMITS, ...limits },
      regions: this.#regions,
      tables: this.#tables,
      events: {
        notify: (path, value) => this.notifications.push({ path, value }),
        debug: (value) => this.debugOutput.push(value),
        report: (message, path) => this.problems.push({ path, message }),
      },
    });
    this.observer = observer;
    const osi = new Set(options.osi ?? osiStrings(semantics));
    for (const [segment, object] of predefinedObjects(osi, this.#executor.all)) {
      this.root.children.set(segment, new NamespaceNode(segment, this.root, object));
    }
    for (const table of this.set.tables) this.#executor.loadTable(table.terms, this.root);
  }

  /** The tables as they were decoded, those that AML loaded at the end. */
  get set(): DecodedSet {
    return this.#tables.set;
  }

  get integerBytes(): IntegerBytes {
    return this.#executor.integerBytes;
  }

  /** Where `term` starts in its table's bytes; nothing without the option `offsets`. */
  offsetOf(term: AmlTerm): number | undefined {
    for (const { offsets } of this.set.tables) {
      const offset = offsets?.get(term);
      if (offset !== undefined) return offset;
    }
    return undefined;
  }

  /** A frame in which names are looked up from the root. */
  rootFrame(): Frame {
    return newFrame(this.root);
  }

  get observer(): ExecutionObserver | undefined {
    return this.#executor.observer;
  }

  set observer(observer: ExecutionObserver | undefined) {
    this.#executor.observer = observer;
  }

  /** Regions that were used and have no hardware behind them, by path. */
  get absentRegions(): ReadonlyMap<string, AbsentRegion> {
    return this.#regions.absent.used;
  }

  /** Absolute paths, as ASL writes them, of all objects of `type`, parents first. */
  paths(type: AmlObject['type']): string[] {
    const paths: string[] = [];
    for (const node of this.root.walk()) {
      if (!node.aliasOf && node !== this.root && safeType(node) === type) paths.push(node.displayPath);
    }
    return paths;
  }

  /** The node that `path`, as ASL writes it, names; nothing when there is none. */
  node(path: string): NamespaceNode | undefined {
    return findNode(this.root, parseNameString(path).path);
  }

  /** True when `path` names something. */
  has(path: string): boolean {
    return this.node(path) !== undefined;
  }

  /**
   * Evaluates the object at `path`: a method is run with `args`, a field is read, data is taken as it is.
   * Throws `AML_NOT_FOUND` and the other evaluation errors.
   */
  evaluate(path: string, args: readonly AmlObject[] = []): AmlObject {
    const node = this.node(path);
    if (!node) throw evaluationError('AE_NOT_FOUND', 'nothing is declared here', path);
    return this.evaluateNode(node, args);
  }

  /** The same for a node of this interpreter's namespace. */
  evaluateNode(node: NamespaceNode, args: readonly AmlObject[] = []): AmlObject {
    return this.#evaluation(() => {
      const { object } = node;
      return object.type === 'Method' ? this.#executor.invoke(node, object, args, 0) : this.#executor.readField(object);
    });
  }

  /** The value of a term inside a frame, beside whatever runs there. Throws the evaluation errors. */
  evaluateTerm(term: AmlTerm, frame: Frame): AmlObject {
    return this.#evaluation(() => this.#executor.data(term, frame));
  }

  /** Stores into what `path` names, as Store does. Throws the evaluation errors. */
  store(path: string, value: AmlObject): void {
    this.#evaluation(() => this.#executor.store(parseNameString(path), value, newFrame(this.root)));
  }

  #evaluation<Result>(run: () => Result): Result {
    if (this.#evaluating === 0) this.#executor.budget.restart();
    this.#evaluating++;
    try {
      return run();
    } finally {
      this.#evaluating--;
      if (this.#evaluating === 0) this.#executor.mutexes.releaseAll();
    }
  }
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
