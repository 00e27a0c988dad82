import { setFlagsFromString } from 'node:v8';

/** Calls of a function before V8's last tier takes it: reading one machine's tables stays below, a directory of machines does not. */
const CALLS_BEFORE_LAST_TIER = 100_000;

/**
 * For commands that mostly run for about a second: V8's last compiler then takes more CPU time than its code gives back. Nothing
 * happens to functions that the tiers before compile, nor to WebAssembly.
 */
export function expectShortRun(): void {
  setFlagsFromString(`--invocation-count-for-turbofan=${CALLS_BEFORE_LAST_TIER}`);
}
