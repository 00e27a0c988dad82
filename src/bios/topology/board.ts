import type { MachineConfig } from '../../emulator/machine/config.ts';
import type { ErrorPlace } from '../../shared/errors.ts';

/** What `file` of a drive holds; the machine receives a BlockBackend for each, opened by the command. */
export interface DriveConfig {
  readonly id: string;
  readonly file: string;
  readonly readOnly: boolean;
  readonly place: ErrorPlace;
}

/** The far end of a network card. */
export interface NetdevConfig {
  readonly id: string;
  /** `user`: the built-in stub network. */
  readonly type: 'user';
}

/** A checked board: the machine's declaration and the host-side ends that its devices name. */
export interface Board {
  readonly machine: MachineConfig;
  readonly drives: readonly DriveConfig[];
  readonly netdevs: readonly NetdevConfig[];
}
