import { UserError } from '../../../shared/errors.ts';
import { parseOptionList } from '../../topology/option-list.ts';

/**
 * One `--acpitable` in QEMU's syntax: `sig=,rev=,oem_id=,oem_table_id=,oem_rev=,asl_compiler_id=,asl_compiler_rev=,data=|file=f1[:f2…]`,
 * and beyond it `replace=SIG` and `delete=SIG`. There is no cap on the size.
 */
export interface AcpiTableOption {
  /** The option as the user wrote it, for messages. */
  readonly text: string;
  /** Add a table, put it in the place of the board's table of that signature, or take that one away. */
  readonly action: { readonly kind: 'add' } | { readonly kind: 'replace' | 'delete'; readonly signature: string };
  /** Files, in order, that together hold the table (`file`, with header) or its body alone (`data`); empty for `delete`. */
  readonly sources: readonly string[];
  readonly hasHeader: boolean;
  /** Header fields that replace what the file says. */
  readonly header: AcpiTableHeaderOverrides;
}

export interface AcpiTableHeaderOverrides {
  readonly signature?: string;
  readonly revision?: number;
  readonly oemId?: string;
  readonly oemTableId?: string;
  readonly oemRevision?: number;
  readonly creatorId?: string;
  readonly creatorRevision?: number;
}

const FLAG = '--acpitable';

/** What each key sets: text of so many characters or a number of so many bytes. */
const HEADER_KEYS: Readonly<Record<string, { field: keyof AcpiTableHeaderOverrides; text?: number; bytes?: number }>> =
  {
    sig: { field: 'signature', text: 4 },
    rev: { field: 'revision', bytes: 1 },
    oem_id: { field: 'oemId', text: 6 },
    oem_table_id: { field: 'oemTableId', text: 8 },
    oem_rev: { field: 'oemRevision', bytes: 4 },
    asl_compiler_id: { field: 'creatorId', text: 4 },
    asl_compiler_rev: { field: 'creatorRevision', bytes: 4 },
  };
const SOURCE_KEYS = ['file', 'data'] as const;
const ACTION_KEYS = ['replace', 'delete'] as const;

/**
 * Parses the option's value; a bare first part is a file.
 * @throws UserError OPTION_SYNTAX, OPTION_TWICE, ACPITABLE_KEY, ACPITABLE_VALUE, ACPITABLE_SOURCE
 */
export function parseAcpiTableOption(text: string): AcpiTableOption {
  const { values } = parseOptionList(text, FLAG, 'file');
  const header: Record<string, string | number> = {};
  for (const [key, value] of values) {
    const known = HEADER_KEYS[key];
    if (known) header[known.field] = headerValue(text, key, value);
    else if (![...SOURCE_KEYS, ...ACTION_KEYS].includes(key as 'file')) {
      const keys = [...Object.keys(HEADER_KEYS), ...SOURCE_KEYS, ...ACTION_KEYS].join(', ');
      throw refused('ACPITABLE_KEY', text, `there is no key '${key}'`, `use ${keys}`);
    }
  }
  const action = actionOf(text, values);
  const { file, data } = { file: values.get('file'), data: values.get('data') };
  const wanted = action.kind === 'delete' ? 0 : 1;
  if (Number(file !== undefined) + Number(data !== undefined) !== wanted) {
    const mend = wanted === 0 ? 'give delete=SIG alone' : 'give one of file= (with header) and data= (the body alone)';
    throw refused('ACPITABLE_SOURCE', text, `the table has ${file && data ? 'two sources' : 'the wrong source'}`, mend);
  }
  return { text, action, sources: splitSources(file ?? data ?? ''), hasHeader: file !== undefined, header };
}

function actionOf(text: string, values: ReadonlyMap<string, string>): AcpiTableOption['action'] {
  const [replaced, deleted] = [values.get('replace'), values.get('delete')];
  if (replaced !== undefined && deleted !== undefined) {
    throw refused('ACPITABLE_KEY', text, 'replace and delete exclude one another', 'keep one of the two');
  }
  const signature = replaced ?? deleted;
  if (signature === undefined) return { kind: 'add' };
  if (!/^[A-Z0-9_!]{4}$/.test(signature)) {
    throw refused(
      'ACPITABLE_VALUE',
      text,
      `'${signature}' is no table signature`,
      'write four characters, such as DSDT',
    );
  }
  return { kind: replaced === undefined ? 'delete' : 'replace', signature };
}

function headerValue(text: string, key: string, value: string): string | number {
  const { text: characters, bytes } = HEADER_KEYS[key];
  if (characters !== undefined) {
    if (value.length <= characters && value.length > 0) return value;
    throw refused('ACPITABLE_VALUE', text, `${key} holds up to ${characters} characters`, `shorten '${value}'`);
  }
  const parsed = /^(0x[0-9a-f]+|\d+)$/i.test(value) ? Number(value) : Number.NaN;
  const limit = 2 ** (8 * bytes!);
  if (parsed < limit) return parsed;
  throw refused('ACPITABLE_VALUE', text, `${key} is a number below ${limit}`, `change '${value}'`);
}

/** Files are separated by colons; a URL stands alone, because it has colons of its own. */
function splitSources(value: string): string[] {
  if (/^https?:\/\//i.test(value)) return [value];
  return value.split(':').filter((part) => part !== '');
}

function refused(code: string, text: string, message: string, mend: string): UserError {
  return new UserError(code, message, { place: { file: `${FLAG} ${text}` }, mend });
}
