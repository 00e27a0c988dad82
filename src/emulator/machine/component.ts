/** A part of the machine whose state a snapshot holds as JSON: numbers, texts, truth values, lists and objects of them. */
export interface Snapshotable {
  snapshot(): unknown;
  /** Takes up what `snapshot` gave, after a reset. */
  restore(state: never): void;
}

/** A part with the name and version under which a snapshot knows it. A change of what its state means gets a new version. */
export interface Component {
  readonly name: string;
  readonly version: number;
  readonly part: Snapshotable;
}

export interface ComponentState {
  readonly version: number;
  readonly state: unknown;
}

export type ComponentStates = Readonly<Record<string, ComponentState>>;

export function snapshotComponents(components: readonly Component[]): ComponentStates {
  return Object.fromEntries(components.map(({ name, version, part }) => [name, { version, state: part.snapshot() }]));
}

/** Restores in the order of `components`: `mismatchOf` found nothing to say against it. */
export function restoreComponents(components: readonly Component[], states: ComponentStates): void {
  for (const { name, part } of components) part.restore(states[name].state as never);
}

/** What keeps `states` from being restored: a part that is missing on either side, or of another version. */
export function mismatchOf(components: readonly Component[], states: ComponentStates): string | undefined {
  for (const { name, version } of components) {
    const saved = states[name];
    if (saved === undefined) return `it knows nothing of ${name}`;
    if (saved.version !== version) return `its ${name} has version ${saved.version}, this program's ${version}`;
  }
  const known = new Set(components.map(({ name }) => name));
  const extra = Object.keys(states).find((name) => !known.has(name));
  return extra === undefined ? undefined : `this machine has no ${extra}`;
}
