import type { Code } from '../../../src/bios/rom/assembler/assembler.ts';
import { at, dword, symbol } from '../../../src/bios/rom/assembler/operands.ts';
import { ax, cr0, cr3, cr4, ds, eax, ebx, ecx, edi, edx, es } from '../../../src/bios/rom/assembler/registers.ts';
import { type OracleCase, type OracleImage, RAM, SELECTOR } from './layout.ts';
import { protectedImage } from './protected-image.ts';

/** 32-bit tables; PAE tables of the same map; the page that the cases play with. */
const DIRECTORY = RAM.TABLES;
const TABLE = RAM.TABLES + 0x1000;
const PAE_POINTERS = RAM.TABLES + 0x2000;
const PAE_DIRECTORY = RAM.TABLES + 0x3000;
const PAE_TABLE = RAM.TABLES + 0x4000;
const PAGE = RAM.PAGES;
const LARGE = 0x40_0000;
const CR0_PROTECTED = 0x11;
const CR0_PAGING = 0x8000_0011;
const CR0_WRITE_PROTECT = 0x8001_0011;
const CR4 = { PSE: 0x10, PAE: 0x20 };

function user(code: Code, body: () => void): void {
  const label = code.localLabel('user');
  code.push(SELECTOR.USER_DATA);
  code.push(RAM.USER_STACK);
  code.push(2);
  code.push(SELECTOR.USER_CODE32);
  code.push(symbol(label));
  code.iretd();
  code.label(label);
  code.mov(eax, SELECTOR.USER_DATA);
  code.mov(ds, ax);
  code.mov(es, ax);
  code.xor(eax, eax);
  body();
}

function setControl(code: Code, register: typeof cr0, value: number): void {
  code.mov(eax, value);
  code.mov(register, eax);
}

/** Identity maps of the first 4 MiB (2 MiB under PAE) in small pages that all may use, and paging on. */
function setUp(code: Code): void {
  fill(code, 'fill32', TABLE, 1024, 4);
  fill(code, 'fillPae', PAE_TABLE, 512, 8);
  code.mov(dword(DIRECTORY), TABLE | 7);
  code.mov(dword(PAE_POINTERS), PAE_DIRECTORY | 1);
  code.mov(dword(PAE_DIRECTORY), PAE_TABLE | 7);
  setControl(code, cr3, DIRECTORY);
  setControl(code, cr0, CR0_PAGING);
}

function fill(code: Code, label: string, table: number, count: number, stride: number): void {
  code.mov(edi, table);
  code.mov(eax, 7);
  code.mov(ecx, count);
  code.label(label);
  code.mov(dword(edi), eax);
  code.add(edi, stride);
  code.add(eax, 0x1000);
  code.dec(ecx);
  code.branch('nz', label);
}

interface Paging {
  readonly name: string;
  /** Writes the entry of PAGE. */
  readonly map: (code: Code, bits: number, high?: number) => void;
  readonly entry: number;
}

function pagingOf(name: string, table: number, stride: number): Paging {
  const entry = table + (PAGE >>> 12) * stride;
  return {
    name,
    entry,
    map: (code, bits, high = 0) => {
      code.mov(dword(entry), PAGE | bits);
      if (stride === 8) code.mov(dword(entry + 4), high);
      code.invlpg(at(PAGE));
    },
  };
}

/** What 32-bit and PAE paging have in common. */
function commonCases({ name, map, entry }: Paging): OracleCase[] {
  const read = (code: Code) => code.mov(ebx, dword(PAGE));
  const write = (code: Code) => code.mov(dword(PAGE), 1);
  const showEntry = (code: Code) => code.mov(eax, dword(entry));
  const one = (what: string, body: (code: Code) => void): OracleCase => ({ name: `${name}: ${what}`, body });
  return [
    one('accessed', (code) => {
      map(code, 7);
      read(code);
      showEntry(code);
    }),
    one('dirty', (code) => {
      map(code, 7);
      write(code);
      showEntry(code);
    }),
    one('dirty after a read', (code) => {
      map(code, 7);
      read(code);
      write(code);
      showEntry(code);
    }),
    one('not present read', (code) => {
      map(code, 6);
      read(code);
    }),
    one('not present write by the user', (code) => {
      map(code, 6);
      user(code, () => write(code));
    }),
    one('supervisor page for the user', (code) => {
      map(code, 3);
      user(code, () => read(code));
    }),
    one('read-only for the user', (code) => {
      map(code, 5);
      user(code, () => write(code));
    }),
    one('read-only for the supervisor', (code) => {
      map(code, 5);
      write(code);
      showEntry(code);
    }),
    one('read-only for the supervisor with WP', (code) => {
      map(code, 5);
      setControl(code, cr0, CR0_WRITE_PROTECT);
      write(code);
    }),
    one('a locked write to a read-only page with WP', (code) => {
      map(code, 5);
      code.lock();
      code.add(dword(PAGE), 1);
    }),
    one('WP off again', (code) => {
      setControl(code, cr0, CR0_PAGING);
      map(code, 5);
      write(code);
      showEntry(code);
    }),
    one('fetch from a page that is not there', (code) => {
      map(code, 6);
      code.mov(ebx, PAGE);
      code.jmpIndirect(ebx);
    }),
    one('write across two pages, the second missing', (code) => {
      map(code, 6);
      code.mov(dword(PAGE - 2), 0x1234_5678);
    }),
    one('the first half of it was not written', (code) => {
      map(code, 7);
      code.mov(eax, dword(PAGE - 2));
    }),
    one('read across two pages', (code) => {
      map(code, 7);
      code.mov(dword(PAGE - 2), 0x1234_5678);
      code.mov(eax, dword(PAGE - 1));
    }),
    one('a stale translation goes with CR3', (code) => {
      map(code, 7);
      read(code);
      code.mov(dword(entry), 0);
      code.mov(eax, cr3);
      code.mov(cr3, eax);
      read(code);
    }),
  ];
}

