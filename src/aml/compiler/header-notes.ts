import { concatBytes } from '../../shared/bytes.ts';
import { checksumByte } from '../../shared/checksum.ts';
import { TABLE_HEADER_OFFSETS } from '../table-header.ts';

/** What the disassembler says of a table beside its AML; see `Annotation`. */
export interface HeaderNotes {
  /** Bytes by their offset in the header. */
  readonly header: Map<number, Uint8Array>;
  trailing: Uint8Array;
}

export const noHeaderNotes = (): HeaderNotes => ({ header: new Map(), trailing: new Uint8Array() });

/** Reads the annotation `text` into `notes` when it is one of these. */
export function readHeaderNote(text: string, notes: HeaderNotes): void {
  const [name, ...values] = text.split(/\s+/);
  const bytes = (digits: readonly string[]) => Uint8Array.from(digits, (digit) => Number.parseInt(digit, 16));
  if (name === 'header') notes.header.set(Number(values[0]), bytes(values.slice(1)));
  else if (name === 'trailing') notes.trailing = bytes(values);
}

/**
 * `table` with what `notes` say, and a checksum that is right unless they state one. The creator is left out where the caller
 * of the compiler names one.
 */
export function withHeaderNotes(table: Uint8Array, notes: HeaderNotes, keepsCreator: boolean): Uint8Array {
  const { checksum, creatorId } = TABLE_HEADER_OFFSETS;
  const copy = table.slice();
  for (const [offset, bytes] of notes.header) {
    if (offset === checksum || (keepsCreator && offset === creatorId)) continue;
    // An offset that somebody has edited may lie anywhere.
    if (offset + bytes.length <= copy.length) copy.set(bytes, offset);
  }
  copy[checksum] = 0;
  copy[checksum] = notes.header.get(checksum)?.[0] ?? checksumByte(copy);
  return notes.trailing.length === 0 ? copy : concatBytes([copy, notes.trailing]);
}
