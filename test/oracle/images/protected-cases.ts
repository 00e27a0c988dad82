import type { Code } from '../../../src/bios/rom/assembler/assembler.ts';
import { at, byte, dword, symbol, word } from '../../../src/bios/rom/assembler/operands.ts';
import {
  al,
  ax,
  bx,
  cr0,
  cr3,
  cs,
  ds,
  dx,
  eax,
  ebp,
  ebx,
  ecx,
  edi,
  edx,
  es,
  esi,
  esp,
  fs,
  gs,
  ss,
} from '../../../src/bios/rom/assembler/registers.ts';
import { descriptor } from './gdt.ts';
import { type OracleCase, type OracleImage, RAM, SELECTOR } from './layout.ts';
import { protectedImage } from './protected-image.ts';

/** Goes to CPL 3 and runs `body` there; its interrupt 0x80 comes back through the TSS. */
function user(code: Code, body: () => void, options: { flags?: number } = {}): void {
  const label = code.localLabel('user');
  code.push(SELECTOR.USER_DATA);
  code.push(RAM.USER_STACK);
  code.push(options.flags ?? 0x2);
  code.push(SELECTOR.USER_CODE32);
  code.push(symbol(label));
  code.iretd();
  code.label(label);
  // The return made the kernel's data segments null.
  code.mov(eax, SELECTOR.USER_DATA);
  code.mov(ds, ax);
  code.mov(es, ax);
  code.xor(eax, eax);
  body();
}

const loads: OracleCase[] = [];
for (const [name, selector] of Object.entries({
  null: 0,
  'null RPL 3': 3,
  data: SELECTOR.DATA,
  'data RPL 3': SELECTOR.DATA | 3,
  'user data': SELECTOR.USER_DATA,
  code: SELECTOR.CODE32,
  conforming: SELECTOR.CONFORMING,
  'execute-only': SELECTOR.EXECUTE_ONLY,
  'read-only': SELECTOR.READ_ONLY,
  'not present': SELECTOR.NOT_PRESENT_DATA,
  tss: SELECTOR.TSS,
  'call gate': SELECTOR.CALL_GATE,
  'beyond the table': 0x2f8,
  'in no LDT': 0x0c,
})) {
  loads.push({
    name: `mov ds: ${name}`,
    body: (code) => {
      code.mov(ax, selector);
      code.mov(ds, ax);
      code.mov(ax, ds);
    },
  });
  loads.push({
    name: `mov ss: ${name}`,
    body: (code) => {
      code.mov(ax, selector);
      code.mov(ss, ax);
      code.mov(ax, ss);
    },
  });
  loads.push({
    name: `user pop fs: ${name}`,
    body: (code) =>
      user(code, () => {
        code.push(selector);
        code.pop(fs);
        code.mov(ax, fs);
      }),
  });
}

const limits: OracleCase[] = [
  {
    name: 'read inside a small segment',
    body: (code) => {
      code.mov(ax, SELECTOR.SMALL_DATA);
      code.mov(gs, ax);
      code.mov(eax, dword(gs, 0xc));
    },
  },
  {
    name: 'read across the limit',
    sdm: '0000000d 00000000',
    body: (code) => {
      code.mov(ax, SELECTOR.SMALL_DATA);
      code.mov(gs, ax);
      code.mov(eax, dword(gs, 0xd));
    },
  },
  {
    name: 'expand-down below',
    sdm: '0000000d 00000000',
    body: (code) => {
      code.mov(ax, SELECTOR.EXPAND_DOWN);
      code.mov(gs, ax);
      code.mov(eax, dword(gs, 0xffe));
    },
  },
  {
    name: 'expand-down above',
    body: (code) => {
      code.mov(ax, SELECTOR.EXPAND_DOWN);
      code.mov(gs, ax);
      code.mov(al, byte(gs, 0x1000));
      code.mov(eax, 5);
    },
  },
  {
    name: 'write to read-only data',
    sdm: '0000000d 00000000',
    body: (code) => {
      code.mov(ax, SELECTOR.READ_ONLY);
      code.mov(gs, ax);
      code.mov(dword(gs, RAM.SCRATCH), eax);
    },
  },
  {
    name: 'write to code',
    sdm: '0000000d 00000000',
    body: (code) => code.mov(dword(cs, RAM.SCRATCH), eax),
  },
  {
    name: 'null segment',
    sdm: '0000000d 00000000',
    body: (code) => code.mov(eax, dword(gs, RAM.SCRATCH)),
  },
];

