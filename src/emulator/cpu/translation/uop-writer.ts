import { type Decoded, RIP_BASE } from '../decode/decoded.ts';
import type { HandlerTable } from '../interpreter/handlers.ts';
import { FORM, type Form, UOP } from '../interpreter/micro-op.ts';
import { parseOperand } from '../isa/row.ts';
import { operandBytes } from '../isa/table.ts';
import { CODE_SIZE } from '../modes.ts';
import { EFFECTIVE_BASES, GPR, RIP_PAGE, SEGMENT_INDEX, X87_REGISTERS, XMM, ZERO_REGISTER } from '../state.ts';

/** Slot of EFFECTIVE_BASES that is always 0. */
const NO_BASE = EFFECTIVE_BASES + 6 * 8;

/** Address of a general register operand; without REX, 8-bit registers 4–7 are AH CH DH BH. */
function gprAddress(register: number, byteLength: number, rex: number): number {
  if (byteLength === 1 && rex === 0 && register >= 4 && register < 8) return GPR + (register - 4) * 8 + 1;
  return GPR + register * 8;
}

function registerAddress(kind: string, register: number, byteLength: number, rex: number): number {
  if ('VWUH'.includes(kind)) return XMM + register * 32;
  if ('PQN'.includes(kind)) return X87_REGISTERS + (register & 7) * 16;
  return gprAddress(register, byteLength, rex);
}

/** Where the code that is being written runs. */
export interface CodePlace {
  /** CODE_SIZE. */
  readonly codeSize: number;
  /** Offset of the instruction in its page. */
  readonly pageOffset: number;
  /** Instructions from here to the end of the block. */
  readonly remaining: number;
}

/** Through a segment that flat code leaves as it is and may write. */
function isFlatAccess(decoded: Decoded, place: CodePlace): boolean {
  const { segment, addressSize } = decoded;
  const isFlat = segment === SEGMENT_INDEX.DS || segment === SEGMENT_INDEX.SS || segment === SEGMENT_INDEX.ES;
  return isFlat && place.codeSize === CODE_SIZE.FLAT_32 && addressSize === 4;
}

/** A relative branch to a target in the same page is linked. 16-bit code wraps IP at 64 KiB, which no page offset shows: never near. */
export function isNear(codeSize: number, size: number, nextOffset: number, relative: number): boolean {
  const target = nextOffset + relative;
  return codeSize !== CODE_SIZE.BITS_16 && size !== 2 && target >= 0 && target < 0x1000 && nextOffset < 0x1000;
}

/** Form of a relative branch. */
export function branchForm(decoded: Decoded, codeSize: number, near: boolean): Form {
  if (near) return plainForm(decoded, codeSize);
  switch (plainForm(decoded, codeSize)) {
    case FORM.LEGACY_STACK:
      return FORM.LEGACY_STACK_FAR;
    case FORM.FLAT_STACK:
      return FORM.FLAT_STACK_FAR;
    default:
      return FORM.BASE;
  }
}

/** Form of a row without a memory operand: that of a stack row depends on the stack's width. */
function plainForm(decoded: Decoded, codeSize: number): Form {
  if (decoded.entry.row.options.stack !== true || codeSize === CODE_SIZE.BITS_64) return FORM.REGISTER;
  return codeSize === CODE_SIZE.FLAT_32 ? FORM.FLAT_STACK : FORM.LEGACY_STACK;
}

function formOf(decoded: Decoded, place: CodePlace): Form {
  if (decoded.entry.relative) {
    const near = isNear(place.codeSize, decoded.size, place.pageOffset + decoded.length, decoded.immediate);
    return branchForm(decoded, place.codeSize, near);
  }
  if (!decoded.isMemory) return plainForm(decoded, place.codeSize);
  if (isFlatAccess(decoded, place)) return FORM.FLAT;
  if (decoded.entry.row.operands.some((code) => parseOperand(code).kind === 'O')) return FORM.REGISTER;
  if (place.codeSize !== CODE_SIZE.BITS_64 || decoded.addressSize !== 8) return FORM.LEGACY;
  const flat = decoded.segment !== SEGMENT_INDEX.FS && decoded.segment !== SEGMENT_INDEX.GS;
  return flat && decoded.index < 0 ? FORM.BASE : FORM.FULL;
}

