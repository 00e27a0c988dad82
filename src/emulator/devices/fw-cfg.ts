import { asciiBytes, viewOf } from '../../shared/bytes.ts';
import { UserError } from '../../shared/errors.ts';
import { FW_CFG_DMA, FW_CFG_ENTRY_BYTES, FW_CFG_ID, FW_CFG_KEYS, FW_CFG_NAME_BYTES } from '../machine/fw-cfg-keys.ts';
import type { AccessSize, BusTarget, DeviceLog, DmaPort } from '../machine/ports.ts';

/** Offsets in the port block: selector, data, DMA address in two big-endian halves. */
const PORT = { SELECTOR: 0, DATA: 1, DMA_HIGH: 4, DMA_LOW: 8 } as const;
/** "QEMU CFG": what a read of the DMA address register gives. */
const DMA_SIGNATURE = [0x51454d55, 0x20434647] as const;
/** A write bit of old; ignored in a key. */
const WRITE_CHANNEL = 0x4000;
/** Longest piece of zeros written for what an item does not have. */
const ZEROS = new Uint8Array(4096);

interface Item {
  readonly bytes: Uint8Array;
  /** Present on items that the guest may write by DMA: called with the range just written. */
  readonly onWrite?: (offset: number, byteLength: number) => void;
}

interface File extends Item {
  readonly name: string;
}

export interface FwCfgState {
  /** Key of the item, and the next byte of it. */
  readonly selected: number;
  readonly offset: number;
  readonly dmaHigh: number;
}

function swap32(value: number): number {
  return ((value >>> 24) | ((value >>> 8) & 0xff00) | ((value & 0xff00) << 8) | (value << 24)) >>> 0;
}

/**
 * QEMU's firmware configuration device: items by key, files by name through the directory, read byte by byte at the data port or
 * by DMA. Files have keys from 0x20 in the order of their names, as QEMU gives them. Item bytes are not copied: large ones (kernel,
 * initrd) cost nothing until they are read.
 */
export class FwCfg {
  /** Ports 0x510–0x51b. */
  readonly ports: BusTarget;
  readonly #dma: DmaPort;
  readonly #log: DeviceLog;
  readonly #items = new Map<number, Item>();
  #files: File[] = [];
  #key: number = FW_CFG_KEYS.SIGNATURE;
  #selected: Item | undefined;
  #offset = 0;
  #dmaHigh = 0;

  constructor(dma: DmaPort, log: DeviceLog) {
    this.#dma = dma;
    this.#log = log;
    this.ports = {
      read: (offset, size) => this.#read(offset, size),
      write: (offset, size, value) => this.#write(offset, size, value >>> 0),
    };
    this.setItem(FW_CFG_KEYS.SIGNATURE, asciiBytes('QEMU'));
    this.setNumber(FW_CFG_KEYS.ID, FW_CFG_ID.PORT_IO | FW_CFG_ID.DMA, 4);
    this.#updateDirectory();
    this.reset();
  }

  /** Selects the signature again. Items stay, with what the guest wrote. */
  reset(): void {
    this.#dmaHigh = 0;
    this.#select(FW_CFG_KEYS.SIGNATURE);
  }

  /** What is being read. The items are what the board was started with. */
  snapshot(): FwCfgState {
    return { selected: this.#key, offset: this.#offset, dmaHigh: this.#dmaHigh };
  }

  restore(state: FwCfgState): void {
    this.#select(state.selected);
    this.#offset = state.offset;
    this.#dmaHigh = state.dmaHigh;
  }

  /** Sets the item at a numbered key (`FW_CFG_KEYS`). */
  setItem(key: number, bytes: Uint8Array): void {
    this.#items.set(key, { bytes });
  }

  /** Sets a numbered item to a little-endian number of `byteLength` bytes. */
  setNumber(key: number, value: number, byteLength: 2 | 4 | 8): void {
    const bytes = new Uint8Array(byteLength);
    for (let index = 0; index < byteLength; index++) bytes[index] = Math.floor(value / 2 ** (8 * index)) & 0xff;
    this.setItem(key, bytes);
  }

  /**
   * Adds a file, or replaces the one of that name. With `onWrite` the guest may write it by DMA, into `bytes` itself.
   * Throws UserError FW_CFG_NAME when the name does not fit a directory entry.
   */
  addFile(name: string, bytes: Uint8Array, onWrite?: (offset: number, byteLength: number) => void): void {
    if (name.length === 0 || name.length >= FW_CFG_NAME_BYTES) {
      throw new UserError('FW_CFG_NAME', `the fw_cfg name '${name}' has ${name.length} characters`, {
        place: { file: name },
        mend: `use a name of 1 to ${FW_CFG_NAME_BYTES - 1} characters`,
      });
    }
    const others = this.#files.filter((file) => file.name !== name);
    this.#files = [...others, { name, bytes, onWrite }].sort((left, right) => (left.name < right.name ? -1 : 1));
    this.#updateDirectory();
  }

  /** The present bytes of a file, or undefined. */
  file(name: string): Uint8Array | undefined {
    return this.#files.find((file) => file.name === name)?.bytes;
  }

  #updateDirectory(): void {
    const directory = new Uint8Array(4 + this.#files.length * FW_CFG_ENTRY_BYTES);
    const view = viewOf(directory);
    view.setUint32(0, this.#files.length);
    this.#files.forEach((file, index) => {
      const offset = 4 + index * FW_CFG_ENTRY_BYTES;
      view.setUint32(offset, file.bytes.length);
      view.setUint16(offset + 4, FW_CFG_KEYS.FILE_FIRST + index);
      directory.set(asciiBytes(file.name), offset + 8);
    });
    this.setItem(FW_CFG_KEYS.FILE_DIR, directory);
  }

