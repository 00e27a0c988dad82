/* SHA extensions (SDM vol. 2, SHA1* and SHA256*; FIPS 180-4). Dword 3 of a vector is the first of its four words. */

const rotateLeft = (value: number, count: number): number => (value << count) | (value >>> (32 - count));
const rotateRight = (value: number, count: number): number => (value >>> count) | (value << (32 - count));

function read(view: DataView, at: number): [number, number, number, number] {
  const word = (index: number) => view.getInt32(at + index * 4, true);
  return [word(0), word(1), word(2), word(3)];
}

function write(view: DataView, at: number, words: readonly number[]): void {
  words.forEach((word, index) => {
    view.setInt32(at + index * 4, word | 0, true);
  });
}

export function sha1Next(view: DataView, destination: number, source: number): void {
  const a = read(view, destination);
  const b = read(view, source);
  write(view, destination, [b[0], b[1], b[2], b[3] + rotateLeft(a[3], 30)]);
}

export function sha1Message1(view: DataView, destination: number, source: number): void {
  const a = read(view, destination);
  const b = read(view, source);
  write(view, destination, [b[2] ^ a[0], b[3] ^ a[1], a[0] ^ a[2], a[1] ^ a[3]]);
}

export function sha1Message2(view: DataView, destination: number, source: number): void {
  const a = read(view, destination);
  const b = read(view, source);
  const w16 = rotateLeft(a[3] ^ b[2], 1);
  const w17 = rotateLeft(a[2] ^ b[1], 1);
  const w18 = rotateLeft(a[1] ^ b[0], 1);
  write(view, destination, [rotateLeft(a[0] ^ w16, 1), w18, w17, w16]);
}

const SHA1_CONSTANTS = [0x5a82_7999, 0x6ed9_eba1, 0x8f1b_bcdc, 0xca62_c1d6] as const;

function sha1Function(kind: number, b: number, c: number, d: number): number {
  if (kind === 0) return (b & c) ^ (~b & d);
  return kind === 2 ? (b & c) ^ (b & d) ^ (c & d) : b ^ c ^ d;
}

/** SHA1RNDS4: four rounds of the kind that the immediate names; E is part of the first message word. */
export function sha1Rounds(view: DataView, destination: number, source: number, immediate: number): void {
  const kind = immediate & 3;
  let [d, c, b, a] = read(view, destination);
  const message = read(view, source);
  let e = 0;
  for (let round = 0; round < 4; round++) {
    const sum = sha1Function(kind, b, c, d) + rotateLeft(a, 5) + message[3 - round] + e + SHA1_CONSTANTS[kind];
    [a, b, c, d, e] = [sum | 0, a, rotateLeft(b, 30), c, d];
  }
  write(view, destination, [d, c, b, a]);
}

/** SHA256RNDS2: two rounds; the words with their constants added stand in XMM0. */
export function sha256Rounds(view: DataView, destination: number, source: number, words: number): void {
  let [h, g, d, c] = read(view, destination);
  let [f, e, b, a] = read(view, source);
  for (let round = 0; round < 2; round++) {
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const sum1 = rotateRight(e, 6) ^ rotateRight(e, 11) ^ rotateRight(e, 25);
    const sum0 = rotateRight(a, 2) ^ rotateRight(a, 13) ^ rotateRight(a, 22);
    const first = (choice + sum1 + view.getInt32(words + round * 4, true) + h) | 0;
    [a, b, c, d, e, f, g, h] = [(first + majority + sum0) | 0, a, b, c, (first + d) | 0, e, f, g];
  }
  write(view, destination, [f, e, b, a]);
}

const sigma0 = (x: number): number => rotateRight(x, 7) ^ rotateRight(x, 18) ^ (x >>> 3);
const sigma1 = (x: number): number => rotateRight(x, 17) ^ rotateRight(x, 19) ^ (x >>> 10);

export function sha256Message1(view: DataView, destination: number, source: number): void {
  const a = read(view, destination);
  const [next] = read(view, source);
  write(view, destination, [a[0] + sigma0(a[1]), a[1] + sigma0(a[2]), a[2] + sigma0(a[3]), a[3] + sigma0(next)]);
}

export function sha256Message2(view: DataView, destination: number, source: number): void {
  const a = read(view, destination);
  const b = read(view, source);
  const w16 = (a[0] + sigma1(b[2])) | 0;
  const w17 = (a[1] + sigma1(b[3])) | 0;
  write(view, destination, [w16, w17, a[2] + sigma1(w16), a[3] + sigma1(w17)]);
}
