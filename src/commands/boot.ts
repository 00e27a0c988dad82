import { Flags } from '@oclif/core';
import { assembleFirmware } from '../bios/firmware.ts';
import { planPci } from '../bios/pci/planner.ts';
import { checkFirmware, formatFinding } from '../bios/verify/check.ts';
import { acpiTableFlag, loadAcpiTables } from '../cli/acpitable-flag.ts';
import { openBackends } from '../cli/backends.ts';
import { boardArgs, boardFlags, loadBoard } from '../cli/board-flags.ts';
import { bootFlags, loadKernelItems, loadRom, parseInstructions } from '../cli/boot-flags.ts';
import { type FlushableSink, openSink } from '../cli/byte-streams.ts';
import { openConsole } from '../cli/console.ts';
import { checkProcessors, type MachineStart, startMachine } from '../cli/emulated-machine.ts';
import { readFwCfgFlags } from '../cli/fw-cfg-flag.ts';
import { Q35Command } from '../cli/q35-command.ts';
import { endText, exitCodeOf, type RunEnd, runToEnd } from '../cli/run-machine.ts';
import { parseCpuModel } from '../emulator/cpu/model/cpu-model.ts';

export default class BootCommand extends Q35Command {
  static override summary = 'Boot a guest on the emulated machine';
  static override description =
    "Plans the board, builds its tables and hands them to the firmware by fw_cfg. The guest's serial port is this terminal (Ctrl-A x leaves). Ends with the guest: exit code 0 after power-off (S5) or a reset with --no-reboot, isa-debug-exit's own code, 3 after a triple fault, 4 at the limit, 5 when the guest sleeps for good.";
  static override args = boardArgs;
  static override flags = {
    ...boardFlags,
    ...bootFlags,
    acpitable: acpiTableFlag,
    fw_cfg: Flags.string({
      description: '[name=]NAME,file=PATH or [name=]NAME,string=TEXT',
      multiple: true,
      multipleNonGreedy: true,
    }),
    serial: Flags.string({ description: 'stdio, file:PATH or none', default: 'stdio' }),
    debugcon: Flags.string({
      description: 'output of ports 0x402 and 0xe9: stdio, file:PATH or none',
      default: 'none',
    }),
    // oclif would read --no-reboot as the opposite of a flag "reboot": it is declared under its whole name.
    'no-reboot': Flags.boolean({ description: 'a reset ends the run' }),
    limit: Flags.string({ description: 'instructions after which the run ends, such as 2G' }),
    verbose: Flags.boolean({ char: 'v', description: "tell of the guest's mistakes" }),
  };
  static override examples = [
    '<%= config.bin %> boot --kernel vmlinuz --initrd initrd.img --append console=ttyS0',
    '<%= config.bin %> boot board.yaml --bios OVMF.fd --debugcon file:debug.log',
  ];

  async run(): Promise<void> {
    const { args, flags } = await this.parse(BootCommand);
    const board = loadBoard(args.board, flags, this.config.root);
    const limit = parseInstructions(flags.limit);
    const fwCfg = readFwCfgFlags(flags.fw_cfg ?? []);
    const plan = planPci(board.machine);
    const firmware = assembleFirmware(board.machine, plan, {
      acpiTables: await loadAcpiTables(flags.acpitable),
    });
    const logger = this.logger(flags.verbose);
    for (const warning of [...firmware.warnings, ...fwCfg.warnings]) logger.warn(warning);
    for (const finding of checkFirmware({ source: 'the built files', files: firmware.files, plan })) {
      logger.warn(formatFinding(finding));
    }
    const start = {
      board,
      rom: loadRom(flags.bios),
      files: new Map([...firmware.files, ...fwCfg.files]),
      items: loadKernelItems(flags, board.machine.lowRamBytes),
      logger: { ...logger, warn: (message: string) => (flags.verbose ? logger.warn(message) : undefined) },
      stopAtReset: flags['no-reboot'],
      cpu: parseCpuModel(flags.cpu),
    };
    checkProcessors(board);
    const backends = openBackends(board);
    const serial = openSink(flags.serial, '--serial');
    const debugcon = openSink(flags.debugcon, '--debugcon');
    const streams = { serial, debugcon, interactive: flags.serial === 'stdio' };
    const end = await this.runGuest({ ...start, backends }, streams, limit).finally(() => {
      serial.close();
      debugcon.close();
      backends.close();
    });
    if (end.kind !== 'power-off') this.logToStderr(endText(end));
    process.exitCode = exitCodeOf(end);
  }

  private async runGuest(
    start: Omit<MachineStart, 'serial' | 'debugcon'>,
    streams: { serial: FlushableSink; debugcon: FlushableSink; interactive: boolean },
    limit: number | undefined,
  ): Promise<RunEnd> {
    const { serial, debugcon } = streams;
    const console = streams.interactive ? openConsole(process.stdin) : undefined;
    try {
      const machine = startMachine({ ...start, serial: { sink: serial, source: console?.source }, debugcon });
      return await runToEnd(machine, {
        limit,
        stopped: console?.quit,
        realTime: streams.interactive && process.stdin.isTTY === true,
        onSlice: () => {
          serial.flush();
          debugcon.flush();
        },
      });
    } finally {
      console?.close();
    }
  }
}
