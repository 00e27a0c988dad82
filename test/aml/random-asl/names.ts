import type { Random } from './random.ts';

export type Kind =
  | 'Integer'
  | 'String'
  | 'Buffer'
  | 'Package'
  | 'Method'
  | 'Field'
  | 'Region'
  | 'Mutex'
  | 'Event'
  | 'Device'
  | 'Power';

/** The letter that names of a kind begin with: a source reads better so. */
const LETTERS: Readonly<Record<Kind, string>> = {
  Integer: 'I',
  String: 'S',
  Buffer: 'B',
  Package: 'P',
  Method: 'M',
  Field: 'F',
  Region: 'R',
  Mutex: 'X',
  Event: 'E',
  Device: 'D',
  Power: 'W',
};

export interface Declared {
  readonly kind: Kind;
  /** Segments from the root. */
  readonly path: readonly string[];
  readonly argumentCount: number;
  /** Counts the declarations. */
  readonly order: number;
}

/** What a random source has declared outside of methods; no segment is used twice. */
export class Names {
  readonly #random: Random;
  readonly #declared: Declared[] = [];
  /** Methods call those behind them, or those before: iasl refuses most recursion. */
  readonly #callsForward: boolean;
  #count = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#callsForward = random.chance(0.5);
  }

  fresh(kind: Kind): string {
    return LETTERS[kind] + (this.#count++).toString(36).toUpperCase().padStart(3, '0');
  }

  declare(kind: Kind, scope: readonly string[], argumentCount = 0): string {
    const segment = this.fresh(kind);
    this.#declared.push({ kind, path: [...scope, segment], argumentCount, order: this.#declared.length });
    return segment;
  }

  get count(): number {
    return this.#declared.length;
  }

  any(kind: Kind): Declared | undefined {
    const found = this.#declared.filter((declared) => declared.kind === kind);
    return found.length === 0 ? undefined : this.#random.pick(found);
  }

  /** A method that the one with the given order may call. */
  callable(caller: number): Declared | undefined {
    const found = this.#declared.filter(
      ({ kind, order }) => kind === 'Method' && (this.#callsForward ? order > caller : order < caller),
    );
    return found.length === 0 ? undefined : this.#random.pick(found);
  }

  /** One of the ways to write `path` in `scope`. */
  reference({ path }: Declared, scope: readonly string[]): string {
    const forms = [`\\${path.join('.')}`];
    let common = 0;
    while (common < path.length - 1 && path[common] === scope[common]) common++;
    forms.push('^'.repeat(scope.length - common) + path.slice(common).join('.'));
    // The search upwards finds a single segment.
    if (common === path.length - 1) forms.push(path[common], path[common]);
    return this.#random.pick(forms);
  }
}