const farTargets: readonly (readonly [string, number])[] = [
  ['code', SELECTOR.CODE32],
  ['code RPL 3', SELECTOR.CODE32 | 3],
  ['conforming', SELECTOR.CONFORMING],
  ['conforming RPL 3', SELECTOR.CONFORMING | 3],
  ['user code', SELECTOR.USER_CODE32],
  ['not present', SELECTOR.NOT_PRESENT_CODE],
  ['data', SELECTOR.DATA],
  ['null', 0],
  ['beyond', 0x1f8],
  ['call gate', SELECTOR.CALL_GATE],
  ['call gate RPL 3', SELECTOR.CALL_GATE | 3],
  ['ldt', SELECTOR.LDT],
];

function farPointer(code: Code, selector: number, target: string): void {
  code.mov(dword(RAM.SCRATCH), symbol(target));
  code.mov(word(RAM.SCRATCH + 4), selector);
}

const farTransfers: OracleCase[] = farTargets.flatMap(([name, selector]) => [
  {
    name: `far jump: ${name}`,
    body: (code: Code) => {
      farPointer(code, selector, 'gateTarget');
      code.jmpFar(at(RAM.SCRATCH));
    },
  },
  {
    name: `far call: ${name}`,
    body: (code: Code) => {
      farPointer(code, selector, 'showStack');
      code.db(0xff, 0x1d);
      code.dd(RAM.SCRATCH);
    },
  },
  {
    name: `user far call: ${name}`,
    body: (code: Code) =>
      user(code, () => {
        farPointer(code, selector, 'showStack');
        code.db(0xff, 0x1d);
        code.dd(RAM.SCRATCH);
      }),
  },
  {
    name: `retf: ${name}`,
    body: (code: Code) => {
      code.push(SELECTOR.USER_DATA);
      code.push(RAM.USER_STACK);
      code.push(selector);
      code.push(symbol('gateTarget'));
      code.retf();
    },
  },
]);

const gates: OracleCase[] = [
  {
    name: 'user call through a gate to CPL 0',
    body: (code) =>
      user(code, () => {
        farPointer(code, SELECTOR.CALL_GATE_USER | 3, 'gateTarget');
        code.db(0xff, 0x1d);
        code.dd(RAM.SCRATCH);
      }),
  },
  {
    name: 'user call through a gate with parameters',
    body: (code) => {
      code.mov(dword(RAM.GDT + SELECTOR.CALL_GATE_PARAMETERS), (SELECTOR.CODE32 << 16) | 0);
      code.mov(ax, symbol('showFrame', -0xf_0000));
      code.mov(word(RAM.GDT + SELECTOR.CALL_GATE_PARAMETERS), ax);
      user(code, () => {
        code.push(0x1111);
        code.push(0x2222);
        farPointer(code, SELECTOR.CALL_GATE_PARAMETERS | 3, 'gateTarget');
        code.db(0xff, 0x1d);
        code.dd(RAM.SCRATCH);
      });
    },
  },
  {
    name: 'return from a gate with parameters to the user',
    body: (code) => {
      code.mov(ax, symbol('gateReturn', -0xf_0000));
      code.mov(word(RAM.GDT + SELECTOR.CALL_GATE_PARAMETERS), ax);
      user(code, () => {
        code.push(0x1111);
        code.push(0x2222);
        code.mov(ax, SELECTOR.USER_DATA);
        code.mov(ds, ax);
        farPointer(code, SELECTOR.CALL_GATE_PARAMETERS | 3, 'gateTarget');
        code.db(0xff, 0x1d);
        code.dd(RAM.SCRATCH);
        code.mov(ax, ds);
      });
    },
  },
  {
    name: 'user int 0x20 is privileged',
    body: (code) => user(code, () => code.int(0x20)),
  },
  {
    name: 'user int 0x21 is a trap gate for all',
    body: (code) => user(code, () => code.int(0x21), { flags: 0x202 }),
  },
  {
    name: 'int 0x30 has no gate',
    body: (code) => code.int(0x30),
  },
  {
    name: 'int 0x22 beyond the gates',
    body: (code) => code.int(0x22),
  },
  {
    name: 'gate not present',
    body: (code) => {
      code.mov(byte(RAM.IDT + 0x20 * 8 + 5), 0x0e);
      code.int(0x20);
    },
  },
  {
    name: 'gate to data',
    body: (code) => {
      code.mov(byte(RAM.IDT + 0x20 * 8 + 5), 0x8e);
      code.mov(word(RAM.IDT + 0x20 * 8 + 2), SELECTOR.DATA);
      code.int(0x20);
    },
  },
  {
    name: 'gate to null',
    body: (code) => {
      code.mov(word(RAM.IDT + 0x20 * 8 + 2), 0);
      code.int(0x20);
    },
  },
  {
    name: 'gate to code that is not present',
    body: (code) => {
      code.mov(word(RAM.IDT + 0x20 * 8 + 2), SELECTOR.NOT_PRESENT_CODE);
      code.int(0x20);
    },
  },
  {
    name: 'gate to user code',
    body: (code) => {
      code.mov(word(RAM.IDT + 0x20 * 8 + 2), SELECTOR.USER_CODE32);
      code.int(0x20);
    },
  },
  {
    name: '#DE with a broken gate nests to #DF',
    body: (code) => {
      code.mov(byte(RAM.IDT + 5), 0x0e);
      code.xor(edx, edx);
      code.xor(ecx, ecx);
      code.div(ecx);
    },
  },
  {
    name: '#UD with a broken gate becomes #NP',
    sdm: '0000000b 00000033',
    body: (code) => {
      code.mov(byte(RAM.IDT + 5), 0x8e);
      code.mov(byte(RAM.IDT + 6 * 8 + 5), 0x0e);
      code.ud2();
    },
  },
  {
    name: '#UD again',
    body: (code) => {
      code.mov(byte(RAM.IDT + 6 * 8 + 5), 0x8e);
      code.ud2();
    },
  },
  {
    name: 'restore',
    body: (code) => {
      code.mov(word(RAM.TSS + 8), SELECTOR.DATA);
      code.mov(word(RAM.IDT + 10 * 8 + 2), SELECTOR.CODE32);
      code.mov(word(RAM.IDT + 0x20 * 8 + 2), SELECTOR.CODE32);
    },
  },
];

