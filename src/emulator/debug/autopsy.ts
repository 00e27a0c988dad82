import { hex } from '../../shared/bytes.ts';
import type { CpuState } from '../cpu/cpu-state.ts';
import type { FaultSnapshot } from '../cpu/exceptions/fault-chain.ts';
import { VECTOR, VECTOR_MEANING, vectorName } from '../cpu/exceptions/vectors.ts';
import { isLongActive, isProtected, isVirtual8086 } from '../cpu/modes.ts';
import { type Descriptor, tryReadDescriptor } from '../cpu/segmentation/descriptor.ts';
import {
  BRANCH_RING,
  BRANCH_RING_POSITION,
  CPL,
  CR0,
  CR2,
  CR3,
  CR4,
  EFER,
  GDTR_BASE,
  GDTR_LIMIT,
  HALTED,
  IDTR_BASE,
  IDTR_LIMIT,
  SEGMENT_INDEX,
} from '../cpu/state.ts';
import { type CpuContext, GuestFault } from '../cpu/system-context.ts';
import { describeDescriptor } from './descriptor-text.ts';

const REGISTER_NAMES = ['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI'];
const SEGMENT_NAMES = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDTR', 'TR'];
const BRANCHES = 16;

/** A processor that stands by: its number, its registers, and what it waits for. */
export interface Bystander {
  readonly index: number;
  readonly state: CpuState;
  readonly waitsForStartUp: boolean;
}

/**
 * What a person wants after a triple fault: why, the chain of faults, the descriptors that took part, registers and the last branches.
 * `chain` is ExceptionUnit's; `bystanders` are the board's other processors. Reads guest memory without disturbing CR2.
 */
export function autopsyReport(
  cpu: CpuContext,
  chain: readonly FaultSnapshot[],
  bystanders: readonly Bystander[] = [],
): string {
  const savedCr2 = cpu.state.u64(CR2);
  const which = bystanders.length === 0 ? 'the processor' : `the processor with APIC id ${hex(cpu.apicId)}`;
  const lines = [`Triple fault: ${which} shut down.`, ''];
  lines.push('Why:', ...explainChain(cpu, chain).map((line) => `  ${line}`), '');
  lines.push('Chain of faults:', ...chain.map(describeLink).map((line) => `  ${line}`), '');
  lines.push('Interrupt descriptors:', ...describeGates(cpu, chain).map((line) => `  ${line}`), '');
  lines.push('Segments:', ...describeSegments(cpu).map((line) => `  ${line}`), '');
  lines.push('Registers:', ...describeRegisters(cpu).map((line) => `  ${line}`), '');
  lines.push('Last branches, newest first:', ...describeBranches(cpu).map((line) => `  ${line}`));
  if (bystanders.length > 0)
    lines.push('', 'Other processors:', ...bystanders.map(describeBystander).map((line) => `  ${line}`));
  cpu.state.setU64(CR2, savedCr2);
  return `${lines.join('\n')}\n`;
}

/** `action`'s result, or undefined when the guest's tables do not lead there. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof GuestFault) return undefined;
    throw error;
  }
}

function describeBystander({ index, state, waitsForStartUp }: Bystander): string {
  if (waitsForStartUp) return `${index}: waits for its start-up`;
  const place = `${hex(state.selector(SEGMENT_INDEX.CS), 4)}:${hex(state.rip)}, CPL ${state.u32(CPL)}`;
  return `${index}: ${state.u32(HALTED) !== 0 ? 'halted' : 'running'} at ${place}`;
}

function describeLink(link: FaultSnapshot): string {
  const { event } = link;
  const meaning = VECTOR_MEANING[event.vector];
  const name = event.kind === 'fault' ? vectorName(event.vector) : `${event.kind} ${vectorName(event.vector)}`;
  const errorCode = event.errorCode >= 0 ? `, error code ${hex(event.errorCode, 4)}` : '';
  const address = event.vector === VECTOR.PF ? `, CR2 ${hex(link.cr2)}` : '';
  const words = event.kind === 'fault' && meaning !== undefined ? ` (${meaning})` : '';
  return `${name}${words} at ${hex(link.cs, 4)}:${hex(link.rip)}, stack ${hex(link.ss, 4)}:${hex(link.rsp)}${errorCode}${address}`;
}

/** One sentence for the original event and one for each delivery that failed. */
function explainChain(cpu: CpuContext, chain: readonly FaultSnapshot[]): string[] {
  const [first] = chain;
  if (first === undefined) return ['No chain was recorded.'];
  const lines = [`It began with ${describeLink(first)}.`];
  for (let index = 1; index < chain.length; index++) {
    const from = chain[index - 1];
    const to = chain[index];
    // A double fault that the processor made itself follows the fault that caused it.
    if (to.event.vector === VECTOR.DF && to.event.errorCode === 0) continue;
    lines.push(`${vectorName(from.event.vector)} could not be delivered: ${explainFailure(cpu, from, to)}`);
  }
  return lines;
}

