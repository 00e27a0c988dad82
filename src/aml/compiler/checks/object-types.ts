/** Objects where an operator has no use for them, and objects that cannot be there where they are named. */
import { formatPath } from '../../name-string.ts';
import { parentPath, ROOT } from '../../namespace.ts';
import { OPERATOR_BY_KIND } from '../../opcodes.ts';
import type { AmlTerm, AnyDef, NameTerm } from '../../tree.ts';
import { integerOf, type SourceModel, type Visit } from './source-model.ts';

export function checkObjectTypes(model: SourceModel): void {
  const buffers = namedBuffers(model);
  for (const visit of model.visits) {
    checkUse(model, visit);
    checkTemporary(model, visit);
    checkRootOnly(model, visit);
    checkBufferField(model, visit, buffers);
  }
}

/** What the first operand of an operator has to be. */
const WANTED: Readonly<Record<string, { readonly words: string; readonly types: readonly string[] }>> = {
  DefNotify: { words: 'a device, processor or thermal zone', types: ['DeviceObj', 'ProcessorObj', 'ThermalZoneObj'] },
  DefAcquire: { words: 'a Mutex', types: ['MutexObj'] },
  DefRelease: { words: 'a Mutex', types: ['MutexObj'] },
  DefWait: { words: 'an Event', types: ['EventObj'] },
  DefSignal: { words: 'an Event', types: ['EventObj'] },
  DefReset: { words: 'an Event', types: ['EventObj'] },
};

/** Objects that are no integer, string or buffer, and are not converted to one (ACPI 6.5 §19.3.5). */
const NO_NUMBERS: ReadonlySet<string> = new Set([
  'DeviceObj',
  'EventObj',
  'MutexObj',
  'OpRegionObj',
  'PkgObj',
  'PowerResObj',
  'ProcessorObj',
  'ThermalZoneObj',
]);
/** Types that say nothing of what stands there when the operator runs. */
const VAGUE: ReadonlySet<string> = new Set(['UnknownObj', 'MethodObj', 'Scope', 'Tag']);

function checkUse(model: SourceModel, { term, parent, kind, scope }: Visit): void {
  if (term.kind !== 'NameString' || term.path === '' || !parent) return;
  const type = model.find(term, scope)?.type;
  if (type === undefined || VAGUE.has(type)) return;
  const wanted = parent.operands[0] === term ? WANTED[parent.kind] : undefined;
  const isRefused = wanted ? !wanted.types.includes(type) : kind === 'Operand' && NO_NUMBERS.has(type);
  if (!isRefused) return;
  const words = wanted?.words ?? 'an integer, a string or a buffer';
  const operator = OPERATOR_BY_KIND.get(parent.kind);
  model.report('ASL_OBJECT_TYPE', term, `${operator} takes ${words}: ${formatPath(term.path)} is a ${type}`);
}

/** What a method declares is there while it runs, and for it alone. */
function checkTemporary(model: SourceModel, { term, scope }: Visit): void {
  const name = term.kind === 'MethodInvocation' ? term.name : term.kind === 'DefExternal' ? term.operands[0] : term;
  if (name.kind !== 'NameString' || name.path === '') return;
  const path = model.names.find(scope, name.path)?.path;
  if (path === undefined) return;
  for (let above = parentPath(path); above !== ROOT; above = parentPath(above)) {
    const isInside = scope === above || scope.startsWith(`${above}.`);
    if (isInside || model.names.at(above)?.type !== 'MethodObj') continue;
    const [what, where] = [path, above].map(formatPath);
    model.report('ASL_TEMPORARY', name, `${what} is there only while ${where} runs, and cannot be relied on here`);
  }
}

/** Names that an OS looks for at the root alone (ACPI 6.5 §7.4). */
const ROOT_ONLY = /^_(S[0-5]_|PTS|WAK|TTS)$/;

function checkRootOnly(model: SourceModel, { term, scope }: Visit): void {
  if (term.kind !== 'DefName' && term.kind !== 'DefMethod') return;
  const [name] = (term as AnyDef).operands as readonly [NameTerm];
  const segment = name.path.slice(-4);
  if (!ROOT_ONLY.test(segment)) return;
  const path = model.names.find(scope, name.path)?.path;
  if (path === undefined || parentPath(path) === ROOT) return;
  model.report('ASL_ROOT_ONLY', name, `${formatPath(segment)} is looked for at the root, and never found here`);
}

/** Bytes of the buffers that names have at first, by path. */
function namedBuffers({ visits, names }: SourceModel): ReadonlyMap<string, number> {
  const lengths = new Map<string, number>();
  for (const { term, scope } of visits) {
    if (term.kind !== 'DefName' || term.operands[1].kind !== 'DefBuffer') continue;
    const [size, bytes] = term.operands[1].operands;
    const stated = integerOf(size);
    const path = names.find(scope, term.operands[0].path)?.path;
    if (path !== undefined && stated !== undefined) lengths.set(path, Math.max(Number(stated), bytes.length));
  }
  return lengths;
}

/** Bits of a field by its operator; CreateBitField and CreateField count their index in bits. */
const FIELD_BITS: Readonly<Record<string, number>> = {
  DefCreateBitField: 1,
  DefCreateByteField: 8,
  DefCreateWordField: 16,
  DefCreateDWordField: 32,
  DefCreateQWordField: 64,
};

function checkBufferField(model: SourceModel, { term, scope }: Visit, buffers: ReadonlyMap<string, number>): void {
  const isAnyLength = term.kind === 'DefCreateField';
  if (!isAnyLength && FIELD_BITS[term.kind] === undefined) return;
  const [source, at, count] = (term as AnyDef).operands as readonly AmlTerm[];
  const path = source.kind === 'NameString' ? model.find(source, scope)?.path : undefined;
  const byteLength = path === undefined ? undefined : buffers.get(path);
  const index = integerOf(at);
  const bits = isAnyLength ? integerOf(count) : BigInt(FIELD_BITS[term.kind]);
  if (byteLength === undefined || index === undefined || bits === undefined) return;
  const start = index * (isAnyLength || term.kind === 'DefCreateBitField' ? 1n : 8n);
  if (start + bits <= BigInt(byteLength) * 8n) return;
  const end = (start + bits + 7n) / 8n;
  model.report('ASL_FIELD_BEYOND', term, `the field ends at byte ${end} of a buffer of ${byteLength} bytes`);
}
