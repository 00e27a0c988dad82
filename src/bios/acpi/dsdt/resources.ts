import { buffer } from '../../../aml/build.ts';
import type { AmlTerm } from '../../../aml/tree.ts';
import { concatBytes } from '../../../shared/bytes.ts';

/** Resource descriptors of this DSDT (ACPI 6.5 §6.4). `size` and `byteLength` are bytes, `count` is ports or buses. */

const LARGE = 0x80;

/** A `_CRS` or `_PRS` buffer: the descriptors and the End Tag, whose checksum 0 says that it is not used. */
export function resourceTemplate(descriptors: readonly Uint8Array[]): AmlTerm {
  return buffer(concatBytes([...descriptors, Uint8Array.of(0x79, 0)]));
}

/** §6.4.2.5, 16-bit decode, fixed base. */
export function io(base: number, count: number): Uint8Array {
  return Uint8Array.of(0x47, 1, base & 0xff, base >> 8, base & 0xff, base >> 8, 1, count);
}

/** §6.4.2.1 without flags: edge, active high, exclusive. */
export function irqNoFlags(irq: number): Uint8Array {
  const mask = 1 << irq;
  return Uint8Array.of(0x22, mask & 0xff, mask >> 8);
}

/** §6.4.2.2, 8-bit compatible transfers. */
export function dma(channel: number): Uint8Array {
  return Uint8Array.of(0x2a, 1 << channel, 0);
}

/** §6.4.3.4 */
export function memory32Fixed(range: { base: number; size: number }, access: 'read-write' | 'read-only'): Uint8Array {
  return Uint8Array.of(
    LARGE | 0x06,
    9,
    0,
    access === 'read-write' ? 1 : 0,
    ...bytesOf(range.base, 4),
    ...bytesOf(range.size, 4),
  );
}

/** §6.4.3.6: consumer, level, active high, shared. */
export function levelInterrupts(gsis: readonly number[]): Uint8Array {
  const body = [0b1001, gsis.length, ...gsis.flatMap((gsi) => bytesOf(gsi, 4))];
  return Uint8Array.of(LARGE | 0x09, body.length, 0, ...body);
}

/** Resource types of the address space descriptors (§6.4.3.5). */
const SPACE = { MEMORY: 0, IO: 1, BUS: 2 };
/** Producer, minimum and maximum fixed, positive decode. */
const PRODUCER = 0b1100;
const CONSUMER = 0b1101;
/** Read-write, non-cacheable or prefetchable. */
const READ_WRITE = 0b001;
const PREFETCHABLE = 0b111;
/** The whole range, not only ISA's. */
const ENTIRE_RANGE = 0b11;

export function wordBusNumber(first: number, last: number): Uint8Array {
  return addressSpace(SPACE.BUS, { base: first, size: last - first + 1 }, 2, { general: PRODUCER, specific: 0 });
}

export function wordIo(range: { base: number; size: number }): Uint8Array {
  return addressSpace(SPACE.IO, range, 2, { general: PRODUCER, specific: ENTIRE_RANGE });
}

export function dwordMemory(range: { base: number; size: number }): Uint8Array {
  return addressSpace(SPACE.MEMORY, range, 4, { general: PRODUCER, specific: READ_WRITE });
}

export function qwordMemory(
  range: { base: number; size: number },
  options: { prefetchable?: boolean; consumer?: boolean } = {},
): Uint8Array {
  return addressSpace(SPACE.MEMORY, range, 8, {
    general: options.consumer ? CONSUMER : PRODUCER,
    specific: options.prefetchable ? PREFETCHABLE : READ_WRITE,
  });
}

/** Word (0x88), DWord (0x87) or QWord (0x8a) address space descriptor: granularity, minimum, maximum, translation, length. */
function addressSpace(
  type: number,
  range: { base: number; size: number },
  width: 2 | 4 | 8,
  flags: { general: number; specific: number },
): Uint8Array {
  const tag = { 2: 0x08, 4: 0x07, 8: 0x0a }[width];
  const values = [0, range.base, range.base + range.size - 1, 0, range.size];
  const body = [type, flags.general, flags.specific, ...values.flatMap((value) => bytesOf(value, width))];
  return Uint8Array.of(LARGE | tag, body.length, 0, ...body);
}

function bytesOf(value: number, byteLength: number): number[] {
  return Array.from({ length: byteLength }, (_, index) => Math.floor(value / 2 ** (8 * index)) % 256);
}
