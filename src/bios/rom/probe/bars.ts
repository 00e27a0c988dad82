import type { Code } from '../assembler/assembler.ts';
import { invoke, procedure, repeat, when } from '../assembler/macros.ts';
import { at, byte, dword, qword, scaled, symbol, word } from '../assembler/operands.ts';
import {
  al,
  dx,
  eax,
  ecx,
  edi,
  edx,
  esi,
  r12,
  r13,
  r14,
  r15,
  r15d,
  r15w,
  rax,
  rbx,
  rcx,
  rdi,
  rdx,
  si,
} from '../assembler/registers.ts';
import { log } from '../log.ts';
import { logAddress } from './pci.ts';
import { PROBE_BAR_KINDS } from './protocol.ts';

/** Type 0/1 header (PCI 3.0 §6.1, PCI-to-PCI Bridge 1.2 §3.2). */
const CONFIG = { COMMAND: 0x04, HEADER_TYPE: 0x0e, BAR0: 0x10 } as const;
const DECODE = 3;

/** Where something can be written without harm, and what then reads back. */
interface EchoRow {
  /** Device id << 16 | vendor id, under a mask. */
  readonly id: number;
  readonly mask: number;
  /** BAR index, or any. */
  readonly bar: number;
  /** Offset, or the BAR's last 4 bytes. */
  readonly offset: number;
  readonly value: number;
  /** What then reads back, if not the value. */
  readonly expected?: number;
  readonly byteWide?: boolean;
}

const ANY_BAR = 0xff;
const LAST = 0xffff_ffff;
const EXACTLY = 0xffff_ffff;
const PATTERN = 0x5aa5_0ff0;

const ECHO_ROWS: readonly EchoRow[] = [
  // edu: the liveness register.
  { id: 0x11e8_1234, mask: EXACTLY, bar: 0, offset: 4, value: PATTERN, expected: ~PATTERN >>> 0 },
  // q35-testdev: its BARs are storage but for the registers.
  { id: 0x35ed_1b36, mask: EXACTLY, bar: ANY_BAR, offset: LAST, value: PATTERN },
  // pcie-root-port: the MSI-X table's first address.
  { id: 0x000c_1b36, mask: EXACTLY, bar: 0, offset: 0, value: PATTERN },
  // pci-testdev: selects a test; the three of memory are numbered before the three of I/O.
  { id: 0x0005_1b36, mask: EXACTLY, bar: 0, offset: 0, value: 1, byteWide: true },
  { id: 0x0005_1b36, mask: EXACTLY, bar: 1, offset: 0, value: 1, expected: 4, byteWide: true },
  // virtio 1.0: MSI-X table in BAR 1, device_feature_select in BAR 4.
  { id: 0x1040_1af4, mask: 0xffc0_ffff, bar: 1, offset: 0, value: PATTERN },
  { id: 0x1040_1af4, mask: 0xffc0_ffff, bar: 4, offset: 0, value: 1 },
];
const ROW = { MASK: 0, ID: 4, BAR: 8, OFFSET: 12, VALUE: 16, EXPECTED: 20, BYTE_WIDE: 24, BYTES: 28 } as const;

export function emitBars(code: Code): void {
  emitTablesOfData(code);
  emitReportBars(code);
  emitSizeBar(code);
  emitPorts(code);
  emitAccess(code);
  emitEcho(code);
}

function emitTablesOfData(code: Code): void {
  code.inSection('constants', () => {
    for (const kind of PROBE_BAR_KINDS) {
      code.label(`kind-${kind}`);
      code.asciz(kind);
    }
    code.align(8, 0);
    code.label('kindNames');
    for (const kind of PROBE_BAR_KINDS) code.dd(symbol(`kind-${kind}`));
    code.label('echoRows');
    for (const { id, mask, bar, offset, value, expected, byteWide } of ECHO_ROWS) {
      code.dd(mask, id, bar, offset, value, expected ?? value, byteWide ? 1 : 0);
    }
    code.dd(0);
  });
}

