/** What Store and CopyObject do to each kind of target: ACPI 6.5 §19.3.5.8, table 19.6. */

import { bytesOf, littleEndian, toBufferObject, toInteger, toStringObject } from './conversions.ts';
import { evaluationError } from './evaluation-error.ts';
import { writeBufferField, writeFieldUnit } from './fields.ts';
import { findNode, type NamespaceNode } from './namespace-tree.ts';
import {
  type AmlObject,
  type BufferObject,
  integerObject,
  type PackageObject,
  type ReferenceTarget,
  type StringObject,
} from './objects.ts';
import type { Run } from './run.ts';
import { exchange, exchangesBuffers } from './serial-fields.ts';

/** References that lead to references; a longer chain is a circle. */
const MAX_LINKS = 64;

/**
 * Stores `value` where `target` points; `convert` to the type that stands there. A field of a serial bus gives the buffer that came
 * back; any other target gives nothing.
 */
export function storeInto(
  run: Run,
  target: ReferenceTarget,
  value: AmlObject,
  convert: boolean,
  links = 0,
): AmlObject | undefined {
  switch (target.kind) {
    case 'Slot':
      target.slots[target.index] = convert ? converted(run, target.slots[target.index], value) : run.copy(value);
      return undefined;
    case 'Element':
      storeElement(run, target.container, target.index, value);
      return undefined;
    case 'Node':
      return storeNode(run, target.node, value, convert, links);
    case 'Unresolved': {
      const node = findNode(target.scope, target.path);
      if (!node) throw evaluationError('AE_NOT_FOUND', 'a store to what nothing declares', target.path);
      return storeNode(run, node, value, convert, links);
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
    container.elements[index] = run.copy(value);
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

function storeNode(
  run: Run,
  node: NamespaceNode,
  value: AmlObject,
  convert: boolean,
  links: number,
): AmlObject | undefined {
  const current = node.object;
  switch (current.type) {
    case 'FieldUnit':
      if (exchangesBuffers(current)) return exchange(current, run, bufferOf(run, value));
      writeFieldUnit(current, fieldBits(value, run, current.bitLength), run.regions);
      return undefined;
    case 'BufferField':
      writeBufferField(current, fieldBits(value, run, current.bitLength));
      return undefined;
    case 'Reference':
      if (!convert || current.target.kind === 'Element') break;
      if (links >= MAX_LINKS)
        throw evaluationError('AE_AML_CIRCULAR_REFERENCE', 'references lead in a circle', node.displayPath);
      return storeInto(run, current.target, value, true, links + 1);
    case 'Integer':
    case 'String':
    case 'Buffer':
    case 'Package':
    case 'Uninitialized':
      if (!convert) break;
      node.object = converted(run, current, value);
      return undefined;
    default:
      if (convert) throw evaluationError('AE_AML_OPERAND_TYPE', `a store to ${current.type}`, node.displayPath);
  }
  node.object = run.copy(value);
  return undefined;
}

const bufferOf = (run: Run, value: AmlObject): Uint8Array => toBufferObject(value, run.integerBytes).bytes;

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
      return intoString(run, current, value);
    case 'Buffer':
      return intoBuffer(run, current, value);
    case 'Package':
      if (value.type !== 'Package') throw evaluationError('AE_AML_OPERAND_TYPE', `${value.type} stored into a package`);
      return run.copy(value);
    default:
      return run.copy(value);
  }
}

function intoString(run: Run, current: StringObject, value: AmlObject): AmlObject {
  const { integerIntoString, keepsStringLength } = run.semantics;
  const asCharacters = value.type === 'Integer' && integerIntoString === 'characters';
  const text = asCharacters ? charactersOf(value.value) : toStringObject(value, run.integerBytes).value;
  return run.copy({ type: 'String', value: keepsStringLength ? text.slice(0, current.value.length) : text });
}

/** The bytes of a number up to the first zero, as characters. */
function charactersOf(value: bigint): string {
  let text = '';
  for (let rest = value; (rest & 0xffn) !== 0n; rest >>= 8n) text += String.fromCharCode(Number(rest & 0xffn));
  return text;
}

/** A buffer keeps its length: what is too long is cut, what is too short leaves zeros; an empty one takes the source's length. */
function intoBuffer(run: Run, current: BufferObject, value: AmlObject): BufferObject {
  const source =
    value.type === 'Integer' ? bytesOf(value.value, run.integerBytes) : toBufferObject(value, run.integerBytes).bytes;
  if (current.bytes.length === 0) return run.copy({ type: 'Buffer', bytes: source }) as BufferObject;
  current.bytes.fill(0);
  current.bytes.set(source.subarray(0, current.bytes.length));
  return current;
}
