import type { DeviceLog } from '../../machine/ports.ts';
import { DELIVERY, type DeliveryMode } from './registers.ts';

/** An interrupt message as local APICs, I/O APICs and MSI writes send it. */
export interface ApicMessage {
  readonly vector: number;
  readonly deliveryMode: DeliveryMode;
  readonly logical: boolean;
  /** 8 bits, or 32 when `wide`. */
  readonly destination: number;
  /** The destination has x2APIC's 32 bits. */
  readonly wide: boolean;
  /** Level-triggered: end of interrupt is broadcast to the I/O APICs. */
  readonly level: boolean;
}

/** A local APIC as its bus sees it. */
export interface ApicBusMember {
  readonly apicId: number;
  /** Processor priority class and subclass (PPR), for lowest-priority delivery. */
  readonly processorPriority: number;
  /** Accepts fixed interrupts (software and globally enabled). */
  readonly enabled: boolean;
  matches(destination: number, logical: boolean, wide: boolean): boolean;
  accept(message: ApicMessage): void;
}

/** The address range whose writes are interrupt messages (SDM Vol. 3 §11.11.1). */
export const MSI_ADDRESS = { base: 0xfee0_0000, size: 0x10_0000 } as const;

/** Decodes a message signalled interrupt: the low 32 bits of its address and its data (SDM Vol. 3 §11.11). */
export function decodeMsi(address: number, data: number): ApicMessage {
  return {
    vector: data & 0xff,
    deliveryMode: ((data >>> 8) & 7) as DeliveryMode,
    logical: (address & 4) !== 0,
    destination: (address >>> 12) & 0xff,
    wide: false,
    level: (data & 0x8000) !== 0,
  };
}

/** Joins local APICs and I/O APICs: carries messages one way and ends of interrupt the other. */
export class ApicBus {
  readonly #log: DeviceLog;
  readonly #members: ApicBusMember[] = [];
  readonly #eoiListeners: ((vector: number) => void)[] = [];

  constructor(log: DeviceLog) {
    this.#log = log;
  }

  attach(member: ApicBusMember): void {
    this.#members.push(member);
  }

  /** An I/O APIC hears every end of a level-triggered interrupt. */
  onEoi(listener: (vector: number) => void): void {
    this.#eoiListeners.push(listener);
  }

  broadcastEoi(vector: number): void {
    for (const listener of this.#eoiListeners) listener(vector);
  }

  /** Sends to every member that the message's destination names; to one of them at lowest priority. */
  deliver(message: ApicMessage): void {
    const targets = this.#members.filter((each) => each.matches(message.destination, message.logical, message.wide));
    this.#deliverTo(targets, message);
  }

  /** Sends to all members but `sender`, or to all. */
  deliverToAll(message: ApicMessage, sender?: ApicBusMember): void {
    this.#deliverTo(
      this.#members.filter((each) => each !== sender),
      message,
    );
  }

  /** A 4-byte write of `data` to `address` in the MSI range. */
  deliverMsi(address: number, data: number): void {
    this.deliver(decodeMsi(address, data));
  }

  #deliverTo(targets: readonly ApicBusMember[], message: ApicMessage): void {
    if (targets.length === 0) {
      this.#log.guestError(
        'apic-no-target',
        `no local APIC takes interrupt ${message.vector} for ${message.destination}`,
      );
      return;
    }
    if (message.deliveryMode !== DELIVERY.LOWEST) {
      for (const target of targets) target.accept(message);
      return;
    }
    let lowest: ApicBusMember | undefined;
    for (const target of targets) {
      if (target.enabled && (!lowest || target.processorPriority < lowest.processorPriority)) lowest = target;
    }
    lowest?.accept(message);
  }
}
