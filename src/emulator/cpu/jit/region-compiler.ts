import type { ImportIndexes } from '../interpreter/handler-exits.ts';
import type { HandlerTable } from '../interpreter/handlers.ts';
import { HELPER_PARAMETERS } from '../isa/helper-signatures.ts';
import { ModuleBuilder, type Signature } from '../wasm/module-builder.ts';
import { MODULE_NAMES } from '../wasm/module-names.ts';
import { RegionEmission } from './region-emission.ts';
import type { RegionPlan } from './region-plan.ts';
import { HANDLER_SIGNATURE, RUNTIME_IMPORTS } from './region-runtime.ts';

/** What a region's code may import besides memory and the table; see IMPORT_PARAMETERS of the interpreter. */
const IMPORTS: Readonly<Record<string, Signature>> = {
  ...Object.fromEntries(
    Object.entries({ checkLimit: 5, ...HELPER_PARAMETERS }).map(([name, count]) => [
      name,
      { parameters: new Array(count).fill('i32'), results: ['i32'] },
    ]),
  ),
  ...RUNTIME_IMPORTS,
};

/** Name of the function of region `index` among a module's exports. */
export function regionExport(index: number): string {
  return `r${index}`;
}

/** Declares an import of a module when its index is first asked for: most regions need few of them. */
class ImportsOnDemand {
  readonly #module: ModuleBuilder;
  readonly #indexes = new Map<string, number>();

  static {
    for (const [name, signature] of Object.entries(IMPORTS)) {
      Object.defineProperty(ImportsOnDemand.prototype, name, {
        get(this: ImportsOnDemand) {
          return this.#index(name, signature);
        },
      });
    }
  }

  constructor(module: ModuleBuilder) {
    this.#module = module;
  }

  #index(name: string, signature: Signature): number {
    let index = this.#indexes.get(name);
    if (index === undefined) {
      index = this.#module.importFunction(name, signature);
      this.#indexes.set(name, index);
    }
    return index;
  }
}

/** Writes one Wasm module for several regions: a module costs far more than a function in it. */
export class RegionCompiler {
  readonly #view: DataView;
  readonly #handlers: HandlerTable;
  readonly #memory: { initialPages: number; maximumPages: number; shared: boolean };

  constructor(
    view: DataView,
    handlers: HandlerTable,
    memory: { initialPages: number; maximumPages: number; shared: boolean },
  ) {
    this.#view = view;
    this.#handlers = handlers;
    this.#memory = memory;
  }

  compile(plans: readonly RegionPlan[]): Uint8Array<ArrayBuffer> {
    const module = new ModuleBuilder(this.#memory, MODULE_NAMES.REGION);
    module.importTable();
    const imports = new ImportsOnDemand(module) as unknown as ImportIndexes;
    const handlerType = module.type(HANDLER_SIGNATURE);
    const ports = { view: this.#view, handlers: this.#handlers, imports, handlerType };
    for (const [index, plan] of plans.entries()) {
      const body = new RegionEmission(plan, ports).emit();
      module.exportFunction(regionExport(index), module.addFunction(HANDLER_SIGNATURE, body));
    }
    return module.finish();
  }
}
