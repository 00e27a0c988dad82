/** Resource templates as the interpreter sees them: buffers whose descriptors are walked and not understood (ACPI 6.5 §6.4). */
import { evaluationError } from './evaluation-error.ts';

/** EndTag; a checksum of zero is right for any template (§6.4.2.9). */
export const END_TAG_BYTES = Uint8Array.of(0x79, 0);

const LARGE = 0x80;
const END_TAG = 0x78;
/** Small tags in use, by bits 3 to 6 (table 6.41), and the large ones (table 6.42). */
const SMALL_TAGS: ReadonlySet<number> = new Set([0x20, 0x28, 0x30, 0x38, 0x40, 0x48, 0x50, 0x70, END_TAG]);
const LAST_LARGE_TAG = 0x92;

/** Bytes in front of the EndTag. An empty buffer is a template without descriptors. Throws evaluation errors for anything else. */
export function descriptorsEnd(bytes: Uint8Array): number {
  let offset = 0;
  while (offset < bytes.length) {
    const tag = bytes[offset];
    if (!isTag(tag))
      throw evaluationError('AE_AML_INVALID_RESOURCE_TYPE', `0x${tag.toString(16)} at ${offset} is no descriptor`);
    if (tag < LARGE && (tag & 0x78) === END_TAG) return offset;
    offset += tag >= LARGE ? 3 + ((bytes[offset + 1] ?? 0) | ((bytes[offset + 2] ?? 0) << 8)) : 1 + (tag & 7);
  }
  if (bytes.length === 0) return 0;
  throw evaluationError('AE_AML_NO_RESOURCE_END_TAG', 'a resource template without an EndTag');
}

function isTag(tag: number): boolean {
  return tag >= LARGE ? tag > LARGE && tag <= LAST_LARGE_TAG : SMALL_TAGS.has(tag & 0x78);
}
