import { UserError } from '../shared/errors.ts';
import { PREFIX } from './opcodes.ts';
import type { NameTerm } from './tree.ts';

const SEGMENT = /^[A-Z_a-z][A-Z_a-z0-9]{0,3}$/;

/**
 * The NameString that `text` writes in ASL: `\_SB.PCI0`, `^^FOO`, `_CRS`. NameSegs are padded with `_` and upper-cased.
 * Throws `AML_NAME` when a segment is empty, longer than four characters or holds other characters than letters, digits and `_`.
 */
export function parseNameString(text: string): NameTerm {
  const match = /^(\\|\^*)(.*)$/s.exec(text)!;
  const [, prefix, rest] = match;
  if (rest === '') return { kind: 'NameString', path: prefix };
  const segments = rest.split('.').map((segment) => {
    if (!SEGMENT.test(segment)) {
      throw new UserError('AML_NAME', `"${text}" is not an ACPI name: segment "${segment}"`, {
        place: { path: text },
        mend: 'write one to four letters, digits and underscores a segment, not starting with a digit, joined by dots',
      });
    }
    return segment.toUpperCase().padEnd(4, '_');
  });
  return { kind: 'NameString', path: prefix + segments.join('.') };
}

/** One NameSeg, padded to four characters. Throws as `parseNameString`. */
export function parseNameSeg(text: string): string {
  const { path } = parseNameString(text);
  if (path.length !== 4 || path.startsWith('\\') || path.startsWith('^')) {
    throw new UserError('AML_NAME', `"${text}" is not a single ACPI name segment`, {
      place: { path: text },
      mend: 'write one to four letters, digits and underscores',
    });
  }
  return path;
}

/** A path's prefix (`\`, carets or nothing) and its NameSegs. */
export function splitPath(path: string): { prefix: string; segments: string[] } {
  let length = 0;
  while (path[length] === '\\' || path[length] === '^') length++;
  const rest = path.slice(length);
  // Split by position: a NameSeg of a damaged table may hold a dot.
  const segments: string[] = [];
  for (let index = 0; index < rest.length; index += 5) segments.push(rest.slice(index, index + 4));
  return { prefix: path.slice(0, length), segments };
}

/** False for the root, for carets alone and for NullName. */
export function hasSegments(path: string): boolean {
  // The first character of the last NameSeg.
  const lead = path[path.length - 4];
  return lead !== undefined && lead !== '\\' && lead !== '^';
}

/** The path as ASL writes it: trailing underscores of each NameSeg left out. */
export function formatPath(path: string): string {
  if (!path.includes('_')) return path;
  const { prefix, segments } = splitPath(path);
  return prefix + segments.map(formatNameSeg).join('.');
}

export function formatNameSeg(segment: string): string {
  const text = segment.replace(/_+$/, '');
  return text === '' ? '_' : text;
}

/** ACPI 6.5 §20.2.2. */
export function encodeNameString(name: NameTerm): number[] {
  const { prefix, segments } = splitPath(name.path);
  const bytes = [...prefix].map((character) => character.charCodeAt(0));
  if (segments.length === 0) bytes.push(PREFIX.NullName);
  else if (name.prefix === 'multi' || segments.length > 2) bytes.push(PREFIX.MultiNamePrefix, segments.length);
  else if (segments.length === 2) bytes.push(PREFIX.DualNamePrefix);
  for (const segment of segments) for (let index = 0; index < 4; index++) bytes.push(segment.charCodeAt(index) & 0xff);
  return bytes;
}
