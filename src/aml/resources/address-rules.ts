import type { ResourceDescriptor } from './resource-template.ts';

/** A range of zeros: some code has to fill it in, which is why iasl wants a DescriptorName on it. */
export function isUnset(descriptor: ResourceDescriptor): boolean {
  switch (descriptor.kind) {
    case 'IO':
    case 'Memory24':
    case 'Memory32':
      return descriptor.minimum === 0 && descriptor.maximum === 0 && descriptor.byteLength === 0;
    case 'AddressSpace': {
      const { granularity, minimum, maximum, length } = descriptor;
      return granularity === 0n && minimum === 0n && maximum === 0n && length === 0n;
    }
    default:
      return false;
  }
}

/**
 * Why a range contradicts itself, or nothing: ACPI 6.5 §6.4.3.5 (table 6.44 for the fixed flags and the length), §6.4.2.5. iasl
 * refuses to compile such a range, and an operating system may ignore it.
 */
export function rangeContradiction(descriptor: ResourceDescriptor): string | undefined {
  if (isUnset(descriptor)) return undefined;
  switch (descriptor.kind) {
    case 'AddressSpace': {
      const { granularity, minimum, maximum, length, minFixed, maxFixed } = descriptor;
      if (minimum > maximum) return 'the minimum is above the maximum';
      if (length > maximum - minimum + 1n) return 'the length is larger than the window';
      if ((granularity & (granularity + 1n)) !== 0n) return 'the granularity is not a power of two less one';
      if (length === 0n) return zeroLengthContradiction(descriptor);
      if (minFixed !== maxFixed) return 'a range with a length has both ends fixed or none';
      if (!minFixed) return undefined;
      if (granularity !== 0n) return 'a fixed range has no granularity';
      return length === maximum - minimum + 1n ? undefined : 'the length of a fixed range is not its window';
    }
    case 'IO':
    case 'Memory24':
    case 'Memory32': {
      const { minimum, maximum, alignment } = descriptor;
      if (minimum > maximum) return 'the minimum is above the maximum';
      const unit = alignment === 0 ? 1 : alignment;
      const scale = descriptor.kind === 'Memory24' ? 256 : 1;
      if ((minimum * scale) % unit !== 0 || (maximum * scale) % unit !== 0)
        return 'an end is no multiple of the alignment';
      return undefined;
    }
    default:
      return undefined;
  }
}

function zeroLengthContradiction(range: {
  readonly granularity: bigint;
  readonly minimum: bigint;
  readonly maximum: bigint;
  readonly minFixed: boolean;
  readonly maxFixed: boolean;
}): string | undefined {
  const { granularity, minimum, maximum, minFixed, maxFixed } = range;
  if (minFixed && maxFixed) return 'a range without length has both ends fixed';
  if (minFixed && (minimum & granularity) !== 0n) return 'the fixed minimum is no multiple of the granularity';
  if (maxFixed && ((maximum + 1n) & granularity) !== 0n) return 'the fixed maximum does not end at the granularity';
  return undefined;
}
