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
/** The tests of each BAR, in the order in which a guest selects them. */
const TESTS = ['no-eventfd', 'wildcard-eventfd', 'datamatch-eventfd'] as const;
/** Where the accesses go that the first test of a BAR counts; each further one is a byte on. */
const AREAS = [
  { bar: 0, name: 'mmio', offset: 0x800 },
  { bar: 1, name: 'portio', offset: 0x80 },
] as const;
/** Accesses that count are one byte wide. */
const WIDTH = 1;
const DATA = { MATCH: 0xfa, NO_MATCH: 0xce } as const;

function testHeader(area: (typeof AREAS)[number], test: number): Uint8Array {
  const number = area.bar * TESTS.length + test;
  const name = `${area.name}-${TESTS[test]}`;
  const header = new Uint8Array(HEADER.NAME + name.length + 1);
  header.set(asciiBytes(name), HEADER.NAME);
  header[HEADER.TEST] = number;
  header[HEADER.WIDTH] = WIDTH;
  new DataView(header.buffer).setUint32(HEADER.OFFSET, area.offset + number * WIDTH, true);
  header[HEADER.DATA] = TESTS[test] === 'wildcard-eventfd' ? DATA.NO_MATCH : DATA.MATCH;
  return header;
}

/**
 * QEMU's pci-testdev (1b36:0005): a guest selects a test through either BAR, reads what to write where, and how many such writes
 * arrived. `membar=SIZE` adds an empty 64-bit BAR of any size.
 * DEVIATION(spec): tests with an eventfd can be selected, but count nothing: they measure how QEMU's host is woken.
 */
export class PciTestDevice extends PciFunction {
  #header: Uint8Array | undefined;

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
    for (const area of AREAS) this.mapBar(area.bar, this.#area(area));
  }

  protected override onReset(): void {
    this.#header = undefined;
  }

  protected override snapshotDevice(): { readonly header?: readonly number[] } {
    return this.#header === undefined ? {} : { header: [...this.#header] };
  }

  protected override restoreDevice(state: { readonly header?: readonly number[] }): void {
    this.#header = state.header === undefined ? undefined : Uint8Array.from(state.header);
  }

  /** Wider accesses are single bytes one after the other. */
  #area(area: (typeof AREAS)[number]): BusTarget {
    return {
      read: (offset: number, size: AccessSize) => {
        let value = 0;
        for (let index = size - 1; index >= 0; index--) value = value * 0x100 + this.#readByte(offset + index);
        return value;
      },
      write: (offset: number, size: AccessSize, value: number) => {
        for (let index = 0; index < size; index++)
          this.#writeByte(area, offset + index, (value >>> (8 * index)) & 0xff);
      },
    };
  }

  /** The name's final zero is not shown. */
  #readByte(offset: number): number {
    return this.#header !== undefined && offset + 1 < this.#header.length ? this.#header[offset] : 0;
  }

  #writeByte(area: (typeof AREAS)[number], offset: number, value: number): void {
    if (offset === HEADER.TEST) {
      this.#header = value < TESTS.length ? testHeader(area, value) : undefined;
      return;
    }
    if (this.#header === undefined) return;
    const header = new DataView(this.#header.buffer);
    const counts = this.#header[HEADER.TEST] % TESTS.length === 0;
    if (counts && offset === header.getUint32(HEADER.OFFSET, true) && value === this.#header[HEADER.DATA]) {
      header.setUint32(HEADER.COUNT, header.getUint32(HEADER.COUNT, true) + 1, true);
    }
  }
}
