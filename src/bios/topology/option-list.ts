import { type ErrorPlace, UserError } from '../../shared/errors.ts';
import type { OptionList } from './description.ts';

/** Splits at single commas; `,,` stands for a comma in a value (QEMU's rule). */
function splitAtCommas(text: string): string[] {
  return text
    .replaceAll(',,', '\0')
    .split(',')
    .map((part) => part.replaceAll('\0', ','));
}

/**
 * Parses `first,key=value,…` in QEMU's syntax. A part without `=` is the value of `impliedKey` when it comes first and switches its
 * key on otherwise.
 * @throws UserError OPTION_SYNTAX, OPTION_TWICE
 */
export function parseOptionList(text: string, flag: string, impliedKey: string): OptionList {
  const place: ErrorPlace = { file: `${flag} ${text}` };
  const values = new Map<string, string>();
  for (const [index, part] of splitAtCommas(text).entries()) {
    const equals = part.indexOf('=');
    const isImplied = equals < 0 && index === 0;
    const key = isImplied ? impliedKey : equals < 0 ? part : part.slice(0, equals);
    const value = isImplied ? part : equals < 0 ? 'on' : part.slice(equals + 1);
    if (key === '' || (isImplied && value === '')) {
      throw new UserError('OPTION_SYNTAX', `part ${index + 1} of the option is empty`, {
        place,
        mend: `write ${flag} ${impliedKey}[,key=value…]; a comma inside a value is written twice`,
      });
    }
    if (values.has(key)) {
      throw new UserError('OPTION_TWICE', `option '${key}' is given twice`, { place, mend: 'keep one of the two' });
    }
    values.set(key, value);
  }
  return { values, place };
}

/** The inverse: the value of `impliedKey` first, then `key=value` with commas doubled. */
export function formatOptionList(options: ReadonlyMap<string, string>, impliedKey: string): string {
  const parts: string[] = [];
  const implied = options.get(impliedKey);
  if (implied !== undefined) parts.push(implied.replaceAll(',', ',,'));
  for (const [key, value] of options) {
    if (key !== impliedKey) parts.push(`${key}=${value.replaceAll(',', ',,')}`);
  }
  return parts.join(',');
}
