import type { CpuState } from './cpu-state.ts';
import { resetState } from './reset.ts';
import {
  CPL,
  CR0,
  CR2,
  CR3,
  CR4,
  DR,
  EFER,
  GDTR_BASE,
  GDTR_LIMIT,
  GPR,
  HALTED,
  IDTR_BASE,
  IDTR_LIMIT,
  INTERRUPT_SHADOW,
  MXCSR,
  PKRU,
  RIP,
  SEGMENT,
  SEGMENTS,
  STI_SHADOW_RIP,
  X87_CONTROL,
  X87_LAST_CS,
  X87_LAST_DP,
  X87_LAST_DS,
  X87_LAST_IP,
  X87_LAST_OPCODE,
  X87_REGISTERS,
  X87_STATUS,
  X87_TOP,
  X87_VALID,
  XCR0,
  XMM,
} from './state.ts';
import { STORED_REGISTERS, storedRegister } from './stored-registers.ts';

/** Registers by name, as `0x…` text: independent of where the engine keeps them. */
export type RegisterValues = Readonly<Record<string, string>>;

interface Place {
  readonly name: string;
  readonly offset: number;
  readonly byteLength: number;
}

const GENERAL = ['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI', 'R8', 'R9', 'R10', 'R11', 'R12', 'R13', 'R14'];
const SEGMENT_NAMES = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDTR', 'TR'];
const SEGMENT_PARTS = [
  ['SELECTOR', SEGMENT.SELECTOR, 4],
  ['ATTRIBUTES', SEGMENT.ATTRIBUTES, 4],
  ['BASE', SEGMENT.BASE, 8],
  ['LIMIT', SEGMENT.LIMIT, 4],
] as const;

/**
 * Interrupts are held off for one instruction by either: TypeScript sets the first, generated code the second, whose value counts only while it
 * equals RIP. Kept as they are; a comparison of two processors sees one byte.
 */
const SHADOW: Place = { name: 'INTERRUPT_SHADOW', offset: INTERRUPT_SHADOW, byteLength: 4 };
const STI_SHADOW: Place = { name: 'STI_SHADOW_RIP', offset: STI_SHADOW_RIP, byteLength: 4 };
/** Bit 0 of it is architectural; bit 1 lives within one instruction. */
const EVENT_STATE: Place = { name: 'EVENT_STATE', offset: storedRegister('EVENT_STATE'), byteLength: 8 };
const NMI_BLOCKED = 1n;

/** Everything that the processor architecturally is, but RFLAGS, which is computed. What derives from it is not here. */
const PLACES: readonly Place[] = [
  ...[...GENERAL, 'R15'].map((name, index) => ({ name, offset: GPR + index * 8, byteLength: 8 })),
  { name: 'RIP', offset: RIP, byteLength: 8 },
  ...SEGMENT_NAMES.flatMap((segment, index) =>
    SEGMENT_PARTS.map(([part, offset, byteLength]) => ({
      name: `${segment}.${part}`,
      offset: SEGMENTS + index * SEGMENT.BYTE_LENGTH + offset,
      byteLength,
    })),
  ),
  { name: 'GDTR.BASE', offset: GDTR_BASE, byteLength: 8 },
  { name: 'GDTR.LIMIT', offset: GDTR_LIMIT, byteLength: 4 },
  { name: 'IDTR.BASE', offset: IDTR_BASE, byteLength: 8 },
  { name: 'IDTR.LIMIT', offset: IDTR_LIMIT, byteLength: 4 },
  { name: 'CR0', offset: CR0, byteLength: 8 },
  { name: 'CR2', offset: CR2, byteLength: 8 },
  { name: 'CR3', offset: CR3, byteLength: 8 },
  { name: 'CR4', offset: CR4, byteLength: 8 },
  { name: 'XCR0', offset: XCR0, byteLength: 8 },
  { name: 'EFER', offset: EFER, byteLength: 8 },
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((index) => ({ name: `DR${index}`, offset: DR + index * 8, byteLength: 8 })),
  { name: 'CPL', offset: CPL, byteLength: 4 },
  { name: 'HALTED', offset: HALTED, byteLength: 4 },
  ...STORED_REGISTERS.filter((name) => name !== 'EVENT_STATE').map((name) => ({
    name: `MSR.${name}`,
    offset: storedRegister(name),
    byteLength: 8,
  })),
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((index) => ({
    name: `X87.R${index}`,
    offset: X87_REGISTERS + index * 16,
    byteLength: 10,
  })),
  { name: 'X87.CONTROL', offset: X87_CONTROL, byteLength: 4 },
  { name: 'X87.STATUS', offset: X87_STATUS, byteLength: 4 },
  { name: 'X87.TOP', offset: X87_TOP, byteLength: 4 },
  { name: 'X87.VALID', offset: X87_VALID, byteLength: 4 },
  { name: 'X87.LAST_IP', offset: X87_LAST_IP, byteLength: 8 },
  { name: 'X87.LAST_DP', offset: X87_LAST_DP, byteLength: 8 },
  { name: 'X87.LAST_CS', offset: X87_LAST_CS, byteLength: 4 },
  { name: 'X87.LAST_DS', offset: X87_LAST_DS, byteLength: 4 },
  { name: 'X87.LAST_OPCODE', offset: X87_LAST_OPCODE, byteLength: 4 },
  { name: 'MXCSR', offset: MXCSR, byteLength: 4 },
  { name: 'PKRU', offset: PKRU, byteLength: 4 },
  ...Array.from({ length: 16 }, (_, index) => ({ name: `YMM${index}`, offset: XMM + index * 32, byteLength: 32 })),
];

