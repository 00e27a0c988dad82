import { OPERATOR_BY_KIND } from '../opcodes.ts';
import type { AmlTerm } from '../tree.ts';

/**
 * What ASL has no words for stands in comments that begin with `/*@`: other compilers skip them, ours reads them, so that a
 * disassembly compiles to the same bytes. An annotation stands before what it describes.
 *
 * - `/*@int 4*​/`: the integer behind it takes 4 bytes of data.
 * - `/*@pkg 3*​/`: the PkgLength of the term behind it takes 3 bytes.
 * - `/*@multi*​/`: the name behind it has a MultiNamePrefix.
 * - `/*@raw 00 1f*​/`: these bytes, which are no AML.
 * - `/*@stmt One*​/`: a statement that ASL does not have, as an expression.
 */
export type Annotation = 'int' | 'pkg' | 'multi' | 'raw' | 'stmt';

const annotation = (name: Annotation, value = ''): string => `/*@${name}${value === '' ? '' : ` ${value}`}*/`;

/** `text` of `term` with the annotations that its encoding needs. */
export function annotated(term: AmlTerm, text: string): string {
  switch (term.kind) {
    case 'Integer': {
      const { value, byteLength } = term;
      // Two hexadecimal digits of 0 or 1 are a byte by themselves: Zero and One are the opcodes.
      const plain = byteLength === undefined || (byteLength === 1 && value <= 1n);
      return plain ? text : `${annotation('int', `${byteLength}`)} ${text}`;
    }
    case 'NameString':
      return term.prefix === 'multi' ? `${annotation('multi')} ${text}` : text;
    case 'RawBytes':
      return annotation('raw', [...term.bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' '));
    case 'String':
    case 'MethodInvocation':
      return text;
    default: {
      const { pkgLengthBytes } = term;
      return pkgLengthBytes === undefined ? text : `${annotation('pkg', `${pkgLengthBytes}`)} ${text}`;
    }
  }
}

/** A statement that only drops a value: other compilers refuse it, and its absence changes nothing. */
export const droppedStatement = (text: string): string => annotation('stmt', text.replace(/\/\*.*?\*\//gs, ''));

/** Kinds of statements that ASL has no syntax for, or that iasl refuses because their result is not used. */
export function isDroppedStatement(term: AmlTerm): boolean {
  switch (term.kind) {
    case 'Integer':
    case 'String':
    case 'DefBuffer':
    case 'DefPackage':
    case 'DefVarPackage':
      return true;
    case 'NameString':
    case 'MethodInvocation':
    case 'RawBytes':
      return false;
    default:
      return DROPPED_OPERATORS.has(OPERATOR_BY_KIND.get(term.kind)!);
  }
}

const DROPPED_OPERATORS: ReadonlySet<string> = new Set([
  'Ones',
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((index) => `Local${index}`),
  ...[0, 1, 2, 3, 4, 5, 6].map((index) => `Arg${index}`),
  'Debug',
  'Revision',
]);
