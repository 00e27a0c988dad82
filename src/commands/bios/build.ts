import { createHash } from 'node:crypto';
import { Flags } from '@oclif/core';
import { buildProbe } from '../../bios/rom/probe/probe.ts';
import { buildRom } from '../../bios/rom/rom.ts';
import { writeFileWhole } from '../../cli/files.ts';
import { Q35Command } from '../../cli/q35-command.ts';

interface BiosBuildReport {
  /** File that was written, if one was. */
  readonly out?: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
  /** Linked addresses below 1 MiB, ascending. */
  readonly symbols: Readonly<Record<string, number>>;
}

export default class BiosBuildCommand extends Q35Command {
  static override summary = 'Build the firmware ROM';
  static override description =
    'Assembles the ROM from its source in TypeScript: the same bytes on every machine. It boots on this emulator and, by -bios, on QEMU.';
  static override enableJsonFlag = true;
  static override flags = {
    out: Flags.string({ char: 'o', description: 'file to write' }),
    probe: Flags.string({ description: 'file to write the probe guest to, an ELF for --kernel' }),
    symbols: Flags.boolean({ description: 'list the symbols with their addresses' }),
  };
  static override examples = [
    '<%= config.bin %> bios build --out q35.rom',
    '<%= config.bin %> bios build --json',
    '<%= config.bin %> bios build --out q35.rom --probe probe.elf',
    'qemu-system-x86_64 -M q35 -bios q35.rom -kernel vmlinuz',
  ];

  async run(): Promise<BiosBuildReport> {
    const { flags } = await this.parse(BiosBuildCommand);
    const { bytes, symbols } = buildRom();
    if (flags.out !== undefined) writeFileWhole(flags.out, bytes);
    if (flags.probe !== undefined) writeFileWhole(flags.probe, buildProbe().bytes);
    const sorted = [...symbols].sort(([, left], [, right]) => left - right);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    this.log(`${flags.out ?? 'ROM'}: ${bytes.length} bytes, SHA-256 ${sha256}`);
    if (flags.symbols)
      for (const [name, address] of sorted) this.log(`  ${address.toString(16).padStart(8, '0')} ${name}`);
    return { out: flags.out, size: bytes.length, sha256, symbols: Object.fromEntries(sorted) };
  }
}
