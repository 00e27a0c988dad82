import { ACCESS_SIGNATURE, pageWalkFunction } from '../interpreter/page-walk-code.ts';
import { probeTlb } from '../interpreter/tlb-probe.ts';
import { TLB_READ, TLB_WRITE } from '../state.ts';
import { call, i32, i64, localGet } from '../wasm/expr.ts';
import { FunctionBuilder } from '../wasm/function-builder.ts';
import { ModuleBuilder, type Signature } from '../wasm/module-builder.ts';

const KINDS = ['slowRead', 'slowWrite', 'slowModify'] as const;
const SIGNATURE = { parameters: ['i32', 'i64', 'i32'], results: ['i32'] } as const;

/** The functions of `accessModule` as regions import them: (uop, linear, bytes) → host address, or 0 to leave to LEAVE_TO. */
export const ACCESS_IMPORTS: Readonly<Record<string, Signature>> = Object.fromEntries(
  KINDS.flatMap((kind) => [
    [`${kind}Miss`, SIGNATURE],
    [`${kind}Probe`, SIGNATURE],
  ]),
);

/**
 * The slow part of a region's memory access, in a module of its own that all regions share. Of each of slowRead, slowWrite and slowModify, which it imports,
 * it has two: `…Miss` asks it after a page walk, `…Probe` first looks into the TLB.
 */
export function accessModule(memory: {
  initialPages: number;
  maximumPages: number;
  shared: boolean;
}): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder(memory);
  const slow = KINDS.map((kind) => module.importFunction(kind, ACCESS_SIGNATURE));
  const [uop, linear, byteLength] = [localGet('i32', 0), localGet('i64', 1), localGet('i32', 2)];
  for (const [index, kind] of KINDS.entries()) {
    const miss = new FunctionBuilder(3);
    const high = i32.wrap(i64.shrU(linear, i64.const(32)));
    const walk = module.addFunction(ACCESS_SIGNATURE, pageWalkFunction(slow[index], kind !== 'slowRead'));
    miss.return(call('i32', module.indexOf(walk), [uop, i32.wrap(linear), high, byteLength]));
    miss.unreachable();
    const missed = module.addFunction(SIGNATURE, miss);
    module.exportFunction(`${kind}Miss`, missed);

    const probe = new FunctionBuilder(3);
    const tlb = i32.load(i32.const(kind === 'slowRead' ? TLB_READ : TLB_WRITE));
    const { entry, hit } = probeTlb(probe, tlb, linear, i64.extendI32U(byteLength));
    probe.plainIf(hit, () => probe.return(i32.add(i32.wrap(linear), i32.load(entry, 8))));
    probe.return(call('i32', module.indexOf(missed), [uop, linear, byteLength]));
    probe.unreachable();
    module.exportFunction(`${kind}Probe`, module.addFunction(SIGNATURE, probe));
  }
  return module.finish();
}
