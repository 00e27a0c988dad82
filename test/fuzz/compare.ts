import { FuzzMachine } from './fuzz-machine.ts';
import type { Program } from './program.ts';

/** Times at which the runs of a program are compared. */
const CHECKPOINTS = 12;

/** The machines that run every program: the interpreter alone, regions with the same slices, and one of both in other slices. */
export class Comparison {
  readonly #interpreter: FuzzMachine;
  readonly #regions: FuzzMachine;
  readonly #otherSlices: readonly [FuzzMachine, FuzzMachine];

  /**
   * @param interpreterOnly a threshold that is never reached
   * @param regionsAfter entries after which a block is compiled: few, so that short programs reach it
   */
  constructor(interpreterOnly: number, regionsAfter: number) {
    this.#interpreter = new FuzzMachine(interpreterOnly);
    this.#regions = new FuzzMachine(regionsAfter);
    this.#otherSlices = [new FuzzMachine(interpreterOnly), new FuzzMachine(regionsAfter)];
  }

  get regionsCompiled(): number {
    return this.#regions.regionsCompiled + this.#otherSlices[1].regionsCompiled;
  }

  /** What differs first between the runs, in words; undefined when nothing does. */
  run(program: Program): string | undefined {
    const other = this.#otherSlices[program.seed & 1];
    const [slice, otherSlice] = program.slices;
    const runs = [
      { machine: this.#interpreter, slice },
      { machine: this.#regions, slice },
      { machine: other, slice: otherSlice },
    ];
    for (const { machine } of runs) machine.load(program);
    for (let point = 1; point <= CHECKPOINTS; point++) {
      const time = Math.ceil((program.length * point) / CHECKPOINTS);
      const alive = runs.map(({ machine, slice }) => machine.runUntil(time, program, slice));
      const found =
        difference(this.#interpreter, this.#regions, 'regions') ??
        difference(this.#interpreter, other, other === this.#otherSlices[0] ? 'other slices' : 'regions, other slices');
      if (found !== undefined) return `at time ${this.#interpreter.time} of ${program.length}: ${found}`;
      if (!alive[0]) return undefined;
    }
    return undefined;
  }
}

function difference(wanted: FuzzMachine, got: FuzzMachine, name: string): string | undefined {
  if (wanted.time !== got.time) return `${name}: time ${got.time}`;
  const registers = Buffer.compare(wanted.stateBytes(), got.stateBytes());
  if (registers !== 0) return `${name}: processor state: ${wanted.describeDifference(got)}`;
  if (wanted.trace !== got.trace) return `${name}: accesses to devices`;
  if (Buffer.compare(wanted.ram, got.ram) === 0) return undefined;
  const offset = wanted.ram.findIndex((byte, index) => byte !== got.ram[index]);
  return `${name}: RAM at ${offset.toString(16)}: ${got.ram[offset].toString(16)}, not ${wanted.ram[offset].toString(16)}`;
}
