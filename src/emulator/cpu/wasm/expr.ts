import type { ValueType } from './types.ts';

/** What a node is; `opcode` then says which instruction. */
export type ExprKind =
  | 'const'
  | 'local'
  | 'unary'
  | 'binary'
  | 'load'
  | 'select'
  | 'call'
  | 'lane'
  | 'shuffle'
  | 'v128const';

/**
 * A typed expression tree over Wasm values. Nodes have no side effects but loads and calls; a node that is used twice is evaluated
 * twice, so semantics bind what they reuse to a local (`let`). SIMD opcodes are 0xfd00 + number, saturating truncations 0xfc00 + number.
 */
export interface Expr<T extends ValueType = ValueType> {
  readonly type: T;
  readonly kind: ExprKind;
  readonly opcode: number;
  readonly a?: Expr;
  readonly b?: Expr;
  readonly c?: Expr;
  readonly args?: readonly Expr[];
  /** Constant, local index, memory offset, function index or lane. */
  readonly immediate: number;
  /** The value of an i64 constant that 32 signed bits cannot hold. */
  readonly wide?: bigint;
  /** Shuffle lanes or v128 constant. */
  readonly bytes?: readonly number[];
}

const OPCODE_I32_ADD = 0x6a;

type I32 = Expr<'i32'>;
type I64 = Expr<'i64'>;
type F32 = Expr<'f32'>;
type F64 = Expr<'f64'>;
type V128 = Expr<'v128'>;

function node<T extends ValueType>(type: T, kind: ExprKind, opcode: number, a?: Expr, b?: Expr): Expr<T> {
  return { type, kind, opcode, a, b, immediate: 0 };
}

/** A unary instruction by opcode. */
export function unary<T extends ValueType>(type: T, opcode: number, a: Expr): Expr<T> {
  return node(type, 'unary', opcode, a);
}

/** A binary instruction by opcode. */
export function binary<T extends ValueType>(type: T, opcode: number, a: Expr, b: Expr): Expr<T> {
  return node(type, 'binary', opcode, a, b);
}

function load<T extends ValueType>(type: T, opcode: number, address: I32, offset: number): Expr<T> {
  if (address.kind === 'const' && address.immediate >= 0) {
    return { type, kind: 'load', opcode, a: i32.const(0), immediate: address.immediate + offset };
  }
  const { base, displacement } = splitAddress(address);
  return { type, kind: 'load', opcode, a: base, immediate: displacement + offset };
}

/** An address as one that is left to be computed and a constant that goes into the instruction: host addresses never wrap. */
export function splitAddress(address: I32): { base: I32; displacement: number } {
  if (address.kind !== 'binary' || address.opcode !== OPCODE_I32_ADD) return { base: address, displacement: 0 };
  const { a, b } = address as { a: I32; b: I32 };
  return b.kind === 'const' && b.immediate >= 0
    ? { base: a, displacement: b.immediate }
    : { base: address, displacement: 0 };
}

export function localGet<T extends ValueType>(type: T, index: number): Expr<T> {
  return { type, kind: 'local', opcode: 0x20, immediate: index };
}

/** `condition` ? whenTrue : whenFalse; both sides are evaluated. */
export function select<T extends ValueType>(condition: I32, whenTrue: Expr<T>, whenFalse: Expr<T>): Expr<T> {
  return { type: whenTrue.type, kind: 'select', opcode: 0x1b, a: whenTrue, b: whenFalse, c: condition, immediate: 0 };
}

/** Calls function `index` with `args`. */
export function call<T extends ValueType>(type: T, index: number, args: readonly Expr[]): Expr<T> {
  return { type, kind: 'call', opcode: 0x10, args, immediate: index };
}

/** `value` has 32 signed bits, so that no wide constant equals it. */
function isConst(expr: Expr, value: number): boolean {
  return expr.kind === 'const' && expr.wide === undefined && expr.immediate === value;
}

/** An i64 constant of 32 signed bits. */
function isNarrow(expr: I64): boolean {
  return expr.kind === 'const' && expr.wide === undefined;
}

/** The low half of an i64 constant. */
function low32(expr: I64): number {
  return expr.wide === undefined ? expr.immediate : Number(BigInt.asIntN(32, expr.wide));
}

