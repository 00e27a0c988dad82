import { type Code, createAssembler } from '../../../src/bios/rom/assembler/assembler.ts';
import { countDown, repeat, when } from '../../../src/bios/rom/assembler/macros.ts';
import { at, dword, offsetIn, symbol } from '../../../src/bios/rom/assembler/operands.ts';
import { al, cl, eax, ebx, ecx, edi, edx, esi, esp } from '../../../src/bios/rom/assembler/registers.ts';
import { emitPrint, emitProtectedEntry, finish, newLine } from './harness.ts';
import { ROM_BASE, SELECTOR } from './layout.ts';

/** Processors of the board that the image is for. */
export const IMAGE_PROCESSORS = 3;

const APIC = { BASE: 0xfee0_0000, ID: 0x20, EOI: 0xb0, LDR: 0xd0, DFR: 0xe0, SVR: 0xf0, ICR: 0x300, ICR_HIGH: 0x310 };
const SVR_ENABLE = 0x1ff;
const IA32_APIC_BASE = 0x1b;
const X2APIC_ENABLE = 0x400;
/** In x2APIC mode the register at `offset` of the page is this MSR. */
const x2apicMsr = (offset: number): number => 0x800 + (offset >> 4);
const BOOT_PROCESSOR = 0x100;
/** How often a processor came through start-up, counted by all. */
const STARTED = 0x6000;
/** A record a processor: how often each handler ran, then what CPUID says there. */
const RECORDS = { BASE: 0x6100, BYTES: 0x100, COUNTS: 0, CPUID: 0x20 };
const STACKS = { BASE: 0xd000, BYTES: 0x400 };
/** Vectors of the interrupts, in the order of their counts; the last one makes its processor change to the cluster model. */
const NMI = 2;
const TO_CLUSTER_MODEL = 0x44;
const VECTORS = [0x40, 0x41, 0x42, 0x43, NMI, TO_CLUSTER_MODEL];
const IDT_VECTORS = 0x45;
/** Topology: leaf and subleaf. */
const CPUID_LEAVES = [
  [1, 0],
  [0x0b, 0],
  [0x0b, 1],
  [0x0b, 2],
] as const;
const CPUID_WORDS = 13;
const CLUSTER_MODEL = 0x0fff_ffff;
/** Reads of port 0x80 after which the others have done what they were asked to: on QEMU they are threads of a host that may be busy. */
export const PATIENCE = { MACHINE: 2000, QEMU: 200_000 } as const;

const LOGICAL = 0x800;
const ASSERT = 0x4000;
const LEVEL = 0x8000;
const MODE = { FIXED: 0, NMI: 0x400, INIT: 0x500, STARTUP: 0x600 };
const TO = { SELF: 0x4_0000, ALL: 0x8_0000, OTHERS: 0xc_0000 };
const START_PAGE = ROM_BASE >> 12;

interface Step {
  readonly name: string;
  /** ICR's low half, and the destination field. */
  readonly command: number;
  readonly destination?: number;
  /** The same for x2APIC mode, where it has 32 bits. */
  readonly wideDestination?: number;
}

const fixed = (vector: number): number => MODE.FIXED | ASSERT | vector;

