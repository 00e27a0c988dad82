import type { Code } from '../../../src/bios/rom/assembler/assembler.ts';
import { at, byte, dword, qword, symbol, word } from '../../../src/bios/rom/assembler/operands.ts';
import {
  al,
  ax,
  cr0,
  cs,
  ds,
  dx,
  eax,
  ebx,
  ecx,
  edi,
  edx,
  fs,
  gs,
  r11,
  rax,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  rsp,
  ss,
} from '../../../src/bios/rom/assembler/registers.ts';
import { type OracleCase, type OracleImage, RAM, SELECTOR } from './layout.ts';
import { longImage, TABLES_64 } from './long-image.ts';

/** Goes to CPL 3 in 64-bit code and runs `body` there. */
export function user(code: Code, body: () => void, options: { flags?: number; compatibility?: boolean } = {}): void {
  const label = code.localLabel('user');
  code.push(SELECTOR.USER_DATA);
  code.push(RAM.USER_STACK);
  code.push(options.flags ?? 0x2);
  code.push(options.compatibility === true ? SELECTOR.USER_CODE32 : SELECTOR.USER_CODE64);
  code.push(symbol(label));
  code.iretq();
  code.label(label);
  if (options.compatibility === true) code.bits(32);
  body();
  if (options.compatibility === true) {
    code.int(0x80);
    code.bits(64);
  }
}

const NON_CANONICAL = 0x8000_0000_0000n;

const addresses: OracleCase[] = [
  {
    name: 'read non-canonical',
    body: (code) => {
      code.mov(rbx, NON_CANONICAL);
      code.mov(rax, qword(rbx));
    },
  },
  {
    name: 'read non-canonical through the stack',
    body: (code) => {
      code.mov(rbx, NON_CANONICAL);
      code.mov(rsp, rbx);
      code.pop(rax);
    },
  },
  {
    name: 'jump non-canonical',
    sdm: '0000000d 00000000',
    body: (code) => {
      code.mov(rbx, NON_CANONICAL);
      code.jmpIndirect(rbx);
    },
  },
  {
    name: 'ret non-canonical',
    sdm: '0000000d 00000000',
    body: (code) => {
      code.mov(rbx, NON_CANONICAL);
      code.push(rbx);
      code.ret();
    },
  },
  {
    name: 'not mapped: read',
    body: (code) => {
      code.mov(rbx, 0x12_3456_7000n);
      code.mov(rax, qword(rbx, 8));
    },
  },
  {
    name: 'not mapped: write',
    body: (code) => {
      code.mov(rbx, 0xffff_ffff_8000_0000n);
      code.mov(qword(rbx), rax);
    },
  },
  {
    name: 'not mapped: execute',
    body: (code) => {
      code.mov(rbx, 0x40_0000);
      code.jmpIndirect(rbx);
    },
  },
  { name: 'not mapped: user read', body: (code) => user(code, () => code.mov(eax, dword(0x40_0010))) },
  {
    name: 'cmpxchg16b misaligned',
    body: (code) => {
      code.mov(rbx, RAM.SCRATCH + 8);
      code.cmpxchg16b(at(rbx));
    },
  },
  {
    name: 'cmpxchg16b',
    body: (code) => {
      code.mov(rdi, RAM.SCRATCH);
      code.mov(qword(rdi), 5);
      code.mov(qword(rdi, 8), 6);
      code.mov(rax, 5);
      code.mov(rdx, 6);
      code.mov(rbx, 0x1_0000_0007n);
      code.mov(rcx, 8);
      code.cmpxchg16b(at(rdi));
      code.mov(rax, qword(rdi));
    },
  },
];

/** Sets the entry of page `RAM.PAGES` to `bits` (low dword) and, with `noExecute`, bit 63; drops the translation. */
function mapPage(code: Code, bits: number, high = 0): void {
  const entry = TABLES_64.PT + (RAM.PAGES >>> 12) * 8;
  code.mov(dword(entry), RAM.PAGES | bits);
  code.mov(dword(entry + 4), high);
  code.invlpg(at(RAM.PAGES));
}

