import type { Code } from '../assembler/assembler.ts';
import { countDown, invoke, procedure, repeat, when } from '../assembler/macros.ts';
import { at, byte, dword, qword, word } from '../assembler/operands.ts';
import { eax, ecx, edi, r12, r13, r14, rax, rbx, rcx, rdi, rdx, rsi } from '../assembler/registers.ts';
import { log } from '../log.ts';
import { endLine } from './report.ts';

/** hvm_start_info (Xen public/arch-x86/hvm/start_info.h). */
const START_INFO = { RSDP: 0x20, MEMMAP: 0x28, MEMMAP_ENTRIES: 0x30, MEMMAP_ENTRY_BYTES: 24 } as const;
/** Offsets in RSDP (ACPI 6.5 §5.2.5.3), the common header (§5.2.6), FADT (§5.2.9) and MCFG (PCI Firmware 3.3 §4.1.2). */
const RSDP = { REVISION: 15, RSDT: 16, LENGTH: 20, XSDT: 24, V1_BYTES: 20 } as const;
const HEADER = { LENGTH: 4, BYTES: 36 } as const;
const FADT = { FIRMWARE_CTRL: 36, DSDT: 40, PM1A_CNT: 64, X_FIRMWARE_CTRL: 132, X_DSDT: 140, X_END: 148 } as const;
const MCFG = { BASE: 44, FIRST_BUS: 54, LAST_BUS: 55 } as const;
const SIGNATURES = { FACP: 0x5043_4146, MCFG: 0x4746_434d } as const;
const RSDP_SIGNATURE = 0x2052_5450_2044_5352n;
const BYTES_A_LINE = 32;

export function emitTables(code: Code): void {
  emitMemory(code);
  emitWalk(code);
  emitTable(code);
  emitReportTable(code);
  emitFadt(code);
}

/** `reportMemory(startInfo)`. */
function emitMemory(code: Code): void {
  procedure(code, 'reportMemory', [rbx, r12], () => {
    code.mov(rbx, qword(rdi, START_INFO.MEMMAP));
    code.mov(eax, dword(rdi, START_INFO.MEMMAP_ENTRIES));
    code.mov(r12, rax);
    countDown(code, r12, () => {
      log(code, 'probe memory base={} size={} type={}\r\n', qword(rbx), qword(rbx, 8), dword(rbx, 16));
      code.add(rbx, START_INFO.MEMMAP_ENTRY_BYTES);
    });
  });
}

/** `walkTables(startInfo)`: RSDP, RSDT, XSDT and every table that the latter (or the former alone) lists. */
function emitWalk(code: Code): void {
  procedure(code, 'walkTables', [rbx, r12, r13, r14], (leave) => {
    code.mov(rbx, qword(rdi, START_INFO.RSDP));
    code.test(rbx, rbx);
    when(code, 'z', () => findRsdp(code, leave));
    code.mov(r12, RSDP.V1_BYTES);
    code.cmp(byte(rbx, RSDP.REVISION), 2);
    when(code, 'ae', () => {
      code.mov(eax, dword(rbx, RSDP.LENGTH));
      code.mov(r12, rax);
    });
    invoke(code, 'reportTable', rbx, r12, 8);
    // R12 = root table, R13 = its entries' size.
    code.mov(eax, dword(rbx, RSDP.RSDT));
    code.mov(r12, rax);
    code.mov(r13, 4);
    code.cmp(byte(rbx, RSDP.REVISION), 2);
    when(code, 'ae', () => {
      code.mov(rax, qword(rbx, RSDP.XSDT));
      code.test(rax, rax);
      when(code, 'nz', () => {
        code.xchg(rax, r12);
        code.mov(r13, 8);
        code.test(rax, rax);
        when(code, 'nz', () => invoke(code, 'reportWhole', rax));
      });
    });
    code.test(r12, r12);
    code.branch('z', leave);
    invoke(code, 'reportWhole', r12);
    code.mov(eax, dword(r12, HEADER.LENGTH));
    code.lea(r14, at(r12, rax));
    code.add(r12, HEADER.BYTES);
    repeat(code, () => {
      code.lea(rax, at(r12, r13));
      code.cmp(rax, r14);
      code.branch('a', leave);
      code.mov(edi, dword(r12));
      code.cmp(r13, 8);
      when(code, 'z', () => code.mov(rdi, qword(r12)));
      code.add(r12, r13);
      code.call('visitTable');
    });
  });
}

