import { Flags } from '@oclif/core';
import { formatPlan, planJson } from '../../bios/pci/plan-text.ts';
import { planPci } from '../../bios/pci/planner.ts';
import { boardArgs, boardFlags } from '../../cli/board-flags.ts';
import { loadBoard } from '../../cli/board-loading.ts';
import { Q35Command } from '../../cli/q35-command.ts';

export default class PciPlanCommand extends Q35Command {
  static override summary = 'Plan bus numbers, windows, BARs and interrupts of a board';
  static override description =
    'Prints the tree of functions with what each was given. When something does not fit, it says what, where, how much is missing and which setting mends it.';
  static override enableJsonFlag = true;
  static override args = boardArgs;
  static override flags = {
    ...boardFlags,
    explain: Flags.boolean({ description: 'add the reason of each placement' }),
  };
  static override examples = [
    '<%= config.bin %> pci plan',
    '<%= config.bin %> pci plan board.yaml --explain',
    '<%= config.bin %> pci plan --m 2G --device pcie-root-port,id=rp0 --device pci-testdev,membar=8G,bus=rp0 --json',
  ];

  async run(): Promise<object> {
    const { args, flags } = await this.parse(PciPlanCommand);
    const plan = planPci(loadBoard(args.board, flags, this.config.root).machine);
    this.log(formatPlan(plan, flags.explain));
    return planJson(plan);
  }
}
