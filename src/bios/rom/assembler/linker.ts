import type { Fixup, Mode } from './encoder.ts';

/** What a section consists of before its layout is known. */
export type Item =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly fixups: readonly Fixup[] }
  | { readonly kind: 'jump'; readonly opcode: 'jmp' | number; readonly target: string; readonly mode: Mode }
  | { readonly kind: 'label'; readonly name: string }
  | { readonly kind: 'align'; readonly alignment: number; readonly fill: number }
  | { readonly kind: 'org'; readonly address: number; readonly fill: number };

type Jump = Extract<Item, { kind: 'jump' }>;

export interface Section {
  readonly name: string;
  /** Linear address of the first byte. */
  readonly base: number;
  readonly items: Item[];
}

export interface AssembledSection {
  readonly name: string;
  readonly base: number;
  readonly bytes: Uint8Array;
}

interface Layout {
  /** Address of every item, by section and item. */
  readonly addresses: readonly (readonly number[])[];
  readonly ends: readonly number[];
  readonly labels: ReadonlyMap<string, number>;
}

/**
 * Places the items and resolves the labels. Every jump starts short; those that do not reach become near, until nothing changes:
 * they only ever grow, so that this ends.
 */
export function link(sections: readonly Section[]): {
  sections: ReadonlyMap<string, AssembledSection>;
  symbols: ReadonlyMap<string, number>;
} {
  const near = new Set<Jump>();
  let layout = layOut(sections, near);
  while (widenJumps(sections, layout, near)) layout = layOut(sections, near);
  const assembled = new Map<string, AssembledSection>();
  for (const [index, section] of sections.entries()) {
    const bytes = new Uint8Array(layout.ends[index] - section.base);
    for (const [itemIndex, item] of section.items.entries()) {
      const address = layout.addresses[index][itemIndex];
      const end = layout.addresses[index][itemIndex + 1] ?? layout.ends[index];
      write(item, bytes.subarray(address - section.base, end - section.base), address, layout.labels, near);
    }
    assembled.set(section.name, { name: section.name, base: section.base, bytes });
  }
  const symbols = new Map([...layout.labels].filter(([name]) => !name.includes('$')));
  return { sections: assembled, symbols };
}

function layOut(sections: readonly Section[], near: ReadonlySet<Jump>): Layout {
  const labels = new Map<string, number>();
  const addresses: number[][] = [];
  const ends: number[] = [];
  for (const section of sections) {
    let address = section.base;
    const own: number[] = [];
    for (const item of section.items) {
      own.push(address);
      if (item.kind === 'label') {
        if (labels.has(item.name)) throw new Error(`label ${item.name} is defined twice`);
        labels.set(item.name, address);
      }
      address += byteLength(item, address, near);
    }
    addresses.push(own);
    ends.push(address);
  }
  return { addresses, ends, labels };
}

function byteLength(item: Item, address: number, near: ReadonlySet<Jump>): number {
  switch (item.kind) {
    case 'bytes':
      return item.bytes.length;
    case 'label':
      return 0;
    case 'jump':
      if (!near.has(item)) return 2;
      return (item.opcode === 'jmp' ? 1 : 2) + (item.mode === 16 ? 2 : 4);
    case 'align':
      return (item.alignment - (address % item.alignment)) % item.alignment;
    case 'org':
      // A jump that is still short may make room, but nothing shrinks: beyond it once, beyond it for good.
      if (item.address < address) throw new Error(`0x${address.toString(16)} is beyond 0x${item.address.toString(16)}`);
      return item.address - address;
  }
}

function widenJumps(sections: readonly Section[], layout: Layout, near: Set<Jump>): boolean {
  let changed = false;
  for (const [index, section] of sections.entries()) {
    for (const [itemIndex, item] of section.items.entries()) {
      if (item.kind !== 'jump' || near.has(item)) continue;
      const distance = resolve(layout.labels, item.target) - (layout.addresses[index][itemIndex] + 2);
      if (distance >= -128 && distance <= 127) continue;
      near.add(item);
      changed = true;
    }
  }
  return changed;
}

function resolve(labels: ReadonlyMap<string, number>, name: string): number {
  const address = labels.get(name);
  if (address === undefined) throw new Error(`label ${name} is not defined`);
  return address;
}

function write(
  item: Item,
  target: Uint8Array,
  address: number,
  labels: ReadonlyMap<string, number>,
  near: ReadonlySet<Jump>,
): void {
  switch (item.kind) {
    case 'bytes':
      target.set(item.bytes);
      for (const fixup of item.fixups) applyFixup(fixup, target, address, labels);
      break;
    case 'jump':
      writeJump(item, target, resolve(labels, item.target) - (address + target.length), near.has(item));
      break;
    case 'align':
    case 'org':
      target.fill(item.fill);
      break;
    case 'label':
      break;
  }
}

function writeJump(jump: Jump, target: Uint8Array, distance: number, isNear: boolean): void {
  const opcode =
    jump.opcode === 'jmp' ? (isNear ? [0xe9] : [0xeb]) : isNear ? [0x0f, 0x80 + jump.opcode] : [0x70 + jump.opcode];
  target.set(opcode);
  writeField(target, opcode.length, target.length - opcode.length, BigInt(distance));
}

function applyFixup(fixup: Fixup, target: Uint8Array, address: number, labels: ReadonlyMap<string, number>): void {
  const { label, addend } = fixup.target;
  const value = resolve(labels, label) + addend - (fixup.kind === 'relative' ? address + target.length : 0);
  const bits = fixup.size * 8;
  const low = fixup.kind === 'absolute' ? 0 : -(2 ** (bits - 1));
  const high = fixup.kind === 'absolute' ? 2 ** bits : 2 ** (bits - 1);
  if (value < low || value >= high) {
    throw new Error(`${label} (0x${value.toString(16)}) does not fit ${bits} bits at 0x${address.toString(16)}`);
  }
  writeField(target, fixup.offset, fixup.size, BigInt(value));
}

function writeField(target: Uint8Array, offset: number, size: number, value: bigint): void {
  for (let index = 0; index < size; index++) target[offset + index] = Number((value >> BigInt(8 * index)) & 0xffn);
}
