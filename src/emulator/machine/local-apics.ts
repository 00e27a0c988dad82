import type { CpuControl } from '../cpu/bus.ts';
import type { ApicBus } from '../cpu/local-apic/apic-bus.ts';
import { LocalApic } from '../cpu/local-apic/local-apic.ts';
import type { Component } from './component.ts';
import type { BusTarget, Clock, DeviceLog } from './ports.ts';

/** What the local APICs stand on. */
export interface LocalApicsParts {
  /** APIC ids by processor number. */
  readonly apicIds: readonly number[];
  readonly bus: ApicBus;
  readonly clock: Clock;
  readonly log: DeviceLog;
  /** Undefined until the machine is built: it is reset then. */
  readonly processors: () => CpuControl | undefined;
  /** Interrupt acknowledge cycle at the 8259 pair: the vector. */
  readonly acknowledgeExternal: () => number;
  /** What the processors see in the page of a local APIC that is switched off or in x2APIC mode; offsets are addresses. */
  readonly below: BusTarget;
}

/** The local APICs of all processors: each is seen by its own processor alone, all of them by the APIC bus. */
export class LocalApics {
  readonly all: readonly LocalApic[];
  /** The page of the processor that runs, where `base` says. */
  readonly page: BusTarget;
  readonly #parts: LocalApicsParts;
  #current: LocalApic;
  #base: number | undefined;

  constructor(parts: LocalApicsParts) {
    this.#parts = parts;
    this.all = parts.apicIds.map((apicId, index) => this.#makeLocalApic(apicId, index));
    this.#current = this.all[0];
    this.#base = this.#current.mmioBase;
    this.page = {
      read: (offset, size) => this.#seen.read(this.#seenOffset(offset), size),
      write: (offset, size, value) => this.#seen.write(this.#seenOffset(offset), size, value),
    };
  }

  /** That of the boot processor, to which the 8259 pair is wired. */
  get boot(): LocalApic {
    return this.all[0];
  }

  /** That of the processor that runs. */
  get current(): LocalApic {
    return this.#current;
  }

  /** Where the map has the page; undefined while no processor has one. */
  get base(): number | undefined {
    return this.#base;
  }

  /** The local APICs took up the state of a snapshot: the map follows. */
  restored(): void {
    this.#base = this.#current.mmioBase ?? this.all.find(({ mmioBase }) => mmioBase !== undefined)?.mmioBase;
  }

  /** Another processor runs. True when the map must follow, which is rare: a page that only some processors have stays in it. */
  select(index: number): boolean {
    this.#current = this.all[index];
    const { mmioBase } = this.#current;
    if (mmioBase === undefined || mmioBase === this.#base) return false;
    this.#base = mmioBase;
    return true;
  }

  /** IA32_APIC_BASE of the processor that runs was written. True when the map must follow. */
  moved(): boolean {
    const { mmioBase } = this.#current;
    const isUsed = this.all.some((each) => each.mmioBase === this.#base);
    if (mmioBase === this.#base || (mmioBase === undefined && isUsed)) return false;
    this.#base = mmioBase;
    return true;
  }

  reset(): void {
    for (const each of this.all) each.reset();
    this.#current = this.all[0];
    this.#base = this.#current.mmioBase;
  }

  components(): readonly Component[] {
    return this.all.map((part, index) => ({
      name: index === 0 ? 'LOCAL_APIC' : `LOCAL_APIC ${index}`,
      version: 1,
      part,
    }));
  }

  get #seen(): BusTarget {
    return this.#current.mmioBase === this.#base ? this.#current.page : this.#parts.below;
  }

  #seenOffset(offset: number): number {
    return this.#current.mmioBase === this.#base ? offset : (this.#base ?? 0) + offset;
  }

  #makeLocalApic(apicId: number, index: number): LocalApic {
    const { bus, clock, log, processors, acknowledgeExternal } = this.#parts;
    return new LocalApic({
      apicId,
      bootProcessor: index === 0,
      bus,
      clock,
      processor: {
        interruptRaised: () => processors()?.interruptRaised(index),
        nmi: () => processors()?.setNmi(index),
        smi: () => log.guestError('SMI', 'this board has no system management mode'),
        init: () => processors()?.initialize(index),
        startup: (vector) => processors()?.startUp(index, vector),
      },
      acknowledgeExternal,
    });
  }
}
