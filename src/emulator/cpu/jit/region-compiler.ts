import type { HandlerTable } from '../interpreter/handlers.ts';
import { HELPER_PARAMETERS } from '../isa/helper-signatures.ts';
import { ModuleBuilder } from '../wasm/module-builder.ts';
import { RegionEmission } from './region-emission.ts';
import type { RegionPlan } from './region-plan.ts';

/** What a region's code imports besides memory and the table; see IMPORT_PARAMETERS of the interpreter. */
const IMPORT_PARAMETERS = {
  slowRead: 4,
  slowWrite: 4,
  slowModify: 4,
  slowCommit: 4,
  checkLimit: 5,
  ...HELPER_PARAMETERS,
} as const;

const HANDLER_SIGNATURE = { parameters: ['i32'], results: ['i32'] } as const;

/** Name of the function of region `index` among a module's exports. */
export function regionExport(index: number): string {
  return `r${index}`;
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
    const module = new ModuleBuilder(this.#memory);
    module.importTable();
    const imports: Record<string, number> = {};
    for (const [name, count] of Object.entries(IMPORT_PARAMETERS)) {
      const results = name === 'slowCommit' ? [] : (['i32'] as const);
      imports[name] = module.importFunction(name, { parameters: new Array(count).fill('i32'), results });
    }
    const handlerType = module.type(HANDLER_SIGNATURE);
    const ports = { view: this.#view, handlers: this.#handlers, imports, handlerType };
    for (const [index, plan] of plans.entries()) {
      const body = new RegionEmission(plan, ports).emit();
      module.exportFunction(regionExport(index), module.addFunction(HANDLER_SIGNATURE, body));
    }
    return module.finish();
  }
}