/** RBX = the RSDP in the BIOS area (ACPI 6.5 §5.2.5.1), for loaders that do not name it. */
function findRsdp(code: Code, leave: string): void {
  code.mov(rbx, 0xe_0000);
  code.mov(rax, RSDP_SIGNATURE);
  repeat(code, ({ done }) => {
    code.cmp(qword(rbx), rax);
    code.branch('z', done);
    code.add(rbx, 16);
    code.cmp(rbx, 0x10_0000);
    code.branch('ae', leave);
  });
}

/** `visitTable(table)`: reports it, and what a FADT points to; remembers MCFG's first range. */
function emitTable(code: Code): void {
  procedure(code, 'visitTable', [rbx], () => {
    code.mov(rbx, rdi);
    code.call('reportWhole');
    code.cmp(dword(rbx), SIGNATURES.FACP);
    when(code, 'z', () => invoke(code, 'visitFadt', rbx));
    code.cmp(dword(rbx), SIGNATURES.MCFG);
    when(code, 'z', () => {
      code.mov(rax, qword(rbx, MCFG.BASE));
      code.mov(qword('ecamBase'), rax);
      code.movzx(eax, byte(rbx, MCFG.FIRST_BUS));
      code.mov(qword('ecamFirstBus'), rax);
      code.movzx(eax, byte(rbx, MCFG.LAST_BUS));
      code.mov(qword('ecamLastBus'), rax);
    });
  });
  procedure(code, 'reportWhole', [], () => {
    code.mov(eax, dword(rdi, HEADER.LENGTH));
    code.mov(rsi, rax);
    invoke(code, 'reportTable', rdi, rsi, 4);
  });
}

/** `reportTable(address, length, signatureBytes)`. */
function emitReportTable(code: Code): void {
  procedure(code, 'reportTable', [rbx, r12, r13], (leave) => {
    code.mov(rbx, rdi);
    code.mov(r12, rsi);
    log(code, 'probe table signature=');
    code.mov(rsi, rdx);
    code.call('printSignature');
    invoke(code, 'sumBytes', rbx, r12);
    log(code, ' address={} length={} sum={}\r\n', rbx, r12, rax);
    repeat(code, () => {
      code.test(r12, r12);
      code.branch('z', leave);
      code.mov(ecx, BYTES_A_LINE);
      code.cmp(r12, rcx);
      code.cmovb(rcx, r12);
      code.mov(r13, rcx);
      log(code, 'probe bytes address={} data=', rbx);
      invoke(code, 'printBytes', rbx, r13);
      endLine(code);
      code.add(rbx, r13);
      code.sub(r12, r13);
    });
  });
}

function emitFadt(code: Code): void {
  procedure(code, 'visitFadt', [rbx], () => {
    code.mov(rbx, rdi);
    code.movzx(eax, word(rbx, FADT.PM1A_CNT));
    code.mov(qword('pm1aControl'), rax);
    for (const [short, long, isDsdt] of [
      [FADT.FIRMWARE_CTRL, FADT.X_FIRMWARE_CTRL, false],
      [FADT.DSDT, FADT.X_DSDT, true],
    ] as const) {
      code.mov(edi, dword(rbx, short));
      code.cmp(dword(rbx, HEADER.LENGTH), FADT.X_END);
      when(code, 'ae', () => {
        code.mov(rax, qword(rbx, long));
        code.test(rax, rax);
        when(code, 'nz', () => code.mov(rdi, rax));
      });
      code.test(rdi, rdi);
      when(code, 'nz', () => {
        if (isDsdt) code.mov(qword('dsdtAddress'), rdi);
        code.call('reportWhole');
      });
    }
  });
}
