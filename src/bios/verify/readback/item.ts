/** One comparison: what was built against what a guest saw. */
export interface ReportItem {
  /** What it is about: `pci 01:00.0 edu0 BAR0`, `acpi DSDT`. */
  readonly subject: string;
  readonly built: string;
  readonly seen: string;
  readonly ok: boolean;
}

/** Items of one guest or one kind of check. */
export interface ReportStage {
  readonly name: string;
  readonly items: readonly ReportItem[];
  /** Guest instructions, seconds …: `label → text`, for people. */
  readonly figures?: Readonly<Record<string, string>>;
}

/** What `q35 verify` found. */
export interface VerifyReport {
  readonly stages: readonly ReportStage[];
  /** Stages that could not run here, each with what to do about it. */
  readonly leftOut: readonly string[];
}

/** An item that is right when both texts are the same. */
export function same(subject: string, built: string, seen: string | undefined): ReportItem {
  return { subject, built, seen: seen ?? 'nothing', ok: built === seen };
}

/** An item whose verdict the texts do not show by themselves. */
export function judged(subject: string, built: string, seen: string, ok: boolean): ReportItem {
  return { subject, built, seen, ok };
}

export function stageIsOk(stage: ReportStage): boolean {
  return stage.items.every((item) => item.ok);
}

/** True when something was compared and all of it is right. */
export function reportIsOk(report: VerifyReport): boolean {
  return report.stages.length > 0 && report.stages.every(stageIsOk);
}
