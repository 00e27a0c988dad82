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

/** Forms of flat 32-bit code by those of 64-bit code: of stack rows, of relative branches, of the rest. */
const FLAT_STACK_FORMS = new Map<number, number>([
  [FORM.REGISTER, FORM.FLAT_STACK],
  [FORM.BASE, FORM.FLAT_STACK_FAR],
]);
const FLAT_FORMS = new Map<number, number>([
  [FORM.REGISTER, FORM.REGISTER],
  [FORM.BASE, FORM.FLAT],
  [FORM.FULL, FORM.FLAT],
]);
/** INC and DEC of a register, which are prefixes in 64-bit code. */
const SHORT_STEPS = { FIRST: 0x40, LAST: 0x4f } as const;

const isMeant = (rule: HotRule, { row: { map, opcode, options } }: HandlerKey['entry']): boolean =>
  rule.map === map &&
  rule.opcode === opcode &&
  (rule.group === undefined || rule.group === options.group) &&
  options.prefix === undefined;

/** True when the handler belongs into the dispatch loop of 64-bit code. */
export function isHot({ entry, size, form }: HandlerKey): boolean {
  return RULES.some((rule) => isMeant(rule, entry) && rule.sizes.includes(size) && rule.forms.includes(form));
}

/** True when the handler belongs into the dispatch loop of flat 32-bit code: what stands for a hot one of 64-bit code there. */
export function isHotFlat({ entry, size, form }: HandlerKey): boolean {
  const { map, opcode, options } = entry.row;
  if (map === '1' && opcode >= SHORT_STEPS.FIRST && opcode <= SHORT_STEPS.LAST) return size === 4;
  const formOf = (wide: number): number | undefined => {
    if (options.stack === true) return FLAT_STACK_FORMS.get(wide);
    return entry.relative ? wide : FLAT_FORMS.get(wide);
  };
  return RULES.some((rule) => {
    const narrow = rule.sizes.map((wide) => Math.min(wide, 4));
    return isMeant(rule, entry) && narrow.includes(size) && rule.forms.some((wide) => formOf(wide) === form);
  });
}
