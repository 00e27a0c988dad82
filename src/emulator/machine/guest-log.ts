import type { Logger } from '../../shared/logger.ts';
import type { DeviceLog } from './ports.ts';

/** A guest's mistakes, one warning a site; the rest is counted. */
export class GuestLog implements DeviceLog {
  readonly #logger: Logger;
  readonly #counts = new Map<string, number>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  guestError(site: string, message: string): void {
    const seen = this.#counts.get(site) ?? 0;
    this.#counts.set(site, seen + 1);
    if (seen === 0) this.#logger.warn(`guest: ${site}: ${message}`);
  }

  /** How often each site spoke. */
  counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}
