import { asciiBytes } from '../../shared/bytes.ts';
import type { PciFunctionConfig } from '../machine/config.ts';
import { DEVICE_CATALOG } from '../machine/device-catalog.ts';
import type { AccessSize, BusTarget } from '../machine/ports.ts';
import { QEMU_SUBSYSTEM, type0Header } from '../pci/config-header.ts';
import { configSpace } from '../pci/config-space.ts';
import { PciFunction, type PciPorts } from '../pci/function.ts';
import type { ModelContext } from './model-context.ts';

/** The header that a guest reads (QEMU docs/specs/pci-testdev): test, width, offset, data, count, then the name. */
const HEADER = { TEST: 0, WIDTH: 1, OFFSET: 4, DATA: 8, COUNT: 12, NAME: 16 } as const;
const NAME_BYTES = 32;
const HEADER_BYTES = HEADER.NAME + NAME_BYTES;
/** Accesses that count are one byte wide. */
const WIDTH = 1;
const DATA = 0xfa;

/** One BAR of the device: the guest picks a test, then writes `DATA` at `OFFSET` and reads how many arrived. */
class TestArea implements BusTarget {
  readonly #header: Uint8Array;

  constructor(kind: 'mmio' | 'portio') {
    this.#header = new Uint8Array(HEADER_BYTES);
    this.#header.set(asciiBytes(`${kind}-no-eventfd`, NAME_BYTES), HEADER.NAME);
    this.#header[HEADER.WIDTH] = WIDTH;
    this.#header[HEADER.OFFSET] = HEADER_BYTES;
    this.#header[HEADER.DATA] = DATA;
  }

  reset(): void {
    this.#header[HEADER.TEST] = 0;
    this.#setCount(0);
  }

  read(offset: number, size: AccessSize): number {
    let value = 0;
    for (let index = size - 1; index >= 0; index--) value = value * 0x100 + (this.#header[offset + index] ?? 0);
    return value;
  }

  write(offset: number, size: AccessSize, value: number): void {
    if (offset === HEADER.TEST) {
      this.#header[HEADER.TEST] = value;
      this.#setCount(0);
    } else if (offset === HEADER_BYTES && size === WIDTH && (value & 0xff) === DATA) {
      this.#setCount(new DataView(this.#header.buffer).getUint32(HEADER.COUNT, true) + 1);
    }
  }

  #setCount(count: number): void {
    new DataView(this.#header.buffer).setUint32(HEADER.COUNT, count, true);
  }
}

/**
 * QEMU's pci-testdev (1b36:0005): counts accesses to a memory and an I/O BAR; `membar=SIZE` adds an empty 64-bit BAR of any size.
 * DEVIATION(spec): of QEMU's tests, the one without eventfd is there; the others measure the host.
 */
export class PciTestDevice extends PciFunction {
  readonly #areas: readonly TestArea[];

  constructor(config: PciFunctionConfig, { multifunction }: ModelContext, ports: PciPorts) {
    const map = configSpace('pci-testdev', {
      header: (capabilitiesPointer) =>
        type0Header(
          {
            identity: { ...DEVICE_CATALOG['pci-testdev'], ...QEMU_SUBSYSTEM },
            bars: config.bars,
            interruptPin: config.interruptPin,
            multifunction,
          },
          capabilitiesPointer,
        ),
    });
    super({ config: map, bars: config.bars }, ports);
    this.#areas = [new TestArea('mmio'), new TestArea('portio')];
    for (const [index, area] of this.#areas.entries()) this.mapBar(index, area);
    // QEMU's membar is memory without anything behind it: reads give 0.
    if (config.bars.some(({ index }) => index === 2)) this.mapBar(2, { read: () => 0, write() {} });
  }

  protected override onReset(): void {
    for (const area of this.#areas) area.reset();
  }
}
