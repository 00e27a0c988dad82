const BLOCK = 512;
/** Offsets in a ustar header (POSIX.1-1988 §10.1.1). */
const NAME = { offset: 0, byteLength: 100 };
const SIZE = { offset: 124, byteLength: 12 };
const TYPE_OFFSET = 156;
const REGULAR = '0';

function text(block: Uint8Array, { offset, byteLength }: { offset: number; byteLength: number }): string {
  const bytes = block.subarray(offset, offset + byteLength);
  const end = bytes.indexOf(0);
  return new TextDecoder('latin1').decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** The regular files of a tar archive by name. An archive that is cut short gives the files that are whole. */
export function readTar(archive: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK);
    const name = text(header, NAME);
    if (name === '') break;
    const size = Number.parseInt(text(header, SIZE).trim() || '0', 8);
    const start = at + BLOCK;
    if (!Number.isFinite(size) || start + size > archive.length) break;
    if (String.fromCharCode(header[TYPE_OFFSET]) === REGULAR) files.set(name, archive.subarray(start, start + size));
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}
