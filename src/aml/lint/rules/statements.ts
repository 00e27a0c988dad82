import { formatPath } from '../../name-string.ts';
import { absolutePath, parentPath } from '../../namespace.ts';
import { OPERATOR_BY_KIND, ROW_BY_KIND } from '../../opcodes.ts';
import type { AmlTerm, AnyDef } from '../../tree.ts';
import type { Violation } from '../finding.ts';
import { at, type LintMethod, type LintModel } from '../model.ts';
import { hasBreak, returnPaths } from '../returns.ts';
import type { LintRule } from '../rule.ts';
import { blockOf, constantOf, operandOf } from '../walk.ts';
import { BLOCKS, inMethods, isName, listsOf, termsOf } from './in-methods.ts';

/** What statements do: code that never runs, values that go nowhere, loops, waiting, mutexes. */

const ENDS = new Set(['DefReturn', 'DefBreak', 'DefContinue', 'DefFatal']);

export const STATEMENT_RULES: readonly LintRule[] = [
  {
    id: 'CODE-UNREACHABLE',
    severity: 'warning',
    title: 'No statement stands behind a Return, Break, Continue or Fatal in its block',
    linux: 'the statements never run',
    windows: 'the statements never run',
    mend: 'drop them, or make what ends the block conditional',
    check: inMethods(function* ({ body }) {
      for (const list of listsOf(body)) {
        const end = list.findIndex((term, index) => ENDS.has(term.kind) && index < list.length - 1);
        if (end < 0) continue;
        yield [`${list.length - 1 - end} statements behind ${OPERATOR_BY_KIND.get(list[end].kind)}`, list[end + 1]];
      }
    }),
  },
  {
    id: 'CODE-CONSTANT-CONDITION',
    severity: 'remark',
    title: 'The predicate of an If is not a constant',
    linux: 'one branch never runs',
    windows: 'one branch never runs',
    mend: 'drop the If, or the branch',
    check: inMethods(function* ({ body }) {
      for (const term of [...listsOf(body)].flat()) {
        if (term.kind === 'DefIf' && constantOf(operandOf(term, 0)) !== undefined) {
          yield [constantOf(operandOf(term, 0)) === 0n ? 'If (Zero) never runs' : 'If (One) always runs', term];
        }
      }
    }),
  },
  {
    id: 'CODE-NO-EFFECT',
    severity: 'warning',
    title: 'A statement stores what it computes',
    linux: 'nothing: the value is dropped; with "slack" mode off it may become the return value',
    windows: 'the value may become the implicit return value',
    mend: 'give the operation a target, or drop it',
    check: inMethods(function* ({ body }) {
      for (const term of [...listsOf(body)].flat())
        if (isIdle(term)) yield [`${OPERATOR_BY_KIND.get(term.kind)} has no target`, term];
    }),
  },
  {
    id: 'CODE-STORE-SELF',
    severity: 'remark',
    title: 'A Store has another target than its source',
    linux: 'nothing, unless the object is a register that reacts to being read or written',
    windows: 'the same',
    mend: 'drop it, or name the register that is meant',
    check: inMethods(function* (method) {
      for (const term of termsOf(method)) {
        if (term.kind !== 'DefStore') continue;
        const [source, target] = (term as AnyDef).operands as AmlTerm[];
        if (isName(source) && isName(target) && source.path === target.path)
          yield [`${formatPath(source.path)} is stored into itself`, term];
      }
    }),
  },
  {
    id: 'CODE-ENDLESS-LOOP',
    severity: 'error',
    title: 'A While that always holds is left by Break or Return',
    linux: '"AE_AML_LOOP_TIMEOUT" after 30 seconds; the thread hangs until then',
    windows: 'the method hangs, stop 0x9F or 0xA5 (0x03) follows',
    mend: 'count the passes and leave the loop',
    check: inMethods(function* ({ body }) {
      for (const term of [...listsOf(body)].flat()) {
        if (term.kind !== 'DefWhile') continue;
        const predicate = constantOf(operandOf(term, 0));
        const inside = blockOf(term);
        if (predicate === undefined || predicate === 0n || hasBreak(inside) || returnPaths(inside).returns.length > 0)
          continue;
        yield ['nothing leaves the loop', term];
      }
    }),
  },
  {
    id: 'CODE-EMPTY-LOOP',
    severity: 'warning',
    title: 'A loop that waits sleeps or stalls in its body',
    linux: 'the loop burns its pass limit at once; "AE_AML_LOOP_TIMEOUT"',
    windows: 'a processor spins',
    mend: 'Sleep or Stall in the loop, and count',
    check: inMethods(function* ({ body }) {
      for (const term of [...listsOf(body)].flat())
        if (term.kind === 'DefWhile' && blockOf(term).length === 0) yield ['the loop is empty', term];
    }),
  },
  {
    id: 'METHOD-STALL',
    severity: 'warning',
    title: 'Stall waits at most 255 µs (100 µs by the specification)',
    linux: '"Time parameter is too large": AE_AML_OPERAND_VALUE above 255',
    windows: 'the method fails above 255 µs',
    mend: 'use Sleep, whose unit is a millisecond',
    check: inMethods(function* (method) {
      for (const term of termsOf(method)) {
        const microseconds = term.kind === 'DefStall' ? constantOf(operandOf(term, 0)) : undefined;
        if (microseconds !== undefined && microseconds > 255n) yield [`Stall (${microseconds})`, term];
      }
    }),
  },
  {
    id: 'METHOD-SLEEP',
    severity: 'remark',
    title: 'Sleep waits two seconds at most',
    linux: 'the thread waits; above 2 s "ACPI Warning: Firmware issue: Excessive sleep time", boot and resume are late',
    windows: 'the thread waits; boot and resume are late',
    mend: 'poll in short steps',
    check: inMethods(function* (method) {
      for (const term of termsOf(method)) {
        const milliseconds = term.kind === 'DefSleep' ? constantOf(operandOf(term, 0)) : undefined;
        if (milliseconds !== undefined && milliseconds > 2000n) yield [`Sleep (${milliseconds})`, term];
      }
    }),
  },
  {
    id: 'MUTEX-TIMEOUT',
    severity: 'warning',
    title: 'The result of an Acquire or Wait that may time out is looked at',
    linux: 'the method runs on without the mutex and Release fails: AE_AML_MUTEX_NOT_ACQUIRED',
    windows: 'the same: stop 0xA5 (0x03) in rare cases',
    mend: 'test the result, or wait for ever with 0xffff',
    check: inMethods(function* ({ body }) {
      for (const term of [...listsOf(body)].flat()) {
        const timeout =
          term.kind === 'DefAcquire'
            ? ((term as AnyDef).operands[1] as number)
            : term.kind === 'DefWait'
              ? Number(constantOf(operandOf(term, 1)) ?? 0xffff)
              : 0xffff;
        if (timeout < 0xffff)
          yield [`${OPERATOR_BY_KIND.get(term.kind)} (…, 0x${timeout.toString(16)}) as a statement`, term];
      }
    }),
  },
  {
    id: 'MUTEX-RELEASE',
    severity: 'warning',
    title: 'A method that acquires a mutex releases it on every path',
    linux: 'the interpreter releases it when the method ends, with a warning at worst',
    windows: 'the mutex stays taken: every other user hangs',
    mend: 'Release before each Return',
    check: inMethods(unreleased),
  },
  {
    id: 'NOTIFY-TARGET',
    severity: 'error',
    title: 'Notify names a device, a processor or a thermal zone',
    linux: 'AE_AML_OPERAND_TYPE: the method is aborted',
    windows: 'stop 0xA5 (0x03)',
    mend: 'name the device',
    check: (model) =>
      model.methods.flatMap((method) =>
        method.visits.flatMap(({ term, scope }): Violation[] => {
          const target = term.kind === 'DefNotify' ? operandOf(term, 0) : undefined;
          if (!target || !isName(target)) return [];
          const kind = model.set.names.find(scope, target.path)?.declaration.kind;
          if (kind === undefined || !NOT_NOTIFIED.has(kind)) return [];
          return [at(`${formatPath(target.path)} is a ${kind}`, method, term)];
        }),
      ),
  },
];

