/** The part of the WebAssembly JavaScript API that the engine uses: no DOM typings are needed below src/commands. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
    readonly buffer: ArrayBuffer | SharedArrayBuffer;
  }
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }
  class Instance {
    constructor(module: Module, imports: Imports);
    readonly exports: Readonly<Record<string, (...args: number[]) => number | undefined>>;
  }
  type ImportValue = Memory | ((...args: number[]) => number | undefined);
  type Imports = Readonly<Record<string, Readonly<Record<string, ImportValue>>>>;
}
