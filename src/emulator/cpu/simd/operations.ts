/*
 * Numbers of floating-point operations between generated code and `SimdFloatHelper`: arithmetic as operation × 4 + type, conversions
 * from CONVERSION_BASE on by their position. Facts only.
 */

export const LANE_TYPE = { PS: 0, PD: 1, SS: 2, SD: 3 } as const;
export type LaneType = 0 | 1 | 2 | 3;

export const ARITHMETIC = {
  ADD: 0,
  MUL: 1,
  SUB: 2,
  MIN: 3,
  DIV: 4,
  MAX: 5,
  SQRT: 6,
  RCP: 7,
  RSQRT: 8,
  /** Comparison to a mask; the immediate is the predicate. */
  CMP: 9,
  /** Comparison to COMPARISON (state.ts), signalling and quiet. */
  COMI: 10,
  UCOMI: 11,
  /** Sums and differences of neighbours, then of alternating lanes. */
  HADD: 12,
  HSUB: 13,
  ADDSUB: 14,
  /** To an integral value; the immediate is that of ROUNDPS. */
  ROUND: 15,
  /** Dot product; the immediate chooses lanes. */
  DP: 16,
} as const;

export type ArithmeticName = keyof typeof ARITHMETIC;

export const CONVERSION_BASE = 256;
/** Added to an operation on 32 bytes. */
export const WIDE_OPERATION = 0x1000;

type Number = 'f16' | 'f32' | 'f64' | 'i32' | 'i64';

export interface Conversion {
  readonly from: Number;
  readonly to: Number;
  readonly lanes: 1 | 2 | 4;
  readonly truncates?: boolean;
  /** The upper half of the destination becomes 0. */
  readonly clearsUpper?: boolean;
}

const conversion = (from: Number, to: Number, lanes: 1 | 2 | 4, more: Partial<Conversion> = {}): Conversion => ({
  from,
  to,
  lanes,
  ...more,
});
const truncates = true;
const clearsUpper = true;

export const CONVERSIONS = {
  CVTPS2PD: conversion('f32', 'f64', 2),
  CVTPD2PS: conversion('f64', 'f32', 2, { clearsUpper }),
  CVTSS2SD: conversion('f32', 'f64', 1),
  CVTSD2SS: conversion('f64', 'f32', 1),
  CVTDQ2PS: conversion('i32', 'f32', 4),
  CVTPS2DQ: conversion('f32', 'i32', 4),
  CVTTPS2DQ: conversion('f32', 'i32', 4, { truncates }),
  CVTDQ2PD: conversion('i32', 'f64', 2),
  CVTPD2DQ: conversion('f64', 'i32', 2, { clearsUpper }),
  CVTTPD2DQ: conversion('f64', 'i32', 2, { clearsUpper, truncates }),
  VCVTPH2PS: conversion('f16', 'f32', 4),
  VCVTPS2PH: conversion('f32', 'f16', 4, { clearsUpper }),
  CVTPI2PS: conversion('i32', 'f32', 2),
  CVTPI2PD: conversion('i32', 'f64', 2),
  CVTPS2PI: conversion('f32', 'i32', 2),
  CVTTPS2PI: conversion('f32', 'i32', 2, { truncates }),
  CVTPD2PI: conversion('f64', 'i32', 2),
  CVTTPD2PI: conversion('f64', 'i32', 2, { truncates }),
  CVTSI2SS: conversion('i32', 'f32', 1),
  CVTSI2SD: conversion('i32', 'f64', 1),
  CVTSS2SI: conversion('f32', 'i32', 1),
  CVTTSS2SI: conversion('f32', 'i32', 1, { truncates }),
  CVTSD2SI: conversion('f64', 'i32', 1),
  CVTTSD2SI: conversion('f64', 'i32', 1, { truncates }),
  CVTSI2SS64: conversion('i64', 'f32', 1),
  CVTSI2SD64: conversion('i64', 'f64', 1),
  CVTSS2SI64: conversion('f32', 'i64', 1),
  CVTTSS2SI64: conversion('f32', 'i64', 1, { truncates }),
  CVTSD2SI64: conversion('f64', 'i64', 1),
  CVTTSD2SI64: conversion('f64', 'i64', 1, { truncates }),
} as const satisfies Record<string, Conversion>;

export type ConversionName = keyof typeof CONVERSIONS;

const NAMES = Object.keys(CONVERSIONS) as ConversionName[];
export const CONVERSION_LIST: readonly Conversion[] = NAMES.map((name) => CONVERSIONS[name]);

export const conversionNumber = (name: ConversionName): number => CONVERSION_BASE + NAMES.indexOf(name);
export const arithmeticNumber = (name: ArithmeticName, type: LaneType): number => ARITHMETIC[name] * 4 + type;
