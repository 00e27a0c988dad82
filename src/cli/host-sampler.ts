import { Session } from 'node:inspector';
import type { HostProfile } from '../emulator/debug/host-tiers.ts';

/** Microseconds between two looks at what the host runs: often enough for a second's run, and of no weight. */
const INTERVAL = 500;

/** Samples what this thread runs, generated code included. It costs the run some hundredths, and changes nothing that the guest does. */
export class HostSampler {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.setSamplingInterval', { interval: INTERVAL });
    this.#session.post('Profiler.start');
  }

  /** Ends the sampling. */
  stop(): HostProfile {
    let taken: HostProfile = { nodes: [] };
    // The session is this thread's own: it answers at once.
    this.#session.post('Profiler.stop', (error, result) => {
      if (error !== null) throw error;
      taken = result.profile;
    });
    this.#session.disconnect();
    return taken;
  }
}
