/**
 * Where interpreters part: the specification leaves room, or Windows does otherwise and firmware counts on it. Each property is one
 * difference; docs/aml-interpreter.md names its source.
 */
export interface Semantics {
  readonly name: 'spec' | 'nt';
  /** A store of a number into a string: its digits as text (§19.3.5.8), or its bytes as characters. */
  readonly integerIntoString: 'digits' | 'characters';
  /** A store into a string keeps the length that the string has. */
  readonly keepsStringLength: boolean;
  /** A store to a LocalX that holds a reference goes to what it refers to, not only one to an ArgX. */
  readonly storesThroughLocals: boolean;
  /** Increment and Decrement of a LocalX that holds a reference change what it refers to. */
  readonly stepsThroughReferences: boolean;
  /** DerefOf follows a chain of references to its end, instead of one link. */
  readonly dereferencesFully: boolean;
  /** Bytes of a buffer that LAnd, LOr and LNot look at; nothing for an integer's. */
  readonly logicalBufferBytes: number | undefined;
  /** ToHexString writes a number without leading zeros. */
  readonly shortHexStrings: boolean;
  /** A buffer field is bound to the name that holds the buffer, and checked when it is used. */
  readonly lateBufferFields: boolean;
  /** A method without Return gives the value of its last statement. */
  readonly implicitReturn: boolean;
  /** LocalX and ArgX read as zero before they are written. */
  readonly uninitializedIsZero: boolean;
  /** What `_OSI` answers with true besides the strings of Windows: the feature groups of ACPI 6.5 §5.7.2. */
  readonly osiFeatureGroups: boolean;
}

export const SPEC_SEMANTICS: Semantics = {
  name: 'spec',
  integerIntoString: 'digits',
  keepsStringLength: false,
  storesThroughLocals: false,
  stepsThroughReferences: false,
  dereferencesFully: false,
  logicalBufferBytes: undefined,
  shortHexStrings: false,
  lateBufferFields: false,
  implicitReturn: false,
  uninitializedIsZero: false,
  osiFeatureGroups: true,
};

export const NT_SEMANTICS: Semantics = {
  name: 'nt',
  integerIntoString: 'characters',
  keepsStringLength: true,
  storesThroughLocals: true,
  stepsThroughReferences: true,
  dereferencesFully: true,
  logicalBufferBytes: 4,
  shortHexStrings: true,
  lateBufferFields: true,
  implicitReturn: true,
  uninitializedIsZero: true,
  osiFeatureGroups: false,
};

export const SEMANTICS: Readonly<Record<Semantics['name'], Semantics>> = { spec: SPEC_SEMANTICS, nt: NT_SEMANTICS };
