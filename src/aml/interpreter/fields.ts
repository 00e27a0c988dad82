/** Reading and writing fields: ACPI 6.5 §19.6.48 (Field), §19.6.65 (IndexField), §19.6.7 (BankField). */
import { REGION_SPACES } from '../opcodes.ts';
import { bytesOf, littleEndian } from './conversions.ts';
import { evaluationError } from './evaluation-error.ts';
import { NamespaceNode } from './namespace-tree.ts';
import type { BufferFieldObject, BufferObject, FieldSource, FieldUnitObject, RegionObject } from './objects.ts';
import type { RegionPorts } from './regions.ts';

/** One field may not ask for more: a bound for hostile tables. */
const MAX_FIELD_BITS = 0x10_0000;

/** Accesses to the unit at `byteOffset` of a field's source. */
interface UnitAccess {
  read(byteOffset: number): bigint;
  write(byteOffset: number, value: bigint): void;
}

/** The bits of a field unit, right aligned. */
export function readFieldUnit(field: FieldUnitObject, ports: RegionPorts, links = 0): bigint {
  checkLength(field.bitLength);
  if (isPins(field)) return pinAccess(field, ports).read();
  const access = accessOf(field, ports, links);
  let value = 0n;
  for (const { unit, fieldShift, from, count } of unitsOf(field)) {
    ports.charge();
    const bits = (access.read(unit * field.accessBytes) >> BigInt(from)) & ((1n << BigInt(count)) - 1n);
    value |= bits << BigInt(fieldShift);
  }
  return value;
}

