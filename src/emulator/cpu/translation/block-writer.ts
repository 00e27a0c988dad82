import type { Decoded } from '../decode/decoded.ts';
import { type DecodeFailure, decode } from '../decode/decoder.ts';
import { type HandlerTable, SPECIAL_HANDLERS } from '../interpreter/handlers.ts';
import { UOP } from '../interpreter/micro-op.ts';
import { SYSTEM } from '../isa/row.ts';
import { UopTemplates } from './uop-templates.ts';
import { writeUop } from './uop-writer.ts';

const PAGE = 0x1000;
const MAXIMUM_LENGTH = 15;
const VECTOR_UD = 6;
const VECTOR_GP = 13;

/** What writing needs of the engine. */
export interface BlockWriterPorts {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly handlers: HandlerTable;
  /** Of the processor's model. */
  readonly features: ReadonlySet<string>;
  /** Keeps the operands of an instruction whose handler asks for them at run time. */
  keepDecoded(uop: number, decoded: Decoded): void;
}

/** Where the code stands. */
export interface BlockPlace {
  /** Of its page in Wasm memory. */
  readonly hostPage: number;
  readonly offset: number;
  readonly codeSize: number;
}

/** Guest bytes → micro-ops, a block at a time. */
export class BlockWriter {
  /** Of the block written last: micro-ops, the fall-through included, and its first byte after, as an offset in its page. */
  count = 0;
  end = 0;
  readonly #ports: BlockWriterPorts;
  readonly #templates: UopTemplates;
  readonly #straddle = new Uint8Array(2 * MAXIMUM_LENGTH);
  /** Of the instruction written last. */
  #length = 0;
  #ends = false;
  #fallsThrough = false;

  constructor(ports: BlockWriterPorts) {
    this.#ports = ports;
    this.#templates = new UopTemplates(ports.bytes, ports.handlers);
  }

  /**
   * Writes micro-ops from `uop` on for the instructions at `place`, up to a jump, the page's end or `limit`. False, and nothing written, when the first
   * instruction reaches into the next page.
   */
  write(place: BlockPlace, uop: number, limit: number): boolean {
    let offset = place.offset;
    let count = 0;
    let failure: DecodeFailure | undefined;
    this.#ends = false;
    while (count < limit && offset < PAGE && !this.#ends) {
      failure = this.#writeInstruction(place, offset, uop + count * UOP.BYTE_LENGTH);
      if (failure !== undefined) break;
      offset += this.#length;
      count++;
    }
    if (count === 0) {
      if (failure === 'incomplete') return false;
      this.#writeFault(uop, offset, failure);
      return true;
    }
    const { bytes } = this.#ports;
    for (let index = 0; index < count; index++) bytes[uop + index * UOP.BYTE_LENGTH + UOP.REMAINING] = count - index;
    this.end = offset;
    this.count = count;
    if (this.#ends && !this.#fallsThrough) return true;
    // What follows may be one instruction across the page's end, which no link may lead to.
    this.#writeFallThrough(uop + count * UOP.BYTE_LENGTH, offset, offset < PAGE && failure !== 'incomplete');
    this.count++;
    return true;
  }

  /** Writes the one instruction at `place` that goes on at `nextHostPage`. */
  writeCrossing(place: BlockPlace, nextHostPage: number, uop: number): void {
    const { bytes, features } = this.#ports;
    const inFirst = PAGE - place.offset;
    this.#straddle.set(bytes.subarray(place.hostPage + place.offset, place.hostPage + PAGE));
    this.#straddle.set(bytes.subarray(nextHostPage, nextHostPage + MAXIMUM_LENGTH), inFirst);
    const decoded = decode(this.#straddle, 0, inFirst + MAXIMUM_LENGTH, place.codeSize, features);
    if (typeof decoded === 'string') {
      this.#writeFault(uop, place.offset, decoded);
      return;
    }
    this.#writeDecoded(uop, decoded, place.offset, place.codeSize);
    bytes[uop + UOP.REMAINING] = 1;
    this.count = 1;
    this.end = PAGE;
    if (this.#ends && !this.#fallsThrough) return;
    this.#writeFallThrough(uop + UOP.BYTE_LENGTH, place.offset + decoded.length, false);
    this.count = 2;
  }

  #writeInstruction(place: BlockPlace, offset: number, uop: number): DecodeFailure | undefined {
    const { bytes, features } = this.#ports;
    const { hostPage, codeSize } = place;
    const templates = this.#templates;
    if (templates.write(uop, hostPage + offset, hostPage + PAGE, codeSize, offset)) {
      this.#length = templates.length;
      this.#ends = templates.ends;
      this.#fallsThrough = false;
      return undefined;
    }
    const decoded = decode(bytes, hostPage + offset, hostPage + PAGE, codeSize, features);
    if (typeof decoded === 'string') return decoded;
    this.#writeDecoded(uop, decoded, offset, codeSize);
    if (PAGE - offset >= MAXIMUM_LENGTH) templates.learn(decoded, uop, codeSize);
    return undefined;
  }

  #writeDecoded(uop: number, decoded: Decoded, pageOffset: number, codeSize: number): void {
    const { view, handlers, keepDecoded } = this.#ports;
    const { row } = decoded.entry;
    writeUop(view, uop, decoded, { codeSize, pageOffset, remaining: 0 }, handlers);
    const isSystem = row.semantic === SYSTEM;
    if (isSystem || row.options.decoded === true) keepDecoded(uop, decoded);
    this.#length = decoded.length;
    this.#ends = decoded.entry.ends;
    // POPF ends its block where TypeScript runs it, but goes on with the next instruction where generated code can.
    this.#fallsThrough = !isSystem && row.options.decoded === true && row.options.jumps !== true;
  }

  #writeFallThrough(uop: number, offset: number, isLinked: boolean): void {
    const { view } = this.#ports;
    view.setUint16(
      uop + UOP.HANDLER,
      isLinked ? SPECIAL_HANDLERS.FALL_THROUGH : SPECIAL_HANDLERS.FALL_THROUGH_FAR,
      true,
    );
    view.setUint8(uop + UOP.REMAINING, 0);
    view.setUint8(uop + UOP.LENGTH, 0);
    view.setUint16(uop + UOP.PAGE_OFFSET, offset, true);
    view.setInt32(uop + UOP.DISPLACEMENT, offset, true);
    view.setUint32(uop + UOP.TARGET, 0, true);
    view.setUint32(uop + UOP.FALL_THROUGH, 0, true);
  }

  /** A block that raises what its bytes deserve. */
  #writeFault(uop: number, offset: number, failure: DecodeFailure | undefined): void {
    const { view } = this.#ports;
    const vector = failure === 'undefined' ? VECTOR_UD : VECTOR_GP;
    view.setUint16(uop + UOP.HANDLER, SPECIAL_HANDLERS.FAULT, true);
    view.setUint8(uop + UOP.REMAINING, 1);
    view.setUint8(uop + UOP.LENGTH, 0);
    view.setUint16(uop + UOP.PAGE_OFFSET, offset, true);
    view.setInt32(uop + UOP.IMMEDIATE, vector, true);
    view.setInt32(uop + UOP.DISPLACEMENT, vector === VECTOR_GP ? 0 : -1, true);
    view.setUint32(uop + UOP.TARGET, 0, true);
    view.setUint32(uop + UOP.FALL_THROUGH, 0, true);
    this.count = 1;
    this.end = Math.min(offset + MAXIMUM_LENGTH, PAGE);
  }
}
