/** First pass over the tree: what a definition block declares. */
import { absolutePath, childPath, parentPath, ROOT } from '../namespace.ts';
import { OBJECT_TYPES, type Opcode, ROW_BY_KIND } from '../opcodes.ts';
import type { AmlTerm, AnyDef, FieldElement, NameTerm } from '../tree.ts';
import type { Notes } from './cursor.ts';
import type { Diagnostics } from './diagnostics.ts';
import { type DeclaredNode, SourceNamespace } from './names.ts';

/** ObjectType keyword by production. */
const TYPES: Readonly<Record<string, string>> = {
  DefMethod: 'MethodObj',
  DefMutex: 'MutexObj',
  DefEvent: 'EventObj',
  DefOpRegion: 'OpRegionObj',
  DefDataRegion: 'OpRegionObj',
  DefDevice: 'DeviceObj',
  DefProcessor: 'ProcessorObj',
  DefPowerRes: 'PowerResObj',
  DefThermalZone: 'ThermalZoneObj',
};

const VALUE_TYPES: Readonly<Record<string, string>> = {
  Integer: 'IntObj',
  Ones: 'IntObj',
  String: 'StrObj',
  DefBuffer: 'BuffObj',
  DefPackage: 'PkgObj',
  DefVarPackage: 'PkgObj',
};

/** The namespace of `terms`. Names that are declared twice, or below nothing, are reported unless `tolerant`. */
export function declareNames(
  terms: readonly AmlTerm[],
  notes: Notes,
  diagnostics: Diagnostics,
  tolerant: boolean,
): { names: SourceNamespace; externalPaths: ReadonlyMap<AmlTerm, string> } {
  const names = new SourceNamespace();
  const externalPaths = new Map<AmlTerm, string>();
  const parentless: DeclaredNode[] = [];
  const externals: DeclaredNode[] = [];

  const declare = (node: DeclaredNode): void => {
    const before = names.declare(node);
    if (before && node.token && !tolerant && !node.isExternal) {
      const where = before.token ? ` on line ${before.token.source.positionOf(before.token.start).line}` : '';
      diagnostics.add('ASL_NAME_TWICE', node.token, `${node.path} is declared already${where}`);
    }
    parentless.push(node);
  };

  const visitList = (list: readonly AmlTerm[], scope: string): void => {
    for (const term of list) {
      const row = ROW_BY_KIND.get(term.kind);
      if (row) visit(term as AnyDef & AmlTerm, row, scope);
    }
  };

  const visit = (term: AnyDef & AmlTerm, row: Opcode, scope: string): void => {
    if (term.kind === 'DefExternal') declareExternal(term, scope);
    const names_ = row.operands.flatMap((kind, index) => (kind === 'NameString' ? [index] : []));
    const position = row.declares === 'first' ? names_[0] : row.declares === 'last' ? names_.at(-1) : undefined;
    if (position !== undefined) declareNamed(term, term.operands[position] as NameTerm, scope);
    const last = row.operands.at(-1);
    if (last === 'FieldList') declareFields(term.operands.at(-1) as readonly FieldElement[], scope);
    if (last !== 'TermList') return;
    visitList(term.operands.at(-1) as readonly AmlTerm[], row.opensScope ? innerScope(names, term, scope) : scope);
  };

  const declareNamed = (term: AnyDef & AmlTerm, name: NameTerm, scope: string): void => {
    const path = absolutePath(scope, name.path);
    const token = notes.tokens.get(name);
    const isBufferField = /^DefCreate/.test(term.kind);
    const type = isBufferField ? 'BuffFieldObj' : (TYPES[term.kind] ?? valueType(term));
    declare({
      path,
      type,
      isExternal: false,
      token,
      ...(term.kind === 'DefMethod' && { argumentCount: (term.operands[1] as number) & 7 }),
      ...(term.kind === 'DefAlias' && { alias: { scope, path: (term.operands[0] as NameTerm).path } }),
    });
    const tags = term.kind === 'DefName' ? notes.templates.get(term.operands[1] as AmlTerm) : undefined;
    for (const tag of tags ?? []) {
      // A DescriptorName stands beside the template's name, not below it.
      const tagPath = childPath(parentPath(path), tag.name);
      const start = tag.start * 8;
      names.declare({ path: tagPath, type: 'Tag', isExternal: false, token: undefined, bit: start });
      for (const { name: field, bit, bitLength } of tag.fields) {
        const place = { path: childPath(tagPath, field), type: 'Tag', isExternal: false, token: undefined };
        names.declare({ ...place, bit: start + bit, bitLength });
      }
    }
  };

  const declareFields = (elements: readonly FieldElement[], scope: string): void => {
    for (const element of elements) {
      if (element.kind !== 'NamedField') continue;
      const token = notes.tokens.get(element);
      declare({ path: childPath(scope, element.name), type: 'FieldUnitObj', isExternal: false, token });
    }
  };

  const declareExternal = (term: AnyDef & AmlTerm, scope: string): void => {
    const [name, type] = term.operands as readonly [NameTerm, number, number];
    const path = absolutePath(scope, name.path);
    externalPaths.set(term, path);
    const argumentCount = notes.externals.get(term)?.argumentCount;
    names.declareParents(path);
    const node = {
      path,
      type: OBJECT_TYPES[type] ?? 'UnknownObj',
      isExternal: true,
      token: notes.tokens.get(name),
      ...(argumentCount !== undefined && { argumentCount }),
    };
    externals.push(node);
    declare(node);
  };

  visitList(terms, ROOT);
  if (!tolerant) {
    for (const { path, token } of parentless) {
      const parent = parentPath(path);
      if (token && !names.at(parent)) {
        diagnostics.add('ASL_NAME_PARENT', token, `${parent} is not declared, so that nothing can stand below it`);
      }
    }
  }
  if (!tolerant) for (const external of externals) checkExternal(external, names, diagnostics);
  return { names, externalPaths };
}

/** Fields read as integers or buffers: an External may say so. */
const FIELD_TYPES: ReadonlySet<string> = new Set(['FieldUnitObj', 'BuffFieldObj']);

/** An External of what the block declares itself says the same type. */
function checkExternal({ path, type, token }: DeclaredNode, names: SourceNamespace, diagnostics: Diagnostics): void {
  const own = names.at(path);
  if (!own || own.isExternal || !token || own.type === type) return;
  if (type === 'UnknownObj' || own.type === 'UnknownObj') return;
  if (FIELD_TYPES.has(own.type) && (type === 'IntObj' || type === 'BuffObj')) return;
  diagnostics.add('ASL_EXTERNAL_TYPE', token, `${path} is a ${own.type} in this block, not a ${type}`);
}

/** ObjectType keyword of a Name's value. */
function valueType(term: AnyDef): string {
  const value = term.kind === 'DefName' ? (term.operands[1] as AmlTerm) : undefined;
  return VALUE_TYPES[value?.kind ?? ''] ?? 'UnknownObj';
}

/** The scope inside of a Device, Method or Scope; Scope's name is looked for as a reference is. */
export function innerScope(names: SourceNamespace, term: AnyDef, scope: string): string {
  const { path } = term.operands[0] as NameTerm;
  if (term.kind !== 'DefScope') return absolutePath(scope, path);
  const found = names.find(scope, path);
  return found ? names.follow(found).path : absolutePath(scope, path);
}