  #select(key: number): void {
    const plain = key & ~WRITE_CHANNEL;
    this.#key = plain;
    this.#selected = this.#items.get(plain) ?? this.#files[plain - FW_CFG_KEYS.FILE_FIRST];
    this.#offset = 0;
  }

  #read(offset: number, size: AccessSize): number {
    if (offset >= PORT.DMA_HIGH) return this.#readDmaAddress(offset, size);
    // One register of one byte: a wider access at the data port is not claimed.
    if (size !== 1) return size === 2 ? 0xffff : 0xffff_ffff;
    const bytes = this.#selected?.bytes;
    return bytes && this.#offset < bytes.length ? bytes[this.#offset++] : 0;
  }

  #readDmaAddress(offset: number, size: AccessSize): number {
    let value = 0;
    for (let index = 0; index < size; index++) {
      const position = offset - PORT.DMA_HIGH + index;
      const byte = position < 8 ? (DMA_SIGNATURE[position >> 2] >>> (24 - 8 * (position & 3))) & 0xff : 0;
      value += byte * 2 ** (8 * index);
    }
    return value;
  }

  #write(offset: number, size: AccessSize, value: number): void {
    if (offset === PORT.SELECTOR && size === 2) this.#select(value);
    else if (offset === PORT.DMA_HIGH && size === 4) this.#dmaHigh = swap32(value);
    else if (offset === PORT.DMA_LOW && size === 4) {
      const descriptor = this.#dmaHigh * 2 ** 32 + swap32(value);
      this.#dmaHigh = 0;
      this.#runDma(descriptor);
    } else if (offset !== PORT.DATA && offset !== PORT.SELECTOR) {
      this.#log.guestError('fw-cfg-write', `a write of ${size} bytes at port offset ${offset} is ignored`);
    }
  }

  /** One access as the descriptor at `address` says; its control word becomes 0, or ERROR. */
  #runDma(address: number): void {
    const descriptor = new Uint8Array(16);
    let failed = !this.#dma.read(address, descriptor);
    if (!failed) {
      const view = viewOf(descriptor);
      const control = view.getUint32(0);
      const target = view.getUint32(8) * 2 ** 32 + view.getUint32(12);
      if (control & FW_CFG_DMA.SELECT) this.#select(control >>> 16);
      failed = !this.#transfer(control, target, view.getUint32(4));
    }
    if (failed) this.#log.guestError('fw-cfg-dma', `the access at 0x${address.toString(16)} failed`);
    const result = new Uint8Array(4);
    viewOf(result).setUint32(0, failed ? FW_CFG_DMA.ERROR : 0);
    this.#dma.write(address, result);
  }

  #transfer(control: number, target: number, byteLength: number): boolean {
    const item = this.#selected;
    const available = item ? Math.max(0, item.bytes.length - this.#offset) : 0;
    const count = Math.min(byteLength, available);
    const part = item?.bytes.subarray(this.#offset, this.#offset + count);
    if (control & FW_CFG_DMA.READ) {
      if (part && count > 0 && !this.#dma.write(target, part)) return false;
      this.#offset += count;
      return this.#writeZeros(target + count, byteLength - count);
    }
    if (control & FW_CFG_DMA.WRITE) {
      if (!item?.onWrite || !part || count !== byteLength) return false;
      if (!this.#dma.read(target, part)) return false;
      const start = this.#offset;
      this.#offset += count;
      item.onWrite(start, count);
      return true;
    }
    if (control & FW_CFG_DMA.SKIP) this.#offset += count;
    return true;
  }

  /** Beyond the end of an item there are zeros. */
  #writeZeros(target: number, byteLength: number): boolean {
    for (let done = 0; done < byteLength; done += ZEROS.length) {
      if (!this.#dma.write(target + done, ZEROS.subarray(0, byteLength - done))) return false;
    }
    return true;
  }
}
