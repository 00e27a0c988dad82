import { alignUp, viewOf } from '../../../shared/bytes.ts';

/** Sizes and values of ELF64 for x86-64 (System V ABI, chapter 4). */
const ELF = {
  HEADER_BYTES: 0x40,
  PROGRAM_HEADER_BYTES: 0x38,
  ET_EXEC: 2,
  EM_X86_64: 62,
  PT_LOAD: 1,
  PT_NOTE: 4,
} as const;
const XEN_PHYS32_ENTRY = 18;

/** One loadable part, placed at its own physical address. */
export interface ElfSegment {
  readonly base: number;
  readonly bytes: Uint8Array;
}

/** An ELF executable that PVH loaders start at `entry` in 32-bit mode (note "Xen", type 18). */
export function encodePvhElf(segment: ElfSegment, entry: number): Uint8Array {
  const note = encodeEntryNote(entry);
  const noteOffset = ELF.HEADER_BYTES + 2 * ELF.PROGRAM_HEADER_BYTES;
  const loadOffset = alignUp(noteOffset + note.length, 0x1000);
  const bytes = new Uint8Array(loadOffset + segment.bytes.length);
  const view = viewOf(bytes);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(0x10, ELF.ET_EXEC, true);
  view.setUint16(0x12, ELF.EM_X86_64, true);
  view.setUint32(0x14, 1, true);
  view.setBigUint64(0x18, BigInt(entry), true);
  view.setBigUint64(0x20, BigInt(ELF.HEADER_BYTES), true);
  view.setUint16(0x34, ELF.HEADER_BYTES, true);
  view.setUint16(0x36, ELF.PROGRAM_HEADER_BYTES, true);
  view.setUint16(0x38, 2, true);
  writeProgramHeader(view, 0, ELF.PT_LOAD, { offset: loadOffset, address: segment.base, size: segment.bytes.length });
  writeProgramHeader(view, 1, ELF.PT_NOTE, { offset: noteOffset, address: 0, size: note.length });
  bytes.set(note, noteOffset);
  bytes.set(segment.bytes, loadOffset);
  return bytes;
}

function writeProgramHeader(
  view: DataView,
  index: number,
  type: number,
  { offset, address, size }: { offset: number; address: number; size: number },
): void {
  const start = ELF.HEADER_BYTES + index * ELF.PROGRAM_HEADER_BYTES;
  view.setUint32(start, type, true);
  // Readable, writable, executable.
  view.setUint32(start + 4, 7, true);
  for (const [field, value] of [offset, address, address, size, size, type === ELF.PT_LOAD ? 0x1000 : 4].entries()) {
    view.setBigUint64(start + 8 + field * 8, BigInt(value), true);
  }
}

function encodeEntryNote(entry: number): Uint8Array {
  const note = new Uint8Array(20);
  const view = viewOf(note);
  view.setUint32(0, 4, true);
  view.setUint32(4, 4, true);
  view.setUint32(8, XEN_PHYS32_ENTRY, true);
  note.set([0x58, 0x65, 0x6e, 0], 12);
  view.setUint32(16, entry, true);
  return note;
}
