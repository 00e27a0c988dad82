/** Operators on strings, buffers, packages and references: ACPI 6.5 §20.2.5.4. */
import type { AmlTerm } from '../tree.ts';
import { matches } from './arithmetic.ts';
import {
  bytesOf,
  explicitInteger,
  explicitString,
  stringBytes,
  toBufferObject,
  toInteger,
  toStringObject,
} from './conversions.ts';
import { evaluationError } from './evaluation-error.ts';
import { paddedPath } from './names.ts';
import { findNode } from './namespace-tree.ts';
import {
  type AmlObject,
  type BufferObject,
  ELEMENT_BYTES,
  integerObject,
  OBJECT_TYPE_NUMBERS,
  type PackageObject,
  type ReferenceTarget,
  type StringObject,
  UNINITIALIZED,
} from './objects.ts';
import { descriptorsEnd, END_TAG_BYTES } from './resource-buffers.ts';
import type { Expressions, Frame, Run } from './run.ts';

/** A hostile table asks for more: no buffer or package of a real one comes near. */
const MAX_ELEMENTS = 0x10_0000n;

/** The size of an object that is about to be made, charged to the budget. */
function checkedSize(run: Run, value: bigint, elementBytes: number): number {
  if (value > MAX_ELEMENTS)
    throw evaluationError('AE_AML_BUFFER_LIMIT', `${value} elements are more than ${MAX_ELEMENTS}`);
  run.budget.allocate(Number(value) * elementBytes);
  return Number(value);
}

function keep<Result extends AmlObject>(run: Run, target: AmlTerm, value: Result, frame: Frame): Result {
  run.store(target, value, frame);
  return value;
}

/** A package of `count` elements; names become references that are followed when they are read. */
function makePackage(run: Run, stated: bigint, elements: readonly AmlTerm[], frame: Frame): PackageObject {
  const count = checkedSize(run, stated, ELEMENT_BYTES);
  const values = elements.map((element): AmlObject => {
    if (element.kind !== 'NameString') return run.evaluate(element, frame);
    const node = findNode(frame.scope, element.path);
    const target: ReferenceTarget = node
      ? { kind: 'Node', node }
      : { kind: 'Unresolved', path: element.path, scope: frame.scope };
    return elementOfName(run, target);
  });
  while (values.length < count) values.push(UNINITIALIZED);
  return { type: 'Package', elements: values };
}

/** What a name in a package is: the value of a data object, a reference to any other. */
function elementOfName(run: Run, target: ReferenceTarget): AmlObject {
  if (target.kind !== 'Node') return { type: 'Reference', target };
  switch (target.node.object.type) {
    case 'Integer':
    case 'String':
    case 'Buffer':
    case 'Package':
    case 'FieldUnit':
    case 'BufferField':
      return run.copy(run.load(target));
    default:
      return { type: 'Reference', target };
  }
}

/** Concatenate: the first operand decides (§19.6.13); other objects are words about their type. */
function concatenated(run: Run, left: AmlObject, right: AmlObject): AmlObject {
  switch (left.type) {
    case 'Integer': {
      const [first, second] = [left.value, toInteger(right, run.integerBytes)];
      return joined(run, bytesOf(first, run.integerBytes), bytesOf(second, run.integerBytes));
    }
    case 'Buffer':
      return joined(
        run,
        left.bytes,
        isData(right) ? toBufferObject(right, run.integerBytes).bytes : stringBytes(typeText(right), 1),
      );
    default: {
      const [first, second] = [wordOf(run, left), wordOf(run, right)];
      checkedSize(run, BigInt(first.length + second.length), 1);
      return { type: 'String', value: first + second };
    }
  }
}

function joined(run: Run, left: Uint8Array, right: Uint8Array): BufferObject {
  const bytes = new Uint8Array(checkedSize(run, BigInt(left.length + right.length), 1));
  bytes.set(left);
  bytes.set(right, left.length);
  return { type: 'Buffer', bytes };
}

const isData = ({ type }: AmlObject): boolean => type === 'Integer' || type === 'String' || type === 'Buffer';
const wordOf = (run: Run, object: AmlObject): string =>
  isData(object) ? toStringObject(object, run.integerBytes).value : typeText(object);
const typeText = ({ type }: AmlObject): string => `[${TYPE_WORDS[type] ?? type} Object]`;

/** What ACPICA calls types that have another name here. */
const TYPE_WORDS: Partial<Record<AmlObject['type'], string>> = {
  Uninitialized: 'Untyped',
  OpRegion: 'Region',
  PowerResource: 'Power',
  ThermalZone: 'Thermal',
  Debug: 'DebugObject',
};

