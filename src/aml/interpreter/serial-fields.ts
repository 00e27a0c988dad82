/** Fields of buses that exchange whole buffers: ACPI 6.5 §5.5.2.4.6 (SMBus, GenericSerialBus), §5.5.2.4.4 (IPMI), PlatformRtMechanism. */
import { REGION_SPACES } from '../opcodes.ts';
import { evaluationError } from './evaluation-error.ts';
import { regionOf } from './fields.ts';
import type { BufferObject, FieldUnitObject } from './objects.ts';
import type { Run } from './run.ts';

const { SMBus, IPMI, GenericSerialBus, PlatformRtMechanism, FFixedHW } = REGION_SPACES;

/** Bytes of the whole buffer where the space alone says: status, length and data; IPMI's 66, PRM's 26. */
const BUFFER_LENGTHS: Readonly<Record<number, number>> = {
  [SMBus]: 34,
  [IPMI]: 66,
  [PlatformRtMechanism]: 26,
  [FFixedHW]: 256,
};

/** Data bytes of GenericSerialBus by attribute (§19.6.48); AttribBytes, AttribRawBytes and AttribRawProcessBytes say it themselves. */
const DATA_LENGTHS: Readonly<Record<number, number>> = { 2: 0, 4: 1, 6: 1, 8: 2, 10: 255, 12: 2, 13: 255 };

const STATUS_AND_LENGTH = 2;

/** True where the field's value is a buffer that goes to a bus and comes back. */
export function exchangesBuffers({ source, bufferAccess }: FieldUnitObject): boolean {
  if (source.kind !== 'Region') return false;
  const { space } = regionOf(source.region);
  return space === GenericSerialBus || (space in BUFFER_LENGTHS && (space !== FFixedHW || bufferAccess));
}

/** One exchange: `out` is written, or without it the field is read. Gives the buffer that came back. */
export function exchange(field: FieldUnitObject, run: Run, out?: Uint8Array): BufferObject {
  const { source, attribute, attributeLength, connection, bitOffset } = field;
  if (source.kind !== 'Region') throw evaluationError('AE_AML_OPERAND_TYPE', 'a serial field over no region');
  const { space, offset } = regionOf(source.region);
  const buffer = new Uint8Array(
    BUFFER_LENGTHS[space] ?? STATUS_AND_LENGTH + (DATA_LENGTHS[attribute] ?? attributeLength),
  );
  buffer.set((out ?? new Uint8Array(0)).subarray(0, buffer.length));
  run.budget.allocate(buffer.length);
  const bytes = run.regions.transfer({
    space,
    address: offset + BigInt(bitOffset >> 3),
    region: source.region.path,
    direction: out ? 'write' : 'read',
    attribute,
    buffer,
    ...(connection && { connection }),
  });
  return { type: 'Buffer', bytes };
}