/** Interprocessor interrupts, one after the other; counts are printed after each. */
const STEPS: readonly Step[] = [
  { name: 'fixed to the second', command: fixed(0x40), destination: 1 },
  { name: 'fixed to the third', command: fixed(0x40), destination: 2 },
  { name: 'fixed to the sender', command: fixed(0x40), destination: 0 },
  { name: 'fixed to nobody', command: fixed(0x40), destination: 7 },
  { name: 'logical, flat: second and third', command: fixed(0x41) | LOGICAL, destination: 6 },
  { name: 'logical, flat: first and third', command: fixed(0x41) | LOGICAL, destination: 5 },
  { name: 'self by shorthand', command: fixed(0x42) | TO.SELF },
  { name: 'all by shorthand', command: fixed(0x42) | TO.ALL },
  { name: 'others by shorthand', command: fixed(0x43) | TO.OTHERS },
  { name: 'all by the broadcast destination', command: fixed(0x43), destination: 0xff, wideDestination: 0xffff_ffff },
  { name: 'NMI to the second', command: MODE.NMI | ASSERT, destination: 1 },
  { name: 'NMI to the others', command: MODE.NMI | ASSERT | TO.OTHERS },
  { name: 'start-up of a processor that runs', command: MODE.STARTUP | ASSERT | START_PAGE, destination: 1 },
  { name: 'INIT level de-assert', command: MODE.INIT | LEVEL | TO.ALL },
  { name: 'INIT to the third', command: MODE.INIT | ASSERT | LEVEL, destination: 2 },
  { name: 'fixed to the third, which waits', command: fixed(0x40), destination: 2 },
  { name: 'start-up of the third', command: MODE.STARTUP | ASSERT | START_PAGE, destination: 2 },
  { name: 'fixed to the third again', command: fixed(0x40), destination: 2 },
  { name: 'all change to the cluster model', command: fixed(0x44) | TO.ALL },
  {
    name: 'logical, cluster: second and third',
    command: fixed(0x41) | LOGICAL,
    destination: 0x16,
    wideDestination: 0x6,
  },
  {
    name: 'logical, cluster: another one',
    command: fixed(0x41) | LOGICAL,
    destination: 0x26,
    wideDestination: 0x1_0006,
  },
];

/** How a program reaches its local APIC. */
interface ApicAccess {
  /** Switches the local APIC on, in this mode, and gives it the logical id 1 << EBX. Changes EAX, ECX, EDX. */
  enable(code: Code): void;
  /** EBX = APIC id. Changes EAX, ECX, EDX. */
  readId(code: Code): void;
  /** Changes EAX, ECX, EDX. */
  endInterrupt(code: Code): void;
  send(code: Code, step: Omit<Step, 'name'>): void;
  /** Cluster 1, and in it again 1 << EBX. Changes EAX, ECX. */
  changeToClusters(code: Code): void;
}

/** LDR: bit EBX of the id, and the cluster (0 in the flat model, which has none). Changes EAX, ECX. */
function writeLogicalId(code: Code, cluster: number): void {
  code.mov(ecx, ebx);
  code.mov(eax, 0x0100_0000);
  code.shl(eax, cl);
  code.or(eax, cluster << 28);
  code.mov(dword(APIC.BASE + APIC.LDR), eax);
}

const XAPIC: ApicAccess = {
  enable(code) {
    code.mov(dword(APIC.BASE + APIC.SVR), SVR_ENABLE);
    code.mov(dword(APIC.BASE + APIC.DFR), 0xffff_ffff);
    writeLogicalId(code, 0);
  },
  readId(code) {
    code.mov(ebx, dword(APIC.BASE + APIC.ID));
    code.shr(ebx, 24);
  },
  endInterrupt: (code) => code.mov(dword(APIC.BASE + APIC.EOI), 0),
  send(code, { command, destination = 0 }) {
    code.mov(dword(APIC.BASE + APIC.ICR_HIGH), destination << 24);
    code.mov(dword(APIC.BASE + APIC.ICR), command);
  },
  changeToClusters(code) {
    code.mov(dword(APIC.BASE + APIC.DFR), CLUSTER_MODEL);
    writeLogicalId(code, 1);
  },
};

function writeX2apic(code: Code, offset: number, low: number, high = 0): void {
  code.mov(ecx, x2apicMsr(offset));
  code.mov(eax, low);
  code.mov(edx, high);
  code.wrmsr();
}

