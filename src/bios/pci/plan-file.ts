import { viewOf } from '../../shared/bytes.ts';
import { UserError } from '../../shared/errors.ts';
import { type ConfigWrite, PLAN_MAGIC } from './plan.ts';

const VERSION = 1;
const HEADER_BYTES = 16;
const ENTRY_BYTES = 16;

/** The plan's config writes as the file that the ROM replays (layout at PLAN_FILE_NAME). */
export function encodePlanFile(writes: readonly ConfigWrite[]): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + ENTRY_BYTES * writes.length);
  const view = viewOf(bytes);
  view.setUint32(0, PLAN_MAGIC, true);
  view.setUint32(4, VERSION, true);
  view.setUint32(8, writes.length, true);
  for (const [index, write] of writes.entries()) {
    const at = HEADER_BYTES + ENTRY_BYTES * index;
    view.setUint8(at, write.bus);
    view.setUint8(at + 1, (write.device << 3) | write.function);
    view.setUint16(at + 2, write.offset, true);
    view.setUint8(at + 4, write.size);
    view.setUint32(at + 8, write.value, true);
  }
  return bytes;
}

const wrongFile = (file: string, offset: number, message: string): UserError =>
  new UserError('PLAN_FILE', `the plan file ${message}`, {
    place: { file, offset },
    mend: 'build it again with `q35 acpi build` or `q35 pci plan`',
  });

/**
 * Reads a plan file back.
 * @throws UserError PLAN_FILE when it is no plan file, of another version or cut short
 */
export function decodePlanFile(bytes: Uint8Array, file: string): ConfigWrite[] {
  const view = viewOf(bytes);
  if (bytes.length < HEADER_BYTES || view.getUint32(0, true) !== PLAN_MAGIC) {
    throw wrongFile(file, 0, 'does not start with Q35P');
  }
  const version = view.getUint32(4, true);
  if (version !== VERSION) throw wrongFile(file, 4, `has version ${version}, not ${VERSION}`);
  const count = view.getUint32(8, true);
  if (bytes.length !== HEADER_BYTES + ENTRY_BYTES * count) {
    throw wrongFile(file, 8, `announces ${count} writes and has ${bytes.length} bytes`);
  }
  return Array.from({ length: count }, (_, index) => {
    const at = HEADER_BYTES + ENTRY_BYTES * index;
    const size = view.getUint8(at + 4);
    if (size !== 1 && size !== 2 && size !== 4) throw wrongFile(file, at + 4, `has a write of ${size} bytes`);
    const devfn = view.getUint8(at + 1);
    return {
      bus: view.getUint8(at),
      device: devfn >> 3,
      function: devfn & 7,
      offset: view.getUint16(at + 2, true),
      size,
      value: view.getUint32(at + 8, true),
    };
  });
}
