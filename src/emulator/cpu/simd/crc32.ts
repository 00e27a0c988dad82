/** 11EDC6F41h with its bits reversed (SDM vol. 2, CRC32). */
const POLYNOMIAL = 0x82f6_3b78;

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ ((value & 1) !== 0 ? POLYNOMIAL : 0);
  return value;
});

/** CRC-32C of the low `byteLength` bytes of `data`, without the usual inversions. */
export function crc32c(sum: number, data: number, byteLength: number): number {
  let result = sum;
  for (let index = 0; index < byteLength; index++) {
    result = (result >>> 8) ^ TABLE[(result ^ (data >>> (index * 8))) & 0xff];
  }
  return result | 0;
}
