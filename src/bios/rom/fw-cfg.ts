import { FW_CFG_DMA, FW_CFG_ENTRY_BYTES, FW_CFG_ID, FW_CFG_KEYS } from '../../emulator/machine/fw-cfg-keys.ts';
import { PORTS } from '../../emulator/machine/memory-map.ts';
import { FW_CFG_OVERRIDE_PREFIX } from '../artifacts.ts';
import type { Code } from './assembler/assembler.ts';
import { invoke, procedure, repeat, when } from './assembler/macros.ts';
import { at, byte, dword, qword, symbol, word } from './assembler/operands.ts';
import {
  al,
  ax,
  dl,
  dx,
  eax,
  ebx,
  ecx,
  edi,
  edx,
  esi,
  r8,
  r9,
  r12,
  r13,
  rax,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
} from './assembler/registers.ts';
import { FW_CFG_DIRECTORY_CAPACITY, LOW_MEMORY, POST_CODES } from './layout.ts';
import { failWhen, literal, logLine } from './log.ts';

/** Directory entry, big-endian: size u32, select u16, reserved u16, name[56]. */
const DIRECTORY_ENTRY = { SIZE: 0, SELECT: 4, NAME: 8, BYTES: FW_CFG_ENTRY_BYTES } as const;
const DMA_PORT = PORTS.FW_CFG.base + 4;
const SIGNATURE_QEMU = 0x554d_4551;

/** RAX = directory entry of the file, or 0, with the flags of a test on it. */
export function findFile(code: Code, name: string): void {
  code.mov(edi, literal(code, name));
  code.call('fwCfgFind');
}

/** Reads `bytes` (a register or a number) of item `key` to the address in `target`, from its start. */
export function readKey(
  code: Code,
  key: number,
  byteLength: Parameters<typeof invoke>[2],
  target: Parameters<typeof invoke>[2],
): void {
  invoke(code, 'fwCfgDma', ((key << 16) | FW_CFG_DMA.SELECT | FW_CFG_DMA.READ) >>> 0, byteLength, target);
}

/** EAX = a little-endian u32 item; 0 when the machine does not have it. */
export function readKey32(code: Code, key: number): void {
  code.mov(dword('fwCfgScratch'), 0);
  readKey(code, key, 4, symbol('fwCfgScratch'));
  code.mov(eax, dword('fwCfgScratch'));
}

export function emitFwCfg(code: Code): void {
  emitDma(code);
  emitInit(code);
  emitFind(code);
  emitEntryAccess(code);
}

/**
 * `fwCfgDma(control, length, address)`: one transfer by the descriptor in RAM. A refused transfer is an error for reads, since every
 * caller knows the item's size; WRITE returns EAX = 1 for it (QEMU's `-fw_cfg` files cannot be written).
 */
function emitDma(code: Code): void {
  procedure(code, 'fwCfgDma', [], () => {
    code.mov(ecx, edi);
    code.bswap(edi);
    code.mov(dword('fwCfgDescriptor'), edi);
    code.bswap(esi);
    code.mov(dword('fwCfgDescriptor', 4), esi);
    code.bswap(rdx);
    code.mov(qword('fwCfgDescriptor', 8), rdx);
    code.xor(eax, eax);
    code.mov(edx, DMA_PORT);
    code.out(dx, eax);
    code.mov(eax, symbol('fwCfgDescriptor'));
    code.bswap(eax);
    code.mov(edx, DMA_PORT + 4);
    code.out(dx, eax);
    repeat(code, ({ done }) => {
      code.mov(eax, dword('fwCfgDescriptor'));
      code.bswap(eax);
      code.test(eax, ~FW_CFG_DMA.ERROR);
      code.branch('z', done);
      code.pause();
    });
    code.test(ecx, FW_CFG_DMA.READ);
    when(code, 'nz', () => {
      code.test(eax, eax);
      failWhen(code, 'nz', POST_CODES.DMA_ERROR, 'fw_cfg refused a DMA transfer');
    });
  });
}