/** Writes `decoded` as the micro-op at `address` of `view`. */
export function writeUop(
  view: DataView,
  address: number,
  decoded: Decoded,
  place: CodePlace,
  handlers: HandlerTable,
): void {
  const { entry, size, rex } = decoded;
  const form = formOf(decoded, place);
  view.setUint16(address + UOP.HANDLER, handlers.numberOf(entry, size, form), true);
  view.setUint8(address + UOP.REMAINING, place.remaining);
  view.setUint8(address + UOP.LENGTH, decoded.length);
  view.setUint16(address + UOP.PAGE_OFFSET, place.pageOffset, true);
  let reg = ZERO_REGISTER;
  let rm = ZERO_REGISTER;
  let immediateBytes = 4;
  for (const code of entry.row.operands) {
    const { kind } = parseOperand(code);
    const byteLength = operandBytes(code, size);
    if ('GVP'.includes(kind)) reg = registerAddress(kind, decoded.reg, byteLength, rex);
    else if ('EWQUNRZ'.includes(kind)) rm = registerAddress(kind, decoded.rm, byteLength, rex);
    else if (kind === 'I') immediateBytes = byteLength;
  }
  view.setUint16(address + UOP.REG, reg, true);
  const nextOffset = place.pageOffset + decoded.length;
  if (decoded.isMemory || usesStringSource(decoded)) rm = EFFECTIVE_BASES + decoded.segment * 8;
  view.setUint16(address + UOP.RM, rm, true);
  let base = decoded.base < 0 ? ZERO_REGISTER : GPR + decoded.base * 8;
  let displacement = decoded.displacement;
  if (decoded.base === RIP_BASE) {
    base = RIP_PAGE;
    displacement += nextOffset;
  }
  if (form === FORM.FULL && decoded.segment !== SEGMENT_INDEX.FS && decoded.segment !== SEGMENT_INDEX.GS) {
    view.setUint16(address + UOP.RM, NO_BASE, true);
  }
  view.setUint16(address + UOP.BASE, base, true);
  view.setUint16(address + UOP.INDEX, decoded.index < 0 ? ZERO_REGISTER : GPR + decoded.index * 8, true);
  view.setUint8(address + UOP.SCALE, decoded.scale);
  view.setUint8(address + UOP.ADDRESS_SHIFT, 64 - decoded.addressSize * 8);
  view.setInt32(address + UOP.DISPLACEMENT, entry.relative ? nextOffset : displacement, true);
  view.setInt32(address + UOP.IMMEDIATE, decoded.immediate & immediateMask(decoded, immediateBytes), true);
  view.setUint32(address + UOP.TARGET, 0, true);
  view.setUint32(address + UOP.FALL_THROUGH, 0, true);
  for (const code of entry.row.operands) {
    const { kind } = parseOperand(code);
    if (kind !== 'H' && kind !== 'B') continue;
    view.setUint16(address + UOP.VVVV, registerAddress(kind, decoded.vvvv, 8, rex), true);
  }
  if (entry.relative) return;
  const wide = entry.row.operands.some((code) => code === 'Iv' || parseOperand(code).kind === 'O');
  if (wide && (size === 8 || decoded.isMemory)) view.setBigUint64(address + UOP.TARGET, decoded.wide, true);
  else view.setUint8(address + UOP.SEGMENT, decoded.segment);
}

/** String instructions and XLAT read through DS or its override. */
function usesStringSource(decoded: Decoded): boolean {
  return (
    decoded.opcode === 0xd7 ||
    (decoded.opcode >= 0xa4 && decoded.opcode <= 0xaf && decoded.opcode !== 0xa8 && decoded.opcode !== 0xa9)
  );
}

/** Handlers read immediates below 8 bytes zero-extended from their operand's size: the bits that the micro-op holds. */
export function immediateMask(decoded: Decoded, byteLength: number): number {
  if (decoded.entry.relative) return -1;
  if (byteLength === 1) return 0xff;
  return byteLength === 2 ? 0xffff : -1;
}
