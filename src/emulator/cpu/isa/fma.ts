import { LANE_TYPE } from '../simd/operations.ts';
import { i32 } from '../wasm/expr.ts';
import { type InstructionRow, row } from './row.ts';
import type { Semantic } from './semantics.ts';
import { ZERO } from './simd-ssse3.ts';
import { guardAvx } from './vector.ts';
import { vexAddress } from './vex.ts';

const NEGATE_PRODUCT = 4;
const NEGATE_ADDEND = 8;
const NEGATE_EVEN = 16;
const WIDE = 32;

/** Order of the operands: which of (1, 2, 3) are x, y and z in x × y + z. */
const ORDERS = [
  { name: '132', opcode: 0x90, x: 0, y: 2, z: 1 },
  { name: '213', opcode: 0xa0, x: 1, y: 0, z: 2 },
  { name: '231', opcode: 0xb0, x: 1, y: 2, z: 0 },
] as const;

const KINDS: readonly (readonly [opcode: number, name: string, control: number, scalar: boolean])[] = [
  [0x6, 'FMADDSUB', NEGATE_EVEN, false],
  [0x7, 'FMSUBADD', NEGATE_ADDEND | NEGATE_EVEN, false],
  [0x8, 'FMADD', 0, true],
  [0xa, 'FMSUB', NEGATE_ADDEND, true],
  [0xc, 'FNMADD', NEGATE_PRODUCT, true],
  [0xe, 'FNMSUB', NEGATE_PRODUCT | NEGATE_ADDEND, true],
];

/** By the helper: the host has no fused multiply-add. */
const fused =
  (control: number, bytes: 4 | 8 | 16 | 32, order: number): Semantic =>
  (c) => {
    guardAvx(c);
    const source = vexAddress(c, 2, bytes);
    const destination = c.let(c.vectorAddress(0));
    const addresses = [destination, c.let(c.vectorAddress(1)), source];
    const { x, y, z } = ORDERS[order];
    const number = i32.const(control | (bytes === 32 ? WIDE : 0));
    c.helperMayFault('simdFused', [number, destination, addresses[x], addresses[y], addresses[z]]);
    if (bytes !== 32) c.b.store(0xfd0b, destination, ZERO, 16);
  };

/** FMA (SDM vol. 1 §14.5). */
export const FMA_ROWS: readonly InstructionRow[] = ORDERS.flatMap((order, index) =>
  KINDS.flatMap(([low, name, control, scalar]) =>
    ([0, 1] as const).flatMap((vexW) => {
      const options = { prefix: 0x66, feature: 'fma', vexW } as const;
      const letter = vexW === 1 ? 'D' : 'S';
      const mnemonic = `V${name}${order.name}`;
      const opcode = order.opcode | low;
      const packedControl = control | (vexW === 1 ? LANE_TYPE.PD : LANE_TYPE.PS);
      const scalarControl = control | (vexW === 1 ? LANE_TYPE.SD : LANE_TYPE.SS);
      const width = vexW === 1 ? 'q' : 'd';
      return [
        row('vex0f38', opcode, `${mnemonic}P${letter}`, ['Vdq', 'Hdq', 'Wdq'], fused(packedControl, 16, index), {
          ...options,
          vexL: 0,
        }),
        row('vex0f38', opcode, `${mnemonic}P${letter}`, ['Vqq', 'Hqq', 'Wqq'], fused(packedControl, 32, index), {
          ...options,
          vexL: 1,
        }),
        ...(scalar
          ? [
              row(
                'vex0f38',
                opcode + 1,
                `${mnemonic}S${letter}`,
                ['Vdq', 'Hdq', `W${width}`],
                fused(scalarControl, vexW === 1 ? 8 : 4, index),
                options,
              ),
            ]
          : []),
      ];
    }),
  ),
);
