/** Reading and writing fields: ACPI 6.5 §19.6.48 (Field), §19.6.65 (IndexField), §19.6.7 (BankField). */
import { bytesOf, littleEndian } from './conversions.ts';
import { evaluationError } from './evaluation-error.ts';
import type { NamespaceNode } from './namespace-tree.ts';
import type { BufferFieldObject, FieldSource, FieldUnitObject } from './objects.ts';
import type { RegionHandler } from './regions.ts';

/** One field may not ask for more: a bound for hostile tables. */
const MAX_FIELD_BITS = 0x10_0000;

/** Accesses to the unit at `byteOffset` of a field's source. */
interface UnitAccess {
  read(byteOffset: number): bigint;
  write(byteOffset: number, value: bigint): void;
}

export interface FieldPorts {
  handlerOf(space: number): RegionHandler;
}

/** The bits of a field unit, right aligned. */
export function readFieldUnit(field: FieldUnitObject, ports: FieldPorts): bigint {
  checkLength(field.bitLength);
  const access = accessOf(field, ports);
  const unitBits = field.accessBytes * 8;
  let value = 0n;
  for (const { unit, fieldShift, from, count } of unitsOf(field)) {
    const bits = (access.read(unit * field.accessBytes) >> BigInt(from)) & ((1n << BigInt(count)) - 1n);
    value |= bits << BigInt(fieldShift);
  }
  return unitBits === 0 ? 0n : value;
}

/** Writes `value` into a field unit; the bits around it follow the update rule. */
export function writeFieldUnit(field: FieldUnitObject, value: bigint, ports: FieldPorts): void {
  checkLength(field.bitLength);
  const access = accessOf(field, ports);
  const full = (1n << BigInt(field.accessBytes * 8)) - 1n;
  for (const { unit, fieldShift, from, count } of unitsOf(field)) {
    const mask = ((1n << BigInt(count)) - 1n) << BigInt(from);
    const offset = unit * field.accessBytes;
    const bits = ((value >> BigInt(fieldShift)) << BigInt(from)) & mask;
    const around = mask === full ? 0n : aroundBits(field, access, offset, full) & ~mask;
    access.write(offset, bits | around);
  }
}

function aroundBits(field: FieldUnitObject, access: UnitAccess, offset: number, full: bigint): bigint {
  if (field.updateRule === 'Preserve') return access.read(offset);
  return field.updateRule === 'WriteAsOnes' ? full : 0n;
}

function checkLength(bitLength: number): void {
  if (bitLength > MAX_FIELD_BITS) throw evaluationError('AE_AML_BUFFER_LIMIT', `a field of ${bitLength} bits`);
}

interface UnitPart {
  /** The access, counted from the source's start. */
  readonly unit: number;
  /** Where its bits go in the field's value. */
  readonly fieldShift: number;
  /** First bit inside the access, and how many. */
  readonly from: number;
  readonly count: number;
}

function* unitsOf({ bitOffset, bitLength, accessBytes }: FieldUnitObject): Generator<UnitPart> {
  const unitBits = accessBytes * 8;
  const end = bitOffset + bitLength;
  for (let bit = bitOffset; bit < end; ) {
    const unit = Math.floor(bit / unitBits);
    const from = bit - unit * unitBits;
    const count = Math.min(unitBits - from, end - bit);
    yield { unit, fieldShift: bit - bitOffset, from, count };
    bit += count;
  }
}

function accessOf(field: FieldUnitObject, ports: FieldPorts): UnitAccess {
  const { source, accessBytes } = field;
  switch (source.kind) {
    case 'Region':
      return regionAccess(source.region, accessBytes, ports);
    case 'Bank': {
      writeNode(source.bank, source.value, ports);
      return regionAccess(source.region, accessBytes, ports);
    }
    case 'Index':
      return indexAccess(source, accessBytes, ports);
  }
}

function regionAccess(region: NamespaceNode, accessBytes: 1 | 2 | 4 | 8, ports: FieldPorts): UnitAccess {
  const { object } = region;
  if (object.type !== 'OpRegion')
    throw evaluationError('AE_AML_OPERAND_TYPE', 'a field over what is no region', region.displayPath);
  const handler = ports.handlerOf(object.space);
  const at = (byteOffset: number) => {
    if (BigInt(byteOffset) >= object.byteLength) {
      throw evaluationError(
        'AE_AML_REGION_LIMIT',
        `byte ${byteOffset} of a region of ${object.byteLength}`,
        region.displayPath,
      );
    }
    const address = object.offset + BigInt(byteOffset);
    return { space: object.space, address, byteLength: accessBytes, region: region.path };
  };
  return {
    read: (byteOffset) => handler.read(at(byteOffset)),
    write: (byteOffset, value) => handler.write(at(byteOffset), value),
  };
}

/** The index register takes the byte offset, the data register the unit (§19.6.65). */
function indexAccess(source: Extract<FieldSource, { kind: 'Index' }>, _bytes: number, ports: FieldPorts): UnitAccess {
  const select = (byteOffset: number) => writeNode(source.index, BigInt(byteOffset), ports);
  return {
    read: (byteOffset) => {
      select(byteOffset);
      return readFieldUnit(fieldOf(source.data), ports);
    },
    write: (byteOffset, value) => {
      select(byteOffset);
      writeNode(source.data, value, ports);
    },
  };
}

function fieldOf(node: NamespaceNode): FieldUnitObject {
  const { object } = node;
  if (object.type !== 'FieldUnit')
    throw evaluationError('AE_AML_OPERAND_TYPE', 'an index or bank register that is no field', node.displayPath);
  return object;
}

const writeNode = (node: NamespaceNode, value: bigint, ports: FieldPorts): void =>
  writeFieldUnit(fieldOf(node), value, ports);

/** The bits of a buffer field, right aligned. */
export function readBufferField({ buffer, bitOffset, bitLength }: BufferFieldObject): bigint {
  const first = bitOffset >> 3;
  const bytes = buffer.bytes.subarray(first, (bitOffset + bitLength + 7) >> 3);
  return (littleEndian(bytes) >> BigInt(bitOffset & 7)) & ((1n << BigInt(bitLength)) - 1n);
}

export function writeBufferField({ buffer, bitOffset, bitLength }: BufferFieldObject, value: bigint): void {
  const first = bitOffset >> 3;
  const last = (bitOffset + bitLength + 7) >> 3;
  const shift = BigInt(bitOffset & 7);
  const mask = ((1n << BigInt(bitLength)) - 1n) << shift;
  const before = littleEndian(buffer.bytes.subarray(first, last));
  buffer.bytes.set(bytesOf((before & ~mask) | ((value << shift) & mask), last - first), first);
}