const legacy = pagingOf('32-bit', TABLE, 4);
const pae = pagingOf('PAE', PAE_TABLE, 8);

const large: OracleCase[] = [
  {
    name: '4 MiB page without PSE',
    body: (code) => {
      code.mov(dword(DIRECTORY + 4), 0x83);
      code.invlpg(at(LARGE));
      code.mov(ebx, dword(LARGE + RAM.GDT + 8));
    },
  },
  {
    name: '4 MiB page',
    body: (code) => {
      setControl(code, cr4, CR4.PSE);
      code.mov(dword(DIRECTORY + 4), 0x83);
      code.invlpg(at(LARGE));
      code.mov(dword(LARGE + RAM.SCRATCH), 0x77);
      code.mov(eax, dword(DIRECTORY + 4));
      code.add(eax, dword(RAM.SCRATCH));
    },
  },
  {
    name: '4 MiB page is the supervisor’s',
    body: (code) => user(code, () => code.mov(eax, dword(LARGE))),
  },
  {
    name: '4 MiB page with the reserved bit',
    body: (code) => {
      code.mov(dword(DIRECTORY + 4), 0x20_0083);
      code.invlpg(at(LARGE));
      code.mov(eax, dword(LARGE));
    },
    sdm: '0000000e 00000009',
  },
];

const toPae: OracleCase[] = [
  {
    name: 'to PAE',
    body: (code) => {
      setControl(code, cr0, CR0_PROTECTED);
      setControl(code, cr4, CR4.PAE);
      setControl(code, cr3, PAE_POINTERS);
      setControl(code, cr0, CR0_PAGING);
      code.mov(eax, cr4);
    },
  },
];

const paeOnly: OracleCase[] = [
  {
    name: 'PAE: no-execute without NXE is reserved',
    body: (code) => {
      pae.map(code, 7, 0x8000_0000);
      code.mov(eax, dword(PAGE));
    },
    sdm: '0000000e 00000009',
  },
  {
    name: 'PAE: no-execute',
    body: (code) => {
      code.mov(ecx, 0xc000_0080);
      code.mov(eax, 0x800);
      code.xor(edx, edx);
      code.wrmsr();
      pae.map(code, 7, 0x8000_0000);
      code.mov(ebx, PAGE);
      code.jmpIndirect(ebx);
    },
  },
  {
    name: 'PAE: bit 52 is reserved',
    body: (code) => {
      pae.map(code, 7, 0x0010_0000);
      code.mov(eax, dword(PAGE));
    },
    sdm: '0000000e 00000009',
  },
  {
    name: 'PAE: 2 MiB page',
    body: (code) => {
      code.mov(dword(PAE_DIRECTORY + 8), 0x87);
      code.mov(dword(0x20_0000 + RAM.SCRATCH), 0x55);
      code.mov(eax, dword(PAE_DIRECTORY + 8));
      code.add(eax, dword(RAM.SCRATCH));
    },
  },
  {
    name: 'PAE: a PDPTE is read with CR3, not later',
    // QEMU reads PDPTEs at each walk.
    sdm: '0000000e 00000000',
    body: (code) => {
      code.mov(dword(PAE_POINTERS + 8), PAE_DIRECTORY | 1);
      code.mov(eax, dword(0x4000_0000 + RAM.GDT + 8));
    },
  },
  {
    name: 'PAE: the PDPTE after a CR3 load',
    body: (code) => {
      setControl(code, cr3, PAE_POINTERS);
      code.mov(eax, dword(0x4000_0000 + RAM.GDT + 8));
    },
  },
];

/** 32-bit and PAE paging: rights, accessed and dirty, large pages, PDPTEs, reserved bits. */
export function pagingCasesImage(): OracleImage {
  const cases = [...commonCases(legacy), ...large, ...toPae, ...commonCases(pae), ...paeOnly];
  return protectedImage(cases, { setUp });
}
