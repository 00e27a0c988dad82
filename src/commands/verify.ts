import { Flags } from '@oclif/core';
import { assembleFirmware } from '../bios/firmware.ts';
import { planPci } from '../bios/pci/planner.ts';
import { filesStage } from '../bios/verify/readback/files-stage.ts';
import { type ReportStage, reportIsOk, type VerifyReport } from '../bios/verify/readback/item.ts';
import { formatJunit } from '../bios/verify/readback/report-junit.ts';
import { formatReport, reportJson } from '../bios/verify/readback/report-text.ts';
import { acpiTableFlag } from '../cli/acpitable-flag.ts';
import { loadAcpiTables } from '../cli/acpitable-loading.ts';
import { boardArgs, boardFlags } from '../cli/board-flags.ts';
import { loadBoard } from '../cli/board-loading.ts';
import { parseInstructions } from '../cli/boot-flags.ts';
import { loadRom } from '../cli/boot-loading.ts';
import { debianFile } from '../cli/debian-files.ts';
import { writeFileWhole } from '../cli/files.ts';
import { ProgressLine } from '../cli/progress.ts';
import { Q35Command } from '../cli/q35-command.ts';
import { type LinuxFiles, linuxStage, probeStage, type VerifySetting } from '../cli/verify-stages.ts';
import { silentLogger } from '../shared/logger.ts';

const STAGES = ['files', 'probe', 'linux'] as const;
type Stage = (typeof STAGES)[number];

export default class VerifyCommand extends Q35Command {
  static override summary =
    'Build a board, check its files, boot guests on it and compare what they saw with what was built';
  static override description =
    'Prints every item, built against seen. Exit code 0 when all are alike, 1 when one is not. The kernel and busybox are those that `npm run setup` unpacked, unless flags or Q35_CLOUD_KERNEL and Q35_BUSYBOX name others; without them the Linux stage is left out, and the report says so.';
  static override enableJsonFlag = true;
  static override args = boardArgs;
  static override flags = {
    ...boardFlags,
    acpitable: acpiTableFlag,
    bios: Flags.string({ description: "firmware image instead of the toolkit's ROM" }),
    kernel: Flags.string({ description: 'bzImage for the Linux stage' }),
    busybox: Flags.string({ description: 'statically linked busybox for the Linux stage' }),
    stage: Flags.option({
      options: STAGES,
      multiple: true,
      multipleNonGreedy: true,
      description: 'run this stage only; may be given several times',
    })(),
    limit: Flags.string({ description: 'instructions after which a guest has failed', default: '20G' }),
    junit: Flags.string({ description: 'write the report as JUnit XML to this file as well' }),
    'only-failures': Flags.boolean({ description: 'leave out what is right' }),
    verbose: Flags.boolean({ char: 'v', description: "tell of the guests' mistakes" }),
  };
  static override examples = [
    '<%= config.bin %> verify',
    '<%= config.bin %> verify board.yaml --m 2G --junit report.xml',
    '<%= config.bin %> verify --stage linux --kernel vmlinuz --busybox busybox --only-failures',
  ];

  async run(): Promise<object> {
    const { args, flags } = await this.parse(VerifyCommand);
    const board = loadBoard(args.board, flags, this.config.root);
    const plan = planPci(board.machine);
    const firmware = assembleFirmware(board.machine, plan, { acpiTables: await loadAcpiTables(flags.acpitable) });
    const logger = this.logger(flags.verbose);
    for (const warning of firmware.warnings) logger.warn(warning);
    const setting: VerifySetting = {
      board,
      built: { machine: board.machine, plan, firmware: firmware.files },
      rom: loadRom(flags.bios),
      limit: parseInstructions(flags.limit),
      logger: flags.verbose ? logger : silentLogger,
      progress: new ProgressLine(process.stderr, process.stderr.isTTY === true && !this.jsonEnabled()),
    };
    const report = await this.verify(setting, flags.stage ?? STAGES, this.linuxFiles(flags));
    this.log(formatReport(report, flags['only-failures']));
    if (flags.junit !== undefined) writeFileWhole(flags.junit, formatJunit(report));
    process.exitCode = reportIsOk(report) ? 0 : 1;
    return reportJson(report);
  }

  private linuxFiles(flags: { readonly kernel?: string; readonly busybox?: string }): LinuxFiles | undefined {
    const { root } = this.config;
    const kernel = flags.kernel ?? debianFile(root, 'cloudKernel', process.env);
    const busybox = flags.busybox ?? debianFile(root, 'busybox', process.env);
    return kernel === undefined || busybox === undefined ? undefined : { kernel, busybox };
  }

  private async verify(
    setting: VerifySetting,
    wanted: readonly Stage[],
    linux: LinuxFiles | undefined,
  ): Promise<VerifyReport> {
    const stages: ReportStage[] = [];
    const leftOut: string[] = [];
    const { plan, firmware } = setting.built;
    if (wanted.includes('files')) stages.push(filesStage({ source: 'the built files', files: firmware, plan }));
    if (wanted.includes('probe')) stages.push(await probeStage(setting));
    if (wanted.includes('linux')) {
      if (linux === undefined) {
        leftOut.push(
          'the Linux stage: no kernel or busybox here; run `npm run setup` on Debian, or name files with --kernel and --busybox',
        );
      } else stages.push(await linuxStage(setting, linux));
    }
    return { stages, leftOut };
  }
}
