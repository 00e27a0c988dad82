import type { Code } from '../../../src/bios/rom/assembler/assembler.ts';
import { when } from '../../../src/bios/rom/assembler/macros.ts';
import { byte, dword, type Operand, symbol } from '../../../src/bios/rom/assembler/operands.ts';
import { al, dr0, dr1, dr2, dr3, dr6, dr7, eax, ecx, edi, esi } from '../../../src/bios/rom/assembler/registers.ts';
import { type OracleCase, type OracleImage, RAM } from './layout.ts';
import { protectedImage } from './protected-image.ts';

/** R/W in DR7, and LEN. */
const CONDITION = { EXECUTE: 0, WRITE: 1, ACCESS: 3 } as const;
const LENGTH = { 1: 0, 2: 1, 4: 3 } as const;
const REGISTERS = [dr0, dr1, dr2, dr3];
const WATCHED = RAM.PAGES + 0x100;
const FIXED_DR6 = 0xffff_0ff0;

/** Sets breakpoint `index` (its local enable) and clears DR6. */
function watch(
  code: Code,
  index: number,
  address: Operand,
  condition: keyof typeof CONDITION,
  length: keyof typeof LENGTH = 1,
): void {
  code.mov(eax, address);
  code.mov(REGISTERS[index], eax);
  code.mov(eax, FIXED_DR6);
  code.mov(dr6, eax);
  code.mov(eax, (1 << (2 * index)) | ((CONDITION[condition] | (LENGTH[length] << 2)) << (16 + 4 * index)));
  code.mov(dr7, eax);
  code.xor(eax, eax);
}

/** EAX = DR6 as the case before left it, breakpoints off. */
const status = (name: string): OracleCase => ({
  name,
  body: (code) => {
    code.xor(eax, eax);
    code.mov(dr7, eax);
    code.mov(eax, dr6);
  },
});

const instructions: OracleCase[] = [0, 3].flatMap((index) => [
  {
    name: `DR${index}: an instruction, before it runs`,
    body: (code) => {
      const label = code.localLabel('watched');
      watch(code, index, symbol(label), 'EXECUTE');
      code.inc(eax);
      code.label(label);
      code.inc(eax);
      code.inc(eax);
    },
  },
  status(`DR${index}: an instruction, DR6`),
]);

const data: OracleCase[] = [
  {
    name: 'a write, after it is done',
    body: (code) => {
      watch(code, 0, WATCHED, 'WRITE', 4);
      code.mov(dword(WATCHED), 0x1234);
      code.mov(eax, 1);
    },
  },
  status('a write, DR6'),
  {
    name: 'a write is no read',
    body: (code) => {
      watch(code, 1, WATCHED, 'WRITE', 4);
      code.mov(eax, dword(WATCHED));
    },
  },
  status('a write is no read, DR6'),
  {
    name: 'a read',
    body: (code) => {
      watch(code, 2, WATCHED, 'ACCESS', 2);
      code.mov(eax, dword(WATCHED - 2));
      code.mov(ecx, 1);
    },
  },
  status('a read, DR6'),
  {
    // QEMU stops.
    name: 'beside what is watched',
    sdm: '0000007f',
    body: (code) => {
      watch(code, 2, WATCHED, 'ACCESS', 2);
      code.mov(dword(WATCHED + 2), 0x55);
      code.mov(eax, dword(WATCHED + 2));
    },
  },
  {
    name: 'the last byte of an access',
    body: (code) => {
      watch(code, 3, WATCHED + 3, 'WRITE', 1);
      code.mov(dword(WATCHED), 0x77);
      code.mov(eax, 1);
    },
  },
  {
    // QEMU does not round.
    name: 'an address is rounded down to its length',
    sdm: '00000001',
    body: (code) => {
      watch(code, 0, WATCHED + 3, 'WRITE', 4);
      code.mov(byte(WATCHED), 0x77);
      code.mov(eax, 1);
    },
  },
  {
    name: 'a push',
    body: (code) => {
      watch(code, 0, RAM.STACK - 0x40, 'WRITE', 4);
      for (let count = 0; count < 0x12; count++) code.push(eax);
      code.mov(eax, 1);
    },
  },
  {
    name: 'a read-modify-write',
    body: (code) => {
      watch(code, 0, WATCHED, 'ACCESS', 4);
      code.add(dword(WATCHED), 1);
      code.mov(eax, 1);
    },
  },
  {
    // Where within the repetition is the processor's own choice (SDM vol. 3 §17.2.5).
    name: 'the middle of a repeated string',
    sdm: '00000001',
    body: (code) => {
      watch(code, 0, WATCHED + 8, 'WRITE', 4);
      code.mov(edi, WATCHED);
      code.mov(ecx, 8);
      code.cld();
      code.rep();
      code.stosd();
    },
  },
  {
    name: 'off again',
    body: (code) => {
      watch(code, 0, WATCHED, 'ACCESS', 4);
      code.mov(dr7, eax);
      code.mov(dword(WATCHED), 1);
      code.mov(eax, dword(WATCHED));
    },
  },
  {
    name: 'two at once',
    body: (code) => {
      watch(code, 0, WATCHED, 'WRITE', 4);
      code.mov(eax, WATCHED);
      code.mov(dr1, eax);
      code.mov(eax, 0x5 | (0xd << 16) | (0xf << 20));
      code.mov(dr7, eax);
      code.mov(esi, 3);
      code.mov(dword(WATCHED), esi);
      code.nop();
    },
  },
  {
    // QEMU tells of the first.
    name: 'two at once: DR6 has both',
    sdm: '00000006',
    body: (code) => {
      code.mov(eax, dr6);
      code.and(eax, 0xf);
      code.cmp(eax, 3);
      when(code, 'z', () => code.ud2());
    },
  },
  {
    name: 'a loop in the page of a watched instruction',
    body: (code) => {
      const [label, again] = [code.localLabel('watched'), code.localLabel('again')];
      watch(code, 1, symbol(label), 'EXECUTE');
      code.mov(ecx, 100);
      code.label(again);
      code.add(eax, ecx);
      code.dec(ecx);
      code.branch('nz', again);
      code.label(label);
      code.mov(al, 0);
    },
  },
  status('none stays on'),
];

/** DR0–DR3: instructions and data. */
export function debugCasesImage(): OracleImage {
  return protectedImage([...instructions, ...data]);
}
