/** Compression as a port: the machine has none of its own. */
export interface Compressor {
  /** Name of the method, which a snapshot records. */
  readonly method: string;
  /** 32-bit checksum, for bytes that are decompressed later on. */
  checksum(bytes: Uint8Array): number;
  compress(bytes: Uint8Array): Uint8Array;
  /** The bytes that were compressed: `byteLength` of them. Throws for anything else. */
  decompress(bytes: Uint8Array, byteLength: number): Uint8Array;
}
