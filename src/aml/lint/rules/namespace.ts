import { formatPath } from '../../name-string.ts';
import { absolutePath, parentPath, ROOT } from '../../namespace.ts';
import type { AmlTerm, AnyDef, NameTerm } from '../../tree.ts';
import type { Violation } from '../finding.ts';
import { at, type LintModel, type LintObject, type Visit } from '../model.ts';
import type { LintRule } from '../rule.ts';
import { operandOf } from '../walk.ts';

/** Names: declared once, found where they are used. ACPI 6.5 §5.3. */

/** Names that are used as values, and whether the use asks first if they are there. */
interface Use {
  readonly name: NameTerm;
  /** The name itself, or the invocation that it stands in. */
  readonly term: AmlTerm;
  readonly scope: string;
}

function usesOf(visits: readonly Visit[]): { uses: Use[]; asked: ReadonlySet<string> } {
  const uses: Use[] = [];
  const asked = new Set<string>();
  const certain = new Set<AmlTerm>();
  for (const { term, scope: where } of visits) {
    if (term.kind === 'DefCondRefOf') {
      const subject = operandOf(term, 0);
      if (subject.kind === 'NameString') asked.add((subject as NameTerm).path);
      certain.add(subject);
    } else if (term.kind === 'MethodInvocation') uses.push({ name: term.name, term, scope: where });
    else if (term.kind === 'NameString' && term.path !== '' && !certain.has(term))
      uses.push({ name: term, term, scope: where });
  }
  return { uses, asked };
}

/** What a method names and nothing declares, each path once. */
function* unresolved(model: LintModel): Generator<Violation> {
  for (const method of model.methods) {
    const { uses, asked } = usesOf(method.visits);
    const said = new Set<string>();
    for (const { name, term, scope } of uses) {
      const { path } = name;
      if (said.has(path) || asked.has(path) || model.set.names.resolve(scope, path) !== undefined) continue;
      said.add(path);
      yield at(`${formatPath(path)} is declared nowhere`, method, term);
    }
  }
}

/** Kinds of which two at a path are two objects; a Scope and fields of alternatives are left out. */
const CONTAINERS = new Set([
  'Device',
  'Name',
  'Method',
  'Mutex',
  'Event',
  'OpRegion',
  'PowerResource',
  'ThermalZone',
  'Processor',
  'FieldUnit',
]);

function* repeated(model: LintModel, sameTable: boolean): Generator<Violation> {
  for (const [path, all] of model.byPath) {
    const certain = all.filter(({ kind, conditional }) => CONTAINERS.has(kind) && !conditional);
    for (let index = 1; index < certain.length; index++) {
      const [first, object] = [certain[0], certain[index]];
      const inside = object.method === first.method && object.method !== undefined;
      if (object.method !== undefined && !inside) continue;
      if ((first.table === object.table) !== sameTable) continue;
      yield at(
        `${object.kind} ${formatPath(path.slice(-4))} is declared already, as ${first.kind}${sameTable ? '' : ` in ${first.table.file ?? 'another table'}`}`,
        object,
      );
    }
  }
}