/** Mid (§19.6.86): what lies outside is cut off. */
function middle(source: AmlObject, start: number, length: number): StringObject | BufferObject {
  if (source.type === 'Buffer') return { type: 'Buffer', bytes: source.bytes.slice(start, start + length) };
  return { type: 'String', value: (source as StringObject).value.slice(start, start + length) };
}

/** ToString (§19.6.141): up to the first null, the buffer's end or `limit`. */
function textOf(bytes: Uint8Array, limit: bigint): string {
  let text = '';
  for (const byte of bytes) {
    if (byte === 0 || BigInt(text.length) >= limit) break;
    text += String.fromCharCode(byte);
  }
  return text;
}

function elementReference(run: Run, source: AmlObject, index: bigint): AmlObject {
  if (source.type !== 'Package' && source.type !== 'Buffer' && source.type !== 'String') {
    throw evaluationError('AE_AML_OPERAND_TYPE', `Index of ${source.type}`);
  }
  const length = sizeOf(run, source);
  if (index >= BigInt(length)) {
    const fault =
      source.type === 'Package'
        ? 'AE_AML_PACKAGE_LIMIT'
        : source.type === 'Buffer'
          ? 'AE_AML_BUFFER_LIMIT'
          : 'AE_AML_STRING_LIMIT';
    throw evaluationError(fault, `index ${index} in a ${source.type} of ${length}`);
  }
  return { type: 'Reference', target: { kind: 'Element', container: source, index: Number(index) } };
}

function sizeOf(run: Run, object: AmlObject): number {
  switch (object.type) {
    case 'Package':
      return object.elements.length;
    case 'Buffer':
      return object.bytes.length;
    case 'String':
      return object.value.length;
    case 'Integer':
      // §19.6.128 names buffers, strings and packages alone; every OS gives an integer's bytes.
      return run.integerBytes;
    default:
      throw evaluationError('AE_AML_OPERAND_TYPE', `SizeOf of ${object.type}`);
  }
}

/** DerefOf (§19.6.30): a reference, or a path as a string. */
function dereferenced(run: Run, value: AmlObject, frame: Frame): AmlObject {
  if (value.type === 'String') {
    const node = findNode(frame.scope, paddedPath(value.value));
    if (!node) throw evaluationError('AE_NOT_FOUND', `DerefOf of "${value.value}"`);
    return run.load({ kind: 'Node', node });
  }
  if (value.type !== 'Reference') throw evaluationError('AE_AML_OPERAND_TYPE', `DerefOf of ${value.type}`);
  const object = run.load(value.target);
  if (object.type === 'Uninitialized' && value.target.kind === 'Element') {
    throw evaluationError(
      'AE_AML_UNINITIALIZED_ELEMENT',
      `DerefOf of element ${value.target.index}, which holds nothing`,
    );
  }
  if (object.type !== 'Reference') return object;
  if (run.semantics.dereferencesFully) return endOfChain(run, object);
  return value.target.kind === 'Element' ? run.load(object.target) : object;
}

/** References that lead to references; a longer chain is a circle. */
const MAX_LINKS = 64;

function endOfChain(run: Run, reference: AmlObject): AmlObject {
  let object = reference;
  for (let links = 0; object.type === 'Reference'; links++) {
    if (links >= MAX_LINKS) throw evaluationError('AE_AML_CIRCULAR_REFERENCE', 'references lead in a circle');
    object = run.load(object.target);
  }
  return object;
}

type ObjectKind =
  | 'DefBuffer'
  | 'DefPackage'
  | 'DefVarPackage'
  | 'DefStore'
  | 'DefCopyObject'
  | 'DefRefOf'
  | 'DefCondRefOf'
  | 'DefDerefOf'
  | 'DefIndex'
  | 'DefMatch'
  | 'DefObjectType'
  | 'DefSizeOf'
  | 'DefConcat'
  | 'DefConcatRes'
  | 'DefMid'
  | 'DefToBuffer'
  | 'DefToDecimalString'
  | 'DefToHexString'
  | 'DefToInteger'
  | 'DefToString';

