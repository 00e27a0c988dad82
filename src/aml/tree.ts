import type { DefKind, OperandKind, RowOf } from './opcodes.ts';

/**
 * The AML tree: plain immutable objects named as the grammar names them. A term that a row of the opcode table describes has the
 * row's production as `kind` and its operands in the row's order.
 *
 * Optional properties carry what a shortest encoding would lose, so that decoding and encoding give the same bytes; builders leave
 * them out.
 */
export type AmlTerm = IntegerTerm | StringTerm | NameTerm | InvocationTerm | RawBytesTerm | DefTerm;

/** A constant. Encoded as ZeroOp, OneOp or the shortest of Byte, Word, DWord and QWord unless `byteLength` says otherwise. */
export interface IntegerTerm {
  readonly kind: 'Integer';
  /** 0 to 2^64 - 1. */
  readonly value: bigint;
  /** Bytes of data behind the prefix, when that is not the shortest encoding. */
  readonly byteLength?: 1 | 2 | 4 | 8;
}

/** A string without its terminating null; each character is one byte, 0x01 to 0xff. */
export interface StringTerm {
  readonly kind: 'String';
  readonly value: string;
}

/**
 * A NameString (ACPI 6.5 §20.2.2) as text: `\` or any number of `^`, then NameSegs of exactly four characters joined by dots.
 * The empty text is NullName, `\` the root.
 */
export interface NameTerm {
  readonly kind: 'NameString';
  readonly path: string;
  /** Set when a MultiNamePrefix stands where a shorter prefix would do. */
  readonly prefix?: 'multi';
}

/** A method invocation with all its arguments. */
export interface InvocationTerm {
  readonly kind: 'MethodInvocation';
  readonly name: NameTerm;
  readonly args: readonly AmlTerm[];
}

/** Bytes that are no AML, in a place where a term was due. */
export interface RawBytesTerm {
  readonly kind: 'RawBytes';
  readonly bytes: Uint8Array;
}

/** A PkgLength's own size in bytes, when that is not the shortest. */
export type PkgLengthBytes = 1 | 2 | 3 | 4;

export interface Def<Kind extends DefKind> {
  readonly kind: Kind;
  readonly operands: OperandsOf<RowOf<Kind>['operands']>;
  readonly pkgLengthBytes?: PkgLengthBytes;
}

export type DefTerm = { readonly [Kind in DefKind]: Def<Kind> }[DefKind];

/** The type of a term's operand by its kind in the table. */
export interface OperandValues {
  TermArg: AmlTerm;
  Operand: AmlTerm;
  SimpleName: AmlTerm;
  SuperName: AmlTerm;
  CallableName: AmlTerm;
  Target: AmlTerm;
  NameString: NameTerm;
  DataRefObject: AmlTerm;
  ByteData: number;
  WordData: number;
  DWordData: number;
  ByteList: Uint8Array;
  TermList: readonly AmlTerm[];
  FieldList: readonly FieldElement[];
  PackageElementList: readonly AmlTerm[];
}

export type OperandsOf<Kinds extends readonly OperandKind[]> = {
  readonly [Index in keyof Kinds]: OperandValues[Kinds[Index]];
};

export type OperandValue = OperandValues[OperandKind];

/** A term of the table as the walkers see it. */
export interface AnyDef {
  readonly kind: DefKind;
  readonly operands: readonly OperandValue[];
  readonly pkgLengthBytes?: PkgLengthBytes;
}

/** ACPI 6.5 §20.2.5.2, FieldElement. */
export type FieldElement = NamedField | ReservedField | AccessField | ExtendedAccessField | ConnectField;

export interface NamedField {
  readonly kind: 'NamedField';
  /** One NameSeg, four characters. */
  readonly name: string;
  readonly bitLength: number;
  readonly pkgLengthBytes?: PkgLengthBytes;
}

export interface ReservedField {
  readonly kind: 'ReservedField';
  readonly bitLength: number;
  readonly pkgLengthBytes?: PkgLengthBytes;
}

/** AccessAs for the fields that follow. */
export interface AccessField {
  readonly kind: 'AccessField';
  /** Bits 0–3 the access type, bits 6–7 the attribute's kind. */
  readonly accessType: number;
  readonly accessAttrib: number;
}

export interface ExtendedAccessField {
  readonly kind: 'ExtendedAccessField';
  readonly accessType: number;
  readonly extendedAccessAttrib: number;
  readonly accessLength: number;
}

/** Connection for the fields that follow: a name or a Buffer that holds a GPIO or serial bus descriptor. */
export interface ConnectField {
  readonly kind: 'ConnectField';
  readonly connection: AmlTerm;
}
