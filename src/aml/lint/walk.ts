import { type OperandKind, ROW_BY_KIND } from '../opcodes.ts';
import type { AmlTerm, AnyDef, FieldElement } from '../tree.ts';

/** Operand kinds by `kind` of the term. */
export const OPERAND_KINDS: ReadonlyMap<string, readonly OperandKind[]> = new Map(
  [...ROW_BY_KIND].map(([kind, row]) => [kind, row.operands]),
);

/** Operands that hold one term. */
const SINGLE: ReadonlySet<OperandKind> = new Set([
  'TermArg',
  'Operand',
  'SimpleName',
  'SuperName',
  'CallableName',
  'Target',
  'DataRefObject',
]);

/** The terms right inside `term`: operands, statements, package elements, connections. Names that it declares are left out. */
export function* subterms(term: AmlTerm): Generator<AmlTerm> {
  if (term.kind === 'MethodInvocation') {
    yield* term.args;
    return;
  }
  const kinds = OPERAND_KINDS.get(term.kind);
  if (!kinds) return;
  const { operands } = term as AnyDef;
  for (let index = 0; index < kinds.length; index++) {
    const kind = kinds[index];
    if (SINGLE.has(kind)) yield operands[index] as AmlTerm;
    else if (kind === 'TermList' || kind === 'PackageElementList') yield* operands[index] as readonly AmlTerm[];
    else if (kind === 'FieldList') {
      for (const element of operands[index] as readonly FieldElement[]) {
        if (element.kind === 'ConnectField') yield element.connection;
      }
    }
  }
}

/** The first operand of `term` that is a term; for rows whose first operand is one. */
export function operandOf(term: AmlTerm, index: number): AmlTerm {
  return (term as AnyDef).operands[index] as AmlTerm;
}

/** The statements of a block (If, Else, While, Method, Scope …). */
export function blockOf(term: AmlTerm): readonly AmlTerm[] {
  return (term as AnyDef).operands.at(-1) as readonly AmlTerm[];
}

/** An integer that the term states as such. */
export function constantOf(term: AmlTerm | undefined): bigint | undefined {
  if (term?.kind === 'Integer') return term.value;
  return term?.kind === 'Ones' ? 0xffff_ffff_ffff_ffffn : undefined;
}

/** The elements of a literal package. */
export function elementsOf(term: AmlTerm | undefined): readonly AmlTerm[] | undefined {
  if (term?.kind !== 'DefPackage' && term?.kind !== 'DefVarPackage') return undefined;
  return (term as AnyDef).operands[1] as readonly AmlTerm[];
}

/** The bytes of a literal buffer, padded to the size that it states. */
export function bufferOf(term: AmlTerm | undefined): Uint8Array | undefined {
  if (term?.kind !== 'DefBuffer') return undefined;
  const [size, bytes] = (term as AnyDef).operands as [AmlTerm, Uint8Array];
  const stated = constantOf(size);
  // A size from a hostile table is no reason to allocate it.
  const byteLength = stated === undefined || stated > 0x1_0000n ? bytes.length : Math.max(Number(stated), bytes.length);
  const buffer = new Uint8Array(byteLength);
  buffer.set(bytes);
  return buffer;
}
