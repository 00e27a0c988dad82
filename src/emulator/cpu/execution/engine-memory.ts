import { MACHINE_OFFSET, TRANSLATION_AREA_BYTES } from '../interpreter/layout.ts';

/** Bytes of a page of WebAssembly memory, and how many of them one memory holds. */
const WASM_PAGE = 0x1_0000;
const MAXIMUM_PAGES = 0x1_0000;
const ENGINE_PAGE = 0x1000;

/** First byte of the engine's memory that belongs to the machine. */
export const ENGINE_MACHINE_OFFSET = MACHINE_OFFSET;

/** Where the translation areas of all processors but the first stand, behind `machineBytes` of RAM and ROM. */
export function translationAreasAfter(machineBytes: number): number {
  return Math.ceil((MACHINE_OFFSET + machineBytes) / ENGINE_PAGE) * ENGINE_PAGE;
}

/** Memory for the engine's own state and `machineBytes` of RAM and ROM (one wasm32 memory: at most 4 GiB in all). */
export function createEngineMemory(machineBytes: number, processors = 1): WebAssembly.Memory {
  const bytes = translationAreasAfter(machineBytes) + (processors - 1) * TRANSLATION_AREA_BYTES;
  const pages = Math.ceil(bytes / WASM_PAGE);
  return new WebAssembly.Memory({ initial: pages, maximum: MAXIMUM_PAGES });
}

/** How generated modules declare the memory that they import: any that is large enough fits. */
export function memoryLimits(buffer: ArrayBuffer | SharedArrayBuffer): {
  initialPages: number;
  maximumPages: number;
  shared: boolean;
} {
  const shared = typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer;
  return { initialPages: 1, maximumPages: MAXIMUM_PAGES, shared };
}