function constant64(value: number | bigint): I64 {
  const narrow = Number(value);
  if ((narrow | 0) === narrow) return { type: 'i64', kind: 'const', opcode: 0x42, immediate: narrow | 0 };
  const wide = BigInt.asIntN(64, BigInt(value));
  if (wide === BigInt.asIntN(32, wide)) return { type: 'i64', kind: 'const', opcode: 0x42, immediate: Number(wide) };
  return { type: 'i64', kind: 'const', opcode: 0x42, immediate: 0, wide };
}

const i32Binary = (opcode: number) => (a: I32, b: I32) => binary('i32', opcode, a, b);
const i64Binary = (opcode: number) => (a: I64, b: I64) => binary('i64', opcode, a, b);
const i64Compare = (opcode: number) => (a: I64, b: I64) => binary('i32', opcode, a, b);
const f32Binary = (opcode: number) => (a: F32, b: F32) => binary('f32', opcode, a, b);
const f64Binary = (opcode: number) => (a: F64, b: F64) => binary('f64', opcode, a, b);

export const i32 = {
  const: (value: number): I32 => ({ type: 'i32', kind: 'const', opcode: 0x41, immediate: value | 0 }),
  load: (address: I32, offset = 0): I32 => load('i32', 0x28, address, offset),
  load8u: (address: I32, offset = 0): I32 => load('i32', 0x2d, address, offset),
  load16u: (address: I32, offset = 0): I32 => load('i32', 0x2f, address, offset),
  eqz: (a: I32): I32 => unary('i32', 0x45, a),
  eq: i32Binary(0x46),
  ne: i32Binary(0x47),
  ltS: i32Binary(0x48),
  ltU: i32Binary(0x49),
  gtS: i32Binary(0x4a),
  gtU: i32Binary(0x4b),
  leS: i32Binary(0x4c),
  leU: i32Binary(0x4d),
  geS: i32Binary(0x4e),
  geU: i32Binary(0x4f),
  clz: (a: I32): I32 => unary('i32', 0x67, a),
  ctz: (a: I32): I32 => unary('i32', 0x68, a),
  popcnt: (a: I32): I32 => unary('i32', 0x69, a),
  add: (a: I32, b: I32): I32 => {
    if (isConst(b, 0)) return a;
    if (isConst(a, 0)) return b;
    if (a.kind === 'const' && b.kind === 'const') return i32.const(a.immediate + b.immediate);
    return binary('i32', OPCODE_I32_ADD, a, b);
  },
  sub: i32Binary(0x6b),
  mul: i32Binary(0x6c),
  and: i32Binary(0x71),
  or: i32Binary(0x72),
  xor: i32Binary(0x73),
  shl: (a: I32, b: I32): I32 => (isConst(b, 0) ? a : binary('i32', 0x74, a, b)),
  shrS: i32Binary(0x75),
  shrU: i32Binary(0x76),
  rotl: i32Binary(0x77),
  wrap: (a: I64): I32 => (a.kind === 'const' ? i32.const(low32(a)) : unary('i32', 0xa7, a)),
  reinterpretF32: (a: F32): I32 => unary('i32', 0xbc, a),
  /** Saturating, NaN → 0. */
  truncSatF32: (a: F32): I32 => unary('i32', 0xfc00, a),
  truncSatF64: (a: F64): I32 => unary('i32', 0xfc02, a),
};