const NOT_NOTIFIED = new Set([
  'Name',
  'Method',
  'FieldUnit',
  'BufferField',
  'OpRegion',
  'Mutex',
  'Event',
  'PowerResource',
  'DataRegion',
]);

/** An operation whose only use is its value, and whose value goes nowhere. */
function isIdle(term: AmlTerm): boolean {
  const row = ROW_BY_KIND.get(term.kind);
  if (!row || row.yields === 'Nothing') return false;
  const target = row.operands.indexOf('Target');
  if (target < 0) return PURE.has(term.kind);
  const targets = row.operands.flatMap((kind, index) =>
    kind === 'Target' ? [(term as AnyDef).operands[index] as AmlTerm] : [],
  );
  return (
    row.name !== 'DefLoad' &&
    row.name !== 'DefCondRefOf' &&
    targets.every((value) => isName(value) && value.path === '')
  );
}

const PURE = new Set([
  'DefLAnd',
  'DefLOr',
  'DefLNot',
  'DefLNotEqual',
  'DefLLessEqual',
  'DefLGreaterEqual',
  'DefLEqual',
  'DefLGreater',
  'DefLLess',
  'DefObjectType',
  'DefSizeOf',
  'DefMatch',
  'DefRefOf',
  'DefTimer',
]);

/** Mutexes that are held at a Return or at the end. */
function* unreleased(method: LintMethod, model: LintModel): Generator<string> {
  const said = new Set<string>();
  const mutexOf = (term: AmlTerm): string | undefined => {
    const name = operandOf(term, 0);
    return isName(name)
      ? (model.set.names.resolve(method.path, name.path) ?? absolutePath(parentPath(method.path), name.path))
      : undefined;
  };
  const run = (terms: readonly AmlTerm[], held: ReadonlySet<string>): ReadonlySet<string> => {
    let now = new Set(held);
    for (const term of terms) {
      if (term.kind === 'DefAcquire') {
        const mutex = mutexOf(term);
        if (mutex !== undefined) now.add(mutex);
      } else if (term.kind === 'DefRelease') {
        const mutex = mutexOf(term);
        if (mutex !== undefined) now.delete(mutex);
      } else if (term.kind === 'DefReturn') {
        for (const mutex of now) said.add(mutex);
        return new Set();
      } else if (BLOCKS.has(term.kind)) {
        // A branch that releases is taken as the way out; one that only returns is checked inside.
        const after = run(blockOf(term), now);
        if (after.size < now.size && !returnPaths(blockOf(term)).returns.length) now = new Set(after);
      }
    }
    return now;
  };
  for (const mutex of run(method.body, new Set())) said.add(mutex);
  for (const mutex of said) yield `${formatPath(mutex)} is still held where the method ends`;
}
