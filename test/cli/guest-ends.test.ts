import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Code, createAssembler } from '../../src/bios/rom/assembler/assembler.ts';
import { at } from '../../src/bios/rom/assembler/operands.ts';
import * as r from '../../src/bios/rom/assembler/registers.ts';
import { encodePvhElf } from '../../src/bios/rom/probe/elf.ts';
import { runToEnd } from '../../src/cli/run-machine.ts';
import BootCommand from '../../src/commands/boot.ts';
import { PORTS } from '../../src/emulator/machine/memory-map.ts';
import { runCommand } from '../support/run-command.ts';

const BASE = 0x10_0000;

/** A 32-bit guest that does one thing. */
function guest(emit: (code: Code) => void): Uint8Array {
  const code = createAssembler();
  code.section('main', BASE);
  code.bits(32);
  emit(code);
  const { sections } = code.assemble();
  const bytes = new Uint8Array(0x1000);
  bytes.set(sections.get('main')?.bytes ?? new Uint8Array(0));
  return encodePvhElf({ base: BASE, bytes }, BASE);
}

const outByte = (code: Code, port: number, value: number) => {
  code.mov(r.edx, port);
  code.mov(r.al, value);
  code.out(r.dx, r.al);
};

const GUESTS: Readonly<Record<string, (code: Code) => void>> = {
  debugExit: (code) => outByte(code, PORTS.ISA_DEBUG_EXIT.base, 0x10),
  reset: (code) => outByte(code, PORTS.RESET_CONTROL.base, 6),
  powerOff: (code) => {
    code.mov(r.edx, PORTS.PM.base + 4);
    code.mov(r.eax, 0x2000);
    code.out(r.dx, r.ax);
  },
  tripleFault: (code) => {
    code.lidt(at('empty'));
    code.ud2();
    code.label('empty');
    code.dq(0);
  },
  prints: (code) => {
    for (const letter of 'hello\n') outByte(code, PORTS.COM1.base, letter.charCodeAt(0));
    for (const letter of 'debug\n') outByte(code, PORTS.DEBUGCON.base, letter.charCodeAt(0));
    outByte(code, PORTS.ISA_DEBUG_EXIT.base, 0);
  },
};

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'q35-ends-'));
  for (const [name, emit] of Object.entries(GUESTS)) writeFileSync(join(folder, name), guest(emit));
});
afterAll(() => rmSync(folder, { recursive: true }));

const boot = (name: string, ...argv: string[]) => {
  const serial = argv.includes('--serial') ? [] : ['--serial', 'none'];
  return runCommand(BootCommand, ['--m', '64', '--device', 'edu', '--kernel', join(folder, name), ...serial, ...argv]);
};

describe('q35 boot ends with the guest', () => {
  it('isa-debug-exit gives the exit code, (value << 1) | 1', async () => {
    const { exitCode, stderr } = await boot('debugExit');
    expect([exitCode, stderr]).toEqual([0x21, 'the guest ended by isa-debug-exit with code 33\n']);
  });

  it('S5 is success, and nothing to talk about', async () => {
    expect(await boot('powerOff')).toEqual({ exitCode: 0, stderr: '', stdout: '' });
  });

  it('a reset ends the run with --no-reboot', async () => {
    const { exitCode, stderr } = await boot('reset', '--no-reboot');
    expect([exitCode, stderr]).toEqual([0, 'the guest asked for a reset\n']);
  });

  it('a reset starts over without it, up to the limit', async () => {
    const { exitCode, stderr } = await boot('reset', '--limit', '2M');
    expect([exitCode, stderr]).toEqual([4, 'the limit on instructions is reached\n']);
  });

  it('a triple fault prints an autopsy', async () => {
    const { exitCode, stderr } = await boot('tripleFault');
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/^triple fault\n/);
    expect(stderr).toMatch(/#UD[\s\S]*Registers:[\s\S]*RIP [\s\S]*Last branches/);
  });

  it('what it printed stands in the files', async () => {
    const serial = join(folder, 'serial.txt');
    const debugcon = join(folder, 'debugcon.txt');
    const { exitCode } = await boot('prints', '--serial', `file:${serial}`, '--debugcon', `file:${debugcon}`);
    expect(exitCode).toBe(1);
    expect(readFileSync(serial, 'latin1')).toMatch(/hello\n$/);
    expect(readFileSync(debugcon, 'latin1')).toMatch(/debug\n$/);
  });
});

describe('a run', () => {
  it('stops when it is told to', async () => {
    const machine = { clock: { now: () => 0 }, engine: { retired: () => 0 }, run: () => ({ kind: 'limit' }) };
    const end = await runToEnd(machine as never, { onSlice: () => {}, stopped: () => true });
    expect(end).toEqual({ kind: 'quit' });
  });
});
