import { goldenDirectory, goldenMachines } from '../test/aml/golden.ts';
import { corpusTables, mutatedTable, randomTable } from '../test/aml/mutated-tables.ts';
import { Random } from '../test/aml/random-asl/random.ts';
import { fragmentsOf, tableOfFragments } from '../test/aml/table-fragments.ts';

/** So many tables in turn take pieces of the same sources, which makes decoding those cheap. */
const TABLES_PER_SOURCE = 1000;
/** One in so many is a whole table of the corpus. */
const WHOLE_EVERY = 40;

/** Damaged tables by seed: mostly a few pieces of the corpus, of random ASL and, where golden is there, of a machine's table. */
export class DamagedTables {
  readonly #corpus = corpusTables();
  readonly #fragments = this.#corpus.map(fragmentsOf);
  readonly #golden = goldenDirectory
    ? [...goldenMachines('real-machines'), ...goldenMachines('qemu-q35')].flatMap(({ tables }) => tables)
    : [];
  #sources: Uint8Array[][] = [];
  #turn = -1;

  /** The same for the same seed. */
  at(seed: number): Uint8Array {
    const turn = Math.floor(seed / TABLES_PER_SOURCE);
    if (turn !== this.#turn) this.#sources = this.#sourcesFor(turn);
    this.#turn = turn;
    const numbers = new Random(seed);
    const isWhole = seed % WHOLE_EVERY === 0;
    const sound = isWhole ? numbers.pick(this.#corpus) : tableOfFragments(numbers.pick(this.#sources), numbers);
    return mutatedTable(sound, numbers);
  }

  #sourcesFor(turn: number): Uint8Array[][] {
    const numbers = new Random(turn);
    const random = randomTable(turn);
    const machine = this.#golden.length > 0 ? [numbers.pick(this.#golden).bytes] : [];
    const lists = [...this.#fragments, ...[...(random ? [random] : []), ...machine].map(fragmentsOf)];
    return lists.filter((fragments) => fragments.length > 0);
  }
}
