import type { HandlerTable } from '../interpreter/handlers.ts';
import { probeTlb } from '../interpreter/tlb-probe.ts';
import { HELPER_PARAMETERS } from '../isa/helper-signatures.ts';
import { TLB_READ, TLB_WRITE } from '../state.ts';
import { call, i32, i64, localGet } from '../wasm/expr.ts';
import { FunctionBuilder } from '../wasm/function-builder.ts';
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

/**
 * The slow part of an access, shared by the module's regions: `nameMiss` asks TypeScript, `nameProbe` first looks into the TLB. Both take
 * (uop, linear, bytes) and give the host address or 0.
 */
function addAccessFunctions(module: ModuleBuilder, imports: Record<string, number>, name: string): void {
  const signature = { parameters: ['i32', 'i64', 'i32'], results: ['i32'] } as const;
  const [uop, linear, byteLength] = [localGet('i32', 0), localGet('i64', 1), localGet('i32', 2)];
  const miss = new FunctionBuilder(3);
  const high = i32.wrap(i64.shrU(linear, i64.const(32)));
  miss.return(call('i32', imports[name], [uop, i32.wrap(linear), high, byteLength]));
  miss.unreachable();
  imports[`${name}Miss`] = module.addFunction(signature, miss);
  const probe = new FunctionBuilder(3);
  const tlb = i32.load(i32.const(name === 'slowRead' ? TLB_READ : TLB_WRITE));
  const { entry, hit } = probeTlb(probe, tlb, linear, i64.extendI32U(byteLength));
  probe.plainIf(hit, () => probe.return(i32.add(i32.wrap(linear), i32.load(entry, 8))));
  probe.return(call('i32', imports[`${name}Miss`], [uop, linear, byteLength]));
  probe.unreachable();
  imports[`${name}Probe`] = module.addFunction(signature, probe);
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
    for (const name of ['slowRead', 'slowWrite', 'slowModify']) addAccessFunctions(module, imports, name);
    const handlerType = module.type(HANDLER_SIGNATURE);
    const ports = { view: this.#view, handlers: this.#handlers, imports, handlerType };
    for (const [index, plan] of plans.entries()) {
      const body = new RegionEmission(plan, ports).emit();
      module.exportFunction(regionExport(index), module.addFunction(HANDLER_SIGNATURE, body));
    }
    return module.finish();
  }
}
