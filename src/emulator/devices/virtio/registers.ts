import type { Capability } from '../../pci/config-space.ts';
import { plain, type Registers, RO, RW } from '../../registers/declaration.ts';

/** Feature bits that belong to the transport and the rings (virtio 1.0 §6). */
export const VIRTIO_F = { RING_INDIRECT_DESC: 1n << 28n, RING_EVENT_IDX: 1n << 29n, VERSION_1: 1n << 32n } as const;

/** Device status (virtio 1.0 §2.1). */
export const VIRTIO_STATUS = {
  ACKNOWLEDGE: 0x01,
  DRIVER: 0x02,
  DRIVER_OK: 0x04,
  FEATURES_OK: 0x08,
  NEEDS_RESET: 0x40,
  FAILED: 0x80,
} as const;

/** ISR status (virtio 1.0 §4.1.4.5). */
export const VIRTIO_ISR = { QUEUE: 1, CONFIG: 2 } as const;

/** "No vector" in the MSI-X vector fields (virtio 1.0 §4.1.5.1.2). */
export const NO_VECTOR = 0xffff;

/** Common configuration structure (virtio 1.0 §4.1.4.3): offsets. */
export const COMMON = {
  DEVICE_FEATURE_SELECT: 0x00,
  DEVICE_FEATURE: 0x04,
  DRIVER_FEATURE_SELECT: 0x08,
  DRIVER_FEATURE: 0x0c,
  MSIX_CONFIG: 0x10,
  NUM_QUEUES: 0x12,
  DEVICE_STATUS: 0x14,
  CONFIG_GENERATION: 0x15,
  QUEUE_SELECT: 0x16,
  QUEUE_SIZE: 0x18,
  QUEUE_MSIX_VECTOR: 0x1a,
  QUEUE_ENABLE: 0x1c,
  QUEUE_NOTIFY_OFF: 0x1e,
  QUEUE_DESC: 0x20,
  QUEUE_DRIVER: 0x28,
  QUEUE_DEVICE: 0x30,
} as const;

/** Structures by `cfg_type` (virtio 1.0 §4.1.4). */
const CFG_TYPE = { COMMON: 1, NOTIFY: 2, ISR: 3, DEVICE: 4, PCI: 5 } as const;

/** Where the structures lie: BAR 4, a page each, as QEMU has them. */
export const VIRTIO_BAR = 4;
export const VIRTIO_REGIONS = {
  COMMON: { offset: 0x0000, size: 0x1000 },
  ISR: { offset: 0x1000, size: 0x1000 },
  DEVICE: { offset: 0x2000, size: 0x1000 },
  NOTIFY: { offset: 0x3000, size: 0x1000 },
} as const;
/** Bytes between the notify addresses of two queues. */
export const NOTIFY_MULTIPLIER = 4;
/** MSI-X table and pending bits in BAR 1. */
export const VIRTIO_MSIX = { bar: 1, tableOffset: 0, pbaOffset: 0x800 } as const;

interface Region {
  readonly offset: number;
  readonly size: number;
}

function capability(name: string, cfgType: number, region: Region, more: Registers = {}): Capability {
  const byteLength = 16 + 4 * Object.keys(more).length;
  return {
    name,
    id: 0x09,
    byteLength,
    registers: {
      CAP_LENGTH: plain(2, 1, RO, byteLength),
      CFG_TYPE: plain(3, 1, RO, cfgType),
      BAR: plain(4, 1, RO, VIRTIO_BAR),
      OFFSET: plain(8, 4, RO, region.offset),
      LENGTH: plain(12, 4, RO, region.size),
      ...more,
    },
  };
}

/** The vendor capabilities that lead a driver to the structures (virtio 1.0 §4.1.4). */
export const VIRTIO_CAPABILITIES = {
  COMMON: capability('VIRTIO_COMMON', CFG_TYPE.COMMON, VIRTIO_REGIONS.COMMON),
  ISR: capability('VIRTIO_ISR', CFG_TYPE.ISR, VIRTIO_REGIONS.ISR),
  DEVICE: capability('VIRTIO_DEVICE', CFG_TYPE.DEVICE, VIRTIO_REGIONS.DEVICE),
  NOTIFY: capability('VIRTIO_NOTIFY', CFG_TYPE.NOTIFY, VIRTIO_REGIONS.NOTIFY, {
    MULTIPLIER: plain(16, 4, RO, NOTIFY_MULTIPLIER),
  }),
  /** A window into the BARs for firmware that cannot map them (virtio 1.0 §4.1.4.7). */
  PCI: {
    name: 'VIRTIO_PCI',
    id: 0x09,
    byteLength: 20,
    registers: {
      CAP_LENGTH: plain(2, 1, RO, 20),
      CFG_TYPE: plain(3, 1, RO, CFG_TYPE.PCI),
      BAR: plain(4, 1, RW),
      OFFSET: plain(8, 4, RW),
      LENGTH: plain(12, 4, RW),
      DATA: plain(16, 4, RW),
    },
  },
} as const satisfies Record<string, Capability>;
