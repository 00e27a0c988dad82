import type { Field, FieldKind, Fields, Layout } from '../../layout.ts';
import { TABLE_HEADER } from '../header.ts';
import { type Follow, type Form, type FormsByType, readWord } from './form.ts';
import { TABLE_FORMS } from './table-forms.ts';

/** A field where it stands. */
export interface PlacedField {
  readonly name: string;
  readonly kind: FieldKind;
  /** From the start of the table. */
  readonly offset: number;
  readonly byteLength: number;
  readonly flags?: Readonly<Record<string, number>>;
}

/** A table, or a structure in one. */
export interface Section {
  readonly name: string;
  /** Nothing where no form is known. */
  readonly layout: Layout<Fields> | undefined;
  readonly offset: number;
  readonly byteLength: number;
  /** Those that lie within the section. */
  readonly fields: readonly PlacedField[];
  readonly sections: readonly Section[];
}

/** What `table` holds. Counts and lengths are the table's own word: what they put beyond its end is left out. */
export function walkTable(table: Uint8Array): Section {
  const signature = String.fromCharCode(...table.subarray(0, 4));
  const form = TABLE_FORMS[signature];
  const section = walk(form ?? { layout: TABLE_HEADER, follows: [] }, table, 0, table.length);
  return form ? section : { ...section, name: signature };
}

function walk(form: Form, table: Uint8Array, offset: number, end: number): Section {
  const { layout } = form;
  const fields: PlacedField[] = [];
  for (const [name, field] of Object.entries(layout.fields)) {
    if (offset + field.offset + field.byteLength <= end) fields.push(placed(name, field, offset));
  }
  const sections: Section[] = [];
  const inside: Inside = {
    table,
    offset,
    end,
    at: Math.min(offset + layout.byteLength, end),
    layout,
    fields,
    sections,
  };
  for (const follow of form.follows) inside.at = walkFollow(follow, inside);
  return { name: layout.name, layout, offset, byteLength: end - offset, fields, sections };
}

const placed = (name: string, { kind, offset, byteLength, flags }: Field, base: number): PlacedField => ({
  name,
  kind,
  offset: base + offset,
  byteLength,
  ...(flags && { flags }),
});

/** A structure while it is walked. */
interface Inside {
  readonly table: Uint8Array;
  readonly offset: number;
  readonly end: number;
  /** Behind what has been walked. */
  at: number;
  readonly layout: Layout<Fields>;
  readonly fields: PlacedField[];
  readonly sections: Section[];
}

/** The end of what `follow` describes. */
function walkFollow(follow: Follow, inside: Inside): number {
  const { table, offset, end, at, fields, sections } = inside;
  switch (follow.kind) {
    case 'list':
      return walkList(follow, inside);
    case 'sized': {
      const byteLength = Math.min(numberIn(inside, follow.length), end - at);
      if (byteLength > 0) sections.push(walk(follow.form, table, at, at + byteLength));
      return at + byteLength;
    }
    case 'listAt': {
      const step = follow.form.layout.byteLength;
      const start = offset + numberIn(inside, follow.at);
      const byteLength =
        follow.length === undefined ? numberIn(inside, follow.count ?? '') * step : numberIn(inside, follow.length);
      const limit = Math.min(start + byteLength, end);
      for (let next = start; next + step <= limit; next += step) {
        sections.push(walk(follow.form, table, next, next + step));
      }
      return at;
    }
    case 'fieldAt': {
      const start = numberIn(inside, follow.at);
      const byteLength = numberIn(inside, follow.length);
      const fits = start > 0 && byteLength > 0 && offset + start + byteLength <= end;
      if (fits) fields.push({ name: follow.name, kind: follow.as, offset: offset + start, byteLength });
      return at;
    }
    case 'matrix': {
      const size = numberIn(inside, follow.size);
      let start = at;
      for (let index = 0; index < size && size > 0 && start + size <= end; index++, start += size) {
        fields.push({ name: `${follow.name}_${index}`, kind: 'bytes', offset: start, byteLength: size });
      }
      return start;
    }
    case 'rest':
      if (at < end) fields.push({ name: follow.name, kind: follow.as, offset: at, byteLength: end - at });
      return end;
  }
}

/** Ends at the first structure whose length is 0 or reaches beyond the end. */
function walkList(follow: Extract<Follow, { kind: 'list' }>, inside: Inside): number {
  const { table, end, sections } = inside;
  let { at } = inside;
  const count = follow.count === undefined ? Number.POSITIVE_INFINITY : numberIn(inside, follow.count);
  for (let left = count; left > 0 && at < end; left--) {
    const byteLength = follow.length(table, at);
    if (byteLength === 0 || at + byteLength > end) break;
    sections.push(walkItem(follow.form, table, at, at + byteLength));
    at += byteLength;
  }
  return at;
}

function walkItem(form: Form | FormsByType, table: Uint8Array, at: number, end: number): Section {
  if (!('forms' in form)) return walk(form, table, at, end);
  const type = readWord(table, at, form.type);
  const found = form.forms.get(type);
  if (found) return walk(found, table, at, end);
  const name = `type ${type}`;
  if (form.other) return { ...walk(form.other, table, at, end), name };
  return { name, layout: undefined, offset: at, byteLength: end - at, fields: [], sections: [] };
}

/** The number in a field of the structure; 0 where it is cut off. */
function numberIn({ table, offset, end, layout }: Inside, name: string): number {
  const field = layout.fields[name];
  if (!field || offset + field.offset + field.byteLength > end) return 0;
  let value = 0;
  for (let index = field.byteLength - 1; index >= 0; index--)
    value = value * 256 + table[offset + field.offset + index];
  return value;
}