/** Logical ids are the hardware's own here: cluster 0 and 1 << id for the first 16. */
const X2APIC: ApicAccess = {
  enable(code) {
    code.mov(ecx, IA32_APIC_BASE);
    code.rdmsr();
    code.or(eax, X2APIC_ENABLE);
    code.wrmsr();
    writeX2apic(code, APIC.SVR, SVR_ENABLE);
  },
  readId(code) {
    code.mov(ecx, IA32_APIC_BASE);
    code.rdmsr();
    code.mov(ebx, eax);
    // Before `enable` the id is that of the page.
    code.test(ebx, X2APIC_ENABLE);
    when(
      code,
      'z',
      () => XAPIC.readId(code),
      () => {
        code.mov(ecx, x2apicMsr(APIC.ID));
        code.rdmsr();
        code.mov(ebx, eax);
      },
    );
  },
  endInterrupt: (code) => writeX2apic(code, APIC.EOI, 0),
  send: (code, { command, destination = 0, wideDestination = destination }) =>
    writeX2apic(code, APIC.ICR, command, wideDestination),
  changeToClusters() {},
};

/** EDI = this processor's record, EBX = its APIC id. */
function findRecord(code: Code, apic: ApicAccess): void {
  apic.readId(code);
  code.mov(edi, ebx);
  code.shl(edi, 8);
  code.add(edi, RECORDS.BASE);
}

/** What every processor does first, jumped to with the way back in ESI: a stack, the local APIC with logical id 1 << id, CPUID into its record. */
function emitSetUp(code: Code, apic: ApicAccess): void {
  code.label('setUp');
  findRecord(code, apic);
  code.mov(esp, ebx);
  code.shl(esp, 10);
  code.add(esp, STACKS.BASE + STACKS.BYTES);
  code.lidt(at('idtPointer'));
  apic.enable(code);
  code.add(edi, RECORDS.CPUID);
  for (const [leaf, subleaf] of CPUID_LEAVES) {
    code.mov(eax, leaf);
    code.mov(ecx, subleaf);
    code.cpuid();
    // Leaf 1 says much else: initial APIC id and number of ids only.
    if (leaf === 1) code.and(ebx, 0xffff_0000);
    const words = leaf === 1 ? [ebx] : [eax, ebx, ecx, edx];
    for (const [index, register] of words.entries()) code.mov(dword(edi, index * 4), register);
    code.add(edi, words.length * 4);
  }
  code.jmpIndirect(esi);
}

/** All processors but the first: they count themselves and wait for interrupts. */
function emitOther(code: Code): void {
  code.label('other');
  code.mov(esi, symbol('otherReady'));
  code.jump('setUp');
  code.label('otherReady');
  code.lock();
  code.inc(dword(STARTED));
  code.sti();
  repeat(code, () => code.hlt());
}

function emitHandlers(code: Code, apic: ApicAccess): void {
  for (const [index, vector] of VECTORS.entries()) {
    code.label(`handler${vector}`);
    for (const register of [eax, ebx, ecx, edx, edi]) code.push(register);
    findRecord(code, apic);
    code.inc(dword(edi, RECORDS.COUNTS + index * 4));
    if (vector === TO_CLUSTER_MODEL) apic.changeToClusters(code);
    if (vector !== NMI) apic.endInterrupt(code);
    for (const register of [edi, edx, ecx, ebx, eax]) code.pop(register);
    code.iretd();
  }
  // The GDT's call gates name a target; nobody calls through them here.
  code.label('gateTarget');
  code.label('unexpected');
  code.mov(eax, 0xdead_dead);
  code.call('printWord');
  code.jump('finish');
}

/** Waits until the others must have done what they were asked to. */
function wait(code: Code, patience: number): void {
  code.mov(ecx, patience);
  countDown(code, ecx, () => {
    code.in(al, 0x80);
    code.pause();
  });
}

/** The same with interrupts let in. */
function emitWait(code: Code, patience: number): void {
  code.label('wait');
  code.sti();
  wait(code, patience);
  code.cli();
  code.ret();
}

