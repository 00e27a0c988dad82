import { ByteSink, TracingSink } from './byte-sink.ts';
import { encodeNameString } from './name-string.ts';
import { type OperandKind, PREFIX, ROW_BY_KIND } from './opcodes.ts';
import { encodePackageLength, encodePkgLengthValue } from './pkg-length.ts';
import type { AmlTerm, AnyDef, FieldElement, IntegerTerm, OperandValue, OperandValues } from './tree.ts';

/** The AML bytes of `terms`, in order: a TermList without a header. Throws RangeError for values that no encoding holds. */
export function encodeTerms(terms: readonly AmlTerm[]): Uint8Array {
  const sink = new ByteSink();
  for (const term of terms) writeTerm(sink, term);
  return sink.toBytes();
}

/** Where each term and field of `terms` begins in what `encodeTerms` gives, in the order of the bytes. */
export function termOffsets(terms: readonly AmlTerm[]): readonly { readonly part: object; readonly offset: number }[] {
  const sink = new TracingSink();
  for (const term of terms) writeTerm(sink, term);
  return sink.marks;
}

function writeTerm(sink: ByteSink, term: AmlTerm): void {
  sink.mark(term);
  switch (term.kind) {
    case 'Integer':
      writeInteger(sink, term);
      break;
    case 'String':
      writeString(sink, term.value);
      break;
    case 'NameString':
      sink.bytes(encodeNameString(term));
      break;
    case 'MethodInvocation':
      sink.bytes(encodeNameString(term.name));
      for (const arg of term.args) writeTerm(sink, arg);
      break;
    case 'RawBytes':
      sink.bytes(term.bytes);
      break;
    default:
      writeDef(sink, term);
      break;
  }
}

function writeDef(sink: ByteSink, def: AnyDef): void {
  const row = ROW_BY_KIND.get(def.kind)!;
  if (row.code > 0xff) sink.byte(row.code >> 8);
  sink.byte(row.code & 0xff);
  const start = sink.length;
  row.operands.forEach((kind, index) => {
    writeOperand(sink, kind, def.operands[index]);
  });
  if (row.pkgLength) sink.insert(start, encodePackageLength(sink.length - start, def.pkgLengthBytes));
}

type OperandWriters = { readonly [Kind in OperandKind]: (sink: ByteSink, value: OperandValues[Kind]) => void };

const WRITERS: OperandWriters = {
  TermArg: writeTerm,
  Operand: writeTerm,
  SimpleName: writeTerm,
  SuperName: writeTerm,
  CallableName: writeTerm,
  Target: writeTerm,
  NameString: writeTerm,
  DataRefObject: writeTerm,
  ByteData: (sink, value) => sink.byte(checkRange(value, 0xff)),
  WordData: (sink, value) => sink.word(checkRange(value, 0xffff)),
  DWordData: (sink, value) => sink.dword(checkRange(value, 0xffff_ffff)),
  ByteList: (sink, value) => sink.bytes(value),
  TermList: writeTermList,
  FieldList: (sink, value) => {
    for (const element of value) writeFieldElement(sink, element);
  },
  PackageElementList: writeTermList,
};

function writeOperand(sink: ByteSink, kind: OperandKind, value: OperandValue): void {
  (WRITERS[kind] as (sink: ByteSink, value: OperandValue) => void)(sink, value);
}

function writeTermList(sink: ByteSink, terms: readonly AmlTerm[]): void {
  for (const term of terms) writeTerm(sink, term);
}

function checkRange(value: number, max: number): number {
  if (!Number.isInteger(value) || value < 0 || value > max) throw new RangeError(`${value} is not within 0 to ${max}`);
  return value;
}

function writeInteger(sink: ByteSink, { value, byteLength }: IntegerTerm): void {
  if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw new RangeError(`${value} is not a 64-bit unsigned integer`);
  switch (byteLength ?? shortestIntegerLength(value)) {
    case 0:
      sink.byte(value === 0n ? PREFIX.ZeroOp : PREFIX.OneOp);
      break;
    case 1:
      sink.byte(PREFIX.BytePrefix);
      sink.byte(Number(value));
      break;
    case 2:
      sink.byte(PREFIX.WordPrefix);
      sink.word(Number(value));
      break;
    case 4:
      sink.byte(PREFIX.DWordPrefix);
      sink.dword(Number(value));
      break;
    default:
      sink.byte(PREFIX.QWordPrefix);
      sink.qword(value);
      break;
  }
}

/** Bytes of data that `value` needs; 0 where ZeroOp or OneOp say it alone. */
export function shortestIntegerLength(value: bigint): 0 | 1 | 2 | 4 | 8 {
  if (value <= 1n) return 0;
  if (value <= 0xffn) return 1;
  if (value <= 0xffffn) return 2;
  return value <= 0xffff_ffffn ? 4 : 8;
}

function writeString(sink: ByteSink, value: string): void {
  sink.byte(PREFIX.StringPrefix);
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (code === 0 || code > 0xff) throw new RangeError(`an AML string cannot hold character ${code}`);
    sink.byte(code);
  }
  sink.byte(0);
}

/** ACPI 6.5 §20.2.5.2, FieldElement. */
function writeFieldElement(sink: ByteSink, element: FieldElement): void {
  sink.mark(element);
  switch (element.kind) {
    case 'NamedField':
      for (let index = 0; index < 4; index++) sink.byte(element.name.charCodeAt(index) & 0xff);
      sink.bytes(encodePkgLengthValue(element.bitLength, element.pkgLengthBytes));
      break;
    case 'ReservedField':
      sink.byte(0x00);
      sink.bytes(encodePkgLengthValue(element.bitLength, element.pkgLengthBytes));
      break;
    case 'AccessField':
      sink.bytes([0x01, element.accessType, element.accessAttrib]);
      break;
    case 'ConnectField':
      sink.byte(0x02);
      writeTerm(sink, element.connection);
      break;
    case 'ExtendedAccessField':
      sink.bytes([0x03, element.accessType, element.extendedAccessAttrib, element.accessLength]);
      break;
  }
}