function readEntry(code: Code): void {
  code.mov(eax, dword(TABLES_64.PT + (RAM.PAGES >>> 12) * 8));
}

function setCr4(code: Code, value: number): void {
  code.mov(eax, value);
  code.db(0x0f, 0x22, 0xe0);
}

const PAE = 0x20;
const SMEP = 1 << 20;
const SMAP = 1 << 21;

const paging: OracleCase[] = [
  {
    name: 'accessed bit',
    body: (code) => {
      mapPage(code, 7);
      code.mov(eax, dword(RAM.PAGES));
      readEntry(code);
    },
  },
  {
    name: 'dirty bit',
    body: (code) => {
      mapPage(code, 7);
      code.mov(dword(RAM.PAGES), 1);
      readEntry(code);
    },
  },
  {
    name: 'dirty bit after a read',
    body: (code) => {
      mapPage(code, 7);
      code.mov(eax, dword(RAM.PAGES));
      code.add(dword(RAM.PAGES), 1);
      readEntry(code);
    },
  },
  {
    name: 'read-only for the user',
    body: (code) => {
      mapPage(code, 5);
      user(code, () => code.mov(dword(RAM.PAGES), 1));
    },
  },
  {
    name: 'read-only for the supervisor, WP clear',
    body: (code) => {
      mapPage(code, 5);
      code.mov(eax, 0x8000_0011);
      code.mov(cr0, rax);
      code.mov(dword(RAM.PAGES), 1);
      readEntry(code);
    },
  },
  {
    name: 'read-only for the supervisor, WP set',
    body: (code) => {
      mapPage(code, 5);
      code.mov(rax, cr0);
      code.or(eax, 0x1_0000);
      code.mov(cr0, rax);
      code.mov(dword(RAM.PAGES), 1);
    },
  },
  {
    name: 'supervisor page for the user: read',
    body: (code) => {
      mapPage(code, 3);
      user(code, () => code.mov(eax, dword(RAM.PAGES)));
    },
  },
  {
    name: 'supervisor page for the user: execute',
    body: (code) => {
      mapPage(code, 3);
      user(code, () => {
        code.mov(ebx, RAM.PAGES);
        code.jmpIndirect(rbx);
      });
    },
  },
  {
    name: 'not present leaves A alone',
    body: (code) => {
      mapPage(code, 6);
      code.mov(eax, dword(RAM.PAGES));
    },
  },
  {
    name: 'no-execute',
    body: (code) => {
      mapPage(code, 7, 0x8000_0000);
      code.mov(ebx, RAM.PAGES);
      code.jmpIndirect(rbx);
    },
  },
  {
    name: 'no-execute for the user',
    body: (code) => {
      mapPage(code, 7, 0x8000_0000);
      user(code, () => {
        code.mov(ebx, RAM.PAGES);
        code.jmpIndirect(rbx);
      });
    },
  },
  {
    name: 'no-execute can be read',
    body: (code) => {
      mapPage(code, 7, 0x8000_0000);
      code.mov(eax, dword(RAM.PAGES));
      readEntry(code);
    },
  },
  {
    name: 'reserved physical bit',
    sdm: '0000000e 00000009',
    body: (code) => {
      mapPage(code, 7, 0x0001_0000);
      code.mov(eax, dword(RAM.PAGES));
    },
  },
  {
    name: 'SMEP',
    body: (code) => {
      mapPage(code, 7);
      supervisorCode(code, 3);
      setCr4(code, PAE | SMEP);
      code.mov(ebx, RAM.PAGES);
      code.jmpIndirect(rbx);
    },
  },
  {
    name: 'SMAP: read',
    body: (code) => {
      setCr4(code, PAE);
      supervisorCode(code, 7);
      mapPage(code, 7);
      supervisorData(code, 3);
      setCr4(code, PAE | SMAP);
      code.mov(eax, dword(RAM.PAGES));
    },
  },
  {
    name: 'SMAP: read with AC',
    body: (code) => {
      code.db(0x0f, 0x01, 0xcb); // stac
      code.mov(eax, dword(RAM.PAGES));
      readEntry(code);
      code.and(eax, 0xff);
    },
  },
  {
    name: 'SMAP: write after CLAC',
    body: (code) => {
      code.db(0x0f, 0x01, 0xcb);
      code.mov(dword(RAM.PAGES), 7);
      code.db(0x0f, 0x01, 0xca);
      code.mov(dword(RAM.PAGES), 8);
    },
  },
  {
    name: 'user stac',
    body: (code) => {
      setCr4(code, PAE);
      supervisorData(code, 7);
      user(code, () => code.db(0x0f, 0x01, 0xcb));
    },
  },
  {
    name: 'UMIP: user sgdt',
    body: (code) => {
      setCr4(code, PAE | 0x800);
      user(code, () => code.sgdt(at(RAM.SCRATCH)));
    },
  },
  {
    name: 'UMIP: user smsw',
    body: (code) => user(code, () => code.smsw(eax)),
  },
  {
    name: 'UMIP: supervisor str',
    body: (code) => {
      code.str(eax);
      code.mov(rbx, rax);
      setCr4(code, PAE);
      code.mov(rax, rbx);
    },
  },
];

