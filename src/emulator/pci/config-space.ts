import { bits, placed, type Registers, RO, reg16, reg32 } from '../registers/declaration.ts';
import { type RegisterMap, registerBlock } from '../registers/register-map.ts';

/** A capability as a register block; bytes 0 and 1 (id, next) are the chain's and not listed in `registers`. */
export interface Capability {
  /** Prefix of its registers: `MSI`, `EXP` … */
  readonly name: string;
  /** Capability id (PCI code and id assignment §2). */
  readonly id: number;
  readonly byteLength: number;
  readonly registers: Registers;
}

/** An extended capability (PCIe 5.0 §7.6); bytes 0–3 are the chain's. */
export interface ExtendedCapability extends Capability {
  readonly version: number;
}

export interface Placed<T> {
  readonly offset: number;
  readonly capability: T;
}

export interface ConfigSpaceParts {
  /** Builds the header, given the capability pointer. */
  readonly header: (capabilitiesPointer: number) => Registers;
  /** In the order of the chain. */
  readonly capabilities?: readonly Placed<Capability>[];
  /** In the order of the chain; the first must stand at 0x100. */
  readonly extended?: readonly Placed<ExtendedCapability>[];
  /** Device-specific registers. */
  readonly registers?: Registers;
  /** 4 KiB (Express) instead of 256 bytes. */
  readonly express?: boolean;
}

const EXTENDED_START = 0x100;

/** A function's whole config space: header, capabilities with a computed chain, and the device's own registers. */
export function configSpace(name: string, parts: ConfigSpaceParts): RegisterMap {
  const capabilities = parts.capabilities ?? [];
  const extended = parts.extended ?? [];
  if (extended.length > 0 && extended[0].offset !== EXTENDED_START) {
    throw new Error(`${name}: the extended chain must start at 0x100`);
  }
  const registers: Record<string, Registers[string]> = {
    ...parts.header(capabilities[0]?.offset ?? 0),
    ...parts.registers,
  };
  const add = (more: Registers): void => {
    for (const [key, spec] of Object.entries(more)) {
      if (registers[key] !== undefined) throw new Error(`${name}: ${key} is declared twice`);
      registers[key] = spec;
    }
  };
  for (const [index, { offset, capability }] of capabilities.entries()) {
    const next = capabilities[index + 1]?.offset ?? 0;
    add(
      placed(capability.name, offset, {
        HEADER: reg16(0, { CAP_ID: bits(7, 0, RO, capability.id), NEXT: bits(15, 8, RO, next) }),
        ...capability.registers,
      }),
    );
  }
  for (const [index, { offset, capability }] of extended.entries()) {
    const next = extended[index + 1]?.offset ?? 0;
    add(
      placed(capability.name, offset, {
        HEADER: reg32(0, {
          CAP_ID: bits(15, 0, RO, capability.id),
          VERSION: bits(19, 16, RO, capability.version),
          NEXT: bits(31, 20, RO, next),
        }),
        ...capability.registers,
      }),
    );
  }
  return registerBlock(name, parts.express ? 0x1000 : 0x100, registers);
}
