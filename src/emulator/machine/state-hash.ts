/** FNV-1a's prime and basis, 32 bits. */
const PRIME = 0x0100_0193;
const BASIS = 0x811c_9dc5;

/**
 * 128-bit hash of `parts`, as hexadecimal text: to compare runs, not for security. Four FNV-1a lanes over 32-bit words, finished
 * with a mix, so that gigabytes take about a second. Trailing bytes that fill no word count as a word padded with 0.
 */
export function stateHash(parts: readonly Uint8Array[]): string {
  const lanes = new Uint32Array([BASIS, BASIS ^ 1, BASIS ^ 2, BASIS ^ 3]);
  for (const part of parts) {
    absorb(lanes, words(part));
    lanes[0] = Math.imul(lanes[0] ^ part.length, PRIME);
  }
  return [...lanes]
    .map((lane, index) =>
      mix(lane ^ lanes[(index + 1) & 3])
        .toString(16)
        .padStart(8, '0'),
    )
    .join('');
}

function absorb(lanes: Uint32Array, data: Uint32Array): void {
  let [a, b, c, d] = lanes;
  const whole = data.length & ~3;
  for (let index = 0; index < whole; index += 4) {
    a = Math.imul(a ^ data[index], PRIME);
    b = Math.imul(b ^ data[index + 1], PRIME);
    c = Math.imul(c ^ data[index + 2], PRIME);
    d = Math.imul(d ^ data[index + 3], PRIME);
    // FNV moves bits upwards only; let the lanes feed the high ones back.
    a ^= d >>> 15;
    b ^= a >>> 15;
    c ^= b >>> 15;
    d ^= c >>> 15;
  }
  for (let index = whole; index < data.length; index++) a = Math.imul(a ^ data[index], PRIME);
  lanes.set([a, b, c, d]);
}

function words(bytes: Uint8Array): Uint32Array {
  if (bytes.byteOffset % 4 === 0 && bytes.length % 4 === 0) {
    return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }
  const copy = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  copy.set(bytes);
  return new Uint32Array(copy.buffer);
}

function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
