/* AES rounds on 16 bytes in memory (FIPS 197; SDM vol. 2, AESENC and its relatives). */

/** Multiplication by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
const double = (value: number): number => ((value << 1) ^ ((value & 0x80) !== 0 ? 0x11b : 0)) & 0xff;

function multiply(a: number, b: number): number {
  let product = 0;
  let factor = a;
  for (let rest = b; rest !== 0; rest >>= 1) {
    if ((rest & 1) !== 0) product ^= factor;
    factor = double(factor);
  }
  return product;
}

/** The S-box: the inverse, then an affine map (FIPS 197 §5.1.1). */
function substitutionBox(): Uint8Array {
  const box = new Uint8Array(256);
  for (let value = 0; value < 256; value++) {
    let inverse = 0;
    for (let candidate = 1; candidate < 256; candidate++) if (multiply(value, candidate) === 1) inverse = candidate;
    let mapped = inverse;
    for (let turn = 1; turn < 5; turn++) mapped ^= ((inverse << turn) | (inverse >> (8 - turn))) & 0xff;
    box[value] = mapped ^ 0x63;
  }
  return box;
}

interface Tables {
  readonly box: Uint8Array;
  readonly inverse: Uint8Array;
  /** Products with 9, 11, 13 and 14. */
  readonly products: Readonly<Record<9 | 11 | 13 | 14, Uint8Array>>;
}

function buildTables(): Tables {
  const box = substitutionBox();
  const inverse = new Uint8Array(256);
  box.forEach((value, index) => {
    inverse[value] = index;
  });
  const table = (factor: number) => Uint8Array.from({ length: 256 }, (_, value) => multiply(value, factor));
  return { box, inverse, products: { 9: table(9), 11: table(11), 13: table(13), 14: table(14) } };
}

const TABLES = buildTables();
const scratch = new Uint8Array(16);

/** Byte that ShiftRows brings to `index`; the inverse turns the rows the other way. */
const shifted = (index: number, inverse: boolean): number => (index + (inverse ? 12 : 4) * (index & 3)) & 15;

/** AESENC, AESENCLAST: state at `at`, round key at `key`. */
export function aesEncrypt(bytes: Uint8Array, at: number, key: number, last: boolean): void {
  for (let index = 0; index < 16; index++) scratch[index] = TABLES.box[bytes[at + shifted(index, false)]];
  for (let column = 0; column < 16; column += 4) {
    const [a, b, c, d] = scratch.subarray(column, column + 4);
    const all = a ^ b ^ c ^ d;
    const mixed = last
      ? [a, b, c, d]
      : [a ^ all ^ double(a ^ b), b ^ all ^ double(b ^ c), c ^ all ^ double(c ^ d), d ^ all ^ double(d ^ a)];
    for (let row = 0; row < 4; row++) scratch[column + row] = mixed[row] ^ bytes[key + column + row];
  }
  bytes.set(scratch, at);
}

function mixInverse(bytes: Uint8Array): void {
  const { 9: nine, 11: eleven, 13: thirteen, 14: fourteen } = TABLES.products;
  for (let column = 0; column < 16; column += 4) {
    const [a, b, c, d] = bytes.subarray(column, column + 4);
    bytes[column] = fourteen[a] ^ eleven[b] ^ thirteen[c] ^ nine[d];
    bytes[column + 1] = nine[a] ^ fourteen[b] ^ eleven[c] ^ thirteen[d];
    bytes[column + 2] = thirteen[a] ^ nine[b] ^ fourteen[c] ^ eleven[d];
    bytes[column + 3] = eleven[a] ^ thirteen[b] ^ nine[c] ^ fourteen[d];
  }
}

/** AESDEC, AESDECLAST: the equivalent inverse cipher. */
export function aesDecrypt(bytes: Uint8Array, at: number, key: number, last: boolean): void {
  for (let index = 0; index < 16; index++) scratch[index] = TABLES.inverse[bytes[at + shifted(index, true)]];
  if (!last) mixInverse(scratch);
  for (let index = 0; index < 16; index++) bytes[at + index] = scratch[index] ^ bytes[key + index];
}

/** AESIMC. */
export function aesMixInverse(bytes: Uint8Array, at: number, source: number): void {
  for (let index = 0; index < 16; index++) scratch[index] = bytes[source + index];
  mixInverse(scratch);
  bytes.set(scratch, at);
}

/** AESKEYGENASSIST. */
export function aesKeyAssist(view: DataView, at: number, source: number, constant: number): void {
  const substitute = (word: number): number => {
    const part = (shift: number) => TABLES.box[(word >>> shift) & 0xff] << shift;
    return part(0) | part(8) | part(16) | part(24);
  };
  const rotate = (word: number): number => (word >>> 8) | (word << 24);
  const x1 = substitute(view.getUint32(source + 4, true));
  const x3 = substitute(view.getUint32(source + 12, true));
  [x1, rotate(x1) ^ constant, x3, rotate(x3) ^ constant].forEach((word, index) => {
    view.setUint32(at + index * 4, word >>> 0, true);
  });
}
