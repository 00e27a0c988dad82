import { REGION_SPACES } from '../opcodes.ts';

/** One access of a field to its operation region. */
export interface RegionAccess {
  /** A value of REGION_SPACES. */
  readonly space: number;
  /** Address in the space: the region's offset and the field's. */
  readonly address: bigint;
  readonly byteLength: 1 | 2 | 4 | 8;
  /** Absolute path of the region: for PCI_Config it says which function. */
  readonly region: string;
}

/** What stands behind operation regions. Spaces without a handler read as they were last written, and as `fill` before. */
export interface RegionHandler {
  read(access: RegionAccess): bigint;
  write(access: RegionAccess, value: bigint): void;
}

/** Hardware that is not there: bytes that keep what is written, and start as `fill`. */
export class AbsentHardware implements RegionHandler {
  readonly #bytes = new Map<string, number>();
  readonly #fill: number;

  constructor(fill = 0) {
    this.#fill = fill;
  }

  read({ space, address, byteLength, region }: RegionAccess): bigint {
    let value = 0n;
    for (let index = byteLength - 1; index >= 0; index--) {
      value = (value << 8n) | BigInt(this.#bytes.get(keyOf(space, address + BigInt(index), region)) ?? this.#fill);
    }
    return value;
  }

  write({ space, address, byteLength, region }: RegionAccess, value: bigint): void {
    for (let index = 0; index < byteLength; index++) {
      this.#bytes.set(keyOf(space, address + BigInt(index), region), Number((value >> BigInt(8 * index)) & 0xffn));
    }
  }
}

/** Memory, I/O and CMOS are one for all; other spaces belong to their region's device. */
function keyOf(space: number, address: bigint, region: string): string {
  const shared =
    space === REGION_SPACES.SystemMemory || space === REGION_SPACES.SystemIO || space === REGION_SPACES.SystemCMOS;
  return shared ? `${space}:${address}` : `${space}:${address}:${region}`;
}