export const i64 = {
  const: constant64,
  load: (address: I32, offset = 0): I64 => load('i64', 0x29, address, offset),
  load8u: (address: I32, offset = 0): I64 => load('i64', 0x31, address, offset),
  load8s: (address: I32, offset = 0): I64 => load('i64', 0x30, address, offset),
  load16u: (address: I32, offset = 0): I64 => load('i64', 0x33, address, offset),
  load16s: (address: I32, offset = 0): I64 => load('i64', 0x32, address, offset),
  load32u: (address: I32, offset = 0): I64 => load('i64', 0x35, address, offset),
  load32s: (address: I32, offset = 0): I64 => load('i64', 0x34, address, offset),
  eqz: (a: I64): I32 => unary('i32', 0x50, a),
  eq: i64Compare(0x51),
  ne: i64Compare(0x52),
  ltS: i64Compare(0x53),
  ltU: i64Compare(0x54),
  gtS: i64Compare(0x55),
  gtU: i64Compare(0x56),
  leS: i64Compare(0x57),
  leU: i64Compare(0x58),
  geS: i64Compare(0x59),
  geU: i64Compare(0x5a),
  clz: (a: I64): I64 => unary('i64', 0x79, a),
  ctz: (a: I64): I64 => unary('i64', 0x7a, a),
  popcnt: (a: I64): I64 => unary('i64', 0x7b, a),
  add: (a: I64, b: I64): I64 => (isConst(b, 0) ? a : isConst(a, 0) ? b : binary('i64', 0x7c, a, b)),
  sub: (a: I64, b: I64): I64 => {
    if (isConst(b, 0)) return a;
    if (isNarrow(a) && isNarrow(b)) return i64.const(a.immediate - b.immediate);
    return binary('i64', 0x7d, a, b);
  },
  mul: i64Binary(0x7e),
  divS: i64Binary(0x7f),
  divU: i64Binary(0x80),
  remS: i64Binary(0x81),
  remU: i64Binary(0x82),
  and: (a: I64, b: I64): I64 => (isConst(b, -1) ? a : binary('i64', 0x83, a, b)),
  or: (a: I64, b: I64): I64 => (isConst(b, 0) ? a : isConst(a, 0) ? b : binary('i64', 0x84, a, b)),
  xor: (a: I64, b: I64): I64 => (isConst(b, 0) ? a : isConst(a, 0) ? b : binary('i64', 0x85, a, b)),
  shl: (a: I64, b: I64): I64 => (isConst(b, 0) ? a : binary('i64', 0x86, a, b)),
  shrS: (a: I64, b: I64): I64 => (isConst(b, 0) ? a : binary('i64', 0x87, a, b)),
  shrU: (a: I64, b: I64): I64 => (isConst(b, 0) ? a : binary('i64', 0x88, a, b)),
  rotl: i64Binary(0x89),
  rotr: i64Binary(0x8a),
  extendI32S: (a: I32): I64 => (a.kind === 'const' ? i64.const(a.immediate) : unary('i64', 0xac, a)),
  extendI32U: (a: I32): I64 => (a.kind === 'const' ? i64.const(a.immediate >>> 0) : unary('i64', 0xad, a)),
  extend8S: (a: I64): I64 => unary('i64', 0xc2, a),
  extend16S: (a: I64): I64 => unary('i64', 0xc3, a),
  extend32S: (a: I64): I64 => unary('i64', 0xc4, a),
  reinterpretF64: (a: F64): I64 => unary('i64', 0xbd, a),
  truncSatF32: (a: F32): I64 => unary('i64', 0xfc04, a),
  truncSatF64: (a: F64): I64 => unary('i64', 0xfc06, a),
  not: (a: I64): I64 => binary('i64', 0x85, a, i64.const(-1)),
  neg: (a: I64): I64 => binary('i64', 0x7d, i64.const(0), a),
};

export const f32 = {
  load: (address: I32, offset = 0): F32 => load('f32', 0x2a, address, offset),
  eq: (a: F32, b: F32): I32 => binary('i32', 0x5b, a, b),
  ne: (a: F32, b: F32): I32 => binary('i32', 0x5c, a, b),
  lt: (a: F32, b: F32): I32 => binary('i32', 0x5d, a, b),
  gt: (a: F32, b: F32): I32 => binary('i32', 0x5e, a, b),
  le: (a: F32, b: F32): I32 => binary('i32', 0x5f, a, b),
  ge: (a: F32, b: F32): I32 => binary('i32', 0x60, a, b),
  abs: (a: F32): F32 => unary('f32', 0x8b, a),
  neg: (a: F32): F32 => unary('f32', 0x8c, a),
  nearest: (a: F32): F32 => unary('f32', 0x90, a),
  sqrt: (a: F32): F32 => unary('f32', 0x91, a),
  add: f32Binary(0x92),
  sub: f32Binary(0x93),
  mul: f32Binary(0x94),
  div: f32Binary(0x95),
  convertI32S: (a: I32): F32 => unary('f32', 0xb2, a),
  convertI64S: (a: I64): F32 => unary('f32', 0xb4, a),
  demoteF64: (a: F64): F32 => unary('f32', 0xb6, a),
  reinterpretI32: (a: I32): F32 => unary('f32', 0xbe, a),
};

