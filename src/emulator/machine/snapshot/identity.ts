import type { MachineConfig } from '../config.ts';
import { stateHash } from '../state-hash.ts';

/** What a machine is built from, and what a snapshot therefore carries: with it, nothing else is needed to go on. */
export interface MachineInputs {
  readonly config: MachineConfig;
  readonly rom: Uint8Array;
  /** fw_cfg items by key, and files by name. */
  readonly items: ReadonlyMap<number, Uint8Array>;
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Date at power-on, seconds since 1970; undefined for the RTC's own. */
  readonly startSeconds?: number;
}

/** What makes one board another, part by part: a hash of each. */
export type BoardIdentity = Readonly<Record<string, string>>;

const textHash = (value: unknown): string => stateHash([new TextEncoder().encode(JSON.stringify(value))]);

export function boardIdentity(inputs: MachineInputs): BoardIdentity {
  const { config, rom, items, files, startSeconds } = inputs;
  const { hostBridges, ramBytes, lowRamBytes, ...rest } = config;
  return {
    memory: textHash([ramBytes, lowRamBytes]),
    'PCI devices': textHash(hostBridges),
    'processors, NUMA nodes and power management': textHash(rest),
    'date at power-on': textHash(startSeconds ?? null),
    ROM: stateHash([rom]),
    ...Object.fromEntries([...items].map(([key, bytes]) => [`fw_cfg item 0x${key.toString(16)}`, stateHash([bytes])])),
    ...Object.fromEntries([...files].map(([name, bytes]) => [`fw_cfg file ${name}`, stateHash([bytes])])),
  };
}

/** Parts in which two boards differ, by name. */
export function boardDifferences(left: BoardIdentity, right: BoardIdentity): readonly string[] {
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...names].filter((name) => left[name] !== right[name]);
}
