/** Load and LoadTable: ACPI 6.5 §19.6.77, §19.6.78. */
import type { AmlTerm } from '../tree.ts';
import { bytesOf } from './conversions.ts';
import { evaluationError } from './evaluation-error.ts';
import { readFieldUnit } from './fields.ts';
import { paddedPath } from './names.ts';
import { findNode, type NamespaceNode } from './namespace-tree.ts';
import { type AmlObject, integerObject } from './objects.ts';
import type { Expressions, Frame, Run } from './run.ts';
import { storeInto } from './store.ts';

/** A definition block that AML loads is no longer than this. */
const MAX_TABLE_BYTES = 0x10_0000;
const HEADER_BYTES = 36;

/** The bytes that Load reads: a region from its start, a field, or a buffer. */
function tableBytes(run: Run, node: NamespaceNode): Uint8Array {
  const { object } = node;
  switch (object.type) {
    case 'OpRegion': {
      const read = (bitOffset: number, byteLength: number) => readRegion(run, node, bitOffset, byteLength);
      const length = Number(read(32, 4));
      if (length > MAX_TABLE_BYTES || BigInt(length) > object.byteLength || length < HEADER_BYTES)
        throw evaluationError(
          'AE_BAD_HEADER',
          `a table of ${length} bytes in a region of ${object.byteLength}`,
          node.displayPath,
        );
      const bytes = new Uint8Array(length);
      for (let offset = 0; offset < length; offset++) bytes[offset] = Number(read(offset * 8, 1));
      return bytes;
    }
    case 'FieldUnit':
      return bytesOf(readFieldUnit(object, run.regions), (object.bitLength + 7) >> 3);
    case 'Buffer':
      return object.bytes;
    default:
      throw evaluationError('AE_AML_OPERAND_TYPE', `Load of ${object.type}`, node.displayPath);
  }
}

function readRegion(run: Run, region: NamespaceNode, bitOffset: number, byteLength: number): bigint {
  return readFieldUnit(
    {
      type: 'FieldUnit',
      source: { kind: 'Region', region },
      bitOffset,
      bitLength: byteLength * 8,
      accessBytes: 1,
      updateRule: 'Preserve',
      bufferAccess: false,
      connection: undefined,
      attribute: 0,
      attributeLength: 0,
      pin: 0,
    },
    run.regions,
  );
}

/** The text of a string operand, or of a buffer up to its first zero; none for the number that stands for an omitted one. */
export function textOperand(run: Run, term: AmlTerm, frame: Frame): string {
  const object = run.data(term, frame);
  if (object.type === 'String') return object.value;
  if (object.type === 'Integer') return '';
  if (object.type === 'Buffer') return String.fromCharCode(...object.bytes.subarray(0, 64)).replace(/\0.*$/s, '');
  throw evaluationError('AE_AML_OPERAND_TYPE', `${object.type} where a string is needed`, frame.scope.displayPath);
}

type TableKind = 'DefLoad' | 'DefLoadTable';

export const TABLE_OPERATORS: Expressions<TableKind> = {
  DefLoad: (run, { operands: [source, target] }, frame) => {
    const handle = run.tables.load(tableBytes(run, run.find(source, frame)), frame.scope);
    run.copyTo(target, handle, frame);
    return handle;
  },
  DefLoadTable: (run, { operands: [signature, oemId, oemTableId, root, parameter, data] }, frame): AmlObject => {
    const [name, oem, table, rootPath, parameterPath] = [signature, oemId, oemTableId, root, parameter].map((term) =>
      textOperand(run, term, frame),
    );
    const value = run.data(data, frame);
    const bytes = run.tables.find(name, oem, table);
    if (!bytes) return integerObject(0n);
    const scope = findNode(frame.scope, rootPath === '' ? '\\' : paddedPath(rootPath));
    if (!scope) throw evaluationError('AE_NOT_FOUND', `${rootPath} is declared nowhere`, frame.scope.displayPath);
    const handle = run.tables.load(bytes, scope);
    const node = parameterPath === '' ? undefined : findNode(frame.scope, paddedPath(parameterPath));
    if (node) storeInto(run, { kind: 'Node', node }, value, true);
    return handle;
  },
};
