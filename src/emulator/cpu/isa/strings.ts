import { DIRECTION } from '../state.ts';
import { i32, i64 } from '../wasm/expr.ts';
import { condition, flagsOfSub } from './flags.ts';
import { type InstructionRow, row } from './row.ts';
import type { I64, Semantic, Semantics } from './semantics.ts';
import { advanceIndex, compareRun, moveRun, type StringRun, scanRun, storeRun, stringIndex } from './string-runs.ts';

const RAX = 0;
const RCX = 1;
const RSI = 6;
const RDI = 7;

/** Iterations of a REP that retire as one instruction: bounds the time between two looks at interrupts. */
const REP_PORTION = 4096;

function step(c: Semantics): I64 {
  return i64.mul(i64.extendI32S(c.stateI32(DIRECTION)), i64.const(c.size));
}

function source(c: Semantics): I64 {
  const linear = c.let(c.stringLinear('source', c.let(stringIndex(c, RSI)), c.size, false));
  return c.let(c.load(linear, c.size));
}

const movs: Semantic = (c) => {
  const value = source(c);
  c.store(c.let(c.stringLinear('destination', c.let(stringIndex(c, RDI)), c.size, true)), c.size, value);
  const delta = c.let(step(c));
  advanceIndex(c, RSI, delta);
  advanceIndex(c, RDI, delta);
};
const stos: Semantic = (c) => {
  const linear = c.let(c.stringLinear('destination', c.let(stringIndex(c, RDI)), c.size, true));
  c.store(linear, c.size, c.let(c.gpr(RAX, c.size)));
  advanceIndex(c, RDI, c.let(step(c)));
};
const lods: Semantic = (c) => {
  const value = source(c);
  c.setGpr(RAX, c.size, value);
  advanceIndex(c, RSI, c.let(step(c)));
};
const scas: Semantic = (c) => {
  const linear = c.let(c.stringLinear('destination', c.let(stringIndex(c, RDI)), c.size, false));
  const b = c.let(c.load(linear, c.size));
  const a = c.let(c.gpr(RAX, c.size));
  flagsOfSub(c, a, b, c.let(i64.sub(a, b)));
  advanceIndex(c, RDI, c.let(step(c)));
};
const cmps: Semantic = (c) => {
  const a = source(c);
  const linear = c.let(c.stringLinear('destination', c.let(stringIndex(c, RDI)), c.size, false));
  const b = c.let(c.load(linear, c.size));
  flagsOfSub(c, a, b, c.let(i64.sub(a, b)));
  const delta = c.let(step(c));
  advanceIndex(c, RSI, delta);
  advanceIndex(c, RDI, delta);
};

/** How REP and REPNE work on an instruction: one iteration, and many at once. */
interface Repeated {
  readonly once: Semantic;
  /** Ends the loop early on ZF (REPE, REPNE). */
  readonly until?: 'zero' | 'not-zero';
  readonly run?: StringRun;
}

/**
 * REP: registers are exact after every iteration, so a fault in the middle resumes there. A portion that is not the last runs the
 * instruction again.
 */
function repeated({ once, until, run }: Repeated): Semantic {
  return (c) => {
    const { b } = c;
    const portion = b.local('i32');
    b.set(portion, i32.const(REP_PORTION));
    b.block((done) => {
      b.loop((next) => {
        b.brIf(done, i64.eqz(stringIndex(c, RCX)));
        b.if(i32.eqz(portion), () => c.again());
        if (run !== undefined) b.block((single) => run(c, portion, single, next));
        b.set(portion, i32.sub(portion, i32.const(1)));
        once(c);
        advanceIndex(c, RCX, i64.const(-1));
        if (until !== undefined) b.brIf(done, condition(c, until === 'zero' ? 4 : 5));
        b.br(next);
      });
    });
  };
}

function stringRows(opcode: number, name: string, once: Semantic, rep: Repeated, repne = rep): InstructionRow[] {
  return [opcode, opcode + 1].flatMap((code, wide) => {
    const sizes = wide === 1 ? ([2, 4, 8] as const) : ([1] as const);
    return [
      row('1', code, name, [], once, { sizes }),
      row('1', code, `REP ${name}`, [], repeated(rep), { sizes, repeat: 'rep' }),
      row('1', code, `REPNE ${name}`, [], repeated(repne), { sizes, repeat: 'repne' }),
    ];
  });
}

function comparingRows(
  opcode: number,
  name: string,
  once: Semantic,
  run: (until: 'zero' | 'not-zero') => StringRun,
): InstructionRow[] {
  const [rep, repne] = (['not-zero', 'zero'] as const).map((until) => ({ once, until, run: run(until) }));
  return stringRows(opcode, name, once, rep, repne);
}

export const STRING_ROWS: readonly InstructionRow[] = [
  ...stringRows(0xa4, 'MOVS', movs, { once: movs, run: moveRun }),
  ...comparingRows(0xa6, 'CMPS', cmps, compareRun),
  ...stringRows(0xaa, 'STOS', stos, { once: stos, run: storeRun }),
  ...stringRows(0xac, 'LODS', lods, { once: lods }),
  ...comparingRows(0xae, 'SCAS', scas, scanRun),
];
