import { Flags } from '@oclif/core';
import { tiersOf } from '../emulator/debug/host-tiers.ts';
import { GuestProfile } from '../emulator/debug/profile.ts';
import { parseSymbols } from '../emulator/debug/symbols.ts';
import type { Machine } from '../emulator/machine/machine.ts';
import { readFileBytes, writeFileWhole } from './files.ts';
import { HostSampler } from './host-sampler.ts';

/** Flags of a run that is profiled. */
export const profileFlags = {
  profile: Flags.boolean({ description: 'print at the end where guest and emulator spent their time' }),
  'flame-graph': Flags.string({ description: 'write the guest functions as an SVG flame graph' }),
  symbols: Flags.string({
    description:
      "names for --profile: System.map, the guest's /proc/kallsyms, or an ELF file (kernels: boot with nokaslr)",
    multiple: true,
    multipleNonGreedy: true,
  }),
};

/** The values of `profileFlags`. */
export interface ProfileFlags {
  readonly profile: boolean;
  readonly 'flame-graph'?: string;
  readonly symbols?: readonly string[];
}

/** Instructions between two samples: a prime, so that no loop of the guest keeps step with them. */
export const SAMPLE_INSTRUCTIONS = 249_989;
const MICROSECONDS = 1e6;

/** A run under measurement. */
export class Profiler {
  readonly #profile: GuestProfile;
  readonly #flameGraph: string | undefined;
  readonly #host = new HostSampler();
  readonly #cpuBefore = process.cpuUsage();
  readonly #threadBefore = process.threadCpuUsage();
  #retired = 0;

  /** @throws UserError FILE_READ, SYMBOLS_FORMAT */
  constructor(flags: ProfileFlags) {
    this.#profile = new GuestProfile((flags.symbols ?? []).map((path) => parseSymbols(readFileBytes(path), path)));
    this.#flameGraph = flags['flame-graph'];
  }

  /** The machine stands and has not run yet. */
  start(machine: Machine): void {
    this.#retired = machine.engine.retired();
  }

  sample(machine: Machine): void {
    const retired = machine.engine.retired();
    this.#profile.sample(machine.engine.position(), retired - this.#retired);
    this.#retired = retired;
  }

  /**
   * The report as text; the flame graph goes to its file.
   * @throws UserError FILE_WRITE
   */
  finish(): string {
    const sampled = tiersOf(this.#host.stop());
    const all = secondsOf(process.cpuUsage(this.#cpuBefore));
    const own = secondsOf(process.threadCpuUsage(this.#threadBefore));
    // Samples come on the wall clock: on a busy host they stand for less CPU time.
    const scale = own / sampled.reduce((total, { seconds }) => total + seconds, Number.MIN_VALUE);
    const tiers = [
      ...sampled.map(({ name, seconds }) => ({ name, seconds: seconds * scale })),
      { name: "V8's other threads: its compilers", seconds: all - own },
    ];
    if (this.#flameGraph !== undefined) writeFileWhole(this.#flameGraph, this.#profile.svg());
    return this.#profile.text(all, tiers);
  }
}

function secondsOf({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / MICROSECONDS;
}

/** A profiler when the flags ask for one. */
export function profilerOf(flags: ProfileFlags): Profiler | undefined {
  return flags.profile || flags['flame-graph'] !== undefined ? new Profiler(flags) : undefined;
}
