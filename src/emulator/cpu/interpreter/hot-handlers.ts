import type { HandlerKey } from './handlers.ts';
import { FORM } from './micro-op.ts';

/**
 * Which handlers stand inline in the dispatch loop; the rest are called through the table. One big function takes long to optimise, so
 * the list stays near 64 (docs/performance.md). Each line: map, opcode (and group), sizes, forms.
 */
interface HotRule {
  readonly map: '1' | '0f';
  readonly opcode: number;
  readonly group?: number;
  readonly sizes: readonly number[];
  readonly forms: readonly number[];
}

const RULES: readonly HotRule[] = [
  { map: '1', opcode: 0x8b, sizes: [4, 8], forms: [FORM.REGISTER, FORM.BASE, FORM.FULL] },
  { map: '1', opcode: 0x89, sizes: [4, 8], forms: [FORM.REGISTER, FORM.BASE, FORM.FULL] },
  { map: '1', opcode: 0x83, group: 0, sizes: [4, 8], forms: [FORM.REGISTER] },
  { map: '1', opcode: 0x83, group: 4, sizes: [4, 8], forms: [FORM.REGISTER] },
  { map: '1', opcode: 0x83, group: 5, sizes: [8], forms: [FORM.REGISTER] },
  { map: '1', opcode: 0x83, group: 7, sizes: [4, 8], forms: [FORM.REGISTER] },
  { map: '1', opcode: 0x39, sizes: [4, 8], forms: [FORM.REGISTER] },
  { map: '1', opcode: 0x3b, sizes: [4, 8], forms: [FORM.BASE] },
  { map: '1', opcode: 0x3c, sizes: [1], forms: [FORM.REGISTER] },
  { map: '1', opcode: 0x01, sizes: [4, 8], forms: [FORM.REGISTER] },
  { map: '1', opcode: 0x29, sizes: [4, 8], forms: [FORM.REGISTER] },
  { map: '1', opcode: 0x31, sizes: [4, 8], forms: [FORM.REGISTER] },
  { map: '1', opcode: 0x21, sizes: [4, 8], forms: [FORM.REGISTER] },
  { map: '1', opcode: 0x09, sizes: [4, 8], forms: [FORM.REGISTER] },
  { map: '1', opcode: 0x85, sizes: [4, 8], forms: [FORM.REGISTER] },
  { map: '1', opcode: 0x84, sizes: [1], forms: [FORM.REGISTER] },
  { map: '1', opcode: 0x8d, sizes: [4, 8], forms: [FORM.BASE, FORM.FULL] },
  { map: '1', opcode: 0xe8, sizes: [8], forms: [FORM.BASE, FORM.REGISTER] },
  { map: '1', opcode: 0xe9, sizes: [8], forms: [FORM.BASE] },
  { map: '1', opcode: 0xeb, sizes: [8], forms: [FORM.REGISTER] },
  { map: '1', opcode: 0xc3, sizes: [8], forms: [FORM.REGISTER] },
  { map: '0f', opcode: 0xb6, sizes: [4], forms: [FORM.REGISTER, FORM.BASE, FORM.FULL] },
  { map: '1', opcode: 0xc1, group: 4, sizes: [4, 8], forms: [FORM.REGISTER] },
  { map: '1', opcode: 0xc1, group: 5, sizes: [4, 8], forms: [FORM.REGISTER] },
  { map: '1', opcode: 0x88, sizes: [1], forms: [FORM.BASE] },
  ...[0x50, 0x53, 0x54, 0x55, 0x56, 0x57].map((opcode) => ({
    map: '1' as const,
    opcode,
    sizes: [8],
    forms: [FORM.REGISTER],
  })),
  ...[0x58, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f].map((opcode) => ({
    map: '1' as const,
    opcode,
    sizes: [8],
    forms: [FORM.REGISTER],
  })),
  ...[0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7c, 0x7e, 0x7f].map((opcode) => ({
    map: '1' as const,
    opcode,
    sizes: [8],
    forms: [FORM.REGISTER],
  })),
  ...[0x82, 0x84, 0x85, 0x86, 0x87].map((opcode) => ({
    map: '0f' as const,
    opcode,
    sizes: [8],
    forms: [FORM.REGISTER],
  })),
];

/** True when the handler belongs into the dispatch loop. */
export function isHot({ entry, size, form }: HandlerKey): boolean {
  const { map, opcode, options } = entry.row;
  return RULES.some(
    (rule) =>
      rule.map === map &&
      rule.opcode === opcode &&
      (rule.group === undefined || rule.group === options.group) &&
      options.prefix === undefined &&
      rule.sizes.includes(size) &&
      rule.forms.includes(form),
  );
}