export const NAMESPACE_RULES: readonly LintRule[] = [
  {
    id: 'NAME-TWICE',
    severity: 'error',
    title: 'A table declares a name once',
    linux: '"AE_ALREADY_EXISTS": the second declaration is dropped, and what is inside a Device with it',
    windows: 'stop 0xA5 (0x03) while the table is loaded',
    mend: 'drop or rename one of the two',
    check: (model) => [...repeated(model, true)],
  },
  {
    id: 'NAME-TWICE-ACROSS',
    severity: 'warning',
    title: 'Tables that are loaded together do not declare a name twice',
    linux: '"AE_ALREADY_EXISTS, While loading table": the rest of the SSDT may be lost',
    windows: 'the SSDT is not loaded, or stop 0xA5 (0x11)',
    mend: 'rename one, or ship just one of the SSDTs when they are alternatives',
    check: (model) => [...repeated(model, false)],
  },
  {
    id: 'NAME-UNRESOLVED',
    severity: 'warning',
    title: 'Names that a method uses are declared, or asked for with CondRefOf',
    linux: '"AE_NOT_FOUND" and the method is aborted when it comes to the name',
    windows: 'stop 0xA5 (0x03) when the method belongs to a device that is needed, else Code 12 or 31',
    mend: 'declare the name, load the SSDT that does, or ask with CondRefOf',
    check: (model) => (model.complete ? [...unresolved(model)] : []),
  },
  {
    id: 'SCOPE-UNRESOLVED',
    severity: 'error',
    title: 'Scope opens what is there',
    linux: '"AE_NOT_FOUND, During name lookup/catalog": everything inside the Scope is lost',
    windows: 'stop 0xA5 (0x03) while the table is loaded, or the table is dropped',
    mend: 'declare the device first, or load the table that does before this one',
    check: (model) => (model.complete ? scopesWithout(model) : []),
  },
  {
    id: 'ALIAS-TARGET',
    severity: 'error',
    title: 'An Alias stands for an object that is there',
    linux: '"AE_NOT_FOUND": the alias is not made',
    windows: 'stop 0xA5 (0x03) while the table is loaded',
    mend: 'declare the object before the alias',
    check: (model) => {
      if (!model.complete) return [];
      return model.objects.flatMap((object) => {
        if (object.kind !== 'Alias') return [];
        const { path } = object.term!.operands[0] as NameTerm;
        return isThere(model, object.scope, path) ? [] : [at(`${formatPath(path)} is declared nowhere`, object)];
      });
    },
  },
  {
    id: 'EXTERNAL-UNRESOLVED',
    severity: 'remark',
    title: 'An External is declared by a table that is there',
    linux: 'nothing until the name is used; then "AE_NOT_FOUND"',
    windows: 'the same',
    mend: 'name the SSDT that declares it as well, or drop the External',
    check: (model) => {
      if (!model.complete) return [];
      return perTable(model, 'declared nowhere', ({ path }) =>
        (model.byPath.get(path) ?? []).every(({ kind }) => kind === 'External'),
      );
    },
  },
  {
    id: 'NAME-PARENT',
    severity: 'error',
    title: 'The parent of a declared path is there',
    linux: '"AE_NOT_FOUND" while the table is loaded: the object is not made',
    windows: 'stop 0xA5 (0x03) while the table is loaded',
    mend: 'declare the parent first, or correct the path',
    check: (model) =>
      model.complete
        ? model.objects
            .filter(({ path, kind }) => {
              const parent = parentPath(path);
              return (
                kind !== 'External' &&
                parent !== ROOT &&
                model.set.names.allAt(parent).every((other) => other.kind === 'External')
              );
            })
            .map((object) => at(`${formatPath(parentPath(object.path))} is declared nowhere`, object))
        : [],
  },
  {
    id: 'EXTERNAL-OWN',
    severity: 'remark',
    title: 'A table has no External for what it declares itself',
    linux: 'nothing',
    windows: 'nothing',
    mend: 'drop the External',
    check: (model) =>
      perTable(model, 'declared in the same table', ({ path, table }) =>
        (model.byPath.get(path) ?? []).some((other) => other.kind !== 'External' && other.table === table),
      ),
  },
];

/** Declared by a table at hand; an External only says that another one should. */
function isThere({ set }: LintModel, scope: string, path: string): boolean {
  const found = set.names.resolve(scope, path);
  return found === ROOT || (found !== undefined && set.names.at(found)?.kind !== 'External');
}

function scopesWithout(model: LintModel): Violation[] {
  const violations: Violation[] = [];
  for (const { term, scope, table } of model.blocks) {
    if (term.kind !== 'DefScope') continue;
    const { path } = (term as AnyDef).operands[0] as NameTerm;
    if (isThere(model, scope, path)) continue;
    violations.push(
      at(`${formatPath(path)} is declared nowhere`, { path: absolutePath(scope, path), table, scope, term }),
    );
  }
  return violations;
}

/** One violation a table that has such Externals: they come by the hundred. */
function perTable(model: LintModel, what: string, isOne: (object: LintObject) => boolean): Violation[] {
  return model.set.tables.flatMap((table) => {
    const found = model.objects.filter(
      (object) => object.table === table && object.kind === 'External' && isOne(object),
    );
    if (found.length === 0) return [];
    const more = found.length === 1 ? '' : ` and ${found.length - 1} more`;
    return [at(`${formatPath(found[0].path)}${more}: ${what}`, found[0])];
  });
}