/** Why the delivery of `from` ended in `to`. */
function explainFailure(cpu: CpuContext, from: FaultSnapshot, to: FaultSnapshot): string {
  const { state } = cpu;
  const { vector } = from.event;
  const entryBytes = gateBytes(cpu);
  const limit = state.u32(IDTR_LIMIT);
  if (vector * entryBytes + entryBytes - 1 > limit) {
    return `the IDT ends at limit ${hex(limit)}, before the entry of vector ${vector}${limit === 0 ? ' (no IDT is loaded)' : ''}.`;
  }
  if (to.event.vector === VECTOR.PF) return explainPageFault(cpu, to);
  const namesGate = (to.event.errorCode & 2) !== 0 && to.event.errorCode >> 3 === vector;
  if (namesGate && isEmptyGate(cpu, vector)) return `the entry of vector ${vector} is empty: no handler was set.`;
  if (namesGate && to.event.vector === VECTOR.NP) return `the gate of vector ${vector} is not present.`;
  if (namesGate) return `the gate of vector ${vector} has a type that cannot be used here.`;
  const selector = hex(to.event.errorCode & 0xfffc, 4);
  switch (to.event.vector) {
    case VECTOR.TS:
      return `the TSS or the stack that it names (selector ${selector}) is not usable.`;
    case VECTOR.NP:
      return `the handler's segment (selector ${selector}) is not present.`;
    case VECTOR.SS:
      return `the handler's stack does not fit its segment, or is not canonical (selector ${selector}).`;
    default:
      return `the handler's code segment (selector ${selector}) is not usable at CPL ${state.u32(CPL)}.`;
  }
}

function isEmptyGate(cpu: CpuContext, vector: number): boolean {
  const address = cpu.state.u64(IDTR_BASE) + BigInt(vector * gateBytes(cpu));
  return attempt(() => cpu.memory.read64(address, 'supervisor')) === 0n;
}

function explainPageFault(cpu: CpuContext, link: FaultSnapshot): string {
  const { state } = cpu;
  const address = link.cr2;
  const inside = (base: bigint, limit: number) => address >= base && address <= base + BigInt(limit);
  const page = `the page at ${hex(address)} ${(link.event.errorCode & 1) !== 0 ? 'forbids the access' : 'is not mapped'}`;
  if (inside(state.u64(IDTR_BASE), state.u32(IDTR_LIMIT))) return `${page}, and the IDT lies there.`;
  if (inside(state.u64(GDTR_BASE), state.u32(GDTR_LIMIT))) return `${page}, and the GDT lies there.`;
  const task = SEGMENT_INDEX.TR;
  if (inside(state.segmentBase(task), state.segmentLimit(task))) return `${page}, and the TSS lies there.`;
  const distance = link.rsp - address;
  if (distance >= -8n && distance <= 0x100n) return `${page}: the stack at ${hex(link.rsp)} cannot take the frame.`;
  return `${page}, where the handler's stack would be.`;
}

const gateBytes = (cpu: CpuContext): number => {
  if (!isProtected(cpu.state)) return 4;
  return isLongActive(cpu.state) ? 16 : 8;
};

