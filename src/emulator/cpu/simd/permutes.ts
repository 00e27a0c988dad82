/* Permutations across the halves of 256 bits, and shifts by a count for each element (SDM vol. 2). */

const copy = (view: DataView, at: number, byteLength: number): DataView =>
  new DataView(view.buffer.slice(at, at + byteLength) as ArrayBuffer);

/** VPERMD, VPERMPS: the indexes stand in the destination. */
export function permuteDwords(view: DataView, destination: number, source: number): void {
  const data = copy(view, source, 32);
  for (let offset = 0; offset < 32; offset += 4) {
    const index = view.getUint32(destination + offset, true) & 7;
    view.setUint32(destination + offset, data.getUint32(index * 4, true), true);
  }
}

/** VPERMQ, VPERMPD. */
export function permuteQwords(view: DataView, destination: number, source: number, immediate: number): void {
  const data = copy(view, source, 32);
  for (let lane = 0; lane < 4; lane++) {
    const index = (immediate >> (lane * 2)) & 3;
    view.setBigUint64(destination + lane * 8, data.getBigUint64(index * 8, true), true);
  }
}

/** VPERM2F128: each half is one of four halves, or 0. */
export function permuteHalves(view: DataView, destination: number, source: number, immediate: number): void {
  const first = copy(view, destination, 32);
  const second = copy(view, source, 32);
  for (let half = 0; half < 2; half++) {
    const control = immediate >> (half * 4);
    const from = (control & 2) !== 0 ? second : first;
    for (let part = 0; part < 16; part += 8) {
      const value = (control & 8) !== 0 ? 0n : from.getBigUint64((control & 1) * 16 + part, true);
      view.setBigUint64(destination + half * 16 + part, value, true);
    }
  }
}

export type VariableShift = 'left' | 'right' | 'arithmetic';

/** VPSLLVD and its relatives on `byteLength` bytes. */
export function shiftEach(
  view: DataView,
  destination: number,
  source: number,
  kind: VariableShift,
  shape: { readonly quadwords: boolean; readonly byteLength: 16 | 32 },
): void {
  const bytes = shape.quadwords ? 8 : 4;
  const bits = BigInt(bytes * 8);
  for (let offset = 0; offset < shape.byteLength; offset += bytes) {
    const at = destination + offset;
    const read = (place: number) =>
      bytes === 8 ? view.getBigUint64(place, true) : BigInt(view.getUint32(place, true));
    const count = read(source + offset);
    const value = read(at);
    let result = 0n;
    if (kind === 'arithmetic') result = BigInt.asIntN(bytes * 8, value) >> (count < bits ? count : bits - 1n);
    else if (count < bits) result = kind === 'left' ? value << count : value >> count;
    if (bytes === 8) view.setBigUint64(at, BigInt.asUintN(64, result), true);
    else view.setUint32(at, Number(BigInt.asUintN(32, result)), true);
  }
}