export const OBJECT_OPERATORS: Expressions<ObjectKind> = {
  DefBuffer: (run, { operands: [size, initial] }, frame) => {
    const stated = run.integer(size, frame);
    const byteLength = checkedSize(run, stated > BigInt(initial.length) ? stated : BigInt(initial.length), 1);
    const bytes = new Uint8Array(byteLength);
    bytes.set(initial);
    return { type: 'Buffer', bytes };
  },
  DefPackage: (run, { operands: [count, elements] }, frame) => makePackage(run, BigInt(count), elements, frame),
  DefVarPackage: (run, { operands: [count, elements] }, frame) =>
    makePackage(run, run.integer(count, frame), elements, frame),
  DefStore: (run, { operands: [value, target] }, frame) => run.store(target, run.evaluate(value, frame), frame),
  DefCopyObject: (run, { operands: [value, target] }, frame) => {
    const object = run.evaluate(value, frame);
    run.copyTo(target, object, frame);
    return object;
  },
  DefRefOf: (run, { operands: [name] }, frame) => {
    const target = run.target(name, frame);
    if (!target) throw evaluationError('AE_NOT_FOUND', 'RefOf of nothing', frame.scope.displayPath);
    return { type: 'Reference', target };
  },
  DefCondRefOf: (run, { operands: [name, target] }, frame) => {
    const missing = name.kind === 'NameString' && !findNode(frame.scope, name.path);
    const found = missing ? undefined : run.target(name, frame);
    if (!found || (found.kind === 'Slot' && found.slots[found.index].type === 'Uninitialized'))
      return integerObject(0n);
    run.store(target, { type: 'Reference', target: found }, frame);
    return integerObject(run.all);
  },
  DefDerefOf: (run, { operands: [value] }, frame) => dereferenced(run, run.evaluate(value, frame), frame),
  DefIndex: (run, { operands: [source, index, target] }, frame) =>
    keep(run, target, elementReference(run, run.data(source, frame), run.integer(index, frame)), frame),
  DefMatch: (run, { operands: [source, first, left, second, right, start] }, frame) => {
    const pkg = run.data(source, frame);
    if (pkg.type !== 'Package') throw evaluationError('AE_AML_OPERAND_TYPE', `Match in ${pkg.type}`);
    const [one, two] = [run.data(left, frame), run.data(right, frame)];
    for (let index = Number(run.integer(start, frame)); index < pkg.elements.length; index++) {
      const element = pkg.elements[index];
      if (matches(run, first, element, one) && matches(run, second, element, two)) return integerObject(BigInt(index));
    }
    return integerObject(run.all);
  },
  DefObjectType: (run, { operands: [name] }, frame) => {
    const target = run.target(name, frame);
    if (!target) return integerObject(OBJECT_TYPE_NUMBERS.Debug);
    let object = rawObject(run, target);
    for (let links = 0; object.type === 'Reference' && links < MAX_LINKS; links++)
      object = rawObject(run, object.target);
    return integerObject(OBJECT_TYPE_NUMBERS[object.type]);
  },
  DefSizeOf: (run, { operands: [value] }, frame) => {
    const object = run.data(value, frame);
    return integerObject(BigInt(sizeOf(run, object.type === 'Reference' ? run.load(object.target) : object)));
  },
  DefConcat: (run, { operands: [left, right, target] }, frame) =>
    keep(run, target, concatenated(run, run.data(left, frame), run.data(right, frame)), frame),
  DefConcatRes: (run, { operands: [left, right, target] }, frame) => {
    const [first, second] = [left, right].map((term) => {
      const { bytes } = toBufferObject(run.data(term, frame), run.integerBytes);
      return bytes.subarray(0, descriptorsEnd(bytes));
    });
    return keep(run, target, joined(run, joined(run, first, second).bytes, END_TAG_BYTES), frame);
  },
  DefMid: (run, { operands: [source, start, length, target] }, frame) => {
    const object = run.data(source, frame);
    const text = object.type === 'Integer' ? toStringObject(object, run.integerBytes) : object;
    if (text.type !== 'String' && text.type !== 'Buffer')
      throw evaluationError('AE_AML_OPERAND_TYPE', `Mid of ${text.type}`);
    const limit = (value: bigint) => Number(value > MAX_ELEMENTS ? MAX_ELEMENTS : value);
    return keep(run, target, middle(text, limit(run.integer(start, frame)), limit(run.integer(length, frame))), frame);
  },
  DefToBuffer: (run, { operands: [value, target] }, frame) =>
    keep(run, target, run.copy(toBufferObject(run.data(value, frame), run.integerBytes)), frame),
  DefToDecimalString: (run, { operands: [value, target] }, frame) =>
    keep(run, target, explicitString(run.data(value, frame), 10, run.integerBytes), frame),
  DefToHexString: (run, { operands: [value, target] }, frame) =>
    keep(
      run,
      target,
      explicitString(run.data(value, frame), 16, run.integerBytes, run.semantics.shortHexStrings),
      frame,
    ),
  DefToInteger: (run, { operands: [value, target] }, frame) =>
    keep(run, target, integerObject(explicitInteger(run.data(value, frame), run.integerBytes)), frame),
  DefToString: (run, { operands: [value, limit, target] }, frame) => {
    const { bytes } = toBufferObject(run.data(value, frame), run.integerBytes);
    return keep(run, target, { type: 'String', value: textOf(bytes, run.integer(limit, frame)) }, frame);
  },
};

/** The object itself, where loading would read a field or run a method. */
function rawObject(run: Run, target: ReferenceTarget): AmlObject {
  return target.kind === 'Node' ? target.node.object : run.load(target);
}
