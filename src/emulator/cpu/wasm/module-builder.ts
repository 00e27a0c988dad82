import { ByteBuffer } from './byte-buffer.ts';
import type { FunctionBody, FunctionBuilder } from './function-builder.ts';
import { VALUE_TYPE_CODES, type ValueType } from './types.ts';

export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/**
 * Collects types, imports, functions, one table and exports, and writes the binary (WebAssembly 2.0 §5.5). The module's own functions go by
 * their position among themselves, so that imports may be declared as their callers need them.
 */
export class ModuleBuilder {
  readonly #types: Signature[] = [];
  readonly #typeIndexes = new Map<string, number>();
  readonly #imports: { name: string; type: number }[] = [];
  readonly #functions: { type: number; body: FunctionBody; name: string | undefined }[] = [];
  readonly #exports: { name: string; position: number }[] = [];
  readonly #elements: number[] = [];
  #importedTable = false;
  readonly #memory: { initialPages: number; maximumPages: number; shared: boolean };
  readonly #name: string;

  /** The module imports its memory as `env.memory` with these limits (64 KiB pages). Profiles know it by its name. */
  constructor(memory: { initialPages: number; maximumPages: number; shared: boolean }, name = 'code') {
    this.#memory = memory;
    this.#name = name;
  }

  /** Index of a signature, added when new. */
  type(signature: Signature): number {
    const key = `${signature.parameters.join()}:${signature.results.join()}`;
    const found = this.#typeIndexes.get(key);
    if (found !== undefined) return found;
    this.#types.push(signature);
    this.#typeIndexes.set(key, this.#types.length - 1);
    return this.#types.length - 1;
  }

  /** Imports `env.name`; returns its function index. */
  importFunction(name: string, signature: Signature): number {
    this.#imports.push({ name, type: this.type(signature) });
    return this.#imports.length - 1;
  }

  /** Adds a finished function, by a name of its own where profiles must tell it; returns its position among the module's own. */
  addFunction(signature: Signature, builder: FunctionBuilder, name?: string): number {
    this.#functions.push({ type: this.type(signature), body: builder.finish(), name });
    return this.#functions.length - 1;
  }

  /** Index of an own function for calls to it, once all imports are declared. */
  indexOf(position: number): number {
    return this.#imports.length + position;
  }

  /** Appends an own function to table 0; returns its element index. */
  addElement(position: number): number {
    this.#elements.push(position);
    return this.#elements.length - 1;
  }

  /** Table 0 is `env.table`, made by the caller, with room for what is added later. */
  importTable(): void {
    this.#importedTable = true;
  }

  /** Entries that the module puts into table 0. */
  get elementCount(): number {
    return this.#elements.length;
  }

  /** Exports an own function. */
  exportFunction(name: string, position: number): void {
    this.#exports.push({ name, position });
  }

  finish(): Uint8Array<ArrayBuffer> {
    const out = new ByteBuffer();
    out.append(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    this.#section(out, 1, this.#types, (section, signature) => {
      section.u8(0x60);
      for (const list of [signature.parameters, signature.results]) {
        section.unsigned(list.length);
        for (const type of list) section.u8(VALUE_TYPE_CODES[type]);
      }
    });
    const table = this.#importedTable ? (['table'] as const) : [];
    const imports: ({ name: string; type: number } | 'memory' | 'table')[] = ['memory', ...table, ...this.#imports];
    this.#section(out, 2, imports, (section, item) => {
      section.name('env');
      section.name(typeof item === 'string' ? item : item.name);
      if (item === 'table') {
        for (const byte of [0x01, 0x70, 0x00]) section.u8(byte);
        section.unsigned(this.#elements.length);
      } else if (item === 'memory') {
        section.u8(0x02);
        section.u8(this.#memory.shared ? 0x03 : 0x01);
        section.unsigned(this.#memory.initialPages);
        section.unsigned(this.#memory.maximumPages);
      } else {
        section.u8(0x00);
        section.unsigned(item.type);
      }
    });
    this.#section(out, 3, this.#functions, (section, item) => section.unsigned(item.type));
    if (this.#elements.length > 0 && !this.#importedTable) {
      this.#section(out, 4, [this.#elements.length], (section, count) => {
        section.u8(0x70);
        section.u8(0x00);
        section.unsigned(count);
      });
    }
    this.#section(out, 7, this.#exports, (section, item) => {
      section.name(item.name);
      section.u8(0x00);
      section.unsigned(this.indexOf(item.position));
    });
    if (this.#elements.length > 0) {
      this.#section(out, 9, [this.#elements], (section, elements) => {
        section.u8(0x00);
        section.u8(0x41);
        section.u8(0x00);
        section.u8(0x0b);
        section.unsigned(elements.length);
        for (const position of elements) section.unsigned(this.indexOf(position));
      });
    }
    this.#writeHints(out);
    this.#section(out, 10, this.#functions, (section, { body }) => {
      section.unsigned(body.bytes.length);
      section.append(body.bytes);
    });
    this.#writeNames(out);
    return out.bytes.slice();
  }

  /** The custom section `name`, which stands last (WebAssembly 2.0 §7.4): the module's, and those of functions that have one. */
  #writeNames(out: ByteBuffer): void {
    const section = new ByteBuffer();
    section.name('name');
    const write = (id: number, content: (bytes: ByteBuffer) => void): void => {
      const bytes = new ByteBuffer();
      content(bytes);
      section.u8(id);
      section.unsigned(bytes.length);
      section.append(bytes.bytes);
    };
    write(0, (bytes) => bytes.name(this.#name));
    const named = this.#functions.flatMap(({ name }, position) => (name === undefined ? [] : [{ name, position }]));
    if (named.length > 0) {
      write(1, (bytes) => {
        bytes.unsigned(named.length);
        for (const { name, position } of named) {
          bytes.unsigned(this.indexOf(position));
          bytes.name(name);
        }
      });
    }
    out.u8(0);
    out.unsigned(section.length);
    out.append(section.bytes);
  }

  /** The custom section `metadata.code.branch_hint`, which stands before the code. */
  #writeHints(out: ByteBuffer): void {
    const hinted = this.#functions
      .map(({ body }, index) => ({ index: this.indexOf(index), hints: body.hints }))
      .filter(({ hints }) => hints.length > 0);
    if (hinted.length === 0) return;
    const section = new ByteBuffer();
    section.name('metadata.code.branch_hint');
    section.unsigned(hinted.length);
    for (const { index, hints } of hinted) {
      section.unsigned(index);
      section.unsigned(hints.length);
      for (const { offset, hint } of hints) {
        section.unsigned(offset);
        section.unsigned(1);
        section.u8(hint === 'likely' ? 1 : 0);
      }
    }
    out.u8(0);
    out.unsigned(section.length);
    out.append(section.bytes);
  }

  #section<T>(out: ByteBuffer, id: number, items: readonly T[], write: (section: ByteBuffer, item: T) => void): void {
    const section = new ByteBuffer();
    section.unsigned(items.length);
    for (const item of items) write(section, item);
    out.u8(id);
    out.unsigned(section.length);
    out.append(section.bytes);
  }
}
