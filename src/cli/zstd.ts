import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Compressor } from '../emulator/machine/snapshot/compressor.ts';

/** On a booted Linux the default (3) is no smaller, and no faster to read. */
const LEVEL = 1;
/** Node's least piece of output. */
const SMALLEST_CHUNK = 64;

/** Zstandard with its checksum: reading costs about a third of what zlib's format costs. */
export const zstd: Compressor = {
  method: 'zstd',
  checksum: (bytes) => crc32(bytes),
  compress: (bytes) =>
    zstdCompressSync(bytes, {
      params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
    }),
  decompress: (bytes, byteLength) => {
    // One piece of output of the right size: nothing is copied together afterwards.
    const plain = zstdDecompressSync(bytes, { chunkSize: Math.max(SMALLEST_CHUNK, byteLength) });
    if (plain.length !== byteLength) throw new RangeError(`${plain.length} bytes instead of ${byteLength}`);
    return plain;
  },
};
