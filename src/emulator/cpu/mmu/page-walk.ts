import type { CpuBus } from '../bus.ts';
import { CR0_BITS, CR4_BITS, EFER_BITS, PHYSICAL_ADDRESS_BITS } from '../control-bits.ts';
import type { CpuState } from '../cpu-state.ts';
import { CR0, CR3, CR4, EFER, PKRU } from '../state.ts';
import { PDPTE_REGISTERS } from '../stored-registers.ts';

/** What the access wants. */
export const ACCESS = { READ: 0, WRITE: 1, EXECUTE: 2 } as const;
/** Whose rights count: translations are cached by this index (see modes.ts). */
export const MMU = { USER: 0, SUPERVISOR: 1, SUPERVISOR_OVER_SMAP: 2 } as const;

/** Error code of #PF (SDM vol. 3 §4.7). */
export const PAGE_FAULT = { P: 1, W: 2, U: 4, RSVD: 8, I: 16, PK: 32 } as const;

/** Bits of a paging-structure entry's low dword. */
export const PTE = { P: 1, W: 2, U: 4, A: 0x20, D: 0x40, PS: 0x80, G: 0x100 } as const;
/** Two bits a protection key in PKRU. */
const KEY = { ACCESS: 1, WRITE: 2 } as const;
const NX = 0x8000_0000;
const TWO_32 = 0x1_0000_0000;

const PHYSICAL_HIGH_MASK = (1 << (PHYSICAL_ADDRESS_BITS - 32)) - 1;
/** Bits 51:MAXPHYADDR, in the high dword. */
const RESERVED_HIGH = 0x000f_ffff & ~PHYSICAL_HIGH_MASK;
/** PAE paging also reserves 62:52, which 4-level paging ignores. */
const RESERVED_HIGH_PAE = 0x7fff_ffff & ~PHYSICAL_HIGH_MASK;
const A20_BIT = 0x10_0000;
const TABLE_ENTRIES = 256;

/**
 * Translates linear addresses by walking the guest's tables, sets A and D on the way, and leaves its findings in fields: it allocates
 * nothing. The mode (off, 32-bit, PAE, 4-level, 5-level, with protection keys) is read from CR0, CR4 and EFER at each walk.
 */
export class PageWalker {
  /** After a walk that succeeded: guest-physical address of the 4 KiB page. */
  gpa = 0;
  /** What this MMU index may do with the page without another walk. `writable` asks for D too; `readable` heeds SMAP, `executable` NX and SMEP. */
  readable = false;
  writable = false;
  executable = false;
  /** The page belongs to the user. */
  user = false;
  /** Survives a CR3 write. */
  global = false;
  /** log2 of the size of the page that maps it: 12, 21, 22 or 30. INVLPG drops all of it. */
  pageShift = 12;
  /** After a walk that failed: the #PF's error code. */
  errorCode = 0;
  /** Gate A20: without it bit 20 of every physical address is 0. */
  a20Enabled = true;

  readonly #state: CpuState;
  readonly #bus: CpuBus;
  readonly #onTableWrite: (gpa: number, byteLength: number) => void;
  readonly #onTable: (gpa: number, hostPage: number) => void;

  /** Paging-structure cache of long mode: page tables by the linear address's bits 63:21 (SDM vol. 3 §4.10.3). An odd tag is never asked for. */
  readonly #tagLow = new Int32Array(TABLE_ENTRIES).fill(1);
  readonly #tagHigh = new Int32Array(TABLE_ENTRIES);
  readonly #tableHost = new Uint32Array(TABLE_ENTRIES);
  readonly #tableGpa = new Float64Array(TABLE_ENTRIES);
  readonly #tableRights = new Int32Array(TABLE_ENTRIES);
  readonly #tableNx = new Int32Array(TABLE_ENTRIES);

  // Of the walk under way.
  #access = 0;
  #mmuIndex = 0;
  #cr4 = 0;
  #efer = 0;
  #writeProtect = false;
  #key = -1;

  /**
   * `onTableWrite` hears of every A/D update in RAM, so that code that was translated from such a page is dropped; `onTable` of the page that a table
   * lies in, guest-physical and in the engine's memory.
   */
  constructor(
    state: CpuState,
    bus: CpuBus,
    onTableWrite: (gpa: number, byteLength: number) => void = () => {},
    onTable: (gpa: number, hostPage: number) => void = () => {},
  ) {
    this.#state = state;
    this.#bus = bus;
    this.#onTableWrite = onTableWrite;
    this.#onTable = onTable;
  }

