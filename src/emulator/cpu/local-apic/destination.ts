/** The identity by which a local APIC knows whether it is meant (SDM Vol. 3 §11.6.2, §11.12.10). */
export interface ApicIdentity {
  readonly id: number;
  readonly x2apic: boolean;
  /** Logical destination and destination format registers of xAPIC mode. */
  readonly ldr: number;
  readonly dfr: number;
}

const FLAT_MODEL = 0xf;

/** x2APIC's logical id derives from the id: cluster in the upper half, a bit in the lower (SDM Vol. 3 §11.12.10.2). */
export function logicalX2apicId(id: number): number {
  return (((id >>> 4) << 16) | (1 << (id & 0xf))) >>> 0;
}

/** Whether a message to `destination` is meant for the APIC; `wide` destinations have 32 bits, others 8. */
export function isDestination(apic: ApicIdentity, destination: number, logical: boolean, wide: boolean): boolean {
  const broadcast = wide ? 0xffff_ffff : 0xff;
  if (destination === broadcast) return true;
  if (!logical) return destination === apic.id;
  if (apic.x2apic) {
    const own = logicalX2apicId(apic.id);
    return destination >>> 16 === own >>> 16 && (destination & own & 0xffff) !== 0;
  }
  const own = apic.ldr >>> 24;
  if (apic.dfr >>> 28 === FLAT_MODEL) return (destination & own) !== 0;
  return destination >> 4 === own >> 4 && (destination & own & 0xf) !== 0;
}