const ROM_PAGE = 0xf_0000;

/** Makes the ROM's pages the supervisor's (3) or everyone's (7). */
function supervisorCode(code: Code, bits: number): void {
  for (let page = 0; page < 16; page++) {
    const gpa = ROM_PAGE + page * 0x1000;
    code.mov(dword(TABLES_64.PT + (gpa >>> 12) * 8), gpa | bits);
  }
  reloadCr3(code);
}

/** The same for everything below the pages that the cases play with. */
function supervisorData(code: Code, bits: number): void {
  for (let page = 0; page < RAM.PAGES >>> 12; page++) {
    code.mov(dword(TABLES_64.PT + page * 8), (page << 12) | bits);
  }
  reloadCr3(code);
}

function reloadCr3(code: Code): void {
  code.mov(eax, TABLES_64.PML4);
  code.db(0x0f, 0x22, 0xd8);
}

const delivery: OracleCase[] = [
  { name: 'int3', body: (code) => code.int3() },
  {
    name: 'the stack is aligned',
    body: (code) => {
      code.push(1);
      code.push(1);
      code.push(1);
      code.ud2();
    },
  },
  { name: 'user #UD', body: (code) => user(code, () => code.ud2()) },
  { name: 'user int 0x20', sdm: '0000000d 00000102', body: (code) => user(code, () => code.int(0x20)) },
  { name: 'user int 0x21', body: (code) => user(code, () => code.int(0x21), { flags: 0x202 }) },
  { name: 'compatibility #UD', body: (code) => user(code, () => code.ud2(), { compatibility: true }) },
  {
    name: 'compatibility: registers are cut',
    body: (code) => {
      code.mov(rbx, 0x1_ffff_ffffn);
      user(
        code,
        () => {
          code.add(ebx, 2);
          code.mov(eax, ebx);
        },
        { compatibility: true },
      );
    },
  },
  {
    name: '#PF on a broken gate nests to #DF on its IST',
    body: (code) => {
      code.mov(byte(RAM.IDT + 14 * 16 + 5), 0x0e);
      code.mov(eax, dword(0x40_0000));
    },
  },
  {
    name: '#DE on a broken gate',
    body: (code) => {
      code.mov(byte(RAM.IDT + 14 * 16 + 5), 0x8e);
      code.mov(byte(RAM.IDT + 5), 0x0e);
      code.xor(edx, edx);
      code.xor(ecx, ecx);
      code.div(ecx);
    },
  },
  {
    name: 'gate to 32-bit code',
    body: (code) => {
      code.mov(byte(RAM.IDT + 5), 0x8e);
      code.mov(word(RAM.IDT + 0x20 * 16 + 2), SELECTOR.CODE32);
      code.int(0x20);
    },
  },
  {
    name: 'gate to a non-canonical handler',
    body: (code) => {
      code.mov(word(RAM.IDT + 0x20 * 16 + 2), SELECTOR.CODE64);
      code.mov(dword(RAM.IDT + 0x20 * 16 + 8), 0x8000);
      code.int(0x20);
    },
    sdm: '0000000d 00000000',
  },
  {
    name: 'stack segment fault into the IST',
    body: (code) => {
      code.mov(dword(RAM.IDT + 0x20 * 16 + 8), 0);
      code.mov(byte(RAM.IDT + 12 * 16 + 4), 1);
      code.mov(rbx, NON_CANONICAL);
      code.mov(rsp, rbx);
      code.push(1);
    },
  },
  {
    name: 'single step',
    body: (code) => {
      code.push(0x102);
      code.popf();
      code.nop();
    },
  },
  {
    name: 'syscall is stepped too',
    body: (code) => {
      syscallMsrs(code, 0);
      user(code, () => code.syscall(), { flags: 0x102 });
    },
  },
  { name: 'int 0x80 of a stepping user', body: (code) => user(code, () => code.int(0x80), { flags: 0x102 }) },
];

