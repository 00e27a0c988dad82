import { type ErrorPlace, UserError } from '../../shared/errors.ts';

const SIZE_UNITS: Readonly<Record<string, number>> = { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/**
 * A size in QEMU's spelling, in bytes: decimal (fractions allowed) or 0x-hexadecimal, with B, K, M, G or T after it (powers of 1024).
 * Without a suffix `defaultUnit` applies.
 * @throws UserError SIZE_SYNTAX
 */
export function parseSize(text: string, place: ErrorPlace, defaultUnit: 'b' | 'm' = 'b'): number {
  const match = /^(0x[0-9a-f]+|\d+(?:\.\d+)?)([bkmgt]?)$/i.exec(text.trim());
  const bytes = match === null ? Number.NaN : Number(match[1]) * SIZE_UNITS[(match[2] || defaultUnit).toLowerCase()];
  if (!Number.isSafeInteger(bytes)) {
    throw new UserError('SIZE_SYNTAX', `'${text}' is not a size`, {
      place,
      mend: 'write a number with K, M, G or T after it, such as 512M or 8G',
    });
  }
  return bytes;
}

/** Size in the largest unit that divides it: `512M`, `8G`, `256`. Reads back with parseSize. */
export function formatSize(bytes: number): string {
  for (const unit of ['t', 'g', 'm', 'k']) {
    if (bytes > 0 && bytes % SIZE_UNITS[unit] === 0) return `${bytes / SIZE_UNITS[unit]}${unit.toUpperCase()}`;
  }
  return String(bytes);
}

/**
 * A whole number, decimal or 0x-hexadecimal, in [minimum, maximum].
 * @throws UserError NUMBER_SYNTAX, NUMBER_RANGE
 */
export function parseInteger(text: string, what: string, minimum: number, maximum: number, place: ErrorPlace): number {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text.trim())) {
    throw new UserError('NUMBER_SYNTAX', `${what}: '${text}' is not a whole number`, {
      place,
      mend: `write a number from ${minimum} to ${maximum}`,
    });
  }
  const value = Number(text.trim());
  if (value < minimum || value > maximum) {
    throw new UserError('NUMBER_RANGE', `${what}: ${text} is outside ${minimum}–${maximum}`, {
      place,
      mend: `choose a number from ${minimum} to ${maximum}`,
    });
  }
  return value;
}

/**
 * QEMU's slot syntax `SLOT[.FUNCTION]`, both hexadecimal with or without 0x: `2`, `1d.7`, `0x10`.
 * @throws UserError ADDR_SYNTAX
 */
export function parseSlot(text: string, place: ErrorPlace): { device: number; function: number } {
  const match = /^(?:0x)?([0-9a-f]{1,2})(?:\.([0-7]))?$/i.exec(text.trim());
  const device = match === null ? Number.NaN : Number.parseInt(match[1], 16);
  if (match === null || device > 0x1f) {
    throw new UserError('ADDR_SYNTAX', `addr: '${text}' is not a PCI slot`, {
      place,
      mend: 'write SLOT or SLOT.FUNCTION in hexadecimal, slot 0–1f, function 0–7, such as addr=1d.7',
    });
  }
  return { device, function: Number(match[2] ?? 0) };
}
