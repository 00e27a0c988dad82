import type { Code } from '../../../src/bios/rom/assembler/assembler.ts';
import { byte, offsetIn, word } from '../../../src/bios/rom/assembler/operands.ts';
import { al, ax, bx, cr0, cs, ds, eax, ebx, es, gs, sp } from '../../../src/bios/rom/assembler/registers.ts';
import { type OracleCase, type OracleImage, ROM_BASE } from './layout.ts';
import { protectedImage } from './protected-image.ts';

const VM = 0x2_0000;
const STACK_SEGMENT = 0x0a00;

/** Goes to virtual-8086 mode at F000h; the body ends with HLT, which faults. */
function virtual(code: Code, ioPrivilege: number, body: (code: Code) => void): void {
  const label = code.localLabel('virtual');
  code.push(0x0510); // GS
  code.push(0);
  code.push(0); // DS
  code.push(0x0510); // ES
  code.push(STACK_SEGMENT);
  code.push(0x0f00);
  code.push(VM | (ioPrivilege << 12) | 2);
  code.push(ROM_BASE >>> 4);
  code.push(offsetIn(ROM_BASE, label));
  code.iretd();
  code.label(label);
  code.bits(16);
  body(code);
  code.hlt();
  code.bits(32);
}

const bodies: readonly (readonly [string, (code: Code) => void])[] = [
  ['nothing', () => {}],
  ['cli', (code) => code.cli()],
  ['sti', (code) => code.sti()],
  [
    'pushf',
    (code) => {
      code.pushf();
      code.pop(ax);
      code.and(ax, 0x7300);
    },
  ],
  [
    'popf',
    (code) => {
      code.push(0x0202);
      code.popf();
      code.pushf();
      code.pop(ax);
      code.and(ax, 0x7300);
    },
  ],
  ['int 0x21', (code) => code.int(0x21)],
  ['int3', (code) => code.int3()],
  [
    'into',
    (code) => {
      code.mov(al, 0x7f);
      code.add(al, 1);
      code.db(0xce);
    },
  ],
  ['ud2', (code) => code.ud2()],
  [
    'iret',
    (code) => {
      code.push(0x3202);
      code.push(cs);
      code.mov(ax, offsetIn(ROM_BASE, 'virtualTarget'));
      code.push(ax);
      code.iret();
    },
  ],
  ['in al, 4', (code) => code.in(al, 4)],
  ['in al, 8', (code) => code.in(al, 8)],
  ['mov from cr0', (code) => code.db(0x0f, 0x20, 0xc0)],
  ['smsw', (code) => code.smsw(ax)],
  ['str', (code) => code.str(ax)],
  ['lar', (code) => code.db(0x0f, 0x02, 0xc0)],
  ['arpl', (code) => code.db(0x63, 0xc0)],
  ['lgdt', (code) => code.db(0x0f, 0x01, 0x16, 0, 0)],
  ['rdmsr', (code) => code.rdmsr()],
  ['clts', (code) => code.clts()],
  ['sysenter', (code) => code.db(0x0f, 0x34)],
  [
    'segments',
    (code) => {
      code.mov(ax, 0x0123);
      code.mov(ds, ax);
      code.mov(word(ds, 0x10), 0x55aa);
      code.mov(bx, 0x0100);
      code.mov(es, bx);
      code.mov(ax, word(es, 0x240));
      code.mov(bx, gs);
    },
  ],
  [
    'far call and back',
    (code) => {
      code.push(cs);
      code.mov(ax, offsetIn(ROM_BASE, 'virtualTarget'));
      code.push(ax);
      code.retf();
    },
  ],
  [
    'stack wraps',
    (code) => {
      code.mov(sp, 0);
      code.push(0x1234);
      code.mov(ax, sp);
    },
  ],
];

const cases: OracleCase[] = [0, 3].flatMap((ioPrivilege) =>
  bodies.map(([name, body]) => ({
    name: `IOPL ${ioPrivilege}: ${name}`,
    body: (code: Code) => virtual(code, ioPrivilege, body),
  })),
);

const limits: OracleCase[] = [
  {
    name: 'offset beyond 64 KiB',
    body: (code) =>
      virtual(code, 0, () => {
        code.mov(ebx, 0x1_0000);
        code.mov(al, byte(ds, ebx));
      }),
    sdm: '0000000d 00000000',
  },
  {
    name: 'segments are null in the handler',
    body: (code) => {
      code.mov(eax, cr0);
      virtual(code, 3, (inner) => inner.int(0x21));
    },
  },
];

/** Virtual-8086 mode at IOPL 0 and 3. */
export function virtual8086CasesImage(): OracleImage {
  return protectedImage([...cases, ...limits], {
    extra: (code) => {
      code.bits(16);
      code.label('virtualTarget');
      code.mov(ax, 0x1111);
      code.hlt();
      code.bits(32);
    },
  });
}