/** All BARs of the current function; firstMemoryBar = the first memory BAR that decodes, or 0. */
function emitReportBars(code: Code): void {
  procedure(code, 'reportBars', [rbx, r12, r13], (leave) => {
    code.mov(rbx, qword('functionConfig'));
    code.mov(qword('firstMemoryBar'), 0);
    code.xor(r12, r12);
    code.mov(r13, 6);
    code.mov(al, byte(rbx, CONFIG.HEADER_TYPE));
    code.and(al, 0x7f);
    when(code, 'nz', () => code.mov(r13, 2));
    code.cmp(al, 1);
    code.branch('a', leave);
    repeat(code, ({ next }) => {
      code.cmp(r12, r13);
      code.branch('ae', leave);
      code.mov(qword('barIndex'), r12);
      code.call('sizeBar');
      code.add(r12, qword('barSlots'));
      code.cmp(qword('barSize'), 0);
      code.branch('z', next);
      reportBar(code);
      code.cmp(qword('barDecode'), 0);
      code.branch('z', next);
      code.call('accessBar');
      code.call('echoBar');
    });
  });
}

function reportBar(code: Code): void {
  log(code, 'probe bar');
  logAddress(code);
  log(code, ' index={} kind=', qword('barIndex'));
  code.mov(rax, qword('barKind'));
  code.mov(edi, dword(scaled(rax, 4), 'kindNames'));
  code.call('print');
  log(code, ' base={} size={} decode={}\r\n', qword('barBase'), qword('barSize'), qword('barDecode'));
}

/** BAR R12 of the function at RBX by all-ones, with decoding off meanwhile: barKind, barBase, barSize (0: none), barSlots, barDecode. */
function emitSizeBar(code: Code): void {
  procedure(code, 'sizeBar', [r13, r14, r15], (leave) => {
    code.lea(r14, at(rbx, scaled(r12, 4), CONFIG.BAR0));
    code.mov(qword('barSlots'), 1);
    code.mov(qword('barSize'), 0);
    code.mov(qword('barDecode'), 0);
    code.movzx(r15d, word(rbx, CONFIG.COMMAND));
    code.mov(esi, r15d);
    code.and(esi, ~DECODE);
    code.mov(word(rbx, CONFIG.COMMAND), si);
    sizeHalf(code, 0);
    code.mov(r13, rcx);
    code.mov(qword('barBase'), rax);
    code.mov(rdi, -1);
    code.shl(rdi, 32);
    code.test(al, 1);
    when(
      code,
      'nz',
      () => {
        code.and(qword('barBase'), -4);
        code.and(r13, -4);
        // 16 bits of I/O address are enough for a size.
        code.mov(edx, 0xffff_0000);
        code.or(rdi, rdx);
        code.mov(qword('barKind'), 0);
        code.mov(edx, 1);
      },
      () => {
        code.and(qword('barBase'), -16);
        code.and(r13, -16);
        sizeMemory(code);
        code.mov(edx, 2);
      },
    );
    code.mov(word(rbx, CONFIG.COMMAND), r15w);
    code.test(r13, r13);
    code.branch('z', leave);
    code.or(r13, rdi);
    code.neg(r13);
    code.mov(qword('barSize'), r13);
    code.test(r15d, edx);
    code.branch('z', leave);
    code.cmp(qword('barBase'), 0);
    code.branch('z', leave);
    code.mov(qword('barDecode'), 1);
    code.cmp(edx, 1);
    code.branch('z', leave);
    code.cmp(qword('firstMemoryBar'), 0);
    code.branch('nz', leave);
    code.mov(rax, qword('barBase'));
    code.mov(qword('firstMemoryBar'), rax);
  });
}

/** EAX = the register's value, ECX = what all-ones leave in it. */
function sizeHalf(code: Code, offset: number): void {
  code.mov(eax, dword(r14, offset));
  code.mov(dword(r14, offset), 0xffff_ffff);
  code.mov(ecx, dword(r14, offset));
  code.mov(dword(r14, offset), eax);
}

/** The low half's value is in EAX, its mask in R13; RDI holds the bits to add to the mask. Kind: 1 + prefetchable + 2 if 64-bit. */
function sizeMemory(code: Code): void {
  code.mov(edx, eax);
  code.shr(edx, 3);
  code.and(edx, 1);
  code.inc(edx);
  code.and(eax, 6);
  code.cmp(eax, 4);
  when(code, 'z', () => {
    code.add(edx, 2);
    sizeHalf(code, 4);
    code.shl(rax, 32);
    code.or(qword('barBase'), rax);
    code.shl(rcx, 32);
    code.or(r13, rcx);
    code.xor(edi, edi);
    code.mov(qword('barSlots'), 2);
  });
  code.mov(qword('barKind'), rdx);
}

