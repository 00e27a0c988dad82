import type { DeviceModel } from './device-catalog.ts';
import type { CpuTopology } from './processor-topology.ts';

/**
 * What a board consists of: the one declaration that the machine, `_PRT`, `_CRS` and the PCI plan are all built from.
 * bios/topology parses YAML and flags into this; nothing here is the firmware's choice (bus numbers, BAR addresses).
 */
export interface MachineConfig {
  /** Bytes of RAM; a whole number of MiB. */
  readonly ramBytes: number;
  /** Bytes of that below 4 GiB; the rest starts at 4 GiB. */
  readonly lowRamBytes: number;
  /** Logical processors, 1–255. */
  readonly cpus: number;
  /** How they are divided; undefined: one socket with a core for each. The product is `cpus`. */
  readonly topology?: CpuTopology;
  readonly numaNodes: readonly NumaNodeConfig[];
  /** SLP_TYP convention: QEMU's (S3 = 1, S5 = 0) or real ICH9's (S3 = 5, S5 = 7). */
  readonly pm: 'qemu' | 'ich9';
  /** The first is `pcie.0` (bus 0); the rest are PXBs, by ascending `busNumber`. */
  readonly hostBridges: readonly HostBridgeConfig[];
}

export interface NumaNodeConfig {
  readonly id: number;
  readonly bytes: number;
  /** Numbers of processors. */
  readonly cpus: readonly number[];
  /** SLIT row: distance to every node, in node order; 10 to itself. */
  readonly distances: readonly number[];
}

export interface HostBridgeConfig {
  /** Bus id that devices name, `pcie.0` or the PXB's id. */
  readonly id: string;
  readonly segment: number;
  /** First bus number below this host bridge. */
  readonly busNumber: number;
  /** NUMA node, or undefined. */
  readonly numaNode?: number;
  /** Device slot of the PXB's own function on pcie.0; undefined for pcie.0 itself. */
  readonly slot?: number;
  readonly functions: readonly PciFunctionConfig[];
}

/** One PCI function: an endpoint, or a bridge with functions behind it. */
export interface PciFunctionConfig {
  /** Unique on the board. */
  readonly id: string;
  readonly model: DeviceModel;
  /** 0–31. */
  readonly device: number;
  /** 0–7. */
  readonly function: number;
  /** BARs after the options are applied (a test device chooses its own). */
  readonly bars: readonly BarConfig[];
  /** 0 none, 1–4 INTA–INTD. */
  readonly interruptPin: 0 | 1 | 2 | 3 | 4;
  /** Options in QEMU's spelling that the model takes: `drive`, `netdev`, `chassis`, `membar` … */
  readonly options: Readonly<Record<string, string>>;
  /** For bridges: the functions on the secondary bus; undefined for endpoints. */
  readonly secondary?: readonly PciFunctionConfig[];
}

export type BarKind = 'io' | 'mem32' | 'mem32-prefetchable' | 'mem64' | 'mem64-prefetchable';

export interface BarConfig {
  /** 0–5; a 64-bit BAR takes this index and the next. */
  readonly index: number;
  readonly kind: BarKind;
  /** Bytes; a power of two. */
  readonly size: number;
}
