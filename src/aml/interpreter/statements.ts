/** Statements and operators with effects outside of objects: ACPI 6.5 §20.2.5.3. */
import type { AmlTerm } from '../tree.ts';
import { evaluationError } from './evaluation-error.ts';
import { type AmlObject, type EventObject, integerObject } from './objects.ts';
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
    const start = run.budget.time;
    while (run.integer(predicate, frame) !== 0n) {
      const flow = run.statements(body, frame);
      if (flow === 'break') return undefined;
      if (typeof flow === 'object') return flow;
      run.budget.loop(start);
    }
    return undefined;
  },
  DefNoop: () => undefined,
  DefReturn: (run, { operands: [value] }, frame) => ({ returned: run.evaluate(value, frame) }),
  DefFatal: (run, { operands: [type, code, argument] }, frame) => {
    const words = [type, code, run.integer(argument, frame)].map((value) => `0x${value.toString(16)}`);
    run.report(`Fatal (${words.join(', ')}): an OS stops the machine here`, frame.scope.displayPath);
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
    run.mutexes.release(objectNamed(run, name, 'Mutex', frame), frame.scope.displayPath);
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
    run.budget.sleep(run.integer(milliseconds, frame) * 10_000n);
    return undefined;
  },
  DefStall: (run, { operands: [microseconds] }, frame) => {
    run.budget.sleep(run.integer(microseconds, frame) * 10n);
    return undefined;
  },
  DefUnload: (run, { operands: [handle] }, frame) => {
    const object = run.data(handle, frame);
    if (object.type !== 'DdbHandle') throw evaluationError('AE_AML_OPERAND_TYPE', `Unload of ${object.type}`);
    run.tables.unload(object);
    return undefined;
  },
};

/** Timeouts of 0xffff and above wait without end. */
const FOREVER = 0xffffn;

type EffectKind = 'DefAcquire' | 'DefWait' | 'DefTimer';

export const EFFECTS: Expressions<EffectKind> = {
  // One thread runs: a mutex is always free, or held by the asker.
  DefAcquire: (run, { operands: [name] }, frame) => {
    run.mutexes.acquire(objectNamed(run, name, 'Mutex', frame), frame.scope.displayPath);
    return integerObject(0n);
  },
  DefWait: (run, { operands: [name, timeout] }, frame) => {
    const event = objectNamed(run, name, 'Event', frame);
    const milliseconds = run.integer(timeout, frame);
    if (event.signals > 0) {
      event.signals--;
      return integerObject(0n);
    }
    if (milliseconds >= FOREVER)
      throw evaluationError('AE_TIME', 'Wait without end for an event that nobody signals', frame.scope.displayPath);
    run.budget.sleep(milliseconds * 10_000n);
    return integerObject(run.all);
  },
  DefTimer: (run) => integerObject(run.budget.time & run.all),
};
