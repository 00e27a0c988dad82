import { MIB } from '../../shared/bytes.ts';
import type { BarConfig } from './config.ts';

/** Models by QEMU's `-device` names, so that one board description drives our machine and QEMU's. */
export type DeviceModel =
  | 'pcie-root-port'
  | 'pci-bridge'
  | 'i82801b11-bridge'
  | 'virtio-blk-pci'
  | 'virtio-net-pci'
  | 'virtio-rng-pci'
  | 'virtio-serial-pci'
  | 'edu'
  | 'pci-testdev'
  | 'q35-testdev';

export type DeviceKind = 'root-port' | 'conventional-bridge' | 'endpoint';

/** What the outside (planner, tables, machine) must know of a model. Behaviour is in emulator/devices and emulator/pci. */
export interface DeviceFacts {
  readonly kind: DeviceKind;
  readonly vendorId: number;
  readonly deviceId: number;
  readonly revision: number;
  /** 24 bits: base class, subclass, programming interface. */
  readonly classCode: number;
  readonly bars: readonly BarConfig[];
  /** 0 none, 1 INTA. */
  readonly interruptPin: 0 | 1;
  /** Has a PCI Express capability (when on an Express bus). */
  readonly express: boolean;
  /** MSI-X vectors, 0 for none. */
  readonly msixVectors: number;
  /** Message Signalled Interrupts capability. */
  readonly msi: boolean;
  /** Options that the model accepts besides id, bus and addr. */
  readonly options: readonly string[];
}

const virtioBars: readonly BarConfig[] = [
  { index: 1, kind: 'mem32', size: 0x1000 },
  { index: 4, kind: 'mem64-prefetchable', size: 0x4000 },
];

function virtio(deviceType: number, classCode: number, msixVectors: number, options: readonly string[]): DeviceFacts {
  return {
    kind: 'endpoint',
    vendorId: 0x1af4,
    // Modern-only (virtio 1.0 §4.1.2.1): 0x1040 + device type; QEMU's `disable-legacy=on,disable-modern=off`.
    deviceId: 0x1040 + deviceType,
    revision: 1,
    classCode,
    bars: virtioBars,
    interruptPin: 1,
    express: true,
    msixVectors,
    msi: false,
    options,
  };
}

export const DEVICE_CATALOG: Readonly<Record<DeviceModel, DeviceFacts>> = {
  'pcie-root-port': {
    kind: 'root-port',
    vendorId: 0x1b36,
    deviceId: 0x000c,
    revision: 0,
    classCode: 0x06_04_00,
    bars: [{ index: 0, kind: 'mem32', size: 0x1000 }],
    interruptPin: 1,
    express: true,
    msixVectors: 1,
    msi: false,
    options: ['chassis', 'slot', 'port', 'io-reserve', 'mem-reserve', 'pref64-reserve', 'bus-reserve', 'hotplug'],
  },
  'pci-bridge': {
    kind: 'conventional-bridge',
    vendorId: 0x1b36,
    deviceId: 0x0001,
    revision: 0,
    classCode: 0x06_04_00,
    bars: [],
    interruptPin: 0,
    express: false,
    msixVectors: 0,
    msi: false,
    // QEMU's pci-bridge has an SHPC register BAR unless shpc=off, which is what a board passes to QEMU.
    options: ['chassis_nr'],
  },
  'i82801b11-bridge': {
    kind: 'conventional-bridge',
    vendorId: 0x8086,
    deviceId: 0x244e,
    revision: 0x92,
    classCode: 0x06_04_01,
    bars: [],
    interruptPin: 0,
    express: false,
    msixVectors: 0,
    msi: false,
    options: [],
  },
  'virtio-net-pci': virtio(1, 0x02_00_00, 4, ['netdev', 'mac']),
  'virtio-blk-pci': virtio(2, 0x01_00_00, 2, ['drive', 'serial']),
  'virtio-serial-pci': virtio(3, 0x07_80_00, 2, ['max_ports', 'chardev']),
  'virtio-rng-pci': virtio(4, 0x00_ff_00, 2, ['rng', 'max-bytes', 'period']),
  edu: {
    kind: 'endpoint',
    vendorId: 0x1234,
    deviceId: 0x11e8,
    revision: 0x10,
    classCode: 0x00_ff_00,
    bars: [{ index: 0, kind: 'mem32', size: MIB }],
    interruptPin: 1,
    express: false,
    msixVectors: 0,
    msi: true,
    options: ['dma_mask'],
  },
  'pci-testdev': {
    kind: 'endpoint',
    vendorId: 0x1b36,
    deviceId: 0x0005,
    revision: 0,
    classCode: 0x00_ff_00,
    // `membar=SIZE` adds BAR 2: 64-bit prefetchable address space with nothing behind it, as in QEMU.
    bars: [
      { index: 0, kind: 'mem32', size: 0x1000 },
      { index: 1, kind: 'io', size: 0x100 },
    ],
    interruptPin: 0,
    express: false,
    msixVectors: 0,
    msi: false,
    options: ['membar'],
  },
  'q35-testdev': {
    kind: 'endpoint',
    vendorId: 0x1b36,
    deviceId: 0x35ed,
    revision: 1,
    classCode: 0x00_ff_00,
    // `bar0=mem32:64K`, `bar2=mem64-prefetchable:8G` … choose the BARs; registers, DMA and interrupts sit in the first memory BAR.
    bars: [],
    interruptPin: 1,
    express: true,
    msixVectors: 4,
    msi: true,
    options: ['bar0', 'bar1', 'bar2', 'bar3', 'bar4', 'bar5'],
  },
};
