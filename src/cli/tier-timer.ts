import type { CpuBus } from '../emulator/cpu/bus.ts';
import type { CpuEngine } from '../emulator/cpu/engine.ts';
import type { InstrumentCall } from '../emulator/cpu/instrument.ts';
import type { TierTime } from '../emulator/debug/profile.ts';
import type { Machine } from '../emulator/machine/machine.ts';

const TIERS = {
  code: 'generated code: interpreter and regions',
  memory: 'page walks and memory beyond the TLB',
  lookup: 'finding and translating code',
  regions: 'compiling regions',
  system: 'system instructions and exceptions',
  helpers: 'x87 and SIMD helpers',
  devices: 'devices',
  machine: 'machine loop and alarms',
} as const;
type Tier = keyof typeof TIERS;

/** What the functions that generated code calls belong to; the rest are helpers of single instructions. */
const TIER_OF_CALL: Readonly<Record<string, Tier>> = {
  slowRead: 'memory',
  slowWrite: 'memory',
  slowModify: 'memory',
  slowCommit: 'memory',
  checkLimit: 'memory',
  link: 'lookup',
  lookup: 'lookup',
  hot: 'regions',
  system: 'system',
};

const MILLISECONDS = 1000;

/** Measures where host time goes, each moment in the innermost tier. It slows the guest down and changes nothing that it does. */
export class TierTimer {
  readonly #now: () => number;
  readonly #milliseconds = new Map<Tier, number>();
  readonly #calls = new Map<Tier, number>();
  #tier: Tier | undefined;
  #since = 0;

  /** `now` gives milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  readonly instrument: InstrumentCall = (name, call) => {
    const tier = TIER_OF_CALL[name] ?? 'helpers';
    return (...operands) => this.#within(tier, () => call(...operands));
  };

  /** The processor's bus with its devices measured. */
  bus(bus: CpuBus): CpuBus {
    return {
      localApic: bus.localApic,
      selectProcessor: (processor) => bus.selectProcessor?.(processor),
      hostPage: (gpa, write) => bus.hostPage(gpa, write),
      read: (gpa, size) => this.#within('devices', () => bus.read(gpa, size)),
      write: (gpa, size, value) => this.#within('devices', () => bus.write(gpa, size, value)),
      portRead: (port, size) => this.#within('devices', () => bus.portRead(port, size)),
      portWrite: (port, size, value) => this.#within('devices', () => bus.portWrite(port, size, value)),
      now: () => bus.now(),
      interruptPending: (processor) => bus.interruptPending(processor),
      acknowledgeInterrupt: () => bus.acknowledgeInterrupt(),
    };
  }

  engine(engine: CpuEngine): CpuEngine {
    const run = engine.run.bind(engine);
    return Object.assign(engine, {
      run: (maxInstructions: number) => this.#within('code', () => run(maxInstructions)),
    });
  }

  machine(machine: Machine): Machine {
    const run = machine.run.bind(machine);
    return Object.assign(machine, {
      run: (limit: Parameters<Machine['run']>[0]) => this.#within('machine', () => run(limit)),
    });
  }

  /** Most time first; tiers that never ran are left out. */
  times(): readonly TierTime[] {
    return [...this.#milliseconds]
      .sort(([, left], [, right]) => right - left)
      .map(([tier, milliseconds]) => ({
        name: TIERS[tier],
        seconds: milliseconds / MILLISECONDS,
        calls: this.#calls.get(tier),
      }));
  }

  #within<T>(tier: Tier, action: () => T): T {
    const outer = this.#tier;
    this.#switchTo(tier);
    this.#calls.set(tier, (this.#calls.get(tier) ?? 0) + 1);
    try {
      return action();
    } finally {
      this.#switchTo(outer);
    }
  }

  #switchTo(tier: Tier | undefined): void {
    const now = this.#now();
    if (this.#tier !== undefined) {
      this.#milliseconds.set(this.#tier, (this.#milliseconds.get(this.#tier) ?? 0) + now - this.#since);
    }
    this.#tier = tier;
    this.#since = now;
  }
}