/** Checks that fw_cfg is there and knows DMA, and copies the directory. */
function emitInit(code: Code): void {
  procedure(code, 'fwCfgInit', [], () => {
    code.mov(edx, PORTS.FW_CFG.base);
    code.mov(eax, FW_CFG_KEYS.SIGNATURE);
    code.out(dx, ax);
    code.mov(edx, PORTS.FW_CFG.base + 1);
    for (let index = 0; index < 4; index++) {
      code.shl(ecx, 8);
      code.in(al, dx);
      code.movzx(eax, al);
      code.or(ecx, eax);
    }
    code.bswap(ecx);
    code.cmp(ecx, SIGNATURE_QEMU);
    failWhen(code, 'nz', POST_CODES.NO_FW_CFG, 'no fw_cfg device at port 0x510');
    code.mov(edx, PORTS.FW_CFG.base);
    code.mov(eax, FW_CFG_KEYS.ID);
    code.out(dx, ax);
    code.mov(edx, PORTS.FW_CFG.base + 1);
    code.in(al, dx);
    code.test(al, FW_CFG_ID.DMA);
    failWhen(code, 'z', POST_CODES.NO_FW_CFG, 'fw_cfg without DMA');
    readKey32(code, FW_CFG_KEYS.FILE_DIR);
    code.bswap(eax);
    code.cmp(eax, FW_CFG_DIRECTORY_CAPACITY);
    failWhen(code, 'a', POST_CODES.NO_FW_CFG, 'the fw_cfg directory is too long');
    code.mov(qword('fwCfgFileCount'), rax);
    // The transfer goes on behind the count.
    code.mov(esi, eax);
    code.shl(esi, 6);
    code.mov(edi, FW_CFG_DMA.READ);
    code.mov(edx, LOW_MEMORY.FW_CFG_DIRECTORY);
    code.call('fwCfgDma');
    logLine(code, 'fw_cfg: {} files', qword('fwCfgFileCount'));
  });
}

/**
 * `fwCfgFind(name)`: the directory entry, or 0. A file under the override prefix wins, wherever it stands: on QEMU, whose own `etc/`
 * files cannot be replaced, ours travel there.
 */
function emitFind(code: Code): void {
  const prefix = symbol('fwCfgPrefix');
  code.inSection('constants', () => {
    code.label('fwCfgPrefix');
    code.asciz(FW_CFG_OVERRIDE_PREFIX);
  });
  procedure(code, 'fwCfgFind', [rbx, r12, r13], (leave) => {
    code.mov(r12, rdi);
    code.mov(r13, prefix);
    code.label('fwCfgFindPass');
    code.mov(ebx, LOW_MEMORY.FW_CFG_DIRECTORY);
    code.mov(rcx, qword('fwCfgFileCount'));
    repeat(code, ({ next, done }) => {
      code.sub(rcx, 1);
      code.branch('b', done);
      code.lea(rsi, at(rbx, DIRECTORY_ENTRY.NAME));
      code.mov(rax, rbx);
      code.add(rbx, DIRECTORY_ENTRY.BYTES);
      // First the prefix (empty in the second pass), then the name with its 0.
      code.mov(r8, r13);
      code.label('fwCfgComparePrefix');
      code.mov(dl, byte(r8));
      code.test(dl, dl);
      code.branch('z', 'fwCfgPrefixDone');
      code.cmp(dl, byte(rsi));
      code.branch('nz', next);
      code.inc(r8);
      code.inc(rsi);
      code.jump('fwCfgComparePrefix');
      code.label('fwCfgPrefixDone');
      code.mov(r9, r12);
      code.label('fwCfgCompareName');
      code.mov(dl, byte(r9));
      code.cmp(dl, byte(rsi));
      code.branch('nz', next);
      code.inc(r9);
      code.inc(rsi);
      code.test(dl, dl);
      code.branch('nz', 'fwCfgCompareName');
      code.test(rax, rax);
      code.jump(leave);
    });
    // The empty string at the prefix's end makes the second pass plain.
    code.cmp(byte(r13), 0);
    code.mov(r13, symbol('fwCfgPrefix', FW_CFG_OVERRIDE_PREFIX.length));
    code.branch('nz', 'fwCfgFindPass');
    code.xor(eax, eax);
  });
}

/** `fwCfgEntrySize(entry)`: EAX = bytes. `fwCfgLoad(entry, target)`: the whole file. `fwCfgSelect(entry)`: EAX = key << 16. */
function emitEntryAccess(code: Code): void {
  procedure(code, 'fwCfgEntrySize', [], () => {
    code.mov(eax, dword(rdi, DIRECTORY_ENTRY.SIZE));
    code.bswap(eax);
  });
  procedure(code, 'fwCfgSelect', [], () => {
    code.movzx(eax, word(rdi, DIRECTORY_ENTRY.SELECT));
    code.bswap(eax);
  });
  procedure(code, 'fwCfgLoad', [], () => {
    code.mov(rdx, rsi);
    code.mov(esi, dword(rdi, DIRECTORY_ENTRY.SIZE));
    code.bswap(esi);
    code.call('fwCfgSelect');
    code.or(eax, FW_CFG_DMA.SELECT | FW_CFG_DMA.READ);
    code.mov(edi, eax);
    code.call('fwCfgDma');
  });
}
