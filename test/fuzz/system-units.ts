import { littleEndian } from '../oracle/cpu-vectors/encode.ts';
import { anyAddress } from './addresses.ts';
import { PORTS, STACK_TOP, VECTORS } from './memory-map.ts';
import type { Layout } from './program.ts';
import { type SlotWriter, slotAddress } from './slot-writer.ts';
import { loadRegister, someInstructions } from './straight-code.ts';

export function inputOutput(layout: Layout, writer: SlotWriter): void {
  const { random } = layout;
  writer.add(
    ...random.pick([
      [0xe6, PORTS.RAISE],
      [0xe5, PORTS.TIME],
      [0x0f, 0x31],
      [0xe4, PORTS.TIME],
    ]),
  );
  someInstructions(layout, writer, 5);
}

export function interruptFlag(layout: Layout, writer: SlotWriter): void {
  const { random, mode, privilege } = layout;
  writer.add(random.pick([0xfa, 0xfb]));
  someInstructions(layout, writer, 4);
  writer.add(0xfb);
  if (privilege === 0 && random.below(3) === 0) writer.add(0xf4);
  // TF, for one instruction: the handler takes it away.
  if (random.below(4) === 0) {
    writer.add(0x9c);
    writer.add(0x80, ...(mode === 16 ? [0x4e, 0x01] : [0x4c, 0x24, 0x01]), 1);
    writer.add(0x9d);
  }
}

const RDX = 2;
const RCX = 1;

/** SYSCALL from 64-bit code, SYSENTER from any: a program of CPL 0 goes on at CPL 3. */
export function systemCall(layout: Layout, writer: SlotWriter): void {
  const { random, mode } = layout;
  if (mode === 64 && random.below(8) !== 0) {
    writer.add(0x0f, 0x05);
  } else if (mode !== 16) {
    loadRegister(writer, RCX, STACK_TOP);
    // MOV EDX, the instruction behind SYSENTER.
    loadRegister(writer, RDX, writer.position + 7);
    writer.add(0x0f, 0x34);
  }
  someInstructions(layout, writer, 4);
}

/** Asks the kernel for the other ring, or the other code size, in which the bytes that follow mean something else. */
export function otherMode(layout: Layout, writer: SlotWriter): void {
  const { random } = layout;
  writer.add(0xcd, random.below(4) === 0 ? VECTORS.OTHER_WIDTH : VECTORS.OTHER_RING);
  someInstructions(layout, writer, 5);
}

/** What flushes translations or changes what they allow: CR3 written anew, CR0.WP or CR4.PGE flipped; a fault at CPL 3. */
export function translationControl(layout: Layout, writer: SlotWriter): void {
  const { random, mode } = layout;
  if (mode === 16) {
    someInstructions(layout, writer, 4);
    return;
  }
  const [register, bit] = random.pick([
    [3, -1],
    [3, -1],
    [0, 16],
    [4, 7],
  ]);
  const field = 0xc0 | (register << 3);
  writer.add(0x0f, 0x20, field);
  // BTC EAX, bit.
  if (bit >= 0) writer.add(0x0f, 0xba, 0xf8, bit);
  writer.add(0x0f, 0x22, field);
  someInstructions(layout, writer, 4);
}

const RAX = 0;

/** A breakpoint on an instruction or on data, or none any more; a fault at CPL 3. */
export function watch(layout: Layout, writer: SlotWriter): void {
  const { random, mode, main } = layout;
  if (mode !== 16) {
    const index = random.below(4);
    const condition = random.pick([0, 1, 3]);
    const length = condition === 0 ? 0 : random.below(4);
    loadRegister(writer, RAX, condition === 0 ? slotAddress(random.pick(main)) : anyAddress(random));
    writer.add(0x0f, 0x23, 0xc0 | (index << 3));
    const enabled = random.below(4) === 0 ? 0 : 1 << (2 * index);
    loadRegister(writer, RAX, (enabled | ((condition | (length << 2)) << (16 + 4 * index))) >>> 0);
    writer.add(0x0f, 0x23, 0xc0 | (7 << 3));
  }
  someInstructions(layout, writer, 3);
}

/** IRET to the next instruction, within the ring: from a frame of the program's own. */
export function returnFromNothing(layout: Layout, writer: SlotWriter): void {
  const { random, mode } = layout;
  if (mode === 32) {
    // PUSHF; PUSH CS; PUSH target; IRET.
    writer.add(0x9c);
    writer.add(0x0e);
    writer.add(0x68, ...littleEndian(BigInt(writer.position + 6), 4));
    writer.add(0xcf);
  } else if (mode === 64) {
    // MOV RAX, RSP; MOV ECX, SS; PUSH RCX; PUSH RAX; PUSHF; MOV ECX, CS; PUSH RCX; PUSH target; IRETQ.
    writer.add(0x48, 0x89, 0xe0);
    writer.add(0x8c, 0xd1);
    writer.add(0x51);
    writer.add(0x50);
    writer.add(0x9c);
    writer.add(0x8c, 0xc9);
    writer.add(0x51);
    writer.add(0x68, ...littleEndian(BigInt(writer.position + 7), 4));
    writer.add(0x48, 0xcf);
  }
  someInstructions(layout, writer, 1 + random.below(3));
}