/** The IDT entries of the vectors in the chain, and the code segments behind them. */
function describeGates(cpu: CpuContext, chain: readonly FaultSnapshot[]): string[] {
  const { state, memory } = cpu;
  const bytes = gateBytes(cpu);
  const lines = [`IDTR base ${hex(state.u64(IDTR_BASE))}, limit ${hex(state.u32(IDTR_LIMIT))}`];
  for (const vector of new Set(chain.map((link) => link.event.vector))) {
    const label = `${vectorName(vector)} [${vector}]`;
    if (vector * bytes + bytes - 1 > state.u32(IDTR_LIMIT)) {
      lines.push(`${label}: beyond the limit`);
      continue;
    }
    const address = state.u64(IDTR_BASE) + BigInt(vector * bytes);
    const gate = attempt<Descriptor>(() => {
      const low = memory.read(address, 4, 'supervisor');
      const high = bytes === 4 ? 0 : memory.read(address + 4n, 4, 'supervisor');
      return { selector: 0, low, high, address };
    });
    if (gate === undefined) lines.push(`${label}: not mapped`);
    else if (gate.low === 0 && gate.high === 0) lines.push(`${label}: empty`);
    else if (bytes === 4) lines.push(`${label}: ${hex(gate.low >>> 16, 4)}:${hex(gate.low & 0xffff, 4)}`);
    else lines.push(`${label}: ${describeDescriptor(gate)}; ${describeSelector(cpu, gate.low >>> 16)}`);
  }
  return lines;
}

function describeSelector(cpu: CpuContext, selector: number): string {
  const table = (selector & 4) !== 0 ? 'LDT' : 'GDT';
  const name = `${table}[${hex(selector >> 3)}]`;
  if ((selector & 0xfffc) === 0) return `${name}: the null selector`;
  const found = attempt(() => tryReadDescriptor(cpu, selector) ?? 'beyond the limit');
  if (found === undefined) return `${name}: not mapped`;
  return `${name}: ${typeof found === 'string' ? found : describeDescriptor(found)}`;
}

function describeSegments(cpu: CpuContext): string[] {
  const { state } = cpu;
  const lines = [`GDTR base ${hex(state.u64(GDTR_BASE))}, limit ${hex(state.u32(GDTR_LIMIT))}`];
  SEGMENT_NAMES.forEach((name, index) => {
    const selector = state.selector(index);
    const cached = `base ${hex(state.segmentBase(index))}, limit ${hex(state.segmentLimit(index))}, attributes ${hex(state.segmentAttributes(index))}`;
    const descriptor = isProtected(state) && !isVirtual8086(state) ? `; ${describeSelector(cpu, selector)}` : '';
    lines.push(`${name} ${hex(selector, 4)}: ${cached}${descriptor}`);
  });
  return lines;
}

function describeRegisters(cpu: CpuContext): string[] {
  const { state } = cpu;
  const general = (index: number) => `${(REGISTER_NAMES[index] ?? `R${index}`).padEnd(3)} ${hex(state.gpr(index), 16)}`;
  const lines: string[] = [];
  for (let index = 0; index < 16; index += 4) {
    lines.push([0, 1, 2, 3].map((step) => general(index + step)).join('  '));
  }
  lines.push(`RIP ${hex(state.rip, 16)}  RFLAGS ${hex(state.rflags(), 8)}  CPL ${state.u32(CPL)}`);
  lines.push(
    `CR0 ${hex(state.u64(CR0), 8)}  CR2 ${hex(state.u64(CR2), 16)}  CR3 ${hex(state.u64(CR3), 16)}  CR4 ${hex(state.u64(CR4), 8)}  EFER ${hex(state.u64(EFER), 4)}`,
  );
  return lines;
}

function describeBranches(cpu: CpuContext): string[] {
  const { state } = cpu;
  const position = state.u32(BRANCH_RING_POSITION);
  const lines: string[] = [];
  for (let age = 1; age <= BRANCHES; age++) {
    const offset = BRANCH_RING + ((position - age) & (BRANCHES - 1)) * 16;
    const from = state.u64(offset);
    const to = state.u64(offset + 8);
    if (from !== 0n || to !== 0n) lines.push(`${hex(from)} → ${hex(to)}`);
  }
  return lines.length === 0 ? ['none recorded'] : lines;
}
