import type { AccessSize } from '../../machine/ports.ts';
import type { CpuBus } from '../bus.ts';
import type { CpuState } from '../cpu-state.ts';
import type { Breakpoints } from '../execution/breakpoints.ts';
import {
  LARGE_REGIONS,
  LARGE_REGIONS_COUNT,
  LOCAL_COUNT,
  LOCAL_ENTRIES,
  LOCAL_ENTRIES_COUNT,
  MMU_COUNT,
  readTlbOf,
  slotsOf,
  TLB_ENTRIES,
  TLB_ENTRY_BYTES,
  TLBS,
  TLBS_END,
  TRANSLATION_AREA_BYTES,
  writeTlbOf,
} from '../interpreter/layout.ts';
import { isCanonicalHigh } from '../mmu/canonical.ts';
import { ACCESS, MMU, type PageWalker } from '../mmu/page-walk.ts';
import { CR2, LINEAR_MASK, MEMORY_VALUE, MMU_INDEX } from '../state.ts';
import type { PhysicalMap } from './physical-map.ts';

const PAGE = 0x1000;
const VECTOR_PF = 14;
const TLB_WORDS = TLB_ENTRY_BYTES / 4;

/** A linear page of a device, by MMU index. */
interface DevicePage {
  /** NOWHERE: none. */
  low: number;
  high: number;
  mmu: number;
  gpa: number;
}

/** No page's address. */
const NOWHERE = 1;
const noDevicePage = (): DevicePage => ({ low: NOWHERE, high: 0, mmu: 0, gpa: 0 });

/** What the slow path asks of the engine. */
export interface MemoryPathPorts {
  readonly state: CpuState;
  readonly bus: CpuBus;
  readonly walker: PageWalker;
  readonly physicalMap: PhysicalMap;
  readonly breakpoints: Breakpoints;
  isCodePage(page: number): boolean;
  /** Bytes of RAM changed under translated code, perhaps. */
  onWrite(gpa: number, byteLength: number): void;
  /** The current instruction has hit a data breakpoint: it is the last one before #DB. */
  breakpointHit(): void;
  /** Records a fault of the current instruction. */
  recordFault(vector: number, errorCode: number): void;
  /** The stack segment is the operand's: non-canonical addresses then give #SS. */
  nonCanonical(): void;
}

/** Linear memory as generated code reaches it when the TLB does not answer: fills the TLB, crosses pages, goes to devices. */
export class MemoryPath {
  readonly #ports: MemoryPathPorts;
  /** The processor's translation area, as words. */
  readonly #area: Int32Array;
  /** Physical places of the store that waits for slowCommit: the second is −1 unless the access crosses a page. */
  #first = 0;
  #second = -1;
  #bytesInFirst = 0;
  /** Why the last #isPlain said no: 0 a fault was recorded, −1 not plain memory. */
  #plainFailure = 0;
  /** The device page that was read last, and the one written: guests wait for one register by the hundred thousand. By ACCESS. */
  readonly #devicePages: readonly DevicePage[] = [noDevicePage(), noDevicePage()];

  /** See LOCAL_ENTRIES and LARGE_REGIONS: generated code notes what it fills in there too. */
  readonly #local: Int32Array;
  readonly #large: Uint8Array;

  /** `area`: byte offset of the processor's translation area in `buffer`. */
  constructor(ports: MemoryPathPorts, buffer: ArrayBufferLike, area: number) {
    this.#ports = ports;
    this.#area = new Int32Array(buffer, area, TRANSLATION_AREA_BYTES >> 2);
    this.#local = new Int32Array(buffer, area + LOCAL_ENTRIES, LOCAL_ENTRIES_COUNT);
    this.#large = new Uint8Array(buffer, area + LARGE_REGIONS, LARGE_REGIONS_COUNT);
    this.flush();
  }

