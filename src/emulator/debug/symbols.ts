import { viewOf } from '../../shared/bytes.ts';
import { UserError } from '../../shared/errors.ts';

/** ELF64 facts (System V ABI, chapters 4 and 5). */
const ELF_MAGIC = 0x464c_457f;
const CLASS_64 = 2;
const SECTION = { TYPE: 4, OFFSET: 0x18, SIZE: 0x20, LINK: 0x28 } as const;
const SECTION_SYMTAB = 2;
const SYMBOL_BYTES = 24;
const TYPES_OF_CODE = new Set([0, 2]);
/** Letters of code in a System.map or /proc/kallsyms. */
const CODE_LETTERS = /^[tTwW]$/;
/** Farther from its symbol an address belongs to nobody. */
const LONGEST_FUNCTION = 0x10_0000n;

interface Symbol64 {
  readonly address: bigint;
  readonly name: string;
}

/** Names of functions by address. */
export class SymbolTable {
  readonly #symbols: readonly Symbol64[];

  constructor(symbols: readonly Symbol64[]) {
    this.#symbols = [...symbols].sort((left, right) => (left.address < right.address ? -1 : 1));
  }

  get count(): number {
    return this.#symbols.length;
  }

  /** The function that holds `address`, or undefined. */
  find(address: bigint): string | undefined {
    let low = 0;
    let high = this.#symbols.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#symbols[middle].address <= address) low = middle + 1;
      else high = middle;
    }
    const found = this.#symbols[low - 1];
    return found !== undefined && address - found.address < LONGEST_FUNCTION ? found.name : undefined;
  }
}

/**
 * Symbols from a System.map, /proc/kallsyms or an ELF file with a symbol table; `file` is its name for messages.
 * @throws UserError SYMBOLS_FORMAT
 */
export function parseSymbols(bytes: Uint8Array, file: string): SymbolTable {
  const isElf = bytes.length >= 64 && viewOf(bytes).getUint32(0, true) === ELF_MAGIC;
  const symbols = isElf ? elfSymbols(bytes, file) : mapSymbols(new TextDecoder().decode(bytes));
  if (symbols.length > 0) return new SymbolTable(symbols);
  throw new UserError('SYMBOLS_FORMAT', 'the file names no functions', {
    place: { file },
    mend: "give a System.map, the guest's /proc/kallsyms as root sees it, or an ELF file that is not stripped",
  });
}

function mapSymbols(text: string): readonly Symbol64[] {
  return text.split('\n').flatMap((line) => {
    const [address, letter, name] = line.trim().split(/\s+/);
    // A kallsyms that hides its addresses has zeros there.
    if (name === undefined || !CODE_LETTERS.test(letter) || !/^[0-9a-f]*[1-9a-f][0-9a-f]*$/i.test(address)) return [];
    return [{ address: BigInt(`0x${address}`), name }];
  });
}

function elfSymbols(bytes: Uint8Array, file: string): readonly Symbol64[] {
  const view = viewOf(bytes);
  try {
    if (bytes[4] !== CLASS_64) return [];
    const sections = Number(view.getBigUint64(0x28, true));
    const sectionBytes = view.getUint16(0x3a, true);
    const section = (index: number) => {
      const at = sections + index * sectionBytes;
      return {
        type: view.getUint32(at + SECTION.TYPE, true),
        offset: Number(view.getBigUint64(at + SECTION.OFFSET, true)),
        size: Number(view.getBigUint64(at + SECTION.SIZE, true)),
        link: view.getUint32(at + SECTION.LINK, true),
      };
    };
    const count = view.getUint16(0x3c, true);
    const table = Array.from({ length: count }, (_, index) => section(index)).find(
      ({ type }) => type === SECTION_SYMTAB,
    );
    if (table === undefined) return [];
    const names = section(table.link).offset;
    const found: Symbol64[] = [];
    for (let at = table.offset; at < table.offset + table.size; at += SYMBOL_BYTES) {
      const address = view.getBigUint64(at + 8, true);
      if (!TYPES_OF_CODE.has(bytes[at + 4] & 0xf) || view.getUint16(at + 6, true) === 0 || address === 0n) continue;
      const start = names + view.getUint32(at, true);
      const name = new TextDecoder().decode(bytes.subarray(start, bytes.indexOf(0, start)));
      if (name !== '') found.push({ address, name });
    }
    return found;
  } catch (error) {
    throw new UserError('SYMBOLS_FORMAT', `the ELF file is cut short or damaged: ${(error as Error).message}`, {
      place: { file },
      mend: 'give a whole ELF file',
      cause: error,
    });
  }
}
