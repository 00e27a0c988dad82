import { formatPath } from '../../name-string.ts';
import { OPERATOR_BY_KIND, ROW_BY_KIND } from '../../opcodes.ts';
import type { AmlTerm, AnyDef } from '../../tree.ts';
import type { Violation } from '../finding.ts';
import { at, type LintMethod } from '../model.ts';
import { returnPaths } from '../returns.ts';
import type { LintRule } from '../rule.ts';
import { constantOf, operandOf } from '../walk.ts';
import { inMethods, listsOf, termsOf } from './in-methods.ts';

/** Methods as a whole: what they return, take, declare and keep in locals. */

const CREATES = new Set([
  'DefName',
  'DefOpRegion',
  'DefMutex',
  'DefEvent',
  'DefCreateField',
  'DefCreateBitField',
  'DefCreateByteField',
  'DefCreateWordField',
  'DefCreateDWordField',
  'DefCreateQWordField',
  'DefDevice',
  'DefMethod',
  'DefField',
  'DefDataRegion',
  'DefAlias',
]);

export const METHOD_RULES: readonly LintRule[] = [
  {
    id: 'METHOD-VALUE-MISSING',
    severity: 'warning',
    title: 'A method whose value is used returns one on every path',
    linux: 'AE_AML_NO_RETURN_VALUE on the paths without: the calling method is aborted',
    windows: 'the last result that was computed is taken',
    mend: 'return a value at the end of the called method',
    check: (model) => {
      const partial = new Map(
        model.methods.flatMap(({ path, body }): [string, boolean][] => {
          const { returns, fallsThrough } = returnPaths(body);
          return fallsThrough ? [[path, returns.length > 0]] : [];
        }),
      );
      return model.methods.flatMap((method) => {
        const statements = new Set([...listsOf(method.body)].flat());
        return method.visits.flatMap(({ term, scope }): Violation[] => {
          if (term.kind !== 'MethodInvocation' || statements.has(term)) return [];
          const called = model.set.names.find(scope, term.name.path)?.path;
          const some = called === undefined ? undefined : partial.get(called);
          if (some === undefined) return [];
          return [
            at(`${formatPath(called!)} ${some ? 'does not always return' : 'never returns'} a value`, method, term),
          ];
        });
      });
    },
  },
  {
    id: 'METHOD-RETURN-PATHS',
    severity: 'warning',
    title: 'A method returns a value on every path or on none',
    linux: 'a caller that uses the value gets AE_AML_NO_RETURN_VALUE on the other paths',
    windows: 'a caller gets the last result that was computed',
    mend: 'return a value at the end',
    check: inMethods(function* ({ body, path }) {
      // Reserved names have a rule of their own.
      if (path.slice(-4).startsWith('_')) return;
      const { returns, fallsThrough } = returnPaths(body);
      if (fallsThrough && returns.some((value) => constantOf(value) !== 0n))
        yield 'some paths return a value, others do not';
    }),
  },
  {
    id: 'METHOD-SERIALIZED',
    severity: 'remark',
    title: 'A method that declares names is Serialized',
    linux: 'marked serialized by the interpreter after AE_ALREADY_EXISTS, when two threads ran it at once',
    windows: 'AE_ALREADY_EXISTS when two threads run it at once: stop 0xA5 (0x03) in rare cases',
    mend: 'declare the method Serialized',
    check: inMethods(function* (method) {
      if (method.serialized) return;
      const created = termsOf(method).flatMap(({ kind }) => (CREATES.has(kind) ? [OPERATOR_BY_KIND.get(kind)!] : []));
      if (created.length > 0) yield `it declares names (${[...new Set(created)].join(', ')}) and is NotSerialized`;
    }),
  },
  {
    id: 'METHOD-ARGUMENT-BEYOND',
    severity: 'error',
    title: 'A method uses no more arguments than it declares',
    linux: 'AE_AML_UNINITIALIZED_ARG when the argument is read',
    windows: 'the method fails: stop 0xA5 (0x03) for a needed device',
    mend: 'declare the method with more arguments, or use a local',
    check: inMethods(function* (method) {
      const used = new Set(termsOf(method).flatMap(({ kind }) => (/^Arg\d$/.test(kind) ? [Number(kind[3])] : [])));
      // An argument beyond the count may serve as a variable when it is written first.
      const written = new Set(
        termsOf(method)
          .filter(({ kind }) => kind === 'DefStore')
          .map((term) => operandOf(term, 1).kind),
      );
      for (const index of [...used].sort()) {
        if (index >= method.argumentCount && !written.has(`Arg${index}` as AmlTerm['kind']))
          yield `it takes ${method.argumentCount} arguments and reads Arg${index}`;
      }
    }),
  },
  {
    id: 'METHOD-LOCAL-UNSET',
    severity: 'error',
    title: 'A local is set before it is read',
    linux: 'AE_AML_UNINITIALIZED_LOCAL: the method is aborted',
    windows: 'the method fails: stop 0xA5 (0x03) for a needed device',
    mend: 'store a value first',
    check: inMethods(function* (method) {
      const { read, set } = localUse(method);
      for (const local of [...read].sort()) if (!set.has(local)) yield `${local} is read and never set`;
    }),
  },
  {
    id: 'METHOD-LOCAL-UNUSED',
    severity: 'remark',
    title: 'A local that is set is read',
    linux: 'nothing',
    windows: 'nothing',
    mend: 'drop it, unless the read itself is what counts',
    check: inMethods(function* (method) {
      const { read, set } = localUse(method);
      for (const local of [...set].sort()) if (!read.has(local)) yield `${local} is set and never read`;
    }),
  },
  {
    id: 'METHOD-RECURSION',
    severity: 'remark',
    title: 'A method does not call itself',
    linux: '"AE_AML_METHOD_LIMIT" when nothing ends it; a serialized method deadlocks at once',
    windows: 'stop 0xA5 (0x03) when the stack ends',
    mend: 'write a loop',
    check: inMethods(function* (method, { set }) {
      const calls = method.visits.filter(
        ({ term, scope }) =>
          term.kind === 'MethodInvocation' && set.names.resolve(scope, term.name.path) === method.path,
      );
      if (calls.length > 0) yield 'it calls itself';
    }),
  },
  {
    id: 'METHOD-UNUSED-ARGUMENT',
    severity: 'remark',
    title: 'A method of the table’s own uses its arguments',
    linux: 'nothing',
    windows: 'nothing',
    mend: 'drop the argument, or look whether another was meant',
    check: inMethods(function* (method) {
      if (method.path.slice(-4).startsWith('_')) return;
      const used = new Set(termsOf(method).map(({ kind }) => kind));
      for (let index = 0; index < method.argumentCount; index++)
        if (!used.has(`Arg${index}` as AmlTerm['kind'])) yield `Arg${index} is never used`;
    }),
  },
];

