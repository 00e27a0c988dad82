import { parseOptionList } from '../bios/topology/option-list.ts';
import { UserError } from '../shared/errors.ts';
import { readFileBytes } from './files.ts';

/** What `--fw_cfg` adds: files by name, and a warning for each name outside `opt/`, the users' own name space. */
export interface FwCfgFlagFiles {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly warnings: readonly string[];
}

/**
 * `[name=]NAME,file=PATH` or `[name=]NAME,string=TEXT`, as in QEMU.
 * @throws UserError OPTION_MISSING, OPTION_UNKNOWN, FILE_READ
 */
export function readFwCfgFlags(texts: readonly string[]): FwCfgFlagFiles {
  const files = new Map<string, Uint8Array>();
  const warnings: string[] = [];
  for (const text of texts) {
    const { values, place } = parseOptionList(text, '--fw_cfg', 'name');
    const name = values.get('name');
    const path = values.get('file');
    const string = values.get('string');
    if (name === undefined || (path === undefined) === (string === undefined)) {
      throw new UserError('OPTION_MISSING', 'an fw_cfg file needs a name and either file= or string=', {
        place,
        mend: 'write --fw_cfg name=opt/org.example/name,file=PATH',
      });
    }
    const unknown = [...values.keys()].find((key) => !['name', 'file', 'string'].includes(key));
    if (unknown !== undefined) {
      throw new UserError('OPTION_UNKNOWN', `an fw_cfg file has no option '${unknown}'`, {
        place,
        mend: 'its options are name, file and string',
      });
    }
    if (!name.startsWith('opt/'))
      warnings.push(`fw_cfg name '${name}' is outside opt/: it may replace what the firmware relies on`);
    files.set(name, path === undefined ? new TextEncoder().encode(string) : readFileBytes(path));
  }
  return { files, warnings };
}
