import { REGION_SPACES } from '../opcodes.ts';
import type { ExecutionObserver } from './observer.ts';

/** One access of a field to its operation region. */
export interface RegionAccess {
  /** A value of REGION_SPACES. */
  readonly space: number;
  /** Address in the space: the region's offset and the field's. GeneralPurposeIO: the pin's index in the connection. */
  readonly address: bigint;
  readonly byteLength: 1 | 2 | 4 | 8;
  /** Absolute path of the region: for PCI_Config it says which function. */
  readonly region: string;
  /** The resource descriptor of the Connection that holds for the field. */
  readonly connection?: Uint8Array;
}

/** One exchange with a serial bus or a management controller: the buffer goes out, and comes back as the field's value (ACPI 6.5 §5.5.2.4.6). */
export interface BufferTransfer extends Omit<RegionAccess, 'byteLength'> {
  readonly direction: 'read' | 'write';
  /** AccessAs' attribute: AttribQuick 2, AttribSendReceive 4, AttribByte 6, AttribWord 8, AttribBlock 10, AttribBytes 11 … */
  readonly attribute: number;
  /** Status, length and data; zeros for a read. */
  readonly buffer: Uint8Array;
}

/** What stands behind operation regions. */
export interface RegionHandler {
  read(access: RegionAccess): bigint;
  write(access: RegionAccess, value: bigint): void;
  /** Spaces that exchange buffers; without it they are absent. */
  transfer?(access: BufferTransfer): Uint8Array;
}

/** What fields need of the interpreter. */
export interface RegionPorts {
  handlerOf(space: number): RegionHandler;
  transfer(access: BufferTransfer): Uint8Array;
  /** One access costs a step of the evaluation. */
  charge(): void;
}

/** A region that was used and has nothing behind it. */
export interface AbsentRegion {
  readonly space: number;
  readonly accesses: number;
}

/** Hardware that is not there: bytes that keep what is written, and start as `fill`. */
export class AbsentHardware implements RegionHandler {
  /** By the region's path. */
  readonly used = new Map<string, AbsentRegion>();
  readonly #bytes = new Map<string, number>();
  readonly #fill: number;

  constructor(fill = 0) {
    this.#fill = fill;
  }

  read(access: RegionAccess): bigint {
    this.#count(access);
    const { space, address, byteLength, region } = access;
    let value = 0n;
    for (let index = byteLength - 1; index >= 0; index--) {
      value = (value << 8n) | BigInt(this.#bytes.get(keyOf(space, address + BigInt(index), region)) ?? this.#fill);
    }
    return value;
  }

  write(access: RegionAccess, value: bigint): void {
    this.#count(access);
    const { space, address, byteLength, region } = access;
    for (let index = 0; index < byteLength; index++) {
      this.#bytes.set(keyOf(space, address + BigInt(index), region), Number((value >> BigInt(8 * index)) & 0xffn));
    }
  }

  transfer(access: BufferTransfer): Uint8Array {
    this.#count(access);
    return new Uint8Array(access.buffer.length).fill(this.#fill);
  }

  #count({ region, space }: Pick<RegionAccess, 'region' | 'space'>): void {
    this.used.set(region, { space, accesses: (this.used.get(region)?.accesses ?? 0) + 1 });
  }
}

/** Memory, I/O and CMOS are one for all; other spaces belong to their region's device. */
function keyOf(space: number, address: bigint, region: string): string {
  const shared =
    space === REGION_SPACES.SystemMemory || space === REGION_SPACES.SystemIO || space === REGION_SPACES.SystemCMOS;
  return shared ? `${space}:${address}` : `${space}:${address}:${region}`;
}

/** By REGION_SPACES value; `default` serves the others. */
export interface RegionHandlers {
  readonly [space: number]: RegionHandler;
  readonly default?: RegionHandler;
}

/** The handlers of an interpreter, with absent hardware behind those that are not given; an observer sees every access. */
export class ObservedRegions implements RegionPorts {
  readonly absent: AbsentHardware;
  readonly #handlers: RegionHandlers;
  readonly #observer: () => ExecutionObserver | undefined;
  readonly charge: () => void;

  constructor(
    handlers: RegionHandlers,
    fill: number,
    observer: () => ExecutionObserver | undefined,
    charge: () => void,
  ) {
    this.#handlers = handlers;
    this.absent = new AbsentHardware(fill);
    this.#observer = observer;
    this.charge = charge;
  }

  handlerOf(space: number): RegionHandler {
    const handler = this.#handlers[space] ?? this.#handlers.default ?? this.absent;
    const observer = this.#observer();
    if (!observer?.region) return handler;
    return {
      read: (access) => {
        const value = handler.read(access);
        observer.region?.({ kind: 'read', access, value });
        return value;
      },
      write: (access, value) => {
        handler.write(access, value);
        observer.region?.({ kind: 'write', access, value });
      },
    };
  }

  transfer(access: BufferTransfer): Uint8Array {
    const given = this.#handlers[access.space] ?? this.#handlers.default;
    const answer = given?.transfer?.(access) ?? this.absent.transfer(access);
    this.#observer()?.region?.({ kind: 'transfer', access, answer });
    return answer;
  }
}
