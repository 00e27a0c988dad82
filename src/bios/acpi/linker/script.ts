import { asciiBytes, viewOf } from '../../../shared/bytes.ts';
import { UserError } from '../../../shared/errors.ts';

/**
 * The linker/loader script of `etc/table-loader`: what the firmware does with the other files once they are in memory. 128-byte
 * little-endian entries, a command number and its arguments; QEMU's format, which SeaBIOS and OVMF execute.
 */
export const LOADER_FILE_NAME = 'etc/table-loader';
export const TABLES_FILE_NAME = 'etc/acpi/tables';
export const RSDP_FILE_NAME = 'etc/acpi/rsdp';

export const LOADER_ENTRY_BYTES = 128;
/** File names are NUL-terminated in 56 bytes. */
const NAME_BYTES = 56;

export const LOADER_COMMANDS = { ALLOCATE: 1, ADD_POINTER: 2, ADD_CHECKSUM: 3, WRITE_POINTER: 4 } as const;
export const LOADER_ZONES = { HIGH: 1, FSEG: 2 } as const;
export type LoaderZone = (typeof LOADER_ZONES)[keyof typeof LOADER_ZONES];

export type LoaderCommand =
  | { readonly command: 'ALLOCATE'; readonly file: string; readonly align: number; readonly zone: LoaderZone }
  /** Adds the address of `source` to the little-endian value of `size` bytes at `offset` of `target`. */
  | {
      readonly command: 'ADD_POINTER';
      readonly target: string;
      readonly source: string;
      readonly offset: number;
      readonly size: number;
    }
  /** Makes the bytes `start … start + length` sum to 0 by the byte at `offset`. */
  | {
      readonly command: 'ADD_CHECKSUM';
      readonly file: string;
      readonly offset: number;
      readonly start: number;
      readonly length: number;
    }
  /** Writes the address of `source` + `sourceOffset` back to the fw_cfg file `target`. */
  | {
      readonly command: 'WRITE_POINTER';
      readonly target: string;
      readonly source: string;
      readonly targetOffset: number;
      readonly sourceOffset: number;
      readonly size: number;
    };

/** The bytes of `etc/table-loader`. */
export function encodeScript(commands: readonly LoaderCommand[]): Uint8Array {
  const image = new Uint8Array(commands.length * LOADER_ENTRY_BYTES);
  commands.forEach((command, index) => {
    encodeCommand(image.subarray(index * LOADER_ENTRY_BYTES, (index + 1) * LOADER_ENTRY_BYTES), command);
  });
  return image;
}

function encodeCommand(entry: Uint8Array, command: LoaderCommand): void {
  const view = viewOf(entry);
  const name = (offset: number, text: string) => entry.set(asciiBytes(text, NAME_BYTES - 1), offset);
  view.setUint32(0, LOADER_COMMANDS[command.command], true);
  switch (command.command) {
    case 'ALLOCATE':
      name(4, command.file);
      view.setUint32(60, command.align, true);
      view.setUint8(64, command.zone);
      break;
    case 'ADD_POINTER':
      name(4, command.target);
      name(60, command.source);
      view.setUint32(116, command.offset, true);
      view.setUint8(120, command.size);
      break;
    case 'ADD_CHECKSUM':
      name(4, command.file);
      view.setUint32(60, command.offset, true);
      view.setUint32(64, command.start, true);
      view.setUint32(68, command.length, true);
      break;
    case 'WRITE_POINTER':
      name(4, command.target);
      name(60, command.source);
      view.setUint32(116, command.targetOffset, true);
      view.setUint32(120, command.sourceOffset, true);
      view.setUint8(124, command.size);
      break;
  }
}

/** Reads a script; unknown commands are skipped, as firmware does. Throws LOADER_LENGTH when the last entry is cut short. */
export function decodeScript(bytes: Uint8Array, file = LOADER_FILE_NAME): LoaderCommand[] {
  if (bytes.length % LOADER_ENTRY_BYTES !== 0) {
    throw new UserError('LOADER_LENGTH', `the linker/loader script has ${bytes.length} bytes, no multiple of 128`, {
      place: { file, offset: bytes.length - (bytes.length % LOADER_ENTRY_BYTES) },
      mend: 'build the files again: a script consists of 128-byte entries',
    });
  }
  const commands: LoaderCommand[] = [];
  for (let offset = 0; offset < bytes.length; offset += LOADER_ENTRY_BYTES) {
    const command = decodeCommand(bytes.subarray(offset, offset + LOADER_ENTRY_BYTES));
    if (command) commands.push(command);
  }
  return commands;
}

function decodeCommand(entry: Uint8Array): LoaderCommand | undefined {
  const view = viewOf(entry);
  const u32 = (offset: number) => view.getUint32(offset, true);
  const name = (offset: number) =>
    String.fromCharCode(...entry.subarray(offset, offset + NAME_BYTES)).replace(/\0.*$/s, '');
  switch (u32(0)) {
    case LOADER_COMMANDS.ALLOCATE:
      return { command: 'ALLOCATE', file: name(4), align: u32(60), zone: entry[64] as LoaderZone };
    case LOADER_COMMANDS.ADD_POINTER:
      return { command: 'ADD_POINTER', target: name(4), source: name(60), offset: u32(116), size: entry[120] };
    case LOADER_COMMANDS.ADD_CHECKSUM:
      return { command: 'ADD_CHECKSUM', file: name(4), offset: u32(60), start: u32(64), length: u32(68) };
    case LOADER_COMMANDS.WRITE_POINTER:
      return {
        command: 'WRITE_POINTER',
        target: name(4),
        source: name(60),
        targetOffset: u32(116),
        sourceOffset: u32(120),
        size: entry[124],
      };
    default:
      return undefined;
  }
}
