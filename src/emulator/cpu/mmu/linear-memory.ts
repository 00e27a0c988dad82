import type { CpuBus } from '../bus.ts';
import { EFER_BITS } from '../control-bits.ts';
import type { CpuState } from '../cpu-state.ts';
import { CR2, EFER, MMU_INDEX } from '../state.ts';
import type { LinearMemory } from '../system-context.ts';
import { isCanonical } from './canonical.ts';
import { ACCESS, MMU, type PageWalker } from './page-walk.ts';

const PAGE = 0x1000;
const PAGE_FAULT_VECTOR = 14;
const GENERAL_PROTECTION_VECTOR = 13;

/** What TranslatedMemory stands on. */
export interface TranslatedMemoryPorts {
  readonly state: CpuState;
  readonly bus: CpuBus;
  readonly walker: PageWalker;
  /** Throws the guest's fault. */
  readonly fault: (vector: number, errorCode?: number) => never;
  /** Hears of each write to RAM, after it: translated code there is dropped. */
  readonly onPhysicalWrite: (gpa: number, byteLength: number) => void;
}

/**
 * Linear memory over the page walker: every access translates anew, so that it is always current. A write that crosses a page checks both
 * pages before it changes a byte.
 */
export class TranslatedMemory implements LinearMemory {
  readonly #ports: TranslatedMemoryPorts;

  constructor(ports: TranslatedMemoryPorts) {
    this.#ports = ports;
  }

  read(linear: bigint, size: 1 | 2 | 4, privilege?: 'supervisor' | 'user'): number {
    const mmuIndex = this.#mmuIndex(privilege);
    const offset = Number(linear & 0xfffn);
    if (offset + size <= PAGE) return this.#readWithin(linear, size, mmuIndex);
    // Lowest byte first, so that CR2 names the first byte that cannot be read.
    let value = 0;
    for (let index = 0; index < size; index++) {
      value += this.#readWithin(linear + BigInt(index), 1, mmuIndex) * 2 ** (index * 8);
    }
    return value;
  }

  read64(linear: bigint, privilege?: 'supervisor' | 'user'): bigint {
    const low = this.read(linear, 4, privilege);
    const high = this.read(linear + 4n, 4, privilege);
    return (BigInt(high) << 32n) | BigInt(low);
  }

  write(linear: bigint, size: 1 | 2 | 4, value: number, privilege?: 'supervisor' | 'user'): void {
    const mmuIndex = this.#mmuIndex(privilege);
    const offset = Number(linear & 0xfffn);
    if (offset + size <= PAGE) {
      this.#writeWithin(linear, size, value, mmuIndex);
      return;
    }
    this.#translateBoth(linear, mmuIndex);
    for (let index = 0; index < size; index++) {
      this.#writeWithin(linear + BigInt(index), 1, (value >>> (index * 8)) & 0xff, mmuIndex);
    }
  }

  write64(linear: bigint, value: bigint, privilege?: 'supervisor' | 'user'): void {
    const mmuIndex = this.#mmuIndex(privilege);
    if (Number(linear & 0xfffn) + 8 > PAGE) this.#translateBoth(linear, mmuIndex);
    this.write(linear, 4, Number(value & 0xffff_ffffn), privilege);
    this.write(linear + 4n, 4, Number((value >> 32n) & 0xffff_ffffn), privilege);
  }

  readBytes(linear: bigint, byteLength: number): DataView {
    const host = this.#plainHost(linear, byteLength, ACCESS.READ);
    const { bytes } = this.#ports.state;
    if (host >= 0) return new DataView(bytes.slice(host, host + byteLength).buffer);
    const view = new DataView(new ArrayBuffer(byteLength));
    for (let offset = 0; offset < byteLength; offset += 8)
      view.setBigUint64(offset, this.read64(linear + BigInt(offset)), true);
    return view;
  }

