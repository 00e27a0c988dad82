import { type ErrorPlace, UserError } from '../../shared/errors.ts';
import type { BoardDescription, Located, OptionList } from './description.ts';
import { parseOptionList } from './option-list.ts';

/** The board's flags as a command receives them, each text as the user wrote it. */
export interface BoardFlags {
  readonly m?: string;
  readonly smp?: string;
  readonly pm?: string;
  readonly numa?: readonly string[];
  readonly device?: readonly string[];
  readonly drive?: readonly string[];
  readonly netdev?: readonly string[];
}

/** `--m 512`, `--m 2G`, `--m size=2G` (slots and maxmem are for hotplug, which this board has not). */
function memoryOf(text: string): Located {
  const option = parseOptionList(text, '--m', 'size');
  return { text: onlyKey(option, 'size', 'memory cannot be added while the machine runs'), place: option.place };
}

function onlyKey(option: OptionList, key: string, why: string): string {
  for (const other of option.values.keys()) {
    if (other === key) continue;
    throw new UserError('OPTION_UNKNOWN', `option '${other}' is not supported: ${why}`, {
      place: option.place,
      mend: `give ${key} alone`,
    });
  }
  return option.values.get(key) ?? '';
}

/** QEMU lets `cpus=` stand several times in one `-numa node`; the parts are joined by commas. */
function numaOf(text: string): OptionList {
  const place: ErrorPlace = { file: `--numa ${text}` };
  const cpus = [...text.matchAll(/(?:^|,)cpus=([^,]*)/g)].map((match) => match[1]);
  const rest = text.replace(/,cpus=[^,]*/g, '');
  const { values } = parseOptionList(rest, '--numa', 'type');
  return { values: cpus.length === 0 ? values : new Map([...values, ['cpus', cpus.join(',')]]), place };
}

/**
 * Flags in QEMU's syntax as a description of a board.
 * @throws UserError OPTION_SYNTAX, OPTION_TWICE, OPTION_UNKNOWN
 */
export function describeFlags(flags: BoardFlags): BoardDescription {
  return {
    memory: flags.m === undefined ? undefined : memoryOf(flags.m),
    cpus: flags.smp === undefined ? undefined : { text: flags.smp, place: { file: `--smp ${flags.smp}` } },
    pm: flags.pm === undefined ? undefined : { text: flags.pm, place: { file: `--pm ${flags.pm}` } },
    numa: (flags.numa ?? []).map(numaOf),
    devices: (flags.device ?? []).map((text) => parseOptionList(text, '--device', 'driver')),
    drives: (flags.drive ?? []).map((text) => parseOptionList(text, '--drive', 'id')),
    netdevs: (flags.netdev ?? []).map((text) => parseOptionList(text, '--netdev', 'type')),
  };
}
