/**
 * The probe guest's line protocol on COM1. One item a line: `probe <item> name=value …`, CR LF, nothing else begins with `probe `.
 * Values are 0x… hexadecimal numbers, words, or byte strings in plain hexadecimal (`data=`, `config=`). In order:
 *
 *     probe begin version=0x1
 *     probe memory base= size= type=                      one a range of the map that the loader handed over
 *     probe table signature=XSDT address= length= sum=    sum of all bytes modulo 256; the RSDP (RSD_PTR_) first
 *     probe bytes address= data=                          the last named table's bytes, 32 a line
 *     probe ecam base= first= last=                       from MCFG
 *     probe function bus= device= function= mismatch= config=
 *                                                         256 bytes by ECAM; mismatch: first offset where CF8/CFC differs, or none
 *     probe bar bus= device= function= index= kind= base= size= decode=
 *     probe access bus= device= function= index= first= last=    first and last 4 bytes, read through the windows
 *     probe echo bus= device= function= index= offset= written= expected= read=
 *     probe interrupt bus= device= function= line= gsi= count=   gsi: the I/O APIC input that fired, or none
 *     probe fault vector= error= rip= cr2=                an exception; the probe ends
 *     probe end functions=
 */

export const PROBE_PROTOCOL_VERSION = 1;
export const PROBE_PREFIX = 'probe ';

export const PROBE_BAR_KINDS = ['io', 'mem32', 'mem32-prefetchable', 'mem64', 'mem64-prefetchable'] as const;
export type ProbeBarKind = (typeof PROBE_BAR_KINDS)[number];

export interface ProbeMemoryRange {
  readonly base: number;
  readonly size: number;
  readonly type: number;
}

export interface ProbeTable {
  /** ACPI signature; `RSD PTR ` for the RSDP. */
  readonly signature: string;
  readonly address: number;
  readonly length: number;
  /** Sum of all bytes, modulo 256. */
  readonly sum: number;
  readonly bytes: Uint8Array;
}

export interface ProbeAddress {
  readonly bus: number;
  readonly device: number;
  readonly function: number;
}

export interface ProbeFunction extends ProbeAddress {
  /** 256 bytes, read by ECAM. */
  readonly config: Uint8Array;
  /** First offset where CF8/CFC read something else. */
  readonly mismatch: number | undefined;
}

export interface ProbeBar extends ProbeAddress {
  readonly index: number;
  readonly kind: ProbeBarKind;
  readonly base: number;
  /** Bytes, sized by all-ones. */
  readonly size: number;
  /** Whether the command register lets it decode. */
  readonly decode: boolean;
  /** First and last 4 bytes, undefined when it does not decode. */
  readonly first?: number;
  readonly last?: number;
  /** What came back from a register that can be written without harm, where the probe knows one. */
  readonly echo?: ProbeEcho;
}

export interface ProbeEcho {
  readonly offset: number;
  readonly written: number;
  /** What a register of this kind reads after that. */
  readonly expected: number;
  readonly read: number;
  readonly holds: boolean;
}

export interface ProbeInterrupt extends ProbeAddress {
  /** Interrupt Line register. */
  readonly line: number;
  readonly gsi: number | undefined;
  readonly count: number;
}

export interface ProbeFault {
  readonly vector: number;
  readonly error: number;
  readonly rip: number;
  readonly cr2: number;
}

export interface ProbeReport {
  /** The probe came to its end. */
  readonly complete: boolean;
  readonly memory: readonly ProbeMemoryRange[];
  readonly tables: readonly ProbeTable[];
  readonly ecam: { readonly base: number; readonly firstBus: number; readonly lastBus: number } | undefined;
  readonly functions: readonly ProbeFunction[];
  readonly bars: readonly ProbeBar[];
  readonly interrupts: readonly ProbeInterrupt[];
  readonly faults: readonly ProbeFault[];
  /** Lines that begin like the protocol's and are none of its items: a garbled transmission. */
  readonly unknown: readonly string[];
}

type Fields = ReadonlyMap<string, string>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Draft {
  complete: boolean;
  memory: ProbeMemoryRange[];
  tables: { table: Omit<ProbeTable, 'bytes'>; bytes: number[] }[];
  ecam: ProbeReport['ecam'];
  functions: ProbeFunction[];
  bars: Mutable<ProbeBar>[];
  interrupts: ProbeInterrupt[];
  faults: ProbeFault[];
  unknown: string[];
}

