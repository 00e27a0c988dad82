/** What a SuperName refers to, and what is stored there: ACPI 6.5 §19.3.5. */
import { formatPath } from '../name-string.ts';
import type { AmlTerm } from '../tree.ts';
import { evaluationError } from './evaluation-error.ts';
import { findNode } from './namespace-tree.ts';
import { type AmlObject, integerObject, type ReferenceTarget, UNINITIALIZED } from './objects.ts';
import type { Frame, Run } from './run.ts';
import { storeInto } from './store.ts';

export type Slot = Extract<ReferenceTarget, { kind: 'Slot' }>;

/** The slot of Local0 to Local7 and Arg0 to Arg6. */
export function slotOf({ kind }: AmlTerm, frame: Frame): Slot | undefined {
  const index = kind.charCodeAt(kind.length - 1) - 0x30;
  if (kind.length === 6 && kind.startsWith('Local')) return { kind: 'Slot', slots: frame.locals, index };
  if (kind.length === 4 && kind.startsWith('Arg')) return { kind: 'Slot', slots: frame.args, index };
  return undefined;
}

/** The object that stands where `target` points; a field is read. */
export function loadFrom(run: Run, target: ReferenceTarget): AmlObject {
  switch (target.kind) {
    case 'Node':
      return run.readField(target.node.object);
    case 'Slot':
      return target.slots[target.index];
    case 'Element': {
      const { container, index } = target;
      if (container.type === 'Package') return container.elements[index] ?? UNINITIALIZED;
      if (container.type === 'Buffer') return integerObject(BigInt(container.bytes[index] ?? 0));
      return integerObject(BigInt(container.value.charCodeAt(index) || 0));
    }
    case 'Unresolved': {
      const node = findNode(target.scope, target.path);
      if (!node)
        throw evaluationError('AE_NOT_FOUND', 'a package names what nothing declares', formatPath(target.path));
      return run.readField(node.object);
    }
  }
}

/** What `term` refers to; nothing for NullName and Debug. A value that is no reference gets a place of its own. */
export function targetOf(run: Run, term: AmlTerm, frame: Frame): ReferenceTarget | undefined {
  if (term.kind === 'NameString') {
    return term.path === '' ? undefined : { kind: 'Node', node: run.find(term, frame) };
  }
  const slot = slotOf(term, frame);
  if (slot) return slot;
  if (term.kind === 'DebugObj') return undefined;
  const object = run.evaluate(term, frame);
  if (object.type === 'Reference') return object.target;
  return { kind: 'Slot', slots: [object], index: 0 };
}

/** Stores `value` where `term` says, converted to what stands there unless `convert` is false. */
export function storeTerm(run: Run, term: AmlTerm, value: AmlObject, frame: Frame, convert: boolean): AmlObject {
  if (term.kind === 'NameString' && term.path === '') return value;
  if (term.kind === 'DebugObj') {
    run.debug(value);
    return value;
  }
  const target = targetOf(run, term, frame);
  if (!target) return value;
  const held = target.kind === 'Slot' ? target.slots[target.index] : undefined;
  const through = held?.type === 'Reference' && goesThrough(run, term, held.target);
  const place = through ? held.target : target;
  return storeInto(run, place, value, convert && !(target.kind === 'Slot' && !through)) ?? value;
}

/** A store to an argument that was passed by RefOf goes to what it refers to (§19.3.5.8); in Windows one to a local does as well. */
function goesThrough(run: Run, { kind }: AmlTerm, target: ReferenceTarget): boolean {
  if (target.kind === 'Element') return false;
  return kind.startsWith('Arg') || (run.semantics.storesThroughLocals && kind.startsWith('Local'));
}
