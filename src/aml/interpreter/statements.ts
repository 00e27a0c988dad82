/** Statements and operators with effects outside of objects: ACPI 6.5 §20.2.5.3. */
import type { AmlTerm } from '../tree.ts';
import { evaluationError } from './evaluation-error.ts';
import { type AmlObject, type EventObject, integerObject, type MutexObject } from './objects.ts';
import type { Expressions, Frame, Run, Statements } from './run.ts';

function objectNamed<Type extends 'Mutex' | 'Event'>(run: Run, term: AmlTerm, type: Type, frame: Frame) {
  const target = run.target(term, frame);
  const object = target?.kind === 'Node' ? target.node.object : target && run.load(target);
  const followed = object?.type === 'Reference' && object.target.kind === 'Node' ? object.target.node.object : object;
  if (followed?.type !== type)
    throw evaluationError('AE_AML_OPERAND_TYPE', `${followed?.type ?? 'nothing'} where a ${type} is needed`);
  return followed as Extract<AmlObject, { readonly type: Type }>;
}

export type StatementKind =
  | 'DefBreak'
  | 'DefBreakPoint'
  | 'DefContinue'
  | 'DefIf'
  | 'DefElse'
  | 'DefWhile'
  | 'DefNoop'
  | 'DefReturn'
  | 'DefFatal'
  | 'DefNotify'
  | 'DefRelease'
  | 'DefReset'
  | 'DefSignal'
  | 'DefSleep'
  | 'DefStall'
  | 'DefUnload';

/** If and Else are joined by the list that holds them. */
export const STATEMENTS: Statements<StatementKind> = {
  DefBreak: () => 'break',
  DefBreakPoint: () => undefined,
  DefContinue: () => 'continue',
  DefIf: (run, { operands: [predicate, body] }, frame) =>
    run.integer(predicate, frame) === 0n ? undefined : run.statements(body, frame),
  DefElse: (run, { operands: [body] }, frame) => run.statements(body, frame),
  DefWhile: (run, { operands: [predicate, body] }, frame) => {
    while (run.integer(predicate, frame) !== 0n) {
      const flow = run.statements(body, frame);
      if (flow === 'break') return undefined;
      if (typeof flow === 'object') return flow;
    }
    return undefined;
  },
  DefNoop: () => undefined,
  DefReturn: (run, { operands: [value] }, frame) => ({ returned: run.evaluate(value, frame) }),
  DefFatal: (run, { operands: [type, code, argument] }, frame) => {
    run.fatal(type, code, run.integer(argument, frame));
    return undefined;
  },
  DefNotify: (run, { operands: [target, value] }, frame) => {
    const where = run.target(target, frame);
    const followed = where?.kind === 'Slot' ? run.load(where) : undefined;
    const node = followed?.type === 'Reference' ? followed.target : where;
    run.notify(node?.kind === 'Node' ? node.node.displayPath : '', run.integer(value, frame));
    return undefined;
  },
  DefRelease: (run, { operands: [name] }, frame) => {
    const mutex: MutexObject = objectNamed(run, name, 'Mutex', frame);
    if (mutex.held === 0) throw evaluationError('AE_AML_MUTEX_NOT_ACQUIRED', 'Release of a mutex that nobody holds');
    mutex.held--;
    return undefined;
  },
  DefReset: (run, { operands: [name] }, frame) => {
    const event: EventObject = objectNamed(run, name, 'Event', frame);
    event.signals = 0;
    return undefined;
  },
  DefSignal: (run, { operands: [name] }, frame) => {
    const event: EventObject = objectNamed(run, name, 'Event', frame);
    event.signals++;
    return undefined;
  },
  DefSleep: (run, { operands: [milliseconds] }, frame) => {
    run.sleep(run.integer(milliseconds, frame) * 10_000n);
    return undefined;
  },
  DefStall: (run, { operands: [microseconds] }, frame) => {
    run.sleep(run.integer(microseconds, frame) * 10n);
    return undefined;
  },
  DefUnload: () => undefined,
};

type EffectKind = 'DefAcquire' | 'DefWait' | 'DefLoad' | 'DefLoadTable' | 'DefTimer';

export const EFFECTS: Expressions<EffectKind> = {
  // One thread runs: a mutex is always free, or held by the asker.
  DefAcquire: (run, { operands: [name] }, frame) => {
    objectNamed(run, name, 'Mutex', frame).held++;
    return integerObject(0n);
  },
  DefWait: (run, { operands: [name, timeout] }, frame) => {
    const event = objectNamed(run, name, 'Event', frame);
    if (event.signals > 0) {
      event.signals--;
      return integerObject(0n);
    }
    run.sleep(run.integer(timeout, frame) * 10_000n);
    return integerObject(run.all);
  },
  DefLoad: (run, { operands: [source, target] }, frame) => {
    run.report('Load: tables that AML makes are not loaded', `${frame.scope.displayPath} ${source.path}`);
    run.store(target, integerObject(0n), frame);
    return integerObject(0n);
  },
  DefLoadTable: (run, _def, frame) => {
    run.report('LoadTable: no such table is at hand', frame.scope.displayPath);
    return integerObject(0n);
  },
  DefTimer: (run) => integerObject(run.time & run.all),
};
