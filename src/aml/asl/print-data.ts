import { UserError } from '../../shared/errors.ts';
import { decodeEisaId } from '../eisa-id.ts';
import { isUnset, rangeContradiction } from '../resources/address-rules.ts';
import { type AslMacro, NAME_SLOT } from '../resources/descriptor.ts';
import { aslOfDescriptor, decodeResources, type ResourceDescriptor } from '../resources/resource-template.ts';
import { resourceWords } from '../resources/resource-words.ts';
import type { AmlTerm, Def, IntegerTerm } from '../tree.ts';
import { decodeUuid } from '../uuid.ts';
import { KNOWN_PNP_IDS, KNOWN_UUIDS } from './known-ids.ts';
import { braced, bracedRows, hexOf, indented, withComment } from './text.ts';

/** Zero and One are opcodes of their own; every other value is written in hexadecimal. */
export function integerText({ value, byteLength }: IntegerTerm): string {
  if (byteLength === undefined && value <= 1n) return value === 0n ? 'Zero' : 'One';
  return hexOf(value);
}

/** EisaId of a value that is one, for `_HID` and `_CID`. */
export function eisaIdText({ value, byteLength }: IntegerTerm): string | undefined {
  if (value <= 0xffffn || value > 0xffff_ffffn || byteLength !== undefined) return undefined;
  const id = decodeEisaId(Number(value));
  if (id === undefined) return undefined;
  const meaning = KNOWN_PNP_IDS[id];
  return `EisaId ("${id}")${meaning ? ` /* ${meaning} */` : ''}`;
}

/** Numbers for DescriptorNames; see Place. */
type Tags = { next: number };

/** A macro as ASL text: name, arguments, list. */
function macroText({ name, args: slots, list }: AslMacro, tag = ''): string {
  const args = slots.map((arg) => (arg !== NAME_SLOT ? arg : tag));
  while (args.at(-1) === '') args.pop();
  const lines: string[] = [];
  let line = '';
  args.forEach((arg, index) => {
    const piece = index < args.length - 1 ? `${arg}, ` : arg;
    if (line.length + piece.length > 100) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += piece;
  });
  lines.push(line.trimEnd());
  const head = `${name} (${lines.map((text, index) => (index === 0 ? text : indented(text))).join('\n')})`;
  return list === undefined ? head : bracedRows(head, list, 16);
}

/** `_Y00` and on, as iasl names them. */
const tagName = (tags: Tags): string => `_Y${(tags.next++).toString(36).toUpperCase().padStart(2, '0')}`;

/**
 * The template's text; dependent functions nest in ASL where the bytes have them flat. Nothing where ASL has no macro or compilers
 * refuse what the macro says.
 */
export function resourceListText(descriptors: readonly ResourceDescriptor[], tags: Tags): string[] | undefined {
  const lines: string[] = [];
  let open: string[] | undefined;
  let head = '';
  const close = () => {
    if (open) lines.push(braced(head, open));
    open = undefined;
  };
  for (const descriptor of descriptors) {
    const macro = aslOfDescriptor(descriptor);
    if (!macro || rangeContradiction(descriptor)) return undefined;
    const text = explained(macroText(macro, isUnset(descriptor) ? tagName(tags) : ''), descriptor);
    if (descriptor.kind === 'StartDependentFn') {
      close();
      head = text;
      open = [];
    } else if (descriptor.kind === 'EndDependentFn') {
      if (!open) return undefined;
      close();
      lines.push(text);
    } else (open ?? lines).push(text);
  }
  return open ? undefined : lines;
}

/** `text` with what `descriptor` claims in a comment: behind the macro, or above one whose arguments take several lines. */
function explained(text: string, descriptor: ResourceDescriptor): string {
  if (SELF_EXPLAINING.has(descriptor.kind)) return text;
  // A name of a damaged table may hold anything.
  const words = resourceWords(descriptor).replace(/[^ -~]/g, '.');
  const isWrapped = text.slice(0, text.indexOf('\n')).endsWith(',');
  return isWrapped ? `// ${words}\n${text}` : withComment(text, words);
}

