/** Builders of operation regions, the fields over them and the fields of buffers (ACPI 6.5 §20.2.5.2). */
import { def, type TermLike, toTerm } from './build.ts';
import { parseNameSeg, parseNameString } from './name-string.ts';
import {
  FIELD_ACCESS,
  type FieldAccess,
  LOCK_RULES,
  type LockRule,
  REGION_SPACES,
  type RegionSpace,
  UPDATE_RULES,
  type UpdateRule,
} from './opcodes.ts';
import type { AmlTerm, FieldElement } from './tree.ts';

/** `offset` and `byteLength` in bytes of the space. */
export const operationRegion = (path: string, space: RegionSpace, offset: TermLike, byteLength: TermLike): AmlTerm =>
  def('DefOpRegion', parseNameString(path), REGION_SPACES[space], toTerm(offset), toTerm(byteLength));

export interface FieldOptions {
  readonly access?: FieldAccess;
  readonly lock?: LockRule;
  readonly update?: UpdateRule;
}

/** FieldFlags from keywords. */
export function fieldFlags({ access = 'AnyAcc', lock = 'NoLock', update = 'Preserve' }: FieldOptions): number {
  return FIELD_ACCESS[access] | (LOCK_RULES[lock] << 4) | (UPDATE_RULES[update] << 5);
}

export const field = (region: string, options: FieldOptions, elements: readonly FieldElement[]): AmlTerm =>
  def('DefField', parseNameString(region), fieldFlags(options), elements);

export const indexField = (
  indexName: string,
  dataName: string,
  options: FieldOptions,
  elements: readonly FieldElement[],
): AmlTerm =>
  def('DefIndexField', parseNameString(indexName), parseNameString(dataName), fieldFlags(options), elements);

export const bankField = (
  region: string,
  bankName: string,
  bankValue: TermLike,
  options: FieldOptions,
  elements: readonly FieldElement[],
): AmlTerm =>
  def(
    'DefBankField',
    parseNameString(region),
    parseNameString(bankName),
    toTerm(bankValue),
    fieldFlags(options),
    elements,
  );

/** A named field of `bitLength` bits at the current position. */
export const fieldUnit = (segment: string, bitLength: number): FieldElement => ({
  kind: 'NamedField',
  name: parseNameSeg(segment),
  bitLength,
});

/** Skips `bitLength` bits. */
export const reservedBits = (bitLength: number): FieldElement => ({ kind: 'ReservedField', bitLength });

/** AccessAs without attribute. */
export const accessAs = (access: FieldAccess): FieldElement => ({
  kind: 'AccessField',
  accessType: FIELD_ACCESS[access],
  accessAttrib: 0,
});

export const connection = (value: TermLike): FieldElement => ({ kind: 'ConnectField', connection: toTerm(value) });

type FixedWidth = 'Bit' | 'Byte' | 'Word' | 'DWord' | 'QWord';
const createFixed =
  (width: FixedWidth) =>
  /** Bytes into `source`, bits for CreateBitField. */
  (source: TermLike, offset: TermLike, path: string): AmlTerm =>
    def(`DefCreate${width}Field`, toTerm(source), toTerm(offset), parseNameString(path));

export const createBitField = createFixed('Bit');
export const createByteField = createFixed('Byte');
export const createWordField = createFixed('Word');
export const createDWordField = createFixed('DWord');
export const createQWordField = createFixed('QWord');
/** Both positions in bits. */
export const createField = (source: TermLike, bitIndex: TermLike, bitCount: TermLike, path: string): AmlTerm =>
  def('DefCreateField', toTerm(source), toTerm(bitIndex), toTerm(bitCount), parseNameString(path));
