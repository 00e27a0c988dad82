import type { CpuModel } from '../model/cpu-model.ts';
import type { CpuFeature } from '../model/features.ts';

/** State components: XCR0's bits (SDM vol. 1 §13.1). */
export const COMPONENT = { X87: 1 << 0, SSE: 1 << 1, AVX: 1 << 2, PKRU: 1 << 9 } as const;

/** Legacy region and header: where the extended region begins. */
export const EXTENDED_REGION = 576;

/** A component of the extended region. */
export interface ExtendedComponent {
  readonly number: number;
  readonly bit: number;
  readonly feature: CpuFeature;
  /** Place in the standard format, and size, in bytes. The compacted format packs without alignment. */
  readonly offset: number;
  readonly byteLength: number;
}

export const EXTENDED_COMPONENTS: readonly ExtendedComponent[] = [
  { number: 2, bit: COMPONENT.AVX, feature: 'avx', offset: EXTENDED_REGION, byteLength: 256 },
  { number: 9, bit: COMPONENT.PKRU, feature: 'pku', offset: EXTENDED_REGION + 256, byteLength: 8 },
];

/** What XCR0 may hold. */
export function supportedComponents(model: CpuModel): number {
  return EXTENDED_COMPONENTS.reduce(
    (mask, { bit, feature }) => (model.features.has(feature) ? mask | bit : mask),
    COMPONENT.X87 | COMPONENT.SSE,
  );
}

/** Bytes of an area in the standard format for these components. */
export function standardBytes(components: number): number {
  const ends = EXTENDED_COMPONENTS.filter(({ bit }) => (components & bit) !== 0).map((c) => c.offset + c.byteLength);
  return Math.max(EXTENDED_REGION, ...ends);
}

/** Bytes of an area in the compacted format for these components (SDM vol. 1 §13.4.3). */
export function compactedBytes(components: number): number {
  return compactedOffset(components, Number.POSITIVE_INFINITY);
}

/** Where component `number` stands among `components` in the compacted format. */
export function compactedOffset(components: number, number: number): number {
  return EXTENDED_COMPONENTS.filter((c) => (components & c.bit) !== 0 && c.number < number).reduce(
    (offset, { byteLength }) => offset + byteLength,
    EXTENDED_REGION,
  );
}