/** Which locals a method reads and writes; a write as a target, an operand of RefOf counts as both. */
function localUse(method: LintMethod): { read: Set<string>; set: Set<string> } {
  const read = new Set<string>();
  const set = new Set<string>();
  for (const { term } of method.visits) {
    const row = ROW_BY_KIND.get(term.kind);
    const operands = term.kind === 'MethodInvocation' ? term.args : ((term as Partial<AnyDef>).operands ?? []);
    operands.forEach((value, index) => {
      const { kind } = value as AmlTerm;
      if (typeof kind !== 'string' || !/^Local\d$/.test(kind)) return;
      const place = row?.operands[index];
      const stores =
        place === 'Target' ||
        (term.kind === 'DefStore' && index === 1) ||
        (term.kind === 'DefCopyObject' && index === 1);
      // A reference may be used to write; Increment and Decrement read and write what is there.
      const both = !stores && ['DefRefOf', 'DefCondRefOf', 'DefIncrement', 'DefDecrement'].includes(term.kind);
      if (stores) set.add(kind);
      else read.add(kind);
      // A called method may write through a reference; so may who holds one.
      if (both || term.kind === 'MethodInvocation') {
        if (term.kind !== 'DefIncrement' && term.kind !== 'DefDecrement') set.add(kind);
        read.add(kind);
      }
    });
    if (term.kind === 'DefWhile' || term.kind === 'DefIf') continue;
    if (term.kind === 'DefPackage' || term.kind === 'DefVarPackage') {
      for (const element of (term as AnyDef).operands[1] as readonly AmlTerm[])
        if (/^Local\d$/.test(element.kind)) read.add(element.kind);
    }
  }
  return { read, set };
}
