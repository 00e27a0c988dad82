/** The part of the WebAssembly JavaScript API that the engine uses: no DOM typings are needed below src/commands. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
    readonly buffer: ArrayBuffer | SharedArrayBuffer;
  }
  class Table {
    constructor(descriptor: { element: 'anyfunc'; initial: number; maximum?: number });
    set(index: number, value: unknown): void;
    grow(delta: number): number;
    readonly length: number;
  }
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }
  class Instance {
    constructor(module: Module, imports: Imports);
    readonly exports: Readonly<Record<string, (...args: number[]) => number | undefined>>;
  }
  type ImportValue = Memory | Table | ((...args: number[]) => number | undefined);
  type Imports = Readonly<Record<string, Readonly<Record<string, ImportValue>>>>;
}
