import { DIRECTION } from '../state.ts';
import { i32, i64 } from '../wasm/expr.ts';
import { condition, flagsOfSub } from './flags.ts';
import { type InstructionRow, row } from './row.ts';
import type { I64, Semantic, Semantics } from './semantics.ts';

const RAX = 0;
const RCX = 1;
const RSI = 6;
const RDI = 7;

/** Iterations of a REP that retire as one instruction: bounds the time between two looks at interrupts. */
const REP_PORTION = 4096;

function index(c: Semantics, register: number): I64 {
  return i64.and(c.gpr(register, 8), c.addressMask());
}

/** Adds `delta` to an index register in the address size's width. */
function advance(c: Semantics, register: number, delta: I64): void {
  const mask = c.let(c.addressMask());
  const old = c.let(c.gpr(register, 8));
  const moved = c.let(i64.and(i64.add(old, delta), mask));
  c.b.if(
    i64.eq(mask, i64.const(0xffff)),
    () => c.setGpr(register, 8, i64.or(i64.and(old, i64.const(~0xffffn)), moved)),
    () => c.setGpr(register, 8, moved),
  );
}

function step(c: Semantics): I64 {
  return i64.mul(i64.extendI32S(c.stateI32(DIRECTION)), i64.const(c.size));
}

function source(c: Semantics): I64 {
  const linear = c.let(c.stringLinear('source', c.let(index(c, RSI)), c.size, false));
  return c.let(c.load(linear, c.size));
}

const movs: Semantic = (c) => {
  const value = source(c);
  c.store(c.let(c.stringLinear('destination', c.let(index(c, RDI)), c.size, true)), c.size, value);
  const delta = c.let(step(c));
  advance(c, RSI, delta);
  advance(c, RDI, delta);
};
const stos: Semantic = (c) => {
  const linear = c.let(c.stringLinear('destination', c.let(index(c, RDI)), c.size, true));
  c.store(linear, c.size, c.let(c.gpr(RAX, c.size)));
  advance(c, RDI, c.let(step(c)));
};
const lods: Semantic = (c) => {
  const value = source(c);
  c.setGpr(RAX, c.size, value);
  advance(c, RSI, c.let(step(c)));
};
const scas: Semantic = (c) => {
  const linear = c.let(c.stringLinear('destination', c.let(index(c, RDI)), c.size, false));
  const b = c.let(c.load(linear, c.size));
  const a = c.let(c.gpr(RAX, c.size));
  flagsOfSub(c, a, b, c.let(i64.sub(a, b)));
  advance(c, RDI, c.let(step(c)));
};
const cmps: Semantic = (c) => {
  const a = source(c);
  const linear = c.let(c.stringLinear('destination', c.let(index(c, RDI)), c.size, false));
  const b = c.let(c.load(linear, c.size));
  flagsOfSub(c, a, b, c.let(i64.sub(a, b)));
  const delta = c.let(step(c));
  advance(c, RSI, delta);
  advance(c, RDI, delta);
};

/**
 * REP: registers are exact after every iteration, so a fault in the middle resumes there. `until` ends the loop early on ZF
 * (REPE, REPNE); a portion that is not the last runs the instruction again.
 */
function repeated(once: Semantic, until?: 'zero' | 'not-zero'): Semantic {
  return (c) => {
    const { b } = c;
    const portion = b.local('i32');
    b.set(portion, i32.const(REP_PORTION));
    b.block((done) => {
      b.loop((next) => {
        b.brIf(done, i64.eqz(index(c, RCX)));
        b.if(i32.eqz(portion), () => c.again());
        b.set(portion, i32.sub(portion, i32.const(1)));
        once(c);
        advance(c, RCX, i64.const(-1));
        if (until !== undefined) b.brIf(done, condition(c, until === 'zero' ? 4 : 5));
        b.br(next);
      });
    });
  };
}

function stringRows(opcode: number, name: string, once: Semantic, compares: boolean): InstructionRow[] {
  return [opcode, opcode + 1].flatMap((code, wide) => {
    const sizes = wide === 1 ? ([2, 4, 8] as const) : ([1] as const);
    return [
      row('1', code, name, [], once, { sizes }),
      row('1', code, `REP ${name}`, [], repeated(once, compares ? 'not-zero' : undefined), { sizes, repeat: 'rep' }),
      row('1', code, `REPNE ${name}`, [], repeated(once, compares ? 'zero' : undefined), { sizes, repeat: 'repne' }),
    ];
  });
}

export const STRING_ROWS: readonly InstructionRow[] = [
  ...stringRows(0xa4, 'MOVS', movs, false),
  ...stringRows(0xa6, 'CMPS', cmps, true),
  ...stringRows(0xaa, 'STOS', stos, false),
  ...stringRows(0xac, 'LODS', lods, false),
  ...stringRows(0xae, 'SCAS', scas, true),
];
