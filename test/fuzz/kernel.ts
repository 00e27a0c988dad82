import { viewOf } from '../../src/shared/bytes.ts';
import { assembleHandlers, type Entries } from './kernel-handlers.ts';
import { writePageTables } from './kernel-page-tables.ts';
import { CODE, type Gates, KERNEL, type Paging, RAM_BYTES, SELECTORS } from './memory-map.ts';

const VECTORS = 256;
/** NMI, #DF and #MC have stacks of their own in any case. */
const ALWAYS_OWN_STACK = new Set([2, 8, 18]);

/** What a program runs on. */
export interface Kernel {
  /** RAM before any program: descriptors, page tables, and handlers that skip what faulted, map the page of retries, or acknowledge. */
  readonly ram: Uint8Array;
  readonly cr3: number;
  /** Where SYSCALL and SYSENTER lead. */
  readonly entries: Entries;
}

export function buildKernel(paging: Paging, gates: Gates): Kernel {
  const ram = new Uint8Array(RAM_BYTES);
  const view = viewOf(ram);
  writeDescriptors(view, paging, gates);
  writeTaskState(view, paging);
  const cr3 = writePageTables(view, paging);
  const { sections, entries } = assembleHandlers(paging);
  for (const { base, bytes } of sections) ram.set(bytes, base);
  return { ram, cr3, entries };
}

function writeDescriptors(view: DataView, paging: Paging, gates: Gates): void {
  const u64 = (offset: number, value: bigint): void => view.setBigUint64(offset, value, true);
  const based = (descriptor: bigint): bigint => {
    const base = BigInt(CODE.linear);
    return descriptor | ((base & 0xff_ffffn) << 16n) | ((base >> 24n) << 56n);
  };
  const descriptor = (selector: number, value: bigint): void => u64(KERNEL.GDT + selector, value);
  descriptor(SELECTORS.KERNEL, paging === 'long' ? 0x00af_9b00_0000_ffffn : 0x00cf_9b00_0000_ffffn);
  descriptor(SELECTORS.KERNEL_DATA, 0x00cf_9300_0000_ffffn);
  descriptor(SELECTORS.CODE_64, 0x00af_fb00_0000_ffffn);
  descriptor(SELECTORS.CODE_32, 0x00cf_fb00_0000_ffffn);
  descriptor(SELECTORS.CODE_16, based(0x0000_fb00_0000_ffffn));
  descriptor(SELECTORS.DATA_32, 0x00cf_f300_0000_ffffn);
  descriptor(SELECTORS.DATA_16, based(0x0000_f300_0000_ffffn));
  // Interrupt gates that a program may call.
  const isLong = paging === 'long';
  for (let vector = 0; vector < VECTORS; vector++) {
    const handler = BigInt(KERNEL.STUBS + vector * KERNEL.STUB_BYTES);
    const stack = isLong && (gates === 'own-stack' || ALWAYS_OWN_STACK.has(vector)) ? 1n : 0n;
    const gate = (handler & 0xffffn) | (BigInt(SELECTORS.KERNEL) << 16n) | ((0xee00n | stack) << 32n);
    u64(KERNEL.IDT + vector * (isLong ? 16 : 8), gate | ((handler >> 16n) << 48n));
  }
}

/** Stacks for the kernel, and no I/O permission bitmap. */
function writeTaskState(view: DataView, paging: Paging): void {
  view.setUint32(KERNEL.TSS + 4, KERNEL.STACK_TOP, true);
  if (paging === 'long') view.setUint32(KERNEL.TSS + 0x24, KERNEL.IST_TOP, true);
  else view.setUint16(KERNEL.TSS + 8, SELECTORS.KERNEL_DATA, true);
  view.setUint16(KERNEL.TSS + 0x66, 0x68, true);
}
