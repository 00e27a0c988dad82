import type { BarKind, PciFunctionConfig } from '../../emulator/machine/config.ts';

/** bus, device, function of one segment. */
export interface Bdf {
  readonly segment: number;
  readonly bus: number;
  readonly device: number;
  readonly function: number;
}

/** An address range; `size` 0 means that the window is closed. Bytes. */
export interface Window {
  readonly base: number;
  readonly size: number;
}

export type WindowKind = 'io' | 'mem32' | 'mem64-prefetchable';

/** Where one BAR stands and why. */
export interface BarAssignment {
  readonly index: number;
  readonly kind: BarKind;
  readonly base: number;
  readonly size: number;
  /** One sentence for people: which window it was taken from, what its alignment costs. */
  readonly explanation: string;
}

/** A function of the board after planning. */
export interface PlannedFunction {
  readonly id: string;
  readonly bdf: Bdf;
  readonly config: PciFunctionConfig;
  readonly bars: readonly BarAssignment[];
  /** Undefined without INTx. */
  readonly interrupt?: PlannedInterrupt;
  /** For bridges. */
  readonly bridge?: PlannedBridge;
}

/** The swizzled way of INTA–D (1–4) to the root: PIRQA–H (0–7), the 8259 line that the ROM routes it to, the GSI (16–23). */
export interface PlannedInterrupt {
  readonly pin: 1 | 2 | 3 | 4;
  readonly rootPin: 1 | 2 | 3 | 4;
  readonly rootDevice: number;
  readonly pirq: number;
  readonly irq: number;
  readonly gsi: number;
}

export interface PlannedBridge {
  readonly primaryBus: number;
  readonly secondaryBus: number;
  readonly subordinateBus: number;
  readonly windows: Readonly<Record<WindowKind, Window>>;
  readonly explanations: Readonly<Record<WindowKind, string>>;
  readonly functions: readonly PlannedFunction[];
}

export interface PlannedHostBridge {
  readonly id: string;
  readonly uid: number;
  readonly segment: number;
  readonly firstBus: number;
  readonly lastBus: number;
  readonly numaNode?: number;
  /**
   * What its `_CRS` offers: ranges that belong to this host bridge alone. The fixed ranges of pcie.0 (I/O below 0x1000, VGA memory)
   * are not the plan's: the DSDT adds them.
   */
  readonly windows: Readonly<Record<WindowKind, readonly Window[]>>;
  readonly functions: readonly PlannedFunction[];
}

/** One write to config space, in the order in which the ROM replays them through ECAM. */
export interface ConfigWrite {
  readonly bus: number;
  readonly device: number;
  readonly function: number;
  /** Register offset, 0–0xfff. */
  readonly offset: number;
  readonly size: 1 | 2 | 4;
  readonly value: number;
}

/** The PCI resource plan: an artifact of its own. */
export interface PciPlan {
  readonly hostBridges: readonly PlannedHostBridge[];
  readonly ecam: Window;
  readonly writes: readonly ConfigWrite[];
}

/**
 * fw_cfg file in which the plan travels. Layout, little-endian: header { magic 'Q35P', version u32 = 1, count u32, reserved u32 },
 * then `count` entries of 16 bytes { bus u8, devfn u8, offset u16, size u8, reserved u8[3], value u32, reserved u32 }.
 */
export const PLAN_FILE_NAME = 'etc/q35/plan';
export const PLAN_MAGIC = 0x5035_3351;