function valueAt(state: CpuState, { offset, byteLength }: Place): bigint {
  let value = 0n;
  for (let index = byteLength - 1; index >= 0; index--) value = (value << 8n) | BigInt(state.bytes[offset + index]);
  return value;
}

function setValueAt(state: CpuState, { offset, byteLength }: Place, value: bigint): void {
  let rest = value;
  for (let index = 0; index < byteLength; index++) {
    state.bytes[offset + index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}

const text = (value: bigint | number): string => `0x${value.toString(16)}`;

/** Every register by name. RFLAGS is whole: how the engine keeps its status bits is its own matter. */
export function registerValues(state: CpuState): RegisterValues {
  const places = [...PLACES, EVENT_STATE, SHADOW, STI_SHADOW];
  return {
    ...Object.fromEntries(places.map((place) => [place.name, text(valueAt(state, place))])),
    RFLAGS: text(state.rflags()),
  };
}

/** Restores what `registerValues` gave; registers that it does not name take their reset value. The caller derives the rest anew. */
export function restoreRegisterValues(state: CpuState, values: RegisterValues): void {
  resetState(state);
  for (const place of [...PLACES, EVENT_STATE, SHADOW, STI_SHADOW]) {
    const value = values[place.name];
    if (value !== undefined) setValueAt(state, place, BigInt(value));
  }
  if (values.RFLAGS !== undefined) state.setRflags(Number(values.RFLAGS));
}

/** PLACES with neighbours put together: what is copied at once. */
const RUNS: readonly { readonly start: number; readonly end: number }[] = PLACES.reduce<
  { start: number; end: number }[]
>((runs, { offset, byteLength }) => {
  const last = runs.at(-1);
  if (last?.end === offset) last.end += byteLength;
  else runs.push({ start: offset, end: offset + byteLength });
  return runs;
}, []);
const COMPARED_BYTES = PLACES.reduce((total, { byteLength }) => total + byteLength, 0) + 9;

/** The architectural state in a fixed order: equal processors give equal bytes, whatever tier of the engine ran them. */
export function architecturalBytes(state: CpuState): Uint8Array {
  const bytes = new Uint8Array(COMPARED_BYTES);
  const from = state.bytes;
  let at = 0;
  for (const { start, end } of RUNS) {
    // A loop: most are shorter than what a copy by `set` costs.
    for (let offset = start; offset < end; offset++) bytes[at++] = from[offset];
  }
  const view = new DataView(bytes.buffer);
  view.setUint32(at, state.rflags(), true);
  view.setUint32(at + 4, Number(valueAt(state, EVENT_STATE) & NMI_BLOCKED), true);
  const behindSti = state.u32(STI_SHADOW_RIP) === state.u32(RIP) ? 1 : 0;
  bytes[at + 8] = state.u32(INTERRUPT_SHADOW) || behindSti;
  return bytes;
}