/** Prints `count` words from `address`. */
function print(code: Code, address: number, count: number): void {
  for (let index = 0; index < count; index++) {
    code.mov(eax, dword(address + index * 4));
    code.call('printWord');
  }
}

function emitIdt(code: Code): void {
  code.align(16);
  code.label('idt');
  for (let vector = 0; vector < IDT_VECTORS; vector++) {
    const handler = VECTORS.includes(vector) ? `handler${vector}` : 'unexpected';
    code.dw(offsetIn(ROM_BASE, handler), SELECTOR.CODE32, 0x8e00, ROM_BASE >>> 16);
  }
  code.label('idtPointer');
  code.dw(IDT_VECTORS * 8 - 1);
  code.dd(symbol('idt'));
}

/** The ROM, and what its lines are about. In x2APIC mode, which QEMU's TCG has not, all lines are the same. */
export function processorsImage(
  patience: number,
  mode: 'xAPIC' | 'x2APIC' = 'xAPIC',
): {
  readonly rom: Uint8Array;
  readonly names: readonly string[];
} {
  const code = createAssembler();
  const apic = mode === 'xAPIC' ? XAPIC : X2APIC;
  const send = (step: Omit<Step, 'name'>): void => {
    apic.send(code, step);
    code.call('wait');
  };
  const record = (processor: number): number => RECORDS.BASE + processor * RECORDS.BYTES;
  const processors = Array.from({ length: IMAGE_PROCESSORS }, (_, index) => index);
  emitProtectedEntry(code, () => {
    // Start-up leads here too: the ROM's first byte is its entry.
    code.mov(ecx, IA32_APIC_BASE);
    code.rdmsr();
    code.test(eax, BOOT_PROCESSOR);
    when(code, 'z', () => code.jump('other'));
    // The 8259 pair masked: the PIT counts from power-on.
    code.mov(al, 0xff);
    code.out(0x21, al);
    code.out(0xa1, al);
    code.mov(esi, symbol('bootReady'));
    code.jump('setUp');
    code.label('bootReady');
    send({ command: MODE.INIT | ASSERT | TO.OTHERS });
    for (const destination of processors.slice(1)) send({ command: MODE.STARTUP | ASSERT | START_PAGE, destination });
    print(code, STARTED, 1);
    newLine(code);
    for (const processor of processors) {
      print(code, record(processor) + RECORDS.CPUID, CPUID_WORDS);
      newLine(code);
    }
    for (const step of STEPS) {
      send(step);
      print(code, STARTED, 1);
      for (const processor of processors) print(code, record(processor) + RECORDS.COUNTS, VECTORS.length);
      newLine(code);
    }
  });
  emitPrint(code);
  emitWait(code, patience);
  emitSetUp(code, apic);
  emitOther(code);
  emitHandlers(code, apic);
  emitIdt(code);
  const { rom } = finish(code, []);
  const cpuid = processors.map((processor) => `CPUID of processor ${processor}`);
  return { rom, names: ['started', ...cpuid, ...STEPS.map(({ name }) => name)] };
}

/** A ROM whose first processor starts the others; they shut down. */
export function shutdownImage(): Uint8Array {
  const code = createAssembler();
  emitProtectedEntry(code, () => {
    code.mov(ecx, IA32_APIC_BASE);
    code.rdmsr();
    code.test(eax, BOOT_PROCESSOR);
    when(code, 'z', () => {
      code.lidt(at('noIdt'));
      code.ud2();
    });
    XAPIC.send(code, { command: MODE.INIT | ASSERT | TO.OTHERS });
    wait(code, PATIENCE.MACHINE);
    XAPIC.send(code, { command: MODE.STARTUP | ASSERT | START_PAGE, destination: 1 });
    wait(code, PATIENCE.MACHINE);
  });
  code.label('noIdt');
  code.dw(0);
  code.dd(0);
  code.label('gateTarget');
  return finish(code, []).rom;
}