function writeMsr(code: Code, number: number, low: number | ReturnType<typeof symbol>, high: number): void {
  code.mov(ecx, number);
  code.mov(eax, low);
  code.mov(edx, high);
  code.wrmsr();
}

/** STAR for USER_CODE32 (so that SYSRET finds +8 data and +16 code), LSTAR, SFMASK. */
function syscallMsrs(code: Code, mask: number): void {
  writeMsr(code, 0xc000_0081, 0, ((SELECTOR.USER_CODE32 - 0) << 16) | SELECTOR.CODE64);
  writeMsr(code, 0xc000_0082, symbol('gateTarget'), 0);
  writeMsr(code, 0xc000_0084, mask, 0);
}

const fastCalls: OracleCase[] = [
  {
    name: 'syscall',
    body: (code) => {
      syscallMsrs(code, 0x200);
      user(
        code,
        () => {
          code.xor(eax, eax);
          code.syscall();
        },
        { flags: 0x202 },
      );
    },
  },
  {
    name: 'syscall keeps RIP in RCX and flags in R11',
    body: (code) => {
      syscallMsrs(code, 0x200);
      writeMsr(code, 0xc000_0082, symbol('syscallTarget'), 0);
      user(
        code,
        () => {
          code.xor(eax, eax);
          code.syscall();
        },
        { flags: 0x40202 },
      );
    },
  },
  {
    name: 'sysret to 64-bit code',
    body: (code) => {
      const label = code.localLabel('back');
      syscallMsrs(code, 0);
      code.mov(rcx, symbol(label));
      code.mov(r11, 0x24_0a02);
      code.sysretq();
      code.label(label);
      code.mov(eax, cs);
    },
  },
  {
    name: 'sysret to 32-bit code',
    body: (code) => {
      const label = code.localLabel('back');
      syscallMsrs(code, 0);
      code.mov(rcx, symbol(label));
      code.mov(r11, 0x202);
      code.db(0x0f, 0x07);
      code.label(label);
      code.bits(32);
      code.mov(eax, cs);
      code.int(0x80);
      code.bits(64);
    },
  },
  { name: 'user sysret', body: (code) => user(code, () => code.sysretq()) },
  { name: 'user swapgs', body: (code) => user(code, () => code.swapgs()) },
  {
    name: 'swapgs',
    body: (code) => {
      writeMsr(code, 0xc000_0101, 0x1111, 0);
      writeMsr(code, 0xc000_0102, RAM.SCRATCH, 0);
      code.mov(qword(RAM.SCRATCH), 0x77);
      code.swapgs();
      code.mov(rax, qword(gs, 0));
    },
  },
  {
    name: 'kernel GS base afterwards',
    body: (code) => {
      code.mov(ecx, 0xc000_0102);
      code.rdmsr();
    },
  },
  {
    name: 'FS base',
    body: (code) => {
      writeMsr(code, 0xc000_0100, RAM.SCRATCH, 0);
      code.mov(rax, qword(fs, 0));
    },
  },
  {
    name: 'FS base non-canonical',
    body: (code) => writeMsr(code, 0xc000_0100, 0, 0x8000),
    sdm: '0000000d 00000000',
  },
  {
    name: 'LSTAR non-canonical',
    body: (code) => writeMsr(code, 0xc000_0082, 0, 0x8000),
    sdm: '0000000d 00000000',
  },
  {
    name: 'load of a selector into FS takes the descriptor base',
    body: (code) => {
      code.mov(ax, SELECTOR.SMALL_DATA);
      code.mov(fs, ax);
      code.mov(rax, qword(fs, 0x100));
      code.mov(ecx, 0xc000_0100);
      code.rdmsr();
    },
  },
  {
    name: 'EFER: LME under paging',
    body: (code) => writeMsr(code, 0xc000_0080, 0x801, 0),
    sdm: '0000000d 00000000',
  },
  {
    name: 'cr8',
    body: (code) => {
      code.mov(eax, 9);
      code.db(0x44, 0x0f, 0x22, 0xc0);
      code.db(0x44, 0x0f, 0x20, 0xc0);
    },
  },
  {
    name: 'sysenter in long mode',
    body: (code) => {
      writeMsr(code, 0x174, SELECTOR.CODE64, 0);
      writeMsr(code, 0x175, RAM.STACK_1, 0);
      writeMsr(code, 0x176, symbol('gateTarget'), 0);
      user(code, () => code.db(0x0f, 0x34), { compatibility: true, flags: 0x202 });
    },
  },
];

