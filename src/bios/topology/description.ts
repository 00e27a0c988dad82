import type { ErrorPlace } from '../../shared/errors.ts';

/** One option with its keys, as QEMU's `-device driver,key=value,…` and a YAML mapping alike state it. Values stay text. */
export interface OptionList {
  readonly values: ReadonlyMap<string, string>;
  readonly place: ErrorPlace;
}

/** One value and where the user wrote it. */
export interface Located {
  readonly text: string;
  readonly place: ErrorPlace;
}

/** A board as the user stated it, before anything is checked: YAML and flags both become this. */
export interface BoardDescription {
  readonly memory?: Located;
  /** As QEMU's `-smp`: a number, or `cpus=`, `sockets=`, `cores=`, `threads=`. */
  readonly cpus?: Located;
  readonly pm?: Located;
  /** Keys as in QEMU's `-numa`; `type` is `node` or `dist`. */
  readonly numa: readonly OptionList[];
  /** Keys as in QEMU's `-device`; `driver` is the model. In the order in which slots are given out. */
  readonly devices: readonly OptionList[];
  readonly drives: readonly OptionList[];
  /** `type` is the back end: `user`. */
  readonly netdevs: readonly OptionList[];
}

export const EMPTY_DESCRIPTION: BoardDescription = { numa: [], devices: [], drives: [], netdevs: [] };

/** `overlay` after `base`: single values are replaced, lists are appended to. */
export function overlayDescription(base: BoardDescription, overlay: BoardDescription): BoardDescription {
  return {
    memory: overlay.memory ?? base.memory,
    cpus: overlay.cpus ?? base.cpus,
    pm: overlay.pm ?? base.pm,
    numa: [...base.numa, ...overlay.numa],
    devices: [...base.devices, ...overlay.devices],
    drives: [...base.drives, ...overlay.drives],
    netdevs: [...base.netdevs, ...overlay.netdevs],
  };
}
