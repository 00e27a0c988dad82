/**
 * The ports that a device receives instead of the machine: interrupt, clock, dma, log (and character streams). A device never
 * sees the CPU, the machine or its own base address.
 */

/** A level-sensitive wire (INTx, an 8259 line, an I/O APIC pin). */
export interface InterruptLine {
  /** Drives the wire; the same level twice is harmless. */
  set(asserted: boolean): void;
}

/** When an alarm rings, for snapshots: its deadline (ns), and its place among alarms of the same deadline. */
export interface AlarmState {
  readonly deadline: number;
  readonly order: number;
}

/** An armed callback. */
export interface Alarm {
  readonly state: AlarmState;
  cancel(): void;
}

/** Virtual time. It runs on retired instructions: 1 instruction = 1 ns (a 1 GHz TSC); a halted CPU skips ahead. */
export interface Clock {
  /** Nanoseconds since power-on; exact at each instruction that reaches a device. */
  now(): number;
  /** Calls `callback` once, when now() ≥ `deadline` (ns), between two guest instructions. */
  schedule(deadline: number, callback: () => void): Alarm;
  /** Arms an alarm of a snapshot again, at exactly its place: the owner of each does this when it is restored. */
  rearm(state: AlarmState, callback: () => void): Alarm;
}

/** Bus-master access as seen from one requester: bridges filter it, an IOMMU may translate it. Addresses are IOVAs. */
export interface DmaPort {
  /** Fills `target`; bytes that nothing claims read as 0xff. False when any byte was refused (master abort). */
  read(iova: number, target: Uint8Array): boolean;
  write(iova: number, source: Uint8Array): boolean;
}

/** A guest's mistakes and notes: one line a site, never an exception. */
export interface DeviceLog {
  /** `site` is a stable name; a repeated site is logged once. */
  guestError(site: string, message: string): void;
}

/** Bytes out of the machine (serial, debugcon). */
export interface ByteSink {
  write(byte: number): void;
}

/** Bytes into the machine; `onData` is called by the host side when bytes arrive. */
export interface ByteSource {
  /** Next byte or −1. */
  read(): number;
  onData(callback: () => void): void;
}

/** Access size on a bus, in bytes. The CPU splits 8-byte accesses into two of 4, low half first. */
export type AccessSize = 1 | 2 | 4;

/** Registers on a bus. `offset` counts from the start of the block; values are unsigned. Never throws for a guest's access. */
export interface BusTarget {
  read(offset: number, size: AccessSize): number;
  write(offset: number, size: AccessSize, value: number): void;
}

/** A whole disk or medium: 512-byte sectors are the device's matter, this is bytes. Synchronous, so that time stays virtual. */
export interface BlockBackend {
  readonly byteLength: number;
  readonly readOnly: boolean;
  read(offset: number, target: Uint8Array): void;
  write(offset: number, source: Uint8Array): void;
  flush(): void;
}

/** The far end of a network card's cable. */
export interface NetworkBackend {
  /** A frame that the guest sent. */
  transmit(frame: Uint8Array): void;
  /** Called once by the card: where frames to the guest go, and the time by which answers may be put off. */
  connect(receive: (frame: Uint8Array) => void, clock: Clock): void;
  /** What is under way, for snapshots; a network that is outside of the machine has neither. */
  snapshot?(): unknown;
  restore?(state: unknown): void;
}

/** Deterministic bytes for virtio-rng and RDRAND: seeded, never the host's. */
export interface EntropySource {
  fill(target: Uint8Array): void;
  /** Where in its sequence it stands, for snapshots. */
  snapshot?(): unknown;
  restore?(state: unknown): void;
}