const privileged: readonly (readonly [string, (code: Code) => void])[] = [
  ['hlt', (code) => code.hlt()],
  ['cli', (code) => code.cli()],
  ['sti', (code) => code.sti()],
  ['clts', (code) => code.clts()],
  ['invd', (code) => code.invd()],
  ['mov cr0', (code) => code.mov(eax, cr0)],
  ['mov to cr3', (code) => code.mov(cr3, eax)],
  ['lgdt', (code) => code.lgdt(at(RAM.SCRATCH))],
  ['lidt', (code) => code.lidt(at(RAM.SCRATCH))],
  ['ltr', (code) => code.ltr(ax)],
  ['lldt', (code) => code.lldt(ax)],
  ['invlpg', (code) => code.invlpg(at(RAM.SCRATCH))],
  ['rdmsr', (code) => code.rdmsr()],
  ['wrmsr', (code) => code.wrmsr()],
  ['lmsw', (code) => code.lmsw(ax)],
  ['smsw', (code) => code.smsw(eax)],
  ['str', (code) => code.str(eax)],
  ['in al, 0', (code) => code.in(al, 0)],
  ['in al, 8', (code) => code.in(al, 8)],
  ['in eax, 4', (code) => code.in(eax, 4)],
  ['in eax, 6', (code) => code.in(eax, 6)],
  [
    'insb',
    (code) => {
      code.mov(dx, 8);
      code.mov(edi, RAM.SCRATCH);
      code.insb();
    },
  ],
  [
    'outsb',
    (code) => {
      code.mov(dx, 0xe8);
      code.mov(esi, RAM.SCRATCH);
      code.outsb();
    },
  ],
  ['int1', (code) => code.db(0xf1)],
  ['int3', (code) => code.int3()],
  ['rsm', (code) => code.db(0x0f, 0xaa)],
  ['sysexit', (code) => code.db(0x0f, 0x35)],
  ['sysenter', (code) => code.db(0x0f, 0x34)],
  [
    'arpl',
    (code) => {
      code.mov(eax, 0x0c);
      code.mov(ebx, 3);
      code.db(0x63, 0xd8);
    },
  ],
  [
    'popf',
    (code) => {
      code.push(0x3002);
      code.popf();
      code.pushf();
      code.pop(eax);
      code.and(eax, 0x7300);
    },
  ],
  [
    'bound',
    (code) => {
      code.mov(dword(RAM.SCRATCH), 1);
      code.mov(dword(RAM.SCRATCH + 4), 5);
      code.mov(eax, 6);
      code.db(0x62, 0x05);
      code.dd(RAM.SCRATCH);
    },
  ],
  [
    'bound inside',
    (code) => {
      code.mov(dword(RAM.SCRATCH), 1);
      code.mov(dword(RAM.SCRATCH + 4), 5);
      code.mov(eax, 5);
      code.db(0x62, 0x05);
      code.dd(RAM.SCRATCH);
    },
  ],
  [
    'into',
    (code) => {
      code.mov(al, 0x7f);
      code.add(al, 1);
      code.db(0xce);
    },
  ],
  [
    'into without overflow',
    (code) => {
      code.xor(eax, eax);
      code.db(0xce);
    },
  ],
];