const SELF_EXPLAINING: ReadonlySet<ResourceDescriptor['kind']> = new Set([
  'StartDependentFn',
  'EndDependentFn',
  'Vendor',
]);

/** The descriptors of `bytes` when ResourceTemplate would give exactly these bytes back. */
function templateOf(bytes: Uint8Array): readonly ResourceDescriptor[] | undefined {
  if (bytes.length < 2 || bytes[bytes.length - 2] !== 0x79) return undefined;
  try {
    const { descriptors, end, checksum } = decodeResources(bytes);
    return end === bytes.length && checksum === 0 ? descriptors : undefined;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** A buffer with a constant size that is exactly its bytes' count, encoded as compilers do. */
function hasOwnSize(size: AmlTerm, bytes: Uint8Array): boolean {
  return size.kind === 'Integer' && size.value === BigInt(bytes.length) && size.byteLength === undefined;
}

/** `Buffer`, `ResourceTemplate`, `ToUUID` or `Unicode`, whichever says most and gives the same bytes. */
export function bufferText(
  def: Def<'DefBuffer'>,
  sizeText: string,
  options: { uuidLikely: boolean; tags: Tags },
): string {
  const [size, bytes] = def.operands;
  if (hasOwnSize(size, bytes)) {
    const special = specialBufferText(bytes, options);
    if (special) return special;
  }
  const head = `Buffer (${sizeText})`;
  if (bytes.length === 0) return `${head} {}`;
  const text = bracedText(bytes);
  if (text && hasOwnSize(size, bytes)) return `${head}\n{\n${indented(text)}\n}`;
  return bufferRows(head, bytes);
}

function specialBufferText(
  bytes: Uint8Array,
  { uuidLikely, tags }: { uuidLikely: boolean; tags: Tags },
): string | undefined {
  if (bytes.length === 16) {
    const uuid = decodeUuid(bytes);
    const meaning = KNOWN_UUIDS[uuid];
    if (meaning || uuidLikely) return `ToUUID ("${uuid}")${meaning ? ` /* ${meaning} */` : ''}`;
  }
  const descriptors = templateOf(bytes);
  const list = descriptors && resourceListText(descriptors, tags);
  return list && braced('ResourceTemplate ()', list);
}

/** A string initializer: printable text with one NUL at its end. */
function bracedText(bytes: Uint8Array): string | undefined {
  if (bytes.length < 3 || bytes[bytes.length - 1] !== 0) return undefined;
  const body = bytes.subarray(0, -1);
  if (!body.every((byte) => byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c)) return undefined;
  return `"${String.fromCharCode(...body)}"`;
}

/** Eight bytes a line with offset and characters, as dumps are read. */
function bufferRows(head: string, bytes: Uint8Array): string {
  const rows: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += 8) {
    const row = bytes.subarray(offset, offset + 8);
    const values = [...row].map((byte) => hexOf(byte)).join(', ');
    const comma = offset + 8 < bytes.length ? ',' : '';
    const characters = [...row].map((byte) =>
      byte > 0x20 && byte < 0x7f && byte !== 0x2a && byte !== 0x2f ? String.fromCharCode(byte) : '.',
    );
    const place = offset.toString(16).toUpperCase().padStart(4, '0');
    rows.push(`/* ${place} */ ${`${values}${comma}`.padEnd(48)} // ${characters.join('').replace(/\\$/, '.')}`);
  }
  return `${head}\n{\n${indented(rows.join('\n'))}\n}`;
}

/** A resource macro for Connection: a template of one descriptor. */
export function connectionText(def: Def<'DefBuffer'>): string | undefined {
  const [size, bytes] = def.operands;
  if (!hasOwnSize(size, bytes) || def.pkgLengthBytes !== undefined) return undefined;
  // Compilers leave the EndTag out here.
  const descriptors = templateOf(Uint8Array.from([...bytes, 0x79, 0]));
  if (descriptors?.length !== 1) return undefined;
  return resourceListText(descriptors, { next: 0 })?.[0];
}
