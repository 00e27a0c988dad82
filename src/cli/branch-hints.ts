import { setFlagsFromString } from 'node:v8';

/** From this Node on branch hints are on by themselves. */
const NODE_WITH_HINTS = 26;

/** Lets V8 heed the branch hints of the engine's code; to be called before the first module is compiled. */
export function heedBranchHints(): void {
  const [major] = process.versions.node.split('.');
  if (Number(major) < NODE_WITH_HINTS) setFlagsFromString('--experimental-wasm-branch-hinting');
}
