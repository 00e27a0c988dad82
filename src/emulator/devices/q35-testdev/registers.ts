/**
 * What a guest finds in the first memory BAR of a q35-testdev of at least 4 KiB. Offsets in bytes, registers of 4 bytes. All other
 * bytes of all BARs are storage that reads back what was written.
 */
export const TESTDEV = {
  /** Reads "Q35T". */
  ID: 0x00,
  /** Reads the complement of what was written. */
  LIVENESS: 0x04,
  /** System address of a transfer, low and high half. */
  DMA_ADDRESS: 0x08,
  DMA_ADDRESS_HIGH: 0x0c,
  /** Byte offset in the device's buffer. */
  DMA_OFFSET: 0x10,
  DMA_COUNT: 0x14,
  /** Starts a transfer (`TESTDEV_DMA`); it is over when the write returns. */
  DMA_COMMAND: 0x18,
  /** `TESTDEV_DMA_STATUS` of the last transfer. */
  DMA_STATUS: 0x1c,
  /** Write: interrupt by MSI-X vector `value & 0xff`, by MSI, or by INTx, whichever is enabled, in that order. */
  INTERRUPT_RAISE: 0x20,
  /** Bit 0: INTx is asserted. */
  INTERRUPT_STATUS: 0x24,
  /** Write: releases INTx. */
  INTERRUPT_ACKNOWLEDGE: 0x28,
  /** Bytes that all of these take. */
  END: 0x40,
} as const;

export const TESTDEV_ID = 0x5435_3351;
export const TESTDEV_DMA = { FROM_MEMORY: 1, TO_MEMORY: 2, INTERRUPT: 0x80 } as const;
export const TESTDEV_DMA_STATUS = { IDLE: 0, DONE: 1, ABORTED: 2 } as const;
/** MSI-X table and pending bits, and the DMA buffer, in the same BAR. */
export const TESTDEV_MSIX = { tableOffset: 0x400, pbaOffset: 0x500 } as const;
export const TESTDEV_BUFFER = { offset: 0x800, size: 0x800 } as const;
/** Smallest first memory BAR that has room for the above. */
export const TESTDEV_MINIMUM_BAR = 0x1000;
