/**
 * Keeps generated interpreters, for whoever starts processors often: generating one takes a fifth of a second. The key states everything that
 * the bytes depend on but this package's own code, with which a store must be emptied.
 */
export interface InterpreterStore {
  load(key: string): Uint8Array<ArrayBuffer> | undefined;
  /** Called with what had to be generated. */
  keep(key: string, bytes: Uint8Array<ArrayBuffer>): void;
}

/** What an interpreter is generated for. */
export interface InterpreterTraits {
  readonly features: ReadonlySet<string>;
  readonly hotEntries: number;
  readonly sharedMemory: boolean;
}

export function interpreterKey({ features, hotEntries, sharedMemory }: InterpreterTraits): string {
  return `hot after ${hotEntries}, ${sharedMemory ? 'shared' : 'private'} memory, ${[...features].sort().join(' ')}`;
}

/** The interpreter from `store`, or generated and kept there. */
export function storedOrGenerated(
  store: InterpreterStore | undefined,
  traits: InterpreterTraits,
  generate: () => Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  if (store === undefined) return generate();
  const key = interpreterKey(traits);
  const stored = store.load(key);
  if (stored !== undefined) return stored;
  const bytes = generate();
  store.keep(key, bytes);
  return bytes;
}
