/** What Store and CopyObject do to each kind of target: ACPI 6.5 §19.3.5.8, table 19.6. */
import { bytesOf, littleEndian, toBufferObject, toInteger, toStringObject } from './conversions.ts';
import { evaluationError } from './evaluation-error.ts';
import { type FieldPorts, writeBufferField, writeFieldUnit } from './fields.ts';
import { findNode, type NamespaceNode } from './namespace-tree.ts';
import {
  type AmlObject,
  type BufferObject,
  copyObject,
  integerObject,
  type PackageObject,
  type ReferenceTarget,
  type StringObject,
} from './objects.ts';
import type { Run } from './run.ts';

/** Stores `value` where `target` points; `convert` to the type that stands there. */
export function storeInto(run: Run & FieldPorts, target: ReferenceTarget, value: AmlObject, convert: boolean): void {
  switch (target.kind) {
    case 'Slot':
      target.slots[target.index] = convert ? converted(run, target.slots[target.index], value) : copyObject(value);
      break;
    case 'Element':
      storeElement(run, target.container, target.index, value);
      break;
    case 'Node':
      storeNode(run, target.node, value, convert);
      break;
    case 'Unresolved': {
      const node = findNode(target.scope, target.path);
      if (!node) throw evaluationError('AE_NOT_FOUND', 'a store to what nothing declares', target.path);
      storeNode(run, node, value, convert);
    }
  }
}

function storeElement(
  run: Run,
  container: PackageObject | BufferObject | StringObject,
  index: number,
  value: AmlObject,
): void {
  if (container.type === 'Package') {
    container.elements[index] = copyObject(value);
    return;
  }
  const byte = Number(firstByte(run, value));
  if (container.type === 'Buffer') container.bytes[index] = byte;
  else container.value = container.value.slice(0, index) + String.fromCharCode(byte) + container.value.slice(index + 1);
}

/** A byte of a buffer or string takes the low byte of a number, the first of a string or buffer. */
function firstByte(run: Run, value: AmlObject): bigint {
  if (value.type === 'String') return BigInt(value.value.charCodeAt(0) || 0) & 0xffn;
  return toInteger(value, run.integerBytes) & 0xffn;
}

function storeNode(run: Run & FieldPorts, node: NamespaceNode, value: AmlObject, convert: boolean): void {
  const current = node.object;
  switch (current.type) {
    case 'FieldUnit':
      writeFieldUnit(current, fieldBits(value, run, current.bitLength), run);
      return;
    case 'BufferField':
      writeBufferField(current, fieldBits(value, run, current.bitLength));
      return;
    case 'Reference':
      if (convert && current.target.kind !== 'Element') {
        storeInto(run, current.target, value, true);
        return;
      }
      node.object = copyObject(value);
      return;
    case 'Integer':
    case 'String':
    case 'Buffer':
    case 'Package':
    case 'Uninitialized':
      node.object = convert ? converted(run, current, value) : copyObject(value);
      return;
    default:
      if (convert) throw evaluationError('AE_AML_OPERAND_TYPE', `a store to ${current.type}`, node.displayPath);
      node.object = copyObject(value);
  }
}

/** The bits that a field takes from `value`. */
function fieldBits(value: AmlObject, run: Run, bitLength: number): bigint {
  const mask = (1n << BigInt(bitLength)) - 1n;
  switch (value.type) {
    case 'Integer':
      return value.value & mask;
    case 'Buffer':
      return littleEndian(value.bytes.subarray(0, (bitLength + 7) >> 3)) & mask;
    default:
      return littleEndian(toBufferObject(value, run.integerBytes).bytes) & mask;
  }
}

/** `value` as an object of the type that `current` has. */
function converted(run: Run, current: AmlObject, value: AmlObject): AmlObject {
  switch (current.type) {
    case 'Integer':
      return integerObject(toInteger(value, run.integerBytes));
    case 'String':
      return copyObject(toStringObject(value, run.integerBytes));
    case 'Buffer':
      return intoBuffer(run, current, value);
    case 'Package':
      if (value.type !== 'Package') throw evaluationError('AE_AML_OPERAND_TYPE', `${value.type} stored into a package`);
      return copyObject(value);
    default:
      return copyObject(value);
  }
}

/** A buffer keeps its length: what is too long is cut, what is too short leaves zeros; an empty one takes the source's length. */
function intoBuffer(run: Run, current: BufferObject, value: AmlObject): BufferObject {
  const source =
    value.type === 'Integer' ? bytesOf(value.value, run.integerBytes) : toBufferObject(value, run.integerBytes).bytes;
  if (current.bytes.length === 0) return { type: 'Buffer', bytes: source.slice() };
  current.bytes.fill(0);
  current.bytes.set(source.subarray(0, current.bytes.length));
  return current;
}