  writeBytes(linear: bigint, bytes: Uint8Array): void {
    const host = this.#plainHost(linear, bytes.length, ACCESS.WRITE);
    const { state, onPhysicalWrite } = this.#ports;
    if (host >= 0) {
      state.bytes.set(bytes, host);
      onPhysicalWrite(this.#ports.walker.gpa + Number(linear & 0xfffn), bytes.length);
      return;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let offset = 0; offset < bytes.length; offset += 8)
      this.write64(linear + BigInt(offset), view.getBigUint64(offset, true));
  }

  /** Where bytes of one page of RAM stand in the engine's memory; −1: not in one page, or not in RAM. */
  #plainHost(linear: bigint, byteLength: number, access: number): number {
    const offset = Number(linear & 0xfffn);
    if (offset + byteLength > PAGE) return -1;
    const gpa = this.#translate(linear, access, this.#mmuIndex(undefined)) - offset;
    const page = this.#ports.bus.hostPage(gpa, access === ACCESS.WRITE);
    return page < 0 ? -1 : page + offset;
  }

  checkWrite(linear: bigint, size: 1 | 2 | 4 | 8, privilege?: 'supervisor' | 'user'): void {
    const mmuIndex = this.#mmuIndex(privilege);
    this.#translate(linear, ACCESS.WRITE, mmuIndex);
    if (Number(linear & 0xfffn) + size > PAGE) this.#translate((linear | 0xfffn) + 1n, ACCESS.WRITE, mmuIndex);
  }

  /** Implicit system accesses (`supervisor`) heed SMAP whatever AC says (SDM vol. 3 §4.6.1). */
  #mmuIndex(privilege: 'supervisor' | 'user' | undefined): number {
    if (privilege === undefined) return this.#ports.state.u32(MMU_INDEX);
    return privilege === 'user' ? MMU.USER : MMU.SUPERVISOR;
  }

  #readWithin(linear: bigint, size: 1 | 2 | 4, mmuIndex: number): number {
    const gpa = this.#translate(linear, ACCESS.READ, mmuIndex);
    const { bus, state } = this.#ports;
    const offset = gpa & 0xfff;
    const host = bus.hostPage(gpa - offset, false);
    if (host < 0) return bus.read(gpa, size);
    if (size === 4) return state.view.getUint32(host + offset, true);
    return size === 2 ? state.view.getUint16(host + offset, true) : state.view.getUint8(host + offset);
  }

  #writeWithin(linear: bigint, size: 1 | 2 | 4, value: number, mmuIndex: number): void {
    const gpa = this.#translate(linear, ACCESS.WRITE, mmuIndex);
    const { bus, state, onPhysicalWrite } = this.#ports;
    const offset = gpa & 0xfff;
    const host = bus.hostPage(gpa - offset, true);
    if (host < 0) {
      bus.write(gpa, size, size === 4 ? value >>> 0 : size === 2 ? value & 0xffff : value & 0xff);
      return;
    }
    if (size === 4) state.view.setUint32(host + offset, value, true);
    else if (size === 2) state.view.setUint16(host + offset, value, true);
    else state.view.setUint8(host + offset, value);
    onPhysicalWrite(gpa, size);
  }

  /** Checks a write that crosses a page. */
  #translateBoth(linear: bigint, mmuIndex: number): void {
    this.#translate(linear, ACCESS.WRITE, mmuIndex);
    this.#translate((linear | 0xfffn) + 1n, ACCESS.WRITE, mmuIndex);
  }

  /** Guest-physical byte address, or the fault. */
  #translate(linear: bigint, access: number, mmuIndex: number): number {
    const { state, walker, fault } = this.#ports;
    const low = Number(linear & 0xffff_ffffn);
    let high = 0;
    if ((state.u32(EFER) & EFER_BITS.LMA) !== 0) {
      if (!isCanonical(state, linear)) fault(GENERAL_PROTECTION_VECTOR, 0);
      high = Number((linear >> 32n) & 0xffff_ffffn);
    }
    if (!walker.walk(low, high, access, mmuIndex)) {
      state.setU64(CR2, BigInt(high) * 0x1_0000_0000n + BigInt(low));
      fault(PAGE_FAULT_VECTOR, walker.errorCode);
    }
    return walker.gpa + (low & 0xfff);
  }
}
