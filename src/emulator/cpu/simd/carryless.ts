/** PCLMULQDQ: the product of two quadwords as polynomials over GF(2); the immediate's bits 0 and 4 choose the halves. */
export function multiplyCarryless(view: DataView, destination: number, source: number, immediate: number): void {
  const a = view.getBigUint64(destination + (immediate & 1) * 8, true);
  const b = view.getBigUint64(source + ((immediate >> 4) & 1) * 8, true);
  let product = 0n;
  let shifted = a;
  for (let rest = b; rest !== 0n; rest >>= 1n) {
    if ((rest & 1n) !== 0n) product ^= shifted;
    shifted <<= 1n;
  }
  view.setBigUint64(destination, BigInt.asUintN(64, product), true);
  view.setBigUint64(destination + 8, product >> 64n, true);
}