  get #localCount(): number {
    return this.#area[LOCAL_COUNT >> 2];
  }

  set #localCount(count: number) {
    this.#area[LOCAL_COUNT >> 2] = count;
  }

  /** Forgets all translations. */
  flush(): void {
    this.#forgetDevices();
    this.#area.fill(-1, TLBS >> 2, TLBS_END >> 2);
    this.#localCount = 0;
    this.#large.fill(0);
  }

  /** Forgets what a CR3 write does: the user's translations, and the supervisor's of pages that are not global. */
  flushLocal(): void {
    this.#forgetDevices();
    const words = this.#area;
    words.fill(-1, readTlbOf(MMU.USER) >> 2, readTlbOf(MMU.USER + 1) >> 2);
    if (this.#localCount > LOCAL_ENTRIES_COUNT) words.fill(-1, TLBS >> 2, TLBS_END >> 2);
    else for (let index = 0; index < this.#localCount; index++) words[this.#local[index]] = -1;
    this.#flushSlots();
    this.#localCount = 0;
  }

  /** Forgets the page of `linearLow` in every TLB, or everything when a large page may hold it. */
  flushPage(linearLow: number): void {
    this.#forgetDevices();
    if (this.#large[(linearLow >>> 22) & (LARGE_REGIONS_COUNT - 1)] !== 0) {
      this.flush();
      return;
    }
    const entry = ((linearLow >>> 12) & (TLB_ENTRIES - 1)) * TLB_ENTRY_BYTES;
    for (let mmu = 0; mmu < MMU_COUNT; mmu++) {
      this.#area[(readTlbOf(mmu) + entry) >> 2] = -1;
      this.#area[(writeTlbOf(mmu) + entry) >> 2] = -1;
    }
    this.#flushSlots();
  }

  #flushSlots(): void {
    for (let mmu = 0; mmu < MMU_COUNT; mmu++) this.#area.fill(-1, slotsOf(mmu) >> 2, readTlbOf(mmu + 1) >> 2);
  }

  /** Forgets what may be written without the slow path. */
  flushWrites(): void {
    for (let mmu = 0; mmu < MMU_COUNT; mmu++) this.#area.fill(-1, writeTlbOf(mmu) >> 2, readTlbOf(mmu + 1) >> 2);
  }

  /** From now on writes to this host page take the slow path. */
  protectPage(hostPage: number): void {
    const words = this.#area;
    for (let mmu = 0; mmu < MMU_COUNT; mmu++) {
      const end = readTlbOf(mmu + 1) >> 2;
      for (let at = writeTlbOf(mmu) >> 2; at < end; at += TLB_WORDS) {
        if (((words[at] + words[at + 2]) | 0) === (hostPage | 0)) words[at] = -1;
      }
    }
  }

  /**
   * The same for compiled regions: −1 when a device or translated code stands at the address, or the access crosses pages, before anything has
   * happened there. The interpreter then runs the instruction.
   */
  readPlain(low: number, high: number, byteLength: number): number {
    if (!this.#isPlain(low, high, byteLength, ACCESS.READ)) return this.#plainFailure;
    return this.read(low, high, byteLength);
  }

  /** See `readPlain`. */
  writePlain(low: number, high: number, byteLength: number, modify: boolean): number {
    if (!this.#isPlain(low, high, byteLength, ACCESS.WRITE)) return this.#plainFailure;
    return this.write(low, high, byteLength, modify);
  }

  /** Host address of bytes in one page for the supervisor's tables and stacks; 0 when they cannot be read so or cross into the next page, and no fault recorded. */
  readQuietly(low: number, high: number, bytes: number): number {
    return this.#quiet(low, high, bytes, ACCESS.READ);
  }

  /** See `readQuietly`. */
  writeQuietly(low: number, high: number, bytes: number): number {
    return this.#quiet(low, high, bytes, ACCESS.WRITE);
  }

  #quiet(low: number, high: number, bytes: number, access: number): number {
    if ((low & (PAGE - 1)) + bytes > PAGE) return 0;
    const { bus, state, walker, physicalMap } = this.#ports;
    const mmu = state.u32(MMU_INDEX);
    if (!isCanonical(high, state) || !walker.walk(low, high, access, mmu)) return 0;
    const { gpa } = walker;
    const isWrite = access === ACCESS.WRITE;
    const host = bus.hostPage(gpa, isWrite);
    if (host < 0 || (isWrite && (!walker.writable || this.#ports.isCodePage(gpa / PAGE)))) return 0;
    physicalMap.note(gpa, host, isWrite);
    this.#fill(isWrite ? writeTlbOf(mmu) : readTlbOf(mmu), low, high, host);
    return host + (low & (PAGE - 1));
  }

  #isPlain(low: number, high: number, byteLength: number, access: number): boolean {
    const { bus } = this.#ports;
    this.#plainFailure = -1;
    if ((low & 0xfff) + byteLength > PAGE || this.#ports.breakpoints.watchesData(low, high)) return false;
    const gpa = this.#translate(low, high, access);
    this.#plainFailure = gpa < 0 ? 0 : -1;
    if (gpa < 0) return false;
    const write = access === ACCESS.WRITE;
    return bus.hostPage(gpa, write) >= 0 && !(write && this.#ports.isCodePage(gpa / PAGE));
  }

  /** Host address for reading `byteLength` bytes, or 0 after recording a fault. */
  read(low: number, high: number, byteLength: number): number {
    const { bus, state } = this.#ports;
    const offset = low & 0xfff;
    const gpa = this.#translate(low, high, ACCESS.READ);
    if (gpa < 0) return 0;
    this.#watch(low, high, byteLength, false);
    if (offset + byteLength > PAGE) return this.#readAcross(gpa, low, high, byteLength);
    const host = bus.hostPage(gpa, false);
    if (host >= 0) {
      this.#ports.physicalMap.note(gpa, host, false);
      this.#fill(readTlbOf(state.u32(MMU_INDEX)), low, high, host);
      return host + offset;
    }
    this.#noteDevice(low, high, ACCESS.READ, gpa);
    this.#deviceRead(gpa + offset, byteLength, MEMORY_VALUE);
    return MEMORY_VALUE;
  }

  /** Host address for writing, MEMORY_VALUE when `commit` must follow, or 0 after recording a fault. `modify`: MEMORY_VALUE holds the old bytes. */
  write(low: number, high: number, byteLength: number, modify: boolean): number {
    const { bus, state } = this.#ports;
    const offset = low & 0xfff;
    const gpa = this.#translate(low, high, ACCESS.WRITE);
    if (gpa < 0) return 0;
    this.#watch(low, high, byteLength, true);
    const writable = this.#ports.walker.writable;
    this.#first = gpa + offset;
    this.#second = -1;
    this.#bytesInFirst = byteLength;
    if (offset + byteLength > PAGE) {
      const nextLow = (low & ~0xfff) + PAGE;
      const carry = nextLow > 0xffff_ffff || low >>> 0 > 0xffff_efff ? 1 : 0;
      const second = this.#translate(this.#maskLow(nextLow), this.#maskHigh(high + carry), ACCESS.WRITE);
      if (second < 0) return 0;
      this.#second = second;
      this.#bytesInFirst = PAGE - offset;
      if (modify) this.#readPieces(gpa + offset, second, byteLength);
      return MEMORY_VALUE;
    }
    const host = bus.hostPage(gpa, true);
    if (host >= 0 && !this.#ports.isCodePage(gpa / PAGE)) {
      this.#ports.physicalMap.note(gpa, host, true);
      if (writable) this.#fill(writeTlbOf(state.u32(MMU_INDEX)), low, high, host);
      return host + offset;
    }
    if (host < 0) this.#noteDevice(low, high, ACCESS.WRITE, gpa);
    if (modify) this.#physicalRead(this.#first, byteLength, MEMORY_VALUE);
    return MEMORY_VALUE;
  }

  /** Writes what stands in MEMORY_VALUE to the places of the last `write`. */
  commit(byteLength: number): void {
    this.#physicalWrite(this.#first, this.#bytesInFirst, MEMORY_VALUE);
    if (this.#second >= 0)
      this.#physicalWrite(this.#second, byteLength - this.#bytesInFirst, MEMORY_VALUE + this.#bytesInFirst);
  }

  #forgetDevices(): void {
    for (const page of this.#devicePages) page.low = NOWHERE;
  }

  #noteDevice(low: number, high: number, access: number, gpa: number): void {
    const page = this.#devicePages[access];
    page.low = low & -PAGE;
    page.high = high;
    page.mmu = this.#ports.state.u32(MMU_INDEX);
    page.gpa = gpa;
  }

  /** Guest-physical page base, or −1 after recording the fault. */
  #translate(low: number, high: number, access: number): number {
    const { state, walker } = this.#ports;
    const known = this.#devicePages[access];
    if (known.low === (low & -PAGE) && known.high === high && known.mmu === state.u32(MMU_INDEX)) return known.gpa;
    if (!isCanonical(high, state)) {
      this.#ports.nonCanonical();
      return -1;
    }
    if (walker.walk(low, high, access, state.u32(MMU_INDEX))) return walker.gpa;
    state.setU32(CR2, low >>> 0);
    state.setU32(CR2 + 4, high >>> 0);
    this.#ports.recordFault(VECTOR_PF, walker.errorCode);
    return -1;
  }

  #watch(low: number, high: number, byteLength: number, write: boolean): void {
    const { breakpoints, breakpointHit } = this.#ports;
    if (breakpoints.note(low, high, byteLength, write)) breakpointHit();
  }

  #fill(tlb: number, low: number, high: number, host: number): void {
    if (this.#ports.breakpoints.watchesData(low, high)) return;
    const page = low & ~0xfff;
    const at = (tlb >> 2) + ((low >>> 12) & (TLB_ENTRIES - 1)) * TLB_WORDS;
    this.#area[at] = page;
    this.#area[at + 1] = high;
    this.#area[at + 2] = host - page;
    const { walker } = this.#ports;
    if (walker.pageShift > 12) this.#large[(low >>> 22) & (LARGE_REGIONS_COUNT - 1)] = 1;
    if (walker.global || tlb < readTlbOf(MMU.SUPERVISOR)) return;
    if (this.#localCount < LOCAL_ENTRIES_COUNT) this.#local[this.#localCount] = at;
    this.#localCount++;
  }

  #readAcross(firstPage: number, low: number, high: number, byteLength: number): number {
    const nextLow = (low & ~0xfff) + PAGE;
    const carry = low >>> 0 > 0xffff_efff ? 1 : 0;
    const second = this.#translate(this.#maskLow(nextLow), this.#maskHigh(high + carry), ACCESS.READ);
    if (second < 0) return 0;
    this.#bytesInFirst = PAGE - (low & 0xfff);
    this.#readPieces(firstPage + (low & 0xfff), second, byteLength);
    return MEMORY_VALUE;
  }

  #readPieces(first: number, second: number, byteLength: number): void {
    const inFirst = this.#bytesInFirst;
    this.#physicalRead(first, inFirst, MEMORY_VALUE);
    this.#physicalRead(second, byteLength - inFirst, MEMORY_VALUE + inFirst);
  }

  #maskLow(low: number): number {
    return low | 0;
  }

  /** Outside 64-bit code linear addresses wrap at 4 GiB. */
  #maskHigh(high: number): number {
    return this.#ports.state.u32(LINEAR_MASK + 4) === 0 ? 0 : high | 0;
  }

  #physicalRead(gpa: number, byteLength: number, target: number): void {
    const { bus, state } = this.#ports;
    const offset = gpa % PAGE;
    const host = bus.hostPage(gpa - offset, false);
    if (host >= 0) state.bytes.copyWithin(target, host + offset, host + offset + byteLength);
    else this.#deviceRead(gpa, byteLength, target);
  }

  #physicalWrite(gpa: number, byteLength: number, source: number): void {
    const { bus, state } = this.#ports;
    const offset = gpa % PAGE;
    const host = bus.hostPage(gpa - offset, true);
    if (host >= 0) {
      state.bytes.copyWithin(host + offset, source, source + byteLength);
      this.#ports.onWrite(gpa, byteLength);
      return;
    }
    let done = 0;
    while (done < byteLength) {
      const size = pieceSize(byteLength - done);
      const at = source + done;
      const value = size === 4 ? state.u32(at) : size === 2 ? state.view.getUint16(at, true) : state.bytes[at];
      bus.write(gpa + done, size, value);
      done += size;
    }
  }

  #deviceRead(gpa: number, byteLength: number, target: number): void {
    const { bus, state } = this.#ports;
    let done = 0;
    while (done < byteLength) {
      const size = pieceSize(byteLength - done);
      const value = bus.read(gpa + done, size);
      const at = target + done;
      if (size === 4) state.setU32(at, value);
      else if (size === 2) state.view.setUint16(at, value, true);
      else state.bytes[at] = value;
      done += size;
    }
  }
}

function pieceSize(byteLength: number): AccessSize {
  if (byteLength >= 4) return 4;
  return byteLength >= 2 ? 2 : 1;
}

/** Outside 64-bit code the high half is 0 and always passes. */
function isCanonical(high: number, state: CpuState): boolean {
  return state.u32(LINEAR_MASK + 4) === 0 || isCanonicalHigh(state, high);
}
