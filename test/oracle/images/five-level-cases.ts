import type { Code } from '../../../src/bios/rom/assembler/assembler.ts';
import { dword, qword, symbol } from '../../../src/bios/rom/assembler/operands.ts';
import { eax, rax, rbx, rsp } from '../../../src/bios/rom/assembler/registers.ts';
import { type OracleCase, type OracleImage, RAM } from './layout.ts';
import { user } from './long-cases.ts';
import { longImage, TABLES_64 } from './long-image.ts';

const PAE = 0x20;
const LA57 = 0x1000;
/** The first address of PML5 entry 1, which leads to the same PML4 as entry 0, and of entry 2, which is empty. */
const SECOND = 1n << 48n;
const THIRD = 2n << 48n;
const NON_CANONICAL = 1n << 56n;

function readAt(code: Code, linear: bigint): void {
  code.mov(rbx, linear);
  code.mov(rax, qword(rbx));
}

const addresses: OracleCase[] = [
  { name: 'read non-canonical', body: (code) => readAt(code, NON_CANONICAL) },
  { name: 'read the last canonical quadword of the lower half', body: (code) => readAt(code, NON_CANONICAL - 8n) },
  { name: 'read the first address of the upper half', body: (code) => readAt(code, 0xff00_0000_0000_0000n) },
  { name: 'read below the upper half', body: (code) => readAt(code, 0xfeff_ffff_ffff_fff8n) },
  {
    name: 'read non-canonical through the stack',
    body: (code) => {
      code.mov(rsp, NON_CANONICAL);
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
  { name: 'beyond 48 bits, not mapped', body: (code) => readAt(code, THIRD) },
  {
    name: 'beyond 48 bits, mapped',
    body: (code) => {
      code.mov(dword(RAM.PAGES), 0x5757);
      readAt(code, SECOND + BigInt(RAM.PAGES));
    },
  },
  {
    name: 'written beyond 48 bits, read below',
    body: (code) => {
      code.mov(rbx, SECOND + BigInt(RAM.PAGES));
      code.mov(qword(rbx), 0x1234);
      code.mov(eax, dword(RAM.PAGES));
    },
  },
  {
    name: 'the user reads beyond 48 bits',
    body: (code) => user(code, () => readAt(code, SECOND + BigInt(RAM.PAGES))),
  },
  {
    name: 'code beyond 48 bits',
    body: (code) => {
      code.mov(rbx, SECOND);
      code.mov(eax, symbol('gateTarget'));
      code.add(rbx, rax);
      code.jmpIndirect(rbx);
    },
  },
];

const tables: OracleCase[] = [
  {
    name: 'A is set in the PML5 entry',
    body: (code) => {
      code.mov(dword(TABLES_64.PML5 + 8), TABLES_64.PML4 | 7);
      reloadCr3(code);
      readAt(code, SECOND + BigInt(RAM.PAGES));
      code.mov(eax, dword(TABLES_64.PML5 + 8));
    },
  },
  {
    name: 'a supervisor PML5 entry',
    body: (code) => {
      code.mov(dword(TABLES_64.PML5 + 8), TABLES_64.PML4 | 3);
      reloadCr3(code);
      user(code, () => readAt(code, SECOND + BigInt(RAM.PAGES)));
    },
  },
  {
    name: 'PS in a PML5 entry is reserved',
    sdm: '0000000e 00000009',
    body: (code) => {
      code.mov(dword(TABLES_64.PML5 + 8), TABLES_64.PML4 | 0x87);
      reloadCr3(code);
      readAt(code, SECOND + BigInt(RAM.PAGES));
    },
  },
  {
    name: 'LA57 stays as long as long mode does',
    body: (code) => {
      code.mov(eax, PAE);
      code.db(0x0f, 0x22, 0xe0);
    },
  },
];

function reloadCr3(code: Code): void {
  code.db(0x0f, 0x20, 0xd9); // mov rcx, cr3
  code.db(0x0f, 0x22, 0xd9); // mov cr3, rcx
}

/** 5-level paging; see TABLES_64.PML5. */
export function fiveLevelCasesImage(): OracleImage {
  return { ...longImage([...addresses, ...tables], { cr4: PAE | LA57 }), cpu: 'max' };
}
