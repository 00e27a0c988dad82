import { alignUp, asciiBytes, concatBytes } from '../../shared/bytes.ts';

/** One entry of an archive. Modes as in stat(2): type and permissions. */
export interface CpioEntry {
  /** Path without a leading slash. */
  readonly name: string;
  readonly mode: number;
  /** Contents of a file, target of a symbolic link. */
  readonly data?: Uint8Array;
  /** Major and minor of a device node. */
  readonly device?: readonly [number, number];
}

const S_IFCHR = 0o02_0000;
const S_IFDIR = 0o04_0000;
const S_IFREG = 0o10_0000;
const S_IFLNK = 0o12_0000;

export const directory = (name: string, permissions = 0o755): CpioEntry => ({ name, mode: S_IFDIR | permissions });

export const file = (name: string, data: Uint8Array, permissions = 0o644): CpioEntry => ({
  name,
  mode: S_IFREG | permissions,
  data,
});

export const symbolicLink = (name: string, target: string): CpioEntry => ({
  name,
  mode: S_IFLNK | 0o777,
  data: asciiBytes(target),
});

export const characterDevice = (name: string, major: number, minor: number, permissions = 0o600): CpioEntry => ({
  name,
  mode: S_IFCHR | permissions,
  device: [major, minor],
});

/** Magic of the "new ASCII" format without checksums (Linux Documentation/driver-api/early-userspace/buffer-format.rst). */
export const CPIO_MAGIC = '070701';
const TRAILER = 'TRAILER!!!';
const ALIGNMENT = 4;

const padded = (bytes: Uint8Array): Uint8Array[] => [
  bytes,
  new Uint8Array(alignUp(bytes.length, ALIGNMENT) - bytes.length),
];

function encodeEntry(entry: CpioEntry, inode: number): Uint8Array {
  const { name, mode, data = new Uint8Array(0), device = [0, 0] } = entry;
  const links = (mode & S_IFDIR) === S_IFDIR && (mode & S_IFREG) !== S_IFREG ? 2 : 1;
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const fields = [inode, mode, 0, 0, links, 0, data.length, 0, 0, device[0], device[1], name.length + 1, 0];
  const header = CPIO_MAGIC + fields.map((field) => field.toString(16).padStart(8, '0')).join('');
  return concatBytes([...padded(asciiBytes(`${header}${name}\0`)), ...padded(data)]);
}

/** A newc archive. Inodes count up, times and owners are 0: the same entries give the same bytes. */
export function encodeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const trailer: CpioEntry = { name: TRAILER, mode: 0 };
  return concatBytes([...entries.map((entry, index) => encodeEntry(entry, index + 1)), encodeEntry(trailer, 0)]);
}

const HEADER_BYTES = 110;
/** Place of a field among the eight-digit ones behind the magic. */
const FIELD = { mode: 1, byteLength: 6, nameLength: 11 } as const;

/** The entries of a newc archive up to its trailer, or to the first that is cut off. */
export function decodeCpio(bytes: Uint8Array): CpioEntry[] {
  const text = (offset: number, length: number) => String.fromCharCode(...bytes.subarray(offset, offset + length));
  const entries: CpioEntry[] = [];
  for (let offset = 0; text(offset, 6) === CPIO_MAGIC; ) {
    const field = (index: number) => Number.parseInt(text(offset + 6 + 8 * index, 8), 16);
    const nameLength = field(FIELD.nameLength);
    const byteLength = field(FIELD.byteLength);
    const name = text(offset + HEADER_BYTES, nameLength - 1);
    const start = alignUp(offset + HEADER_BYTES + nameLength, ALIGNMENT);
    if (name === TRAILER || !(start + byteLength <= bytes.length)) break;
    const data = bytes.subarray(start, start + byteLength);
    entries.push({ name, mode: field(FIELD.mode), ...(byteLength > 0 && { data }) });
    offset = alignUp(start + byteLength, ALIGNMENT);
  }
  return entries;
}