/** `barRead(address)`, `barWrite(address, value)`, and the byte forms: by I/O for an I/O BAR. Keep R8–R15 and RBX. */
function emitPorts(code: Code): void {
  const access = (name: string, memory: () => void, port: () => void) => {
    procedure(code, name, [], () => {
      code.mov(rdx, rdi);
      code.cmp(qword('barKind'), 0);
      when(
        code,
        'z',
        () => {
          code.mov(eax, esi);
          port();
        },
        memory,
      );
    });
  };
  access(
    'barRead',
    () => code.mov(eax, dword(rdi)),
    () => code.in(eax, dx),
  );
  access(
    'barReadByte',
    () => code.movzx(eax, byte(rdi)),
    () => {
      code.in(al, dx);
      code.movzx(eax, al);
    },
  );
  access(
    'barWrite',
    () => code.mov(dword(rdi), esi),
    () => code.out(dx, eax),
  );
  access(
    'barWriteByte',
    () => {
      code.mov(eax, esi);
      code.mov(byte(rdi), al);
    },
    () => code.out(dx, al),
  );
}

function logBar(code: Code): void {
  logAddress(code);
  log(code, ' index={}', qword('barIndex'));
}

function emitAccess(code: Code): void {
  procedure(code, 'accessBar', [r14], () => {
    invoke(code, 'barRead', qword('barBase'));
    code.mov(r14, rax);
    code.mov(rdi, qword('barBase'));
    code.add(rdi, qword('barSize'));
    code.sub(rdi, 4);
    code.call('barRead');
    log(code, 'probe access');
    logBar(code);
    log(code, ' first={} last={}\r\n', r14, rax);
  });
}

/** Writes where the table says that it does no harm, reads back, and restores. */
function emitEcho(code: Code): void {
  procedure(code, 'echoBar', [r13, r14, r15], (leave) => {
    code.mov(r13, symbol('echoRows', -ROW.BYTES));
    code.mov(rcx, qword('functionConfig'));
    code.mov(ecx, dword(rcx));
    repeat(code, ({ next, done }) => {
      code.add(r13, ROW.BYTES);
      code.mov(eax, dword(r13, ROW.MASK));
      code.test(eax, eax);
      code.branch('z', leave);
      code.and(eax, ecx);
      code.cmp(eax, dword(r13, ROW.ID));
      code.branch('nz', next);
      code.mov(eax, dword(r13, ROW.BAR));
      code.cmp(eax, ANY_BAR);
      code.branch('z', done);
      code.cmp(eax, dword('barIndex'));
      code.branch('z', done);
    });
    code.mov(eax, dword(r13, ROW.OFFSET));
    code.cmp(eax, -1);
    when(code, 'z', () => {
      code.mov(rax, qword('barSize'));
      code.sub(rax, 4);
    });
    code.mov(qword('echoOffset'), rax);
    code.mov(r14, qword('barBase'));
    code.add(r14, rax);
    code.cmp(dword(r13, ROW.BYTE_WIDE), 0);
    when(
      code,
      'z',
      () => exchange(code, 'barRead', 'barWrite'),
      () => exchange(code, 'barReadByte', 'barWriteByte'),
    );
  });
}

/** One echo at R14 by row R13. */
function exchange(code: Code, read: string, write: string): void {
  invoke(code, read, r14);
  code.mov(r15, rax);
  invoke(code, write, r14, dword(r13, ROW.VALUE));
  invoke(code, read, r14);
  log(code, 'probe echo');
  logBar(code);
  log(code, ' offset={} written={} expected={}', qword('echoOffset'), dword(r13, ROW.VALUE), dword(r13, ROW.EXPECTED));
  log(code, ' read={}\r\n', rax);
  // Only what holds the value that was written can be given the old one back.
  code.mov(eax, dword(r13, ROW.EXPECTED));
  code.cmp(eax, dword(r13, ROW.VALUE));
  when(code, 'z', () => invoke(code, write, r14, r15));
}