export const f64 = {
  load: (address: I32, offset = 0): F64 => load('f64', 0x2b, address, offset),
  eq: (a: F64, b: F64): I32 => binary('i32', 0x61, a, b),
  ne: (a: F64, b: F64): I32 => binary('i32', 0x62, a, b),
  lt: (a: F64, b: F64): I32 => binary('i32', 0x63, a, b),
  gt: (a: F64, b: F64): I32 => binary('i32', 0x64, a, b),
  le: (a: F64, b: F64): I32 => binary('i32', 0x65, a, b),
  ge: (a: F64, b: F64): I32 => binary('i32', 0x66, a, b),
  abs: (a: F64): F64 => unary('f64', 0x99, a),
  neg: (a: F64): F64 => unary('f64', 0x9a, a),
  nearest: (a: F64): F64 => unary('f64', 0x9e, a),
  sqrt: (a: F64): F64 => unary('f64', 0x9f, a),
  add: f64Binary(0xa0),
  sub: f64Binary(0xa1),
  mul: f64Binary(0xa2),
  div: f64Binary(0xa3),
  convertI32S: (a: I32): F64 => unary('f64', 0xb7, a),
  convertI64S: (a: I64): F64 => unary('f64', 0xb9, a),
  promoteF32: (a: F32): F64 => unary('f64', 0xbb, a),
  reinterpretI64: (a: I64): F64 => unary('f64', 0xbf, a),
};

/** SIMD: `v128.op(n, …)` takes the opcode after the 0xfd prefix (WebAssembly 2.0 §5.4.8); the common ones have names. */
export const v128 = {
  const: (bytes: readonly number[]): V128 => ({ type: 'v128', kind: 'v128const', opcode: 0xfd0c, immediate: 0, bytes }),
  load: (address: I32, offset = 0): V128 => load('v128', 0xfd00, address, offset),
  /** 4 or 8 bytes into the low lane, zeros above. */
  loadZero: (byteLength: 4 | 8, address: I32, offset = 0): V128 =>
    load('v128', byteLength === 4 ? 0xfd5c : 0xfd5d, address, offset),
  unary: (opcode: number, a: V128): V128 => unary('v128', 0xfd00 + opcode, a),
  binary: (opcode: number, a: V128, b: V128): V128 => binary('v128', 0xfd00 + opcode, a, b),
  shift: (opcode: number, a: V128, count: I32): V128 => binary('v128', 0xfd00 + opcode, a, count),
  test: (opcode: number, a: V128): I32 => unary('i32', 0xfd00 + opcode, a),
  shuffle: (a: V128, b: V128, lanes: readonly number[]): V128 => ({
    type: 'v128',
    kind: 'shuffle',
    opcode: 0xfd0d,
    a,
    b,
    immediate: 0,
    bytes: lanes,
  }),
  /** `splat` opcodes: 0x0f i8x16, 0x10 i16x8, 0x11 i32x4, 0x12 i64x2, 0x13 f32x4, 0x14 f64x2. */
  splat: (opcode: number, a: Expr): V128 => unary('v128', 0xfd00 + opcode, a),
  extract: <T extends ValueType>(type: T, opcode: number, a: V128, lane: number): Expr<T> => ({
    type,
    kind: 'lane',
    opcode: 0xfd00 + opcode,
    a,
    immediate: lane,
  }),
  replace: (opcode: number, a: V128, lane: number, value: Expr): V128 => ({
    type: 'v128',
    kind: 'lane',
    opcode: 0xfd00 + opcode,
    a,
    b: value,
    immediate: lane,
  }),
  and: (a: V128, b: V128): V128 => binary('v128', 0xfd4e, a, b),
  /** a and not b. */
  andNot: (a: V128, b: V128): V128 => binary('v128', 0xfd4f, a, b),
  or: (a: V128, b: V128): V128 => binary('v128', 0xfd50, a, b),
  xor: (a: V128, b: V128): V128 => binary('v128', 0xfd51, a, b),
  not: (a: V128): V128 => unary('v128', 0xfd4d, a),
};
