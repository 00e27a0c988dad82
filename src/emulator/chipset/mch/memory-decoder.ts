import { AddressSpace } from '../../bus/address-space.ts';
import type { GuestMemory } from '../../bus/guest-memory.ts';
import { HIGH_RAM_BASE, LEGACY_VGA, ROM_END, ROM_SHADOW } from '../../machine/memory-map.ts';
import type { BusTarget } from '../../machine/ports.ts';
import type { MchHostBridge } from './host-bridge.ts';

/** Who wins where two claim an address, from low to high. */
const PRIORITY = { PCI: 0, RAM: 10, STEERING: 20, CHIPSET: 30, LOCAL_APIC: 40 } as const;

/** Everything that physical addresses may name: addresses are below 2^52. */
const WHOLE_SPACE = 2 ** 52;

/** A fixed or movable block of chipset registers. */
export interface ChipsetBlock {
  readonly name: string;
  readonly target: BusTarget;
  /** Bytes. */
  readonly size: number;
  /** Where it decodes now, or undefined while disabled. */
  base(): number | undefined;
}

export interface MemoryDecoderParts {
  readonly memory: GuestMemory;
  /** Bus masters' space: bus masters are built before the decoder and hold on to it. */
  readonly dma: AddressSpace;
  readonly bridge: MchHostBridge;
  /** What PCI claims; addresses are the system's own. */
  readonly pci: BusTarget;
  /** Config space by ECAM offset. */
  readonly ecam: BusTarget;
  /** I/O APIC, HPET, RCBA … */
  readonly blocks: readonly ChipsetBlock[];
  /** The local APIC's page: seen by the processor, not by bus masters. */
  readonly localApic: ChipsetBlock;
  /** Interrupt messages: writes of bus masters to 0xfeex_xxxx. */
  readonly messages: { readonly base: number; readonly size: number; readonly target: BusTarget };
}

/** The memory controller's decoding: what the processor sees and what bus masters see, from the host bridge's registers. */
export class MemoryDecoder {
  /** The processor's view. */
  readonly cpu: AddressSpace;
  /** Bus masters' view: RAM and interrupt messages. */
  readonly dma: AddressSpace;
  readonly #parts: MemoryDecoderParts;

  constructor(parts: MemoryDecoderParts) {
    this.#parts = parts;
    this.cpu = new AddressSpace('memory', parts.memory);
    this.dma = parts.dma;
    this.remap();
  }

  /** Reads the registers anew. The caller flushes what processors cache of the old map. */
  remap(): void {
    const { pci, ecam, bridge, blocks, localApic, messages } = this.#parts;
    const { cpu, dma } = this;
    cpu.clear();
    dma.clear();
    cpu.mapTarget('PCI', 0, WHOLE_SPACE, pci, { priority: PRIORITY.PCI });
    for (const space of [cpu, dma]) {
      this.#mapRam(space);
      this.#mapPam(space);
      this.#mapSmram(space);
    }
    this.#mapRom();
    const window = bridge.ecam();
    if (window !== undefined) cpu.mapTarget('ECAM', window.base, window.size, ecam, { priority: PRIORITY.CHIPSET });
    for (const block of blocks) mapBlock(cpu, block, PRIORITY.CHIPSET);
    mapBlock(cpu, localApic, PRIORITY.LOCAL_APIC);
    dma.mapTarget('interrupt messages', messages.base, messages.size, messages.target, { priority: PRIORITY.CHIPSET });
  }

  #mapRam(space: AddressSpace): void {
    const { memory, bridge } = this.#parts;
    const low = Math.min(memory.lowRamBytes, bridge.topOfLowRam);
    const high = Math.min(memory.highRamBytes, bridge.topOfHighRam - HIGH_RAM_BASE);
    if (low > 0) space.mapMemory('RAM', 0, low, memory.lowRamOffset, { priority: PRIORITY.RAM });
    if (high > 0)
      space.mapMemory('RAM above 4 GiB', HIGH_RAM_BASE, high, memory.highRamOffset, { priority: PRIORITY.RAM });
  }

  /** What PAM does not give to RAM goes down to the ROM (the last 128 KiB) or to PCI (MCH §5.1.8). */
  #mapPam(space: AddressSpace): void {
    const { memory, bridge, pci } = this.#parts;
    const shadow = Math.min(ROM_SHADOW.size, memory.romBytes);
    const shadowBase = ROM_SHADOW.base + ROM_SHADOW.size - shadow;
    for (const { base, size, readsRam, writesRam } of bridge.pamSegments()) {
      const steering = { priority: PRIORITY.STEERING, targetOffset: base };
      if (!readsRam && base >= shadowBase) {
        const offset = memory.romOffset + memory.romBytes - shadow + (base - shadowBase);
        space.mapMemory('ROM shadow', base, size, offset, { ...steering, direction: 'read' });
      } else if (!readsRam) space.mapTarget('PAM to PCI', base, size, pci, { ...steering, direction: 'read' });
      if (!writesRam) space.mapTarget('PAM to PCI', base, size, pci, { ...steering, direction: 'write' });
    }
  }

  #mapSmram(space: AddressSpace): void {
    const { bridge, pci } = this.#parts;
    if (!bridge.smramOpen) {
      const options = { priority: PRIORITY.STEERING, targetOffset: LEGACY_VGA.base };
      space.mapTarget('legacy video', LEGACY_VGA.base, LEGACY_VGA.size, pci, options);
    }
    const tseg = bridge.tseg();
    if (tseg !== undefined) space.mapHole('TSEG', tseg.base, tseg.size, { priority: PRIORITY.STEERING });
  }

  #mapRom(): void {
    const { memory } = this.#parts;
    const base = ROM_END - memory.romBytes;
    const options = { priority: PRIORITY.CHIPSET } as const;
    this.cpu.mapMemory('ROM', base, memory.romBytes, memory.romOffset, { ...options, direction: 'read' });
    this.cpu.mapHole('ROM', base, memory.romBytes, { ...options, direction: 'write' });
  }
}

function mapBlock(space: AddressSpace, block: ChipsetBlock, priority: number): void {
  const base = block.base();
  if (base !== undefined) space.mapTarget(block.name, base, block.size, block.target, { priority });
}