/** Writes `value` into a field unit; the bits around it follow the update rule. */
export function writeFieldUnit(field: FieldUnitObject, value: bigint, ports: RegionPorts, links = 0): void {
  checkLength(field.bitLength);
  if (isPins(field)) {
    pinAccess(field, ports).write(value);
    return;
  }
  const access = accessOf(field, ports, links);
  const full = (1n << BigInt(field.accessBytes * 8)) - 1n;
  for (const { unit, fieldShift, from, count } of unitsOf(field)) {
    ports.charge();
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

/** Index and bank registers that are index or bank fields themselves; a longer chain is a circle. */
const MAX_LINKS = 4;

function accessOf(field: FieldUnitObject, ports: RegionPorts, links: number): UnitAccess {
  if (links > MAX_LINKS) throw evaluationError('AE_AML_CIRCULAR_REFERENCE', 'index or bank registers lead in a circle');
  const { source, accessBytes } = field;
  switch (source.kind) {
    case 'Region':
      return regionAccess(source.region, accessBytes, ports);
    case 'Bank': {
      writeNode(source.bank, source.value, ports, links + 1);
      return regionAccess(source.region, accessBytes, ports);
    }
    case 'Index':
      return indexAccess(source, ports, links + 1);
  }
}

export function regionOf(region: NamespaceNode): RegionObject {
  const { object } = region;
  if (object.type !== 'OpRegion')
    throw evaluationError('AE_AML_OPERAND_TYPE', 'a field over what is no region', region.displayPath);
  return object;
}

function regionAccess(region: NamespaceNode, accessBytes: 1 | 2 | 4 | 8, ports: RegionPorts): UnitAccess {
  const object = regionOf(region);
  if (object.table) return tableAccess(object.table, accessBytes, region);
  const handler = ports.handlerOf(object.space);
  const at = (byteOffset: number) => {
    checkInside(byteOffset, object.byteLength, region);
    const address = object.offset + BigInt(byteOffset);
    return { space: object.space, address, byteLength: accessBytes, region: region.path };
  };
  return {
    read: (byteOffset) => handler.read(at(byteOffset)),
    write: (byteOffset, value) => handler.write(at(byteOffset), value),
  };
}

function checkInside(byteOffset: number, byteLength: bigint, region: NamespaceNode): void {
  if (BigInt(byteOffset) < byteLength) return;
  throw evaluationError('AE_AML_REGION_LIMIT', `byte ${byteOffset} of a region of ${byteLength}`, region.displayPath);
}

/** DataTableRegion (§19.6.29): the table that the firmware gave; what is written there stays in this run. */
function tableAccess(table: Uint8Array, accessBytes: number, region: NamespaceNode): UnitAccess {
  const at = (byteOffset: number) => {
    checkInside(byteOffset, BigInt(table.length), region);
    return table.subarray(byteOffset, byteOffset + accessBytes);
  };
  return {
    read: (byteOffset) => littleEndian(at(byteOffset)),
    write: (byteOffset, value) => {
      const place = at(byteOffset);
      place.set(bytesOf(value, place.length));
    },
  };
}

const isPins = (field: FieldUnitObject): boolean =>
  field.source.kind === 'Region' && regionOf(field.source.region).space === REGION_SPACES.GeneralPurposeIO;

/** GeneralPurposeIO: a bit is a pin of the connection, not a place in the region (§5.5.2.4.5). */
function pinAccess(field: FieldUnitObject, ports: RegionPorts) {
  const { region } = field.source as Extract<FieldSource, { kind: 'Region' }>;
  const { space } = regionOf(region);
  const handler = ports.handlerOf(space);
  const access = {
    space,
    address: BigInt(field.pin),
    byteLength: pinBytes(field.bitLength),
    region: region.path,
    ...(field.connection && { connection: field.connection }),
  };
  const mask = (1n << BigInt(field.bitLength)) - 1n;
  return {
    read: (): bigint => handler.read(access) & mask,
    write: (value: bigint): void => handler.write(access, value & mask),
  };
}

const pinBytes = (bitLength: number): 1 | 2 | 4 | 8 =>
  bitLength <= 8 ? 1 : bitLength <= 16 ? 2 : bitLength <= 32 ? 4 : 8;

/** The index register takes the byte offset, the data register the unit (§19.6.65). */
function indexAccess(source: Extract<FieldSource, { kind: 'Index' }>, ports: RegionPorts, links: number): UnitAccess {
  const select = (byteOffset: number) => writeNode(source.index, BigInt(byteOffset), ports, links);
  return {
    read: (byteOffset) => {
      select(byteOffset);
      return readFieldUnit(fieldOf(source.data), ports, links);
    },
    write: (byteOffset, value) => {
      select(byteOffset);
      writeNode(source.data, value, ports, links);
    },
  };
}

function fieldOf(node: NamespaceNode): FieldUnitObject {
  const { object } = node;
  if (object.type !== 'FieldUnit')
    throw evaluationError('AE_AML_OPERAND_TYPE', 'an index or bank register that is no field', node.displayPath);
  return object;
}

const writeNode = (node: NamespaceNode, value: bigint, ports: RegionPorts, links: number): void =>
  writeFieldUnit(fieldOf(node), value, ports, links);

/** The bits of a buffer field, right aligned. */
export function readBufferField(field: BufferFieldObject): bigint {
  const { bitOffset, bitLength } = field;
  const first = bitOffset >> 3;
  const bytes = bufferUnder(field).bytes.subarray(first, (bitOffset + bitLength + 7) >> 3);
  return (littleEndian(bytes) >> BigInt(bitOffset & 7)) & ((1n << BigInt(bitLength)) - 1n);
}

export function writeBufferField(field: BufferFieldObject, value: bigint): void {
  const { bitOffset, bitLength } = field;
  const { bytes } = bufferUnder(field);
  const first = bitOffset >> 3;
  const last = (bitOffset + bitLength + 7) >> 3;
  const shift = BigInt(bitOffset & 7);
  const mask = ((1n << BigInt(bitLength)) - 1n) << shift;
  const before = littleEndian(bytes.subarray(first, last));
  bytes.set(bytesOf((before & ~mask) | ((value << shift) & mask), last - first), first);
}

/** The buffer behind a buffer field; one that is bound late may have become too short, or no buffer. */
function bufferUnder({ buffer, bitOffset, bitLength }: BufferFieldObject): BufferObject {
  const object = buffer instanceof NamespaceNode ? buffer.object : buffer;
  if (object.type !== 'Buffer') throw evaluationError('AE_AML_OPERAND_TYPE', `a buffer field in ${object.type}`);
  checkBits(object, BigInt(bitOffset), BigInt(bitLength));
  return object;
}

export function checkBits({ bytes }: BufferObject, bitOffset: bigint, bitLength: bigint): void {
  const end = bitOffset + bitLength;
  if (end <= BigInt(bytes.length * 8) && bitLength > 0n) return;
  throw evaluationError('AE_AML_BUFFER_LIMIT', `bits ${bitOffset} to ${end} of a buffer of ${bytes.length} bytes`);
}
