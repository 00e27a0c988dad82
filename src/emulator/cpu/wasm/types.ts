/** The value types that semantics use. */
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

/** Their encoding (WebAssembly 2.0 §5.3.1, §5.3.2). */
export const VALUE_TYPE_CODES: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};
