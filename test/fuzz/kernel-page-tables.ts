import { ALIAS, CODE, DATA, DATA_PAGES, DEVICE_GPA, entryOf, KERNEL, PAGE, type Paging } from './memory-map.ts';

const PRESENT = 1;
const WRITABLE = 2;
const USER = 4;
const ACCESSED_DIRTY = 0x60;
const NO_EXECUTE = 0x8000_0000;

/** Maps the kernel to itself and the program's pages to theirs; returns what CR3 is. */
export function writePageTables(view: DataView, paging: Paging): number {
  const isShort = paging === 'two-level';
  const put = (at: number, low: number, high = 0): void => {
    view.setUint32(at, low, true);
    if (!isShort) view.setUint32(at + 4, high, true);
  };
  const tables = USER | WRITABLE | PRESENT;
  put(KERNEL.PML4, KERNEL.PDPT | tables);
  // PAE's pointers have no rights.
  put(KERNEL.PDPT, KERNEL.DIRECTORY | (paging === 'pae' ? PRESENT : tables));
  put(KERNEL.DIRECTORY, KERNEL.LOW_TABLE | tables);
  put(KERNEL.DIRECTORY + (isShort ? (CODE.linear >>> 22) * 4 : (CODE.linear >>> 21) * 8), KERNEL.TABLE | tables);
  for (let page = 0; page < KERNEL.PAGES; page++) {
    put(KERNEL.LOW_TABLE + page * (isShort ? 4 : 8), (page * PAGE) | ACCESSED_DIRTY | PRESENT | WRITABLE);
  }
  const map = (linear: number, physical: number, bits: number, high = 0): void =>
    put(entryOf(linear, paging), physical | USER | bits, high);
  for (let page = 0; page < CODE.pages; page++) {
    map(CODE.linear + page * PAGE, CODE.physical + page * PAGE, PRESENT | WRITABLE);
  }
  map(ALIAS.linear, ALIAS.physical, PRESENT | WRITABLE);
  for (const [page, kind] of DATA_PAGES.entries()) {
    const linear = DATA.linear + page * PAGE;
    // Code fetched from a device would be read as often as the engine likes: two levels, which cannot forbid that, have no device.
    if (kind === 'device') map(linear, DEVICE_GPA, isShort ? 0 : PRESENT | WRITABLE, NO_EXECUTE);
    else {
      const bits = { plain: PRESENT | WRITABLE, readOnly: PRESENT, retry: WRITABLE, absent: 0 }[kind];
      map(linear, DATA.physical + page * PAGE, bits);
    }
  }
  return { long: KERNEL.PML4, pae: KERNEL.PDPT, 'two-level': KERNEL.DIRECTORY }[paging];
}
