import { NEVER_HOT } from '../../src/emulator/cpu/interpreter/generate.ts';
import { FuzzMachine } from './fuzz-machine.ts';
import type { Program } from './program.ts';

/** Times at which the runs of a program are compared. */
const CHECKPOINTS = 12;

/** Every program runs with regions that come at once, or with some that know more of its paths, as their blocks were hot this many times later. */
const LATER = 6;
/** Of so many programs one has its regions at once: they take most of a program's time. */
const EARLY_EVERY = 4;

/**
 * Two machines run every program: the interpreter alone, and one with regions that is stopped at other times. Where they differ, the
 * interpreter runs in the other's slices too, which tells whether the regions or the slices are to blame.
 */
export class Comparison {
  readonly #regionsAfter: number;
  #interpreter: FuzzMachine;
  #regions: readonly [FuzzMachine, FuzzMachine];

  /** @param regionsAfter entries after which a block is compiled: few, so that short programs reach it */
  constructor(regionsAfter: number) {
    this.#regionsAfter = regionsAfter;
    this.#interpreter = new FuzzMachine(NEVER_HOT);
    this.#regions = machinesWithRegions(regionsAfter);
  }

  get regionsCompiled(): number {
    return this.#regions[0].regionsCompiled + this.#regions[1].regionsCompiled;
  }

  /** What differs first between the runs, in words, or what the engine threw; undefined when they agree. */
  run(program: Program): string | undefined {
    try {
      return this.#compare(program);
    } catch (error) {
      // Whatever it was about to do is left half done.
      this.#interpreter = new FuzzMachine(NEVER_HOT);
      this.#regions = machinesWithRegions(this.#regionsAfter);
      return `the engine threw ${error}`;
    }
  }

  #compare(program: Program): string | undefined {
    const interpreter = this.#interpreter;
    const regions = this.#regions[program.seed % EARLY_EVERY === 0 ? 0 : 1];
    const [slice, otherSlice] = program.slices;
    interpreter.load(program);
    regions.load(program);
    for (let point = 1; point <= CHECKPOINTS; point++) {
      const time = Math.ceil((program.length * point) / CHECKPOINTS);
      const alive = interpreter.runUntil(time, program, slice);
      regions.runUntil(time, program, otherSlice);
      const found = difference(interpreter, regions);
      if (found !== undefined) {
        const blamed = this.#interpreterAgrees(program, point) ? 'regions' : 'slices';
        return `at time ${interpreter.time} of ${program.length}: ${blamed}: ${found}`;
      }
      if (!alive) return undefined;
    }
    return undefined;
  }

  /** The interpreter in the other run's slices comes to the same state as in its own, which stands in `#interpreter`. */
  #interpreterAgrees(program: Program, points: number): boolean {
    const wanted = this.#interpreter;
    const machine = new FuzzMachine(NEVER_HOT);
    machine.load(program);
    for (let point = 1; point <= points; point++) {
      machine.runUntil(Math.ceil((program.length * point) / CHECKPOINTS), program, program.slices[1]);
    }
    return difference(wanted, machine) === undefined;
  }
}

function machinesWithRegions(regionsAfter: number): readonly [FuzzMachine, FuzzMachine] {
  return [new FuzzMachine(regionsAfter), new FuzzMachine(regionsAfter * LATER)];
}

function difference(wanted: FuzzMachine, got: FuzzMachine): string | undefined {
  if (wanted.time !== got.time) return `time ${got.time}`;
  const registers = Buffer.compare(wanted.stateBytes(), got.stateBytes());
  if (registers !== 0) return `processor state: ${wanted.describeDifference(got)}`;
  if (wanted.trace !== got.trace) return 'accesses to devices';
  if (Buffer.compare(wanted.ram, got.ram) === 0) return undefined;
  const offset = wanted.ram.findIndex((byte, index) => byte !== got.ram[index]);
  return `RAM at ${offset.toString(16)}: ${got.ram[offset].toString(16)}, not ${wanted.ram[offset].toString(16)}`;
}