/** Reads the probe's lines out of everything that came over the serial port. Never throws: what is missing is missing in the report. */
export function parseProbeReport(serial: string): ProbeReport {
  const draft: Draft = {
    ...{ complete: false, memory: [], tables: [], ecam: undefined, functions: [], bars: [] },
    ...{ interrupts: [], faults: [], unknown: [] },
  };
  for (const line of serial.split(/\r?\n/)) {
    if (line.startsWith(PROBE_PREFIX)) parseLine(line, draft);
  }
  const tables = draft.tables.map(({ table, bytes }): ProbeTable => ({ ...table, bytes: Uint8Array.from(bytes) }));
  return { ...draft, tables };
}

function parseLine(line: string, draft: Draft): void {
  const [item, ...words] = line.slice(PROBE_PREFIX.length).trim().split(' ');
  const fields: Fields = new Map(
    words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );
  const reader = ITEMS[item];
  if (reader === undefined) draft.unknown.push(line);
  else reader(fields, draft);
}

const ITEMS: Readonly<Record<string, (fields: Fields, draft: Draft) => void>> = {
  begin: () => {},
  memory: (fields, { memory }) =>
    memory.push({ base: number(fields, 'base'), size: number(fields, 'size'), type: number(fields, 'type') }),
  table: (fields, { tables }) => {
    const [address, length, sum] = ['address', 'length', 'sum'].map((name) => number(fields, name));
    const signature = fields.get('signature')?.replaceAll('_', ' ') ?? '';
    tables.push({ table: { signature, address, length, sum }, bytes: [] });
  },
  bytes: (fields, { tables }) => tables.at(-1)?.bytes.push(...bytes(fields.get('data'))),
  ecam: (fields, draft) => {
    const [base, firstBus, lastBus] = ['base', 'first', 'last'].map((name) => number(fields, name));
    draft.ecam = { base, firstBus, lastBus };
  },
  function: (fields, { functions }) =>
    functions.push({ ...address(fields), config: bytes(fields.get('config')), mismatch: optional(fields, 'mismatch') }),
  bar: (fields, { bars }) => {
    const [index, base, size] = ['index', 'base', 'size'].map((name) => number(fields, name));
    const kind = fields.get('kind') as ProbeBarKind;
    bars.push({ ...address(fields), index, kind, base, size, decode: number(fields, 'decode') === 1 });
  },
  access: (fields, draft) => {
    const bar = barOf(fields, draft);
    if (bar !== undefined) Object.assign(bar, { first: number(fields, 'first'), last: number(fields, 'last') });
  },
  echo: (fields, draft) => {
    const bar = barOf(fields, draft);
    const [offset, written, expected, read] = ['offset', 'written', 'expected', 'read'].map((name) =>
      number(fields, name),
    );
    if (bar !== undefined) bar.echo = { offset, written, expected, read, holds: read === expected };
  },
  interrupt: (fields, { interrupts }) =>
    interrupts.push({
      ...address(fields),
      line: number(fields, 'line'),
      gsi: optional(fields, 'gsi'),
      count: number(fields, 'count'),
    }),
  fault: (fields, { faults }) => {
    const [vector, error, rip, cr2] = ['vector', 'error', 'rip', 'cr2'].map((name) => number(fields, name));
    faults.push({ vector, error, rip, cr2 });
  },
  end: (_, draft) => {
    draft.complete = true;
  },
};

function number(fields: Fields, name: string): number {
  return Number(fields.get(name) ?? Number.NaN);
}

function optional(fields: Fields, name: string): number | undefined {
  return fields.get(name) === 'none' ? undefined : number(fields, name);
}

function address(fields: Fields): ProbeAddress {
  const [bus, device, fn] = ['bus', 'device', 'function'].map((name) => number(fields, name));
  return { bus, device, function: fn };
}

function barOf(fields: Fields, draft: Draft): Mutable<ProbeBar> | undefined {
  const wanted = { ...address(fields), index: number(fields, 'index') };
  return draft.bars.findLast(
    (bar) =>
      bar.bus === wanted.bus &&
      bar.device === wanted.device &&
      bar.function === wanted.function &&
      bar.index === wanted.index,
  );
}

function bytes(text = ''): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
