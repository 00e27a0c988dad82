import { type Encoded, encode, type Fixup, type Mode } from './encoder.ts';
import { CONDITIONS, type Condition, INSTRUCTIONS, type Mnemonic } from './instructions.ts';
import { type AssembledSection, type Item, link, type Section } from './linker.ts';
import { type Immediate, isImmediate, type Operand, type SymbolReference, symbol } from './operands.ts';

/** One method for each mnemonic, operands in Intel's order. */
export type Instructions = { readonly [M in Mnemonic]: (...operands: Operand[]) => void };
/** What programs are written against. */
export type Code = Assembler & Instructions;

export interface Program {
  readonly sections: ReadonlyMap<string, AssembledSection>;
  /** Addresses of the global labels, in the order in which they were defined. */
  readonly symbols: ReadonlyMap<string, number>;
}

const MNEMONICS = Object.keys(INSTRUCTIONS) as Mnemonic[];

/** A new program with no section yet. */
export function createAssembler(): Code {
  const assembler = new Assembler();
  const methods: Partial<Record<Mnemonic, (...operands: Operand[]) => void>> = {};
  for (const mnemonic of MNEMONICS) methods[mnemonic] = (...operands) => assembler.instruction(mnemonic, operands);
  return Object.assign(assembler, methods as Instructions);
}

/** Collects code and data by section; `assemble` lays them out, relaxes the jumps and resolves the labels. */
export class Assembler {
  readonly #sections = new Map<string, Section>();
  #current: Section | undefined;
  #mode: Mode = 64;
  #localLabels = 0;

  /** Opens a section at `base` (a linear address), or returns to it. */
  section(name: string, base?: number): void {
    let section = this.#sections.get(name);
    if (section === undefined) {
      if (base === undefined) throw new Error(`section ${name} has no base address yet`);
      section = { name, base, items: [] };
      this.#sections.set(name, section);
    }
    this.#current = section;
  }

  /** Writes `body` into the open section `name` and comes back. */
  inSection(name: string, body: () => void): void {
    const [section, mode] = [this.#current, this.#mode];
    this.section(name);
    body();
    this.#current = section;
    this.#mode = mode;
  }

  /** The default operand and address size of the code that follows. */
  bits(mode: Mode): void {
    this.#mode = mode;
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** Defines a label here; names with `$` are local and stay out of the symbol map. */
  label(name: string): void {
    this.#push({ kind: 'label', name });
  }

  /** A fresh name for a label of this one use. */
  localLabel(stem = 'local'): string {
    this.#localLabels++;
    return `${stem}$${this.#localLabels}`;
  }

  instruction(mnemonic: Mnemonic, operands: readonly Operand[]): void {
    this.#encoded(encode(this.#mode, mnemonic, operands));
  }

  /** JMP to a label; short where it reaches. */
  jump(label: string): void {
    this.#push({ kind: 'jump', opcode: 'jmp', target: label, mode: this.#mode });
  }

  /** Jcc to a label; short where it reaches. */
  branch(condition: Condition, label: string): void {
    this.#push({ kind: 'jump', opcode: CONDITIONS.indexOf(condition), target: label, mode: this.#mode });
  }

  /** CALL to a label. */
  call(label: string): void {
    const size = this.#mode === 16 ? 2 : 4;
    const fixup: Fixup = { offset: 1, size, target: symbol(label), kind: 'relative' };
    this.#encoded({ bytes: [0xe8, ...new Array<number>(size).fill(0)], fixups: [fixup] });
  }

  /** LOOP, LOOPE, LOOPNE or JCXZ/JECXZ/JRCXZ: short only. */
  countedBranch(kind: 'loopne' | 'loope' | 'loop' | 'jcxz', label: string): void {
    const opcode = 0xe0 + ['loopne', 'loope', 'loop', 'jcxz'].indexOf(kind);
    this.#encoded({
      bytes: [opcode, 0],
      fixups: [{ offset: 1, size: 1, target: symbol(label), kind: 'relative' }],
    });
  }

  /** Direct far JMP, `selector:target` with an offset of `offsetSize` bits. Not in 64-bit code. */
  farJump(selector: number, target: SymbolReference | number, offsetSize: 16 | 32): void {
    if (this.#mode === 64) throw new Error('no direct far jump in 64-bit code');
    const bytes = offsetSize === this.#mode ? [0xea] : [0x66, 0xea];
    this.bytes(new Uint8Array(bytes));
    if (offsetSize === 16) this.dw(target);
    else this.dd(target);
    this.dw(selector);
  }

  db(...values: Immediate[]): void {
    this.#data(1, values);
  }

  dw(...values: Immediate[]): void {
    this.#data(2, values);
  }

  dd(...values: Immediate[]): void {
    this.#data(4, values);
  }

  dq(...values: Immediate[]): void {
    this.#data(8, values);
  }

  /** Latin-1 text without a terminator. */
  ascii(text: string): void {
    this.bytes(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  }

  /** The same, with a terminating 0. */
  asciz(text: string): void {
    this.ascii(`${text}\0`);
  }

  bytes(bytes: Uint8Array): void {
    this.#push({ kind: 'bytes', bytes: Uint8Array.from(bytes), fixups: [] });
  }

  /** `count` bytes of `fill`. */
  space(count: number, fill = 0): void {
    this.#push({ kind: 'bytes', bytes: new Uint8Array(count).fill(fill), fixups: [] });
  }

  align(alignment: number, fill = this.#mode === 64 ? 0x90 : 0): void {
    this.#push({ kind: 'align', alignment, fill });
  }

  /** Fills up to the linear address `address`; an error at assembly when the section is already beyond it. */
  org(address: number, fill = 0): void {
    this.#push({ kind: 'org', address, fill });
  }

  /** Lays out every section. Throws an Error for labels that are missing, doubled or out of reach. */
  assemble(): Program {
    return link([...this.#sections.values()]);
  }

  #data(size: 1 | 2 | 4 | 8, values: readonly Immediate[]): void {
    const bytes = new Uint8Array(size * values.length);
    const view = new DataView(bytes.buffer);
    const fixups: Fixup[] = [];
    for (const [index, value] of values.entries()) {
      if (!isImmediate(value)) throw new Error('data must be numbers or symbols');
      const offset = index * size;
      if (typeof value === 'object') fixups.push({ offset, size, target: value, kind: 'absolute' });
      else writeLittleEndian(view, offset, size, BigInt(value));
    }
    this.#push({ kind: 'bytes', bytes, fixups });
  }

  #encoded(encoded: Encoded): void {
    this.#push({ kind: 'bytes', bytes: Uint8Array.from(encoded.bytes), fixups: encoded.fixups });
  }

  #push(item: Item): void {
    if (this.#current === undefined) throw new Error('no section is open');
    this.#current.items.push(item);
  }
}

function writeLittleEndian(view: DataView, offset: number, size: number, value: bigint): void {
  for (let index = 0; index < size; index++) {
    view.setUint8(offset + index, Number((value >> BigInt(8 * index)) & 0xffn));
  }
}