const privilegeCases: OracleCase[] = privileged.map(([name, body]) => ({
  name: `user ${name}`,
  body: (code) => user(code, () => body(code)),
  // QEMU has no INT1.
  ...(name === 'int1' ? { sdm: '00000001 00000000' } : {}),
}));

const withIoPrivilege: OracleCase[] = privileged
  .filter(([name]) => ['cli', 'sti', 'in al, 8', 'in eax, 6', 'outsb', 'popf', 'hlt'].includes(name))
  .map(([name, body]) => ({
    name: `user with IOPL 3 ${name}`,
    body: (code) => user(code, () => body(code), { flags: 0x3002 }),
  }));

/** LAR, LSL, VERR, VERW on every descriptor: EAX = result, or 0bad when ZF is clear. */
const queries: OracleCase[] = Object.entries(SELECTOR).flatMap(([name, selector]) =>
  (
    [
      ['lar', 0x02],
      ['lsl', 0x03],
      ['verr', 4],
      ['verw', 5],
    ] as const
  ).map(([query, opcode]) => ({
    name: `${query} ${name}`,
    body: (code: Code) => {
      code.mov(eax, 0xbad);
      code.mov(ecx, selector);
      code.cmp(eax, 0);
      if (query === 'lar' || query === 'lsl') code.db(0x0f, opcode, 0xc1);
      else {
        code.db(0x0f, 0x00, 0xc1 | (opcode << 3));
        code.setz(al);
      }
    },
  })),
);