  /**
   * Walks for the linear address whose halves are given (any 32-bit form; the high one counts in long mode only, where the caller has checked
   * that the address is canonical). `access` is one of ACCESS, `mmuIndex` one of MMU. True: the fields hold the translation. False: `errorCode`.
   */
  walk(linearLow: number, linearHigh: number, access: number, mmuIndex: number): boolean {
    const cr0 = this.#state.u32(CR0);
    if ((cr0 & CR0_BITS.PG) === 0) return this.#untranslated(linearLow);
    this.#access = access;
    this.#mmuIndex = mmuIndex;
    this.#writeProtect = (cr0 & CR0_BITS.WP) !== 0;
    this.#cr4 = this.#state.u32(CR4);
    this.#efer = this.#state.u32(EFER);
    if ((this.#efer & EFER_BITS.LMA) !== 0) return this.#walkLong(linearLow, linearHigh);
    this.#key = -1;
    if ((this.#cr4 & CR4_BITS.PAE) !== 0) return this.#walkPae(linearLow);
    return this.#walkLegacy(linearLow);
  }

  /** Forgets cached paging structures: any change of translations, INVLPG and CR3 writes among them, and of the physical map. */
  flush(): void {
    this.#tagLow.fill(1);
  }

  #untranslated(linearLow: number): boolean {
    this.#setPage((linearLow & 0xffff_f000) >>> 0);
    this.readable = true;
    this.writable = true;
    this.executable = true;
    this.user = true;
    this.global = false;
    this.pageShift = 12;
    return true;
  }

  #setPage(gpa: number): void {
    this.gpa = this.#gate(gpa);
  }

  #gate(gpa: number): number {
    return this.a20Enabled || (gpa & A20_BIT) === 0 ? gpa : gpa - A20_BIT;
  }

  /** 4-level and 5-level paging (SDM vol. 3 §4.5). */
  #walkLong(linearLow: number, linearHigh: number): boolean {
    const slot = ((linearLow >>> 21) ^ linearHigh) & (TABLE_ENTRIES - 1);
    if (this.#tagLow[slot] === (linearLow & ~0x1f_ffff) && this.#tagHigh[slot] === (linearHigh | 0)) {
      if (this.#walkCachedTable(slot, linearLow)) return true;
      // A fault drops what was cached for its address (SDM vol. 3 §4.10.4.1): the tables have the last word.
      this.#tagLow[slot] = 1;
    }
    const state = this.#state;
    const levels = (this.#cr4 & CR4_BITS.LA57) !== 0 ? 5 : 4;
    let table = ((state.u32(CR3) & 0xffff_f000) >>> 0) + (state.u32(CR3 + 4) & PHYSICAL_HIGH_MASK) * TWO_32;
    let rights = PTE.W | PTE.U;
    let noExecute = 0;
    for (let level = levels; ; level--) {
      const address = table + longIndex(linearLow, linearHigh, level) * 8;
      const low = this.#read32(address);
      if ((low & PTE.P) === 0) return this.#fail(0);
      const high = this.#read32(address + 4);
      if ((high & RESERVED_HIGH) !== 0 || this.#nxReserved(high)) return this.#fail(PAGE_FAULT.P | PAGE_FAULT.RSVD);
      rights &= low;
      noExecute |= high;
      this.#noteKey(high);
      if (level === 1) {
        const page = frame(low, high, 0xffff_f000);
        return this.#leaf(address, low, page, rights, noExecute, 12);
      }
      if ((low & PTE.PS) !== 0) {
        // 1 GiB pages are not announced, so PS is reserved above the page directory.
        if (level > 2 || (low & 0x001f_e000) !== 0) return this.#fail(PAGE_FAULT.P | PAGE_FAULT.RSVD);
        const page = frame(low, high, 0xffe0_0000) + (linearLow & 0x001f_f000);
        return this.#leaf(address, low, page, rights, noExecute, 21);
      }
      this.#setAccessed(address, low);
      table = frame(low, high, 0xffff_f000);
      if (level === 2) this.#cacheTable(slot, linearLow, linearHigh, { table, rights, noExecute });
    }
  }

  /** The last level alone, from a table whose place and rights are known. */
  #walkCachedTable(slot: number, linearLow: number): boolean {
    const offset = ((linearLow >>> 12) & 0x1ff) * 8;
    const host = this.#tableHost[slot] + offset;
    const low = this.#state.u32(host);
    if ((low & PTE.P) === 0) return this.#fail(0);
    const high = this.#state.u32(host + 4);
    if ((high & RESERVED_HIGH) !== 0 || this.#nxReserved(high)) return this.#fail(PAGE_FAULT.P | PAGE_FAULT.RSVD);
    this.#noteKey(high);
    const rights = this.#tableRights[slot] & low;
    const page = frame(low, high, 0xffff_f000);
    return this.#leaf(this.#tableGpa[slot] + offset, low, page, rights, this.#tableNx[slot] | high, 12);
  }

  /** Only tables in RAM that are read and written at the same place are kept. */
  #cacheTable(
    slot: number,
    linearLow: number,
    linearHigh: number,
    found: { table: number; rights: number; noExecute: number },
  ): void {
    const gpa = this.#gate(found.table);
    const host = this.#bus.hostPage(gpa, false);
    if (host < 0 || this.#bus.hostPage(gpa, true) !== host) return;
    this.#tagLow[slot] = linearLow & ~0x1f_ffff;
    this.#tagHigh[slot] = linearHigh;
    this.#tableHost[slot] = host;
    this.#tableGpa[slot] = gpa;
    this.#tableRights[slot] = found.rights;
    this.#tableNx[slot] = found.noExecute;
  }

  /** PAE paging (SDM vol. 3 §4.4): the four PDPTEs were loaded with CR3. */
  #walkPae(linearLow: number): boolean {
    const state = this.#state;
    const pdpte = PDPTE_REGISTERS + (linearLow >>> 30) * 8;
    const pdpteLow = state.u32(pdpte);
    if ((pdpteLow & PTE.P) === 0) return this.#fail(0);
    const directory = frame(pdpteLow, state.u32(pdpte + 4), 0xffff_f000) + ((linearLow >>> 21) & 0x1ff) * 8;
    const directoryLow = this.#read32(directory);
    if ((directoryLow & PTE.P) === 0) return this.#fail(0);
    const directoryHigh = this.#read32(directory + 4);
    const large = (directoryLow & PTE.PS) !== 0;
    if (
      (directoryHigh & RESERVED_HIGH_PAE) !== 0 ||
      this.#nxReserved(directoryHigh) ||
      (large && (directoryLow & 0x001f_e000) !== 0)
    ) {
      return this.#fail(PAGE_FAULT.P | PAGE_FAULT.RSVD);
    }
    const rights = directoryLow & (PTE.W | PTE.U);
    if (large) {
      const page = frame(directoryLow, directoryHigh, 0xffe0_0000) + (linearLow & 0x001f_f000);
      return this.#leaf(directory, directoryLow, page, rights, directoryHigh, 21);
    }
    this.#setAccessed(directory, directoryLow);
    const address = frame(directoryLow, directoryHigh, 0xffff_f000) + ((linearLow >>> 12) & 0x1ff) * 8;
    const low = this.#read32(address);
    if ((low & PTE.P) === 0) return this.#fail(0);
    const high = this.#read32(address + 4);
    if ((high & RESERVED_HIGH_PAE) !== 0 || this.#nxReserved(high)) return this.#fail(PAGE_FAULT.P | PAGE_FAULT.RSVD);
    return this.#leaf(address, low, frame(low, high, 0xffff_f000), rights & low, directoryHigh | high, 12);
  }

  /** 32-bit paging (SDM vol. 3 §4.3), with 4 MiB pages and PSE-36. */
  #walkLegacy(linearLow: number): boolean {
    const directory = ((this.#state.u32(CR3) & 0xffff_f000) >>> 0) + (linearLow >>> 22) * 4;
    const directoryEntry = this.#read32(directory);
    if ((directoryEntry & PTE.P) === 0) return this.#fail(0);
    const rights = directoryEntry & (PTE.W | PTE.U);
    if ((directoryEntry & PTE.PS) !== 0 && (this.#cr4 & CR4_BITS.PSE) !== 0) {
      // PSE-36 puts physical bits 39:32 into 20:13; bit 21 is reserved.
      if ((directoryEntry & 0x0020_0000) !== 0) return this.#fail(PAGE_FAULT.P | PAGE_FAULT.RSVD);
      const high = (directoryEntry >>> 13) & 0xff;
      const page = ((directoryEntry & 0xffc0_0000) >>> 0) + high * TWO_32 + (linearLow & 0x003f_f000);
      return this.#leaf(directory, directoryEntry, page, rights, 0, 22);
    }
    this.#setAccessed(directory, directoryEntry);
    const address = ((directoryEntry & 0xffff_f000) >>> 0) + ((linearLow >>> 12) & 0x3ff) * 4;
    const entry = this.#read32(address);
    if ((entry & PTE.P) === 0) return this.#fail(0);
    return this.#leaf(address, entry, (entry & 0xffff_f000) >>> 0, rights & entry, 0, 12);
  }

  #nxReserved(high: number): boolean {
    return (high & NX) !== 0 && (this.#efer & EFER_BITS.NXE) === 0;
  }

  /** Checks rights at the entry that maps the page, sets A and D there, and fills the fields. */
  #leaf(address: number, low: number, page: number, rights: number, noExecute: number, shift: number): boolean {
    const access = this.#access;
    const userPage = (rights & PTE.U) !== 0;
    let readable: boolean;
    let mayWrite = (rights & PTE.W) !== 0;
    let executable = (noExecute & NX) === 0;
    if (this.#mmuIndex === MMU.USER) {
      readable = userPage;
      mayWrite &&= userPage;
      executable &&= userPage;
    } else {
      readable = !(userPage && this.#mmuIndex === MMU.SUPERVISOR && (this.#cr4 & CR4_BITS.SMAP) !== 0);
      mayWrite = (mayWrite || !this.#writeProtect) && readable;
      if (userPage && (this.#cr4 & CR4_BITS.SMEP) !== 0) executable = false;
    }
    if (userPage && this.#key >= 0) {
      const disabled = this.#disabledByKey();
      readable &&= (disabled & KEY.ACCESS) === 0;
      mayWrite &&= disabled === 0;
      // The fault tells of the key, whatever else forbids the access.
      const counts = access === ACCESS.READ ? KEY.ACCESS : access === ACCESS.WRITE ? KEY.ACCESS | KEY.WRITE : 0;
      if ((disabled & counts) !== 0) return this.#fail(PAGE_FAULT.P | PAGE_FAULT.PK);
    }
    const allowed = access === ACCESS.READ ? readable : access === ACCESS.WRITE ? mayWrite : executable;
    if (!allowed) return this.#fail(PAGE_FAULT.P);
    const wanted = low | (access === ACCESS.WRITE ? PTE.A | PTE.D : PTE.A);
    if (wanted !== low) this.#write32(address, wanted);
    this.#setPage(page);
    this.readable = readable;
    this.writable = mayWrite && (wanted & PTE.D) !== 0;
    this.executable = executable;
    this.user = userPage;
    this.global = (low & PTE.G) !== 0 && (this.#cr4 & CR4_BITS.PGE) !== 0;
    this.pageShift = shift;
    return true;
  }

  /** What PKRU takes away from data accesses to pages with the walk's key (SDM vol. 3 §4.6.2). */
  #disabledByKey(): number {
    const disabled = (this.#state.u32(PKRU) >>> (this.#key * 2)) & (KEY.ACCESS | KEY.WRITE);
    return this.#mmuIndex === MMU.USER || this.#writeProtect ? disabled : disabled & KEY.ACCESS;
  }

  /** Key of the entry that maps the page; −1: keys do not count. */
  #noteKey(high: number): void {
    this.#key = (this.#cr4 & CR4_BITS.PKE) !== 0 ? (high >>> 27) & 15 : -1;
  }

  #fail(code: number): boolean {
    let errorCode = code;
    if (this.#access === ACCESS.WRITE) errorCode |= PAGE_FAULT.W;
    if (this.#mmuIndex === MMU.USER) errorCode |= PAGE_FAULT.U;
    if (this.#access === ACCESS.EXECUTE) {
      const noExecute = (this.#cr4 & CR4_BITS.PAE) !== 0 && (this.#efer & EFER_BITS.NXE) !== 0;
      if (noExecute || (this.#cr4 & CR4_BITS.SMEP) !== 0) errorCode |= PAGE_FAULT.I;
    }
    this.errorCode = errorCode;
    return false;
  }

  #setAccessed(address: number, low: number): void {
    if ((low & PTE.A) === 0) this.#write32(address, low | PTE.A);
  }

  #read32(address: number): number {
    const gpa = this.#gate(address);
    const offset = gpa & 0xfff;
    const host = this.#bus.hostPage(gpa - offset, false);
    if (host < 0) return this.#bus.read(gpa, 4);
    this.#onTable(gpa - offset, host);
    return this.#state.u32(host + offset);
  }

  #write32(address: number, value: number): void {
    const gpa = this.#gate(address);
    const offset = gpa & 0xfff;
    const host = this.#bus.hostPage(gpa - offset, true);
    if (host < 0) {
      this.#bus.write(gpa, 4, value >>> 0);
      return;
    }
    this.#state.setU32(host + offset, value);
    this.#onTableWrite(gpa, 4);
  }
}

/** Index into the table of `level` (5 = PML5 … 1 = page table). */
function longIndex(linearLow: number, linearHigh: number, level: number): number {
  switch (level) {
    case 5:
      return (linearHigh >>> 16) & 0x1ff;
    case 4:
      return (linearHigh >>> 7) & 0x1ff;
    case 3:
      return ((linearHigh << 2) | (linearLow >>> 30)) & 0x1ff;
    case 2:
      return (linearLow >>> 21) & 0x1ff;
    default:
      return (linearLow >>> 12) & 0x1ff;
  }
}

/** Physical address in an 8-byte entry; `lowMask` keeps the address bits of the low dword. */
function frame(low: number, high: number, lowMask: number): number {
  return ((low & lowMask) >>> 0) + (high & PHYSICAL_HIGH_MASK) * TWO_32;
}
