import type { Code } from '../../../src/bios/rom/assembler/assembler.ts';
import { at, dword } from '../../../src/bios/rom/assembler/operands.ts';
import { cr0, eax, ebx, ecx, edx, rax, rbx } from '../../../src/bios/rom/assembler/registers.ts';
import { type OracleCase, type OracleImage, RAM } from './layout.ts';
import { user } from './long-cases.ts';
import { longImage, TABLES_64 } from './long-image.ts';

const PAE = 0x20;
const PKE = 1 << 22;
const WP = 0x1_0000;
/** Key 3, in an entry's high dword; its bits in PKRU. */
const KEY = 3 << 27;
const ACCESS_DISABLED = 1 << 6;
const WRITE_DISABLED = 2 << 6;

/** Maps the page at RAM.PAGES onto itself with key 3 and the low bits `bits`. */
function mapPage(code: Code, bits: number): void {
  const entry = TABLES_64.PT + (RAM.PAGES >>> 12) * 8;
  code.mov(dword(entry), RAM.PAGES | bits);
  code.mov(dword(entry + 4), KEY);
  code.invlpg(at(RAM.PAGES));
}

function setCr4(code: Code, value: number): void {
  code.mov(eax, value);
  code.db(0x0f, 0x22, 0xe0);
}

function setCr0(code: Code, bits: number): void {
  code.mov(eax, 0x8000_0011 + bits);
  code.mov(cr0, rax);
}

const RDPKRU = [0x0f, 0x01, 0xee] as const;
const WRPKRU = [0x0f, 0x01, 0xef] as const;

/** PKRU = `rights`, by the instruction at the current privilege. */
function writeKeys(code: Code, rights: number): void {
  code.mov(eax, rights);
  code.xor(ecx, ecx);
  code.xor(edx, edx);
  code.db(...WRPKRU);
}

/** Keys on, `rights` in PKRU, the page mapped with `bits`. */
function protect(code: Code, rights: number, bits = 7): void {
  setCr4(code, PAE | PKE);
  writeKeys(code, rights);
  mapPage(code, bits);
}

const instructions: OracleCase[] = [
  { name: 'RDPKRU without CR4.PKE', body: (code) => code.db(...RDPKRU) },
  { name: 'WRPKRU without CR4.PKE', body: (code) => code.db(...WRPKRU) },
  {
    name: 'CPUID shows no OSPKE',
    body: readOspke,
  },
  {
    name: 'CPUID shows OSPKE',
    body: (code) => {
      setCr4(code, PAE | PKE);
      readOspke(code);
    },
  },
  {
    name: 'what WRPKRU wrote, RDPKRU reads',
    body: (code) => {
      writeKeys(code, 0x1234_5678);
      code.mov(eax, 0);
      code.mov(edx, 7);
      code.db(...RDPKRU);
      code.add(eax, edx);
    },
  },
  {
    name: 'RDPKRU with ECX',
    body: (code) => {
      code.mov(ecx, 1);
      code.db(...RDPKRU);
    },
  },
  {
    name: 'WRPKRU with ECX',
    body: (code) => {
      code.mov(ecx, 1);
      code.xor(edx, edx);
      code.db(...WRPKRU);
    },
  },
  {
    name: 'WRPKRU with EDX',
    body: (code) => {
      code.xor(ecx, ecx);
      code.mov(edx, 1);
      code.db(...WRPKRU);
    },
  },
  {
    name: 'the user reads and writes PKRU',
    body: (code) =>
      user(code, () => {
        writeKeys(code, 0x40);
        code.db(...RDPKRU);
      }),
  },
];

/** EAX = CPUID 7, ECX bits 4 and 3. */
function readOspke(code: Code): void {
  code.mov(eax, 7);
  code.xor(ecx, ecx);
  code.db(0x0f, 0xa2);
  code.mov(eax, ecx);
  code.and(eax, 0x18);
}

const accesses: OracleCase[] = [
  {
    name: 'access disabled: read',
    body: (code) => {
      protect(code, ACCESS_DISABLED);
      code.mov(eax, dword(RAM.PAGES));
    },
  },
  {
    name: 'access disabled: write',
    body: (code) => {
      protect(code, ACCESS_DISABLED);
      code.mov(dword(RAM.PAGES), 1);
    },
  },
  {
    name: 'access disabled: the user reads',
    body: (code) => {
      protect(code, ACCESS_DISABLED);
      user(code, () => code.mov(eax, dword(RAM.PAGES)));
    },
  },
  {
    name: 'access disabled: the user writes',
    body: (code) => {
      protect(code, ACCESS_DISABLED);
      user(code, () => code.mov(dword(RAM.PAGES), 1));
    },
  },
  {
    name: 'access disabled: fetch',
    body: (code) => {
      writeKeys(code, 0);
      code.mov(dword(RAM.PAGES), 0x80cd);
      writeKeys(code, ACCESS_DISABLED);
      user(code, () => {
        code.mov(ebx, RAM.PAGES);
        code.jmpIndirect(rbx);
      });
    },
  },
  {
    name: 'write disabled: read',
    body: (code) => {
      writeKeys(code, 0);
      code.mov(dword(RAM.PAGES), 0x55);
      protect(code, WRITE_DISABLED);
      code.mov(eax, dword(RAM.PAGES));
    },
  },
  {
    name: 'write disabled: the user writes',
    body: (code) => {
      protect(code, WRITE_DISABLED);
      user(code, () => code.mov(dword(RAM.PAGES), 1));
    },
  },
  {
    name: 'write disabled: the supervisor writes, WP clear',
    body: (code) => {
      protect(code, WRITE_DISABLED);
      setCr0(code, 0);
      code.mov(dword(RAM.PAGES), 0x66);
      code.mov(eax, dword(RAM.PAGES));
    },
  },
  {
    name: 'write disabled: the supervisor writes, WP set',
    body: (code) => {
      protect(code, WRITE_DISABLED);
      setCr0(code, WP);
      code.mov(dword(RAM.PAGES), 1);
    },
  },
  {
    name: 'a right that was there before goes with WRPKRU',
    body: (code) => {
      protect(code, 0);
      code.mov(dword(RAM.PAGES), 1);
      writeKeys(code, WRITE_DISABLED);
      code.mov(dword(RAM.PAGES), 2);
    },
  },
  {
    name: 'read-only and write disabled',
    body: (code) => {
      protect(code, WRITE_DISABLED, 5);
      user(code, () => code.mov(dword(RAM.PAGES), 1));
    },
  },
  {
    name: 'not present and access disabled',
    body: (code) => {
      protect(code, ACCESS_DISABLED, 6);
      code.mov(eax, dword(RAM.PAGES));
    },
  },
  {
    name: 'the supervisor’s page has no key',
    body: (code) => {
      protect(code, 0);
      code.mov(dword(RAM.PAGES), 0x77);
      protect(code, ACCESS_DISABLED, 3);
      code.mov(eax, dword(RAM.PAGES));
    },
  },
  {
    name: 'keys do not count without CR4.PKE',
    body: (code) => {
      protect(code, ACCESS_DISABLED);
      setCr4(code, PAE);
      code.mov(eax, dword(RAM.PAGES));
    },
  },
];

/** Protection keys under 4-level paging, which the processors that record vectors may lack. */
export function keysCasesImage(): OracleImage {
  return { ...longImage([...instructions, ...accesses]), cpu: 'max' };
}
