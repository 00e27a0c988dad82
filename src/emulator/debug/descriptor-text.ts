import { hex } from '../../shared/bytes.ts';
import {
  type Descriptor,
  descriptorBase,
  descriptorDpl,
  descriptorLimit,
  isCode,
  isPresent,
  isSystem,
  SYSTEM_TYPE,
  systemType,
} from '../cpu/segmentation/descriptor.ts';

const SYSTEM_NAMES: ReadonlyMap<number, string> = new Map([
  [SYSTEM_TYPE.TSS_16, '16-bit TSS'],
  [SYSTEM_TYPE.LDT, 'LDT'],
  [SYSTEM_TYPE.TSS_16_BUSY, '16-bit TSS (busy)'],
  [SYSTEM_TYPE.CALL_GATE_16, '16-bit call gate'],
  [SYSTEM_TYPE.TASK_GATE, 'task gate'],
  [SYSTEM_TYPE.INTERRUPT_GATE_16, '16-bit interrupt gate'],
  [SYSTEM_TYPE.TRAP_GATE_16, '16-bit trap gate'],
  [SYSTEM_TYPE.TSS_32, 'TSS'],
  [SYSTEM_TYPE.TSS_32_BUSY, 'TSS (busy)'],
  [SYSTEM_TYPE.CALL_GATE_32, 'call gate'],
  [SYSTEM_TYPE.INTERRUPT_GATE_32, 'interrupt gate'],
  [SYSTEM_TYPE.TRAP_GATE_32, 'trap gate'],
]);

const GATES: ReadonlySet<number> = new Set([4, 5, 6, 7, 12, 14, 15]);

/** A descriptor in words: kind, base, limit, DPL, what is wrong with its P bit. */
export function describeDescriptor(descriptor: Descriptor): string {
  const { low, high } = descriptor;
  const dpl = `DPL ${descriptorDpl(descriptor)}`;
  const present = isPresent(descriptor) ? 'present' : 'NOT PRESENT';
  const raw = `${hex(high, 8)}:${hex(low, 8)}`;
  if (isSystem(descriptor)) {
    const type = systemType(descriptor);
    const name = SYSTEM_NAMES.get(type) ?? `reserved type ${type}`;
    if (GATES.has(type)) return `${name} to ${describeGateTarget(descriptor)}, ${dpl}, ${present} [${raw}]`;
    return `${name}, base ${hex(descriptorBase(descriptor))}, limit ${hex(descriptorLimit(descriptor))}, ${dpl}, ${present} [${raw}]`;
  }
  const kind = isCode(descriptor) ? codeKind(high) : dataKind(high);
  const bounds = `base ${hex(descriptorBase(descriptor))}, limit ${hex(descriptorLimit(descriptor))}`;
  return `${kind}, ${bounds}, ${dpl}, ${present} [${raw}]`;
}

function describeGateTarget(descriptor: Descriptor): string {
  const offset = ((descriptor.high & 0xffff_0000) | (descriptor.low & 0xffff)) >>> 0;
  return `${hex(descriptor.low >>> 16, 4)}:${hex(offset)}`;
}

function codeKind(high: number): string {
  const size = (high & 0x20_0000) !== 0 ? '64-bit' : (high & 0x40_0000) !== 0 ? '32-bit' : '16-bit';
  const conforming = (high & 0x400) !== 0 ? ' conforming' : '';
  return `${size}${conforming} code${(high & 0x200) !== 0 ? '' : ', execute-only'}`;
}

function dataKind(high: number): string {
  const down = (high & 0x400) !== 0 ? ' expand-down' : '';
  return `${(high & 0x200) !== 0 ? 'writable' : 'read-only'}${down} data`;
}