const transfers: OracleCase[] = [
  {
    name: 'iretq to the same level',
    body: (code) => {
      const label = code.localLabel('same');
      code.push(SELECTOR.DATA);
      code.push(0x8800);
      code.push(0x202);
      code.push(SELECTOR.CODE64);
      code.push(symbol(label));
      code.iretq();
      code.label(label);
      code.cli();
      code.mov(rax, rsp);
    },
  },
  {
    name: 'iretq with a null SS',
    body: (code) => {
      const label = code.localLabel('same');
      code.push(0);
      code.push(RAM.STACK);
      code.push(2);
      code.push(SELECTOR.CODE64);
      code.push(symbol(label));
      code.iretq();
      code.label(label);
      code.mov(eax, ss);
    },
  },
  {
    name: 'iretq with NT',
    body: (code) => {
      code.push(0x4002);
      code.popf();
      code.iretq();
    },
  },
  {
    name: 'iretq to a non-canonical address',
    body: (code) => {
      code.mov(rbx, NON_CANONICAL);
      code.push(SELECTOR.DATA);
      code.push(RAM.STACK);
      code.push(2);
      code.push(SELECTOR.CODE64);
      code.push(rbx);
      code.iretq();
    },
    sdm: '0000000d 00000000',
  },
  {
    name: 'iretq to data',
    body: (code) => {
      code.push(SELECTOR.DATA);
      code.push(RAM.STACK);
      code.push(2);
      code.push(SELECTOR.DATA);
      code.push(0);
      code.iretq();
    },
  },
  {
    name: 'mov ss null at CPL 0',
    body: (code) => {
      code.xor(eax, eax);
      code.mov(ss, ax);
      code.push(5);
      code.pop(rax);
    },
  },
  {
    name: 'user mov ss null',
    body: (code) =>
      user(code, () => {
        code.mov(eax, 3);
        code.mov(ss, ax);
      }),
  },
  {
    name: 'far return to compatibility code',
    body: (code) => {
      const label = code.localLabel('narrow');
      code.push(SELECTOR.CODE32);
      code.push(symbol(label));
      code.retfq();
      code.label(label);
      code.bits(32);
      code.mov(eax, cs);
      code.int(0x80);
      code.bits(64);
    },
  },
  {
    name: 'far jump through memory',
    body: (code) => {
      code.mov(dword(RAM.SCRATCH), symbol('gateTarget'));
      code.mov(word(RAM.SCRATCH + 4), SELECTOR.CODE64);
      code.jmpFarD(at(RAM.SCRATCH));
    },
  },
  {
    name: 'user call through a 64-bit gate',
    body: (code) => {
      code.mov(dword(RAM.GDT + SELECTOR.CALL_GATE_USER), symbol('gateTarget', -0xf_0000 + (SELECTOR.CODE64 << 16)));
      code.mov(qword(RAM.GDT + SELECTOR.CALL_GATE_USER + 8), 0);
      user(code, () => {
        code.mov(dword(RAM.SCRATCH), 0);
        code.mov(word(RAM.SCRATCH + 4), SELECTOR.CALL_GATE_USER | 3);
        code.db(0xff, 0x1c, 0x25);
        code.dd(RAM.SCRATCH);
      });
    },
  },
  {
    name: 'user calls a data segment',
    body: (code) =>
      user(code, () => {
        code.mov(dword(RAM.SCRATCH), 0);
        code.mov(word(RAM.SCRATCH + 4), SELECTOR.USER_DATA);
        code.db(0xff, 0x1c, 0x25);
        code.dd(RAM.SCRATCH);
      }),
  },
  { name: 'lar of the TSS', body: (code) => larLsl(code, 0x02, SELECTOR.TSS) },
  { name: 'lsl of the TSS', body: (code) => larLsl(code, 0x03, SELECTOR.TSS) },
  { name: 'lsl of 64-bit code', body: (code) => larLsl(code, 0x03, SELECTOR.CODE64) },
  { name: 'push ds', body: (code) => code.db(0x1e) },
  { name: 'user in al, 8', body: (code) => user(code, () => code.in(al, 8)) },
  { name: 'user in al, 4', body: (code) => user(code, () => code.in(al, 4)) },
  {
    name: 'outsb with rep',
    body: (code) => {
      code.mov(dx, 0x80);
      code.mov(rsi, RAM.SCRATCH);
      code.mov(ecx, 3);
      code.db(0xf3);
      code.outsb();
      code.mov(rax, rsi);
      code.add(rax, rcx);
    },
  },
  {
    name: 'insb to a page that is not there',
    body: (code) => {
      code.mov(dx, 0x80);
      code.mov(edi, 0x40_0000);
      code.mov(ecx, 3);
      code.db(0xf3);
      code.insb();
    },
  },
  {
    name: 'mov ds in 64-bit code',
    body: (code) => {
      code.mov(ax, SELECTOR.USER_DATA);
      code.mov(ds, ax);
      code.mov(rax, qword(RAM.RESUME));
      code.mov(eax, ds);
    },
  },
  { name: 'into', body: (code) => code.db(0xce) },
  {
    name: 'enter with nesting',
    body: (code) => {
      code.mov(qword(RAM.SCRATCH - 8), 0x1234);
      code.push(symbol('gateTarget'));
      code.db(0x48, 0xc7, 0xc5);
      code.dd(RAM.SCRATCH);
      code.db(0xc8, 0x20, 0x00, 0x02);
      code.mov(rax, rsp);
      code.db(0xc9);
    },
  },
];

function larLsl(code: Code, opcode: number, selector: number): void {
  code.mov(eax, 0xbad);
  code.mov(ecx, selector);
  code.db(0x0f, opcode, 0xc1);
}

function emitTargets(code: Code): void {
  code.label('syscallTarget');
  code.mov(rax, rcx);
  code.shl(rax, 32);
  code.or(rax, r11);
  code.and(rax, -0x8d6);
  code.int(0x80);
}

/** Long mode: canonical addresses, 4-level paging, delivery, IST, fast calls, far transfers. */
export function longCasesImage(): OracleImage {
  const cases = [...addresses, ...paging, ...delivery, ...fastCalls, ...transfers];
  return longImage(cases, { extra: emitTargets });
}
