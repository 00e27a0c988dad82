import { Command } from '@oclif/core';
import { formatPlace, UserError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';

/** What `--json` prints for a user's mistake. */
interface ErrorReport {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly place: UserError['place'];
    readonly mend: string;
  };
}

/** Base of every command: a user's mistake is printed as what, where and the mend, without a stack, and ends with exit code 2. */
export abstract class Q35Command extends Command {
  /** Talk goes to stderr, so that stdout holds the result alone. */
  protected logger(verbose = false): Logger {
    return {
      debug: (message) => {
        if (verbose) this.logToStderr(message);
      },
      info: (message) => this.logToStderr(message),
      warn: (message) => this.logToStderr(`warning: ${message}`),
    };
  }

  protected override async catch(error: Error & { exitCode?: number }): Promise<unknown> {
    if (!(error instanceof UserError)) return super.catch(error);
    process.exitCode = error.exitCode;
    const { code, message, place, mend } = error;
    if (this.jsonEnabled()) {
      const report: ErrorReport = { error: { code, message, place, mend } };
      this.logJson(report);
    } else {
      const where = formatPlace(place);
      this.logToStderr(`error ${code}: ${message}${where === '' ? '' : `\n  at ${where}`}\n  mend: ${mend}`);
    }
    return undefined;
  }
}
