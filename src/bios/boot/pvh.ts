import { alignUp, viewOf } from '../../shared/bytes.ts';
import { UserError } from '../../shared/errors.ts';

const ELF_MAGIC = 0x464c_457f;
const CLASS_32 = 1;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const MACHINE_386 = 3;
const MACHINE_X86_64 = 62;
const PT_LOAD = 1;
const PT_NOTE = 4;
/** Physical 32-bit entry point (Xen public/elfnote.h). */
const XEN_ELFNOTE_PHYS32_ENTRY = 18;

/** One PT_LOAD segment: `bytes` go to `paddr`, zeros follow up to `memoryBytes`. */
export interface ElfSegment {
  readonly paddr: number;
  readonly bytes: Uint8Array;
  readonly memoryBytes: number;
}

/** An ELF kernel with a PVH entry. */
export interface PvhImage {
  readonly kind: 'pvh';
  readonly segments: readonly ElfSegment[];
  /** Where it is entered: protected mode, paging off, EBX = hvm_start_info. */
  readonly entry: number;
  /** The whole file, which the ROM loads by itself. */
  readonly file: Uint8Array;
}

interface ProgramHeader {
  readonly type: number;
  readonly offset: number;
  readonly paddr: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
}

/** True when the file starts as an ELF does. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(0, true) === ELF_MAGIC;
}

const truncated = (file: string, offset: number, what: string): UserError =>
  new UserError('KERNEL_TRUNCATED', `the ELF file ends inside ${what}`, {
    place: { file, offset },
    mend: 'the file is cut short: copy or download it again',
  });

const wrongFormat = (file: string, offset: number, message: string): UserError =>
  new UserError('KERNEL_FORMAT', message, {
    place: { file, offset },
    mend: 'name a little-endian x86 ELF kernel with a PVH note, or a bzImage',
  });

function programHeaders(bytes: Uint8Array, file: string): ProgramHeader[] {
  if (bytes.length < 64) throw truncated(file, bytes.length, 'its header');
  const view = viewOf(bytes);
  const elfClass = view.getUint8(4);
  const machine = view.getUint16(18, true);
  if ((elfClass !== CLASS_32 && elfClass !== CLASS_64) || view.getUint8(5) !== LITTLE_ENDIAN) {
    throw wrongFormat(file, 4, 'the ELF file is neither 32-bit nor 64-bit little-endian');
  }
  if (machine !== MACHINE_386 && machine !== MACHINE_X86_64) {
    throw wrongFormat(file, 18, `the ELF file is for machine ${machine}, not for x86`);
  }
  const wide = elfClass === CLASS_64;
  const word = (offset: number) => (wide ? Number(view.getBigUint64(offset, true)) : view.getUint32(offset, true));
  const table = word(wide ? 0x20 : 0x1c);
  const entryBytes = view.getUint16(wide ? 0x36 : 0x2a, true);
  const count = view.getUint16(wide ? 0x38 : 0x2c, true);
  if (entryBytes < (wide ? 56 : 32) && count > 0)
    throw wrongFormat(file, 0x36, 'the ELF program headers are too small');
  if (table + entryBytes * count > bytes.length) throw truncated(file, table, 'its program headers');
  return Array.from({ length: count }, (_, index) => {
    const at = table + entryBytes * index;
    // Elf64_Phdr and Elf32_Phdr order their fields differently.
    const field = (position64: number, position32: number) => word(at + (wide ? position64 : position32));
    return {
      type: view.getUint32(at, true),
      offset: field(8, 4),
      paddr: field(24, 12),
      fileBytes: field(32, 16),
      memoryBytes: field(40, 20),
    };
  });
}

/** The descriptor of the PVH note in a note segment. */
function pvhEntry(notes: Uint8Array): number | undefined {
  const view = viewOf(notes);
  for (let at = 0; at + 12 <= notes.length; ) {
    const nameBytes = view.getUint32(at, true);
    const valueBytes = view.getUint32(at + 4, true);
    const type = view.getUint32(at + 8, true);
    const value = at + 12 + alignUp(nameBytes, 4);
    if (value + valueBytes > notes.length) return undefined;
    const name = new TextDecoder('latin1').decode(notes.subarray(at + 12, at + 12 + Math.max(0, nameBytes - 1)));
    if (type === XEN_ELFNOTE_PHYS32_ENTRY && name === 'Xen' && valueBytes >= 4) return view.getUint32(value, true);
    at = value + alignUp(valueBytes, 4);
  }
  return undefined;
}

/**
 * Reads an ELF kernel with PVH's note 18.
 * @throws UserError KERNEL_FORMAT (not for x86, no note, nothing to load), KERNEL_TRUNCATED
 */
export function parsePvh(bytes: Uint8Array, file: string): PvhImage {
  if (!isElf(bytes)) throw wrongFormat(file, 0, 'the file is not an ELF file');
  const headers = programHeaders(bytes, file);
  for (const { type, offset, fileBytes } of headers) {
    if ((type === PT_LOAD || type === PT_NOTE) && offset + fileBytes > bytes.length) {
      throw truncated(file, bytes.length, 'a segment');
    }
  }
  const loads = headers.filter(({ type, memoryBytes }) => type === PT_LOAD && memoryBytes > 0);
  if (loads.length === 0) throw wrongFormat(file, 0, 'the ELF file has nothing to load');
  for (const { type, offset, fileBytes } of headers) {
    const entry = type === PT_NOTE ? pvhEntry(bytes.subarray(offset, offset + fileBytes)) : undefined;
    if (entry === undefined) continue;
    const segments = loads.map((load) => ({
      paddr: load.paddr,
      bytes: bytes.subarray(load.offset, load.offset + load.fileBytes),
      memoryBytes: load.memoryBytes,
    }));
    return { kind: 'pvh', segments, entry, file: bytes };
  }
  throw wrongFormat(file, 0, 'the ELF file has no PVH note (Xen, type 18)');
}