const control: OracleCase[] = [
  {
    name: 'lmsw cannot clear PE',
    body: (code) => {
      code.xor(eax, eax);
      code.lmsw(ax);
      code.smsw(eax);
    },
  },
  { name: 'cr1', body: (code) => code.db(0x0f, 0x20, 0xc8) },
  {
    name: 'ltr of a busy TSS',
    body: (code) => {
      code.mov(ax, SELECTOR.TSS);
      code.ltr(ax);
    },
  },
  {
    name: 'ltr of data',
    body: (code) => {
      code.mov(ax, SELECTOR.DATA);
      code.ltr(ax);
    },
  },
  {
    name: 'lldt of data',
    body: (code) => {
      code.mov(ax, SELECTOR.DATA);
      code.lldt(ax);
    },
  },
  {
    name: 'a segment of the LDT',
    body: (code) => {
      const entry = descriptor(0x1234_0000, 0xff, 0x92, 0x4);
      code.mov(dword(RAM.LDT + 8), Number(entry & 0xffff_ffffn));
      code.mov(dword(RAM.LDT + 12), Number(entry >> 32n));
      code.mov(ax, SELECTOR.LDT);
      code.lldt(ax);
      code.mov(ax, 0x0c);
      code.mov(gs, ax);
      code.mov(eax, dword(RAM.LDT + 12));
    },
  },
  {
    name: 'beyond the LDT',
    body: (code) => {
      code.mov(ax, 0x2c);
      code.mov(gs, ax);
    },
  },
  {
    name: 'lldt null',
    body: (code) => {
      code.xor(eax, eax);
      code.lldt(ax);
      code.mov(ax, 0x0c);
      code.mov(gs, ax);
    },
  },
  {
    name: 'unknown MSR',
    sdm: '0000000d 00000000',
    body: (code) => {
      code.mov(ecx, 0xc000_0fff);
      code.mov(eax, 7);
      code.rdmsr();
    },
  },
  {
    name: 'sysenter without its MSR',
    body: (code) => {
      code.mov(ecx, 0x174);
      code.xor(eax, eax);
      code.xor(edx, edx);
      code.wrmsr();
      code.db(0x0f, 0x34);
    },
  },
  {
    name: 'sysenter',
    body: (code) => {
      sysenterMsrs(code);
      code.mov(ebp, 0);
      user(code, () => code.db(0x0f, 0x34), { flags: 0x202 });
    },
  },
  {
    name: 'sysexit',
    body: (code) => {
      const label = code.localLabel('back');
      code.mov(ecx, 0x174);
      code.mov(eax, SELECTOR.CODE32);
      code.xor(edx, edx);
      code.wrmsr();
      code.mov(edx, symbol(label));
      code.mov(ecx, RAM.USER_STACK);
      code.db(0x0f, 0x35);
      code.label(label);
      code.mov(eax, cs);
      code.db(0x90);
    },
  },
  {
    name: 'single step',
    body: (code) => {
      code.push(0x102);
      code.popf();
      code.nop();
      code.nop();
    },
  },
  {
    name: 'dr6 after the step',
    body: (code) => code.db(0x0f, 0x21, 0xf0),
  },
  { name: 'dr4 is dr6', body: (code) => code.db(0x0f, 0x21, 0xe0) },
  {
    name: 'mov ss holds off the step',
    body: (code) => {
      code.mov(bx, SELECTOR.DATA);
      code.push(0x102);
      code.popf();
      code.mov(ss, bx);
      code.nop();
      code.nop();
    },
  },
  {
    name: 'cpuid vendor',
    body: (code) => {
      code.xor(eax, eax);
      code.cpuid();
      code.mov(eax, ebx);
    },
  },
  {
    name: 'cmpxchg8b equal',
    body: (code) => {
      code.mov(dword(RAM.SCRATCH), 1);
      code.mov(dword(RAM.SCRATCH + 4), 2);
      code.mov(eax, 1);
      code.mov(edx, 2);
      code.mov(ebx, 3);
      code.mov(ecx, 4);
      code.db(0x0f, 0xc7, 0x0d);
      code.dd(RAM.SCRATCH);
      code.mov(eax, dword(RAM.SCRATCH + 4));
    },
  },
  {
    name: 'cmpxchg8b different',
    body: (code) => {
      code.mov(eax, 1);
      code.mov(edx, 2);
      code.db(0x0f, 0xc7, 0x0d);
      code.dd(RAM.SCRATCH);
      code.add(eax, edx);
    },
  },
  { name: 'cmpxchg8b of a register', body: (code) => code.db(0x0f, 0xc7, 0xc8) },
  {
    name: 'enter with nesting',
    body: (code) => {
      code.mov(ebp, RAM.SCRATCH);
      code.db(0xc8, 0x10, 0x00, 0x03);
      code.mov(eax, esp);
      code.add(eax, ebp);
      code.db(0xc9);
    },
  },
  {
    name: 'iret with NT and no task',
    body: (code) => {
      code.mov(word(RAM.TSS), SELECTOR.DATA);
      code.push(0x4002);
      code.popf();
      code.iretd();
    },
  },
];

function sysenterMsrs(code: Code): void {
  code.xor(edx, edx);
  code.mov(ecx, 0x174);
  code.mov(eax, SELECTOR.CODE32);
  code.wrmsr();
  code.mov(ecx, 0x175);
  code.mov(eax, RAM.STACK_1);
  code.wrmsr();
  code.mov(ecx, 0x176);
  code.mov(eax, symbol('gateTarget'));
  code.wrmsr();
}

function emitTargets(code: Code): void {
  // The return address and selector that a far call pushed.
  code.label('showStack');
  code.mov(eax, dword(esp, 4));
  code.shl(eax, 16);
  code.mov(ax, word(esp));
  code.int(0x80);
  // CS, parameters and old SS:ESP of a call through a gate, folded together.
  code.label('showFrame');
  code.mov(eax, dword(esp, 8));
  code.shl(eax, 16);
  code.add(eax, dword(esp, 12));
  code.add(eax, dword(esp, 20));
  code.int(0x80);
  code.label('gateReturn');
  code.mov(bx, SELECTOR.DATA);
  code.mov(es, bx);
  code.mov(ds, bx);
  code.db(0xca, 0x08, 0x00);
}

/** Segments, gates, privilege, ports and control registers in 32-bit protected mode. */
export function protectedCasesImage(): OracleImage {
  const cases = [
    ...loads,
    ...limits,
    ...farTransfers,
    ...gates,
    ...privilegeCases,
    ...withIoPrivilege,
    ...queries,
    ...control,
  ];
  return protectedImage(cases, { extra: emitTargets });
}
