/** Statements that never run, that do nothing, or whose result is lost. */
import { ROW_BY_KIND } from '../../opcodes.ts';
import type { AmlTerm, AnyDef } from '../../tree.ts';
import { integerOf, isStatement, type SourceModel, type Visit } from './source-model.ts';

/** Waits without end. */
const FOREVER = 0xffffn;
/** Milliseconds: ACPICA's remark starts above. */
const LONG_SLEEP = 1000n;
/** Microseconds: ACPI 6.5 §19.6.131 asks for less. */
const LONG_STALL = 100n;

export function checkStatements(model: SourceModel): void {
  for (const visit of model.visits) {
    const { term, method } = visit;
    if (!method && /^(Local|Arg)\d$/.test(term.kind)) {
      model.report('ASL_LOCAL_OUTSIDE', term, `${term.kind} stands outside of any method`);
    }
    if (!method && term.kind === 'DefReturn') {
      model.report('ASL_RETURN_OUTSIDE', term, 'Return stands outside of any method');
    }
    if (isStatement(visit)) {
      checkResult(model, visit);
      checkReachable(model, visit);
    }
    checkOperator(model, visit);
  }
}

/** Operators that only compute: without a target nothing remains of them. */
function checkResult(model: SourceModel, { term }: Visit): void {
  const row = ROW_BY_KIND.get(term.kind);
  const name = row?.name ?? term.kind;
  if (name === 'DefAcquire' || name === 'DefWait') {
    if ((integerOf((term as AnyDef).operands[1] as AmlTerm) ?? timeoutOf(term)) < FOREVER) {
      model.report('ASL_TIMEOUT_LOST', term, 'what tells that the time ran out is not looked at');
    }
    return;
  }
  if (!row || row.yields === 'Nothing' || EFFECTS.has(name) || term.kind === 'MethodInvocation') return;
  const targets = row.operands.flatMap((kind, index) => (kind === 'Target' ? [(term as AnyDef).operands[index]] : []));
  const isLost = targets.every((target) => isNull(target as AmlTerm));
  if (isLost) model.report('ASL_NO_RESULT', term, 'the result is not used: the statement does nothing');
}

/** Rows that do something whatever becomes of their value. */
const EFFECTS: ReadonlySet<string> = new Set([
  'DefStore',
  'DefCopyObject',
  'DefIncrement',
  'DefDecrement',
  'DefLoad',
  'DefLoadTable',
]);

const timeoutOf = (term: AmlTerm): bigint => {
  const stated = (term as AnyDef).operands[1];
  return typeof stated === 'number' ? BigInt(stated) : 0n;
};

const isNull = (term: AmlTerm): boolean =>
  (term.kind === 'NameString' && term.path === '') || (term.kind === 'Integer' && term.value === 0n);

function checkReachable(model: SourceModel, { term, list }: Visit): void {
  if (term.kind !== 'DefReturn') return;
  const next = list[list.indexOf(term) + 1];
  if (next) model.report('ASL_UNREACHABLE', next, 'a Return stands before this: it is never reached');
}

function checkOperator(model: SourceModel, { term, inLoop }: Visit): void {
  const { operands } = term as AnyDef;
  switch (term.kind) {
    case 'DefBreak':
    case 'DefContinue':
      if (!inLoop) model.report('ASL_LOOP', term, `${term.kind.slice(3)} stands in no While, For or Switch`);
      break;
    case 'DefSleep':
      if ((integerOf(operands[0] as AmlTerm) ?? 0n) > LONG_SLEEP) {
        model.report('ASL_SLEEP', term, 'this sleeps for more than a second');
      }
      break;
    case 'DefStall':
      if ((integerOf(operands[0] as AmlTerm) ?? 0n) > LONG_STALL) {
        model.report('ASL_STALL', term, 'this spins for more than 100 microseconds', 'use Sleep');
      }
      break;
    case 'DefStore':
      if (isSame(operands[0] as AmlTerm, operands[1] as AmlTerm)) {
        model.report('ASL_STORE_SELF', term, 'source and target are the same');
      }
      break;
    case 'DefUnload':
      model.report('ASL_LEGACY', term, 'Unload left ACPI 6.4', 'leave it out: not every system supports it');
      break;
    case 'DefProcessor':
      model.report('ASL_LEGACY', term, 'Processor left ACPI 6.4', 'use a Device with _HID "ACPI0007" and a _UID');
      break;
  }
}

const isSame = (left: AmlTerm, right: AmlTerm): boolean =>
  left.kind === right.kind &&
  (/^(Local|Arg)\d$/.test(left.kind) || (left.kind === 'NameString' && left.path === (right as typeof left).path));
