import type { AmlTerm, Def } from '../tree.ts';
import type { NamespaceNode } from './namespace-tree.ts';

/** What an AML term evaluates to and what a name stands for (ACPI 6.5 §19.3.5). Buffers, strings and packages are mutable, as Index makes them. */
export type AmlObject =
  | Uninitialized
  | IntegerObject
  | StringObject
  | BufferObject
  | PackageObject
  | ReferenceObject
  | FieldUnitObject
  | BufferFieldObject
  | MethodObject
  | MutexObject
  | EventObject
  | RegionObject
  | ContainerObject
  | DdbHandleObject
  | DebugObject;

export interface Uninitialized {
  readonly type: 'Uninitialized';
}
export interface IntegerObject {
  readonly type: 'Integer';
  /** 0 to 2^32 - 1 or 2^64 - 1, by the DSDT's revision. */
  readonly value: bigint;
}
export interface StringObject {
  readonly type: 'String';
  value: string;
}
export interface BufferObject {
  readonly type: 'Buffer';
  bytes: Uint8Array;
}
export interface PackageObject {
  readonly type: 'Package';
  elements: AmlObject[];
}
export interface ReferenceObject {
  readonly type: 'Reference';
  readonly target: ReferenceTarget;
}

/** Where a reference points: a name, a slot of a method's frame, or an element of a container. */
export type ReferenceTarget =
  | { readonly kind: 'Node'; readonly node: NamespaceNode }
  | { readonly kind: 'Slot'; readonly slots: AmlObject[]; readonly index: number }
  | {
      readonly kind: 'Element';
      readonly container: PackageObject | BufferObject | StringObject;
      readonly index: number;
    }
  /** A name in a package that nothing declares when it is looked at. */
  | { readonly kind: 'Unresolved'; readonly path: string; readonly scope: NamespaceNode };

/** How a field reads and writes: where its bits are, and with which accesses (ACPI 6.5 §19.6.48). */
export interface FieldUnitObject {
  readonly type: 'FieldUnit';
  readonly source: FieldSource;
  readonly bitOffset: number;
  readonly bitLength: number;
  /** 1, 2, 4 or 8. */
  readonly accessBytes: 1 | 2 | 4 | 8;
  readonly updateRule: 'Preserve' | 'WriteAsOnes' | 'WriteAsZeros';
  /** BufferAcc: the whole field is one transfer with the handler. */
  readonly bufferAccess: boolean;
  /** The resource descriptor that Connection gave (§19.6.48). */
  readonly connection: Uint8Array | undefined;
  /** AccessAs' attribute, and its length for those that have one. */
  readonly attribute: number;
  readonly attributeLength: number;
  /** GeneralPurposeIO: the first pin, counted from the Connection. */
  readonly pin: number;
}

export type FieldSource =
  | { readonly kind: 'Region'; readonly region: NamespaceNode }
  | { readonly kind: 'Index'; readonly index: NamespaceNode; readonly data: NamespaceNode }
  | {
      readonly kind: 'Bank';
      readonly region: NamespaceNode;
      readonly bank: NamespaceNode;
      readonly value: bigint;
    };

export interface BufferFieldObject {
  readonly type: 'BufferField';
  /** The buffer, or the name that holds it when the field is used (`Semantics.lateBufferFields`). */
  readonly buffer: BufferObject | NamespaceNode;
  readonly bitOffset: number;
  readonly bitLength: number;
  /** CreateField makes a Buffer even of few bits; the fixed widths make Integers. */
  readonly fixedWidth: boolean;
}

export interface MethodObject {
  readonly type: 'Method';
  readonly argumentCount: number;
  readonly serialized: boolean;
  readonly syncLevel: number;
  readonly body: readonly AmlTerm[] | ((args: readonly AmlObject[]) => AmlObject);
}
export interface MutexObject {
  readonly type: 'Mutex';
  readonly syncLevel: number;
  held: number;
}
export interface EventObject {
  readonly type: 'Event';
  signals: number;
}
export interface RegionObject {
  readonly type: 'OpRegion';
  readonly space: number;
  readonly offset: bigint;
  readonly byteLength: bigint;
  /** DataTableRegion: the table itself. */
  readonly table?: Uint8Array;
}
/** Objects that only hold others. */
export interface ContainerObject {
  readonly type: 'Device' | 'Processor' | 'PowerResource' | 'ThermalZone' | 'Scope';
  /** Processor and PowerResource: their fixed operands. */
  readonly definition?: Def<'DefProcessor'> | Def<'DefPowerRes'>;
}
/** A table that Load or LoadTable put into the namespace; as an integer it is Ones, the status that ACPI 6.4 gives instead. */
export interface DdbHandleObject {
  readonly type: 'DdbHandle';
  /** Absolute paths' nodes that the table declared. */
  readonly created: readonly NamespaceNode[];
}
export interface DebugObject {
  readonly type: 'Debug';
}

export const UNINITIALIZED: Uninitialized = { type: 'Uninitialized' };

/** Values of ObjectType (ACPI 6.5 §19.6.96, table 19.33). */
export const OBJECT_TYPE_NUMBERS: Readonly<Record<AmlObject['type'], bigint>> = {
  Uninitialized: 0n,
  Integer: 1n,
  String: 2n,
  Buffer: 3n,
  Package: 4n,
  FieldUnit: 5n,
  Device: 6n,
  Event: 7n,
  Method: 8n,
  Mutex: 9n,
  OpRegion: 10n,
  PowerResource: 11n,
  Processor: 12n,
  ThermalZone: 13n,
  BufferField: 14n,
  DdbHandle: 15n,
  Debug: 16n,
  Reference: 0n,
  Scope: 0n,
};

export const integerObject = (value: bigint): IntegerObject => ({ type: 'Integer', value });

/** What an element of a package counts for, in bytes. */
export const ELEMENT_BYTES = 32;

/** A copy that shares nothing mutable with `object`; `charge` hears of the bytes that it takes before they are taken. */
export function copyObject(object: AmlObject, charge: (byteLength: number) => void = () => {}): AmlObject {
  switch (object.type) {
    case 'String':
      charge(object.value.length);
      return { type: 'String', value: object.value };
    case 'Buffer':
      charge(object.bytes.length);
      return { type: 'Buffer', bytes: object.bytes.slice() };
    case 'Package':
      charge(object.elements.length * ELEMENT_BYTES);
      return { type: 'Package', elements: object.elements.map((element) => copyObject(element, charge)) };
    default:
      return object;
  }
}
