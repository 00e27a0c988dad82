import { parseOperand, SYSTEM } from '../isa/row.ts';
import type { Size } from '../isa/semantics.ts';
import { DECODABLE_ROWS, type DecodableRow } from '../isa/table.ts';
import { MAX_CPU_MODEL } from '../model/cpu-model.ts';
import { FORM, type Form } from './micro-op.ts';

/** One generated handler: a row at one operand size in one form. */
export interface HandlerKey {
  readonly entry: DecodableRow;
  readonly size: Size;
  readonly form: Form;
}

/** Handlers that belong to no row. */
export const SPECIAL_HANDLERS = {
  /** Calls the row's TypeScript handler. */
  SYSTEM: 0,
  /** End of a block that falls through to the next instruction in the same page (linked) … */
  FALL_THROUGH: 1,
  /** … or in another page. */
  FALL_THROUGH_FAR: 2,
  /** The micro-op was withdrawn (code changed under it). */
  STALE: 3,
  /** Raises the exception in IMMEDIATE (vector) and DISPLACEMENT (error code or −1): undecodable bytes. */
  FAULT: 4,
  /** Goes on at the micro-op in FALL_THROUGH, within the same block. */
  GO_ON: 5,
} as const;
export const SPECIAL_COUNT = 6;

function formsOf(entry: DecodableRow): Form[] {
  const { row } = entry;
  const kinds = row.operands.map((code) => parseOperand(code).kind);
  const stack = row.options.stack === true;
  const forms: Form[] = [];
  if (entry.relative) {
    forms.push(FORM.REGISTER, FORM.BASE);
    if (stack) forms.push(FORM.LEGACY_STACK, FORM.LEGACY_STACK_FAR, FORM.FLAT_STACK, FORM.FLAT_STACK_FAR);
    return forms;
  }
  const eitherWay = kinds.some((kind) => 'EWQ'.includes(kind));
  const memoryOnly = kinds.includes('M') || (eitherWay && row.options.only === 'mem');
  if (!memoryOnly) {
    forms.push(FORM.REGISTER);
    if (stack) forms.push(FORM.LEGACY_STACK, FORM.FLAT_STACK);
    if (kinds.includes('O')) forms.push(FORM.FLAT);
  }
  if (memoryOnly || (eitherWay && row.options.only !== 'reg')) forms.push(FORM.BASE, FORM.FULL, FORM.LEGACY, FORM.FLAT);
  return forms;
}

const SIZE_INDEX: Readonly<Record<Size, number>> = { 1: 0, 2: 1, 4: 2, 8: 3 };

function slot(rowNumber: number, size: Size, form: Form): number {
  return (rowNumber * 4 + SIZE_INDEX[size]) * FORM.COUNT + form;
}

/** All handlers, and their numbers by row, size and form. */
export class HandlerTable {
  readonly keys: HandlerKey[] = [];
  readonly #numbers: Int32Array;

  /** Rows whose feature is not among `features` get no handlers. */
  constructor(features: ReadonlySet<string> = MAX_CPU_MODEL.features) {
    this.#numbers = new Int32Array(DECODABLE_ROWS.length * 4 * FORM.COUNT).fill(-1);
    for (const entry of DECODABLE_ROWS) {
      const { feature } = entry.row.options;
      if (feature !== undefined && !features.has(feature)) continue;
      if (entry.row.semantic === SYSTEM) continue;
      for (const size of entry.sizes) {
        for (const form of formsOf(entry)) {
          this.#numbers[slot(entry.number, size, form)] = SPECIAL_COUNT + this.keys.length;
          this.keys.push({ entry, size, form });
        }
      }
    }
  }

  /** First number after the generated handlers: compiled regions take theirs from here. */
  get count(): number {
    return SPECIAL_COUNT + this.keys.length;
  }

  /** The row behind a handler number; undefined for special handlers. */
  keyOf(number: number): HandlerKey | undefined {
    return this.keys[number - SPECIAL_COUNT];
  }

  /** Handler number of a row at a size and form; SYSTEM for rows in TypeScript. */
  numberOf(entry: DecodableRow, size: Size, form: Form): number {
    if (entry.row.semantic === SYSTEM) return SPECIAL_HANDLERS.SYSTEM;
    const number = this.#numbers[slot(entry.number, size, form)];
    if (number < 0) throw new Error(`no handler for ${entry.row.mnemonic} size ${size} form ${form}`);
    return number;
  }
}
