import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { z } from 'zod';
import { type ErrorPlace, UserError } from '../../shared/errors.ts';
import type { BoardDescription, Located, OptionList } from './description.ts';

/** What may stand as a value; its text as written is what counts (`addr: 10` is slot 0x10, as in QEMU). */
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const optionMap = z.record(z.string(), scalar);
const deviceSchema: z.ZodType = z.lazy(() =>
  z.object({ driver: z.string(), devices: z.array(deviceSchema).optional() }).catchall(scalar),
);

/** The shape of a board file. Names and values of options are checked with the flags', by resolveBoard. */
export const boardSchema = z.strictObject({
  memory: scalar.optional(),
  cpus: scalar.optional(),
  pm: z.string().optional(),
  numa: z.array(z.record(z.string(), z.union([scalar, z.array(scalar)]))).optional(),
  devices: z.array(deviceSchema).optional(),
  drives: z.array(optionMap).optional(),
  netdevs: z.array(optionMap).optional(),
});

const BOARD_KEYS = Object.keys(boardSchema.shape).join(', ');

/** Reads nodes of one document with their lines. */
class BoardDocument {
  private readonly document: Document;
  private readonly lines: LineCounter;
  private readonly file: string;

  constructor(document: Document, lines: LineCounter, file: string) {
    this.document = document;
    this.lines = lines;
    this.file = file;
  }

  placeOf(node: unknown): ErrorPlace {
    const offset = (node as Node | undefined)?.range?.[0];
    return offset === undefined ? { file: this.file } : { file: this.file, line: this.lines.linePos(offset).line };
  }

  /** The deepest node that stands on `path`. */
  nodeAt(path: readonly PropertyKey[]): unknown {
    for (let length = path.length; length > 0; length--) {
      const node = this.document.getIn(path.slice(0, length), true);
      if (node !== undefined && node !== null) return node;
    }
    return this.document.contents;
  }

  located(key: string): Located | undefined {
    const node = this.document.get(key, true);
    return isScalar(node) ? { text: sourceOf(node), place: this.placeOf(node) } : undefined;
  }

  /** The list at `key` as option lists. */
  options(key: string): OptionList[] {
    const list = this.document.get(key, true);
    return isSeq(list) ? list.items.map((item) => this.optionList(item)) : [];
  }

  /** Devices and the devices nested in them, a bridge before what is behind it. */
  devices(list: unknown = this.document.get('devices', true), bus?: string): OptionList[] {
    if (!isSeq(list)) return [];
    return list.items.flatMap((item) => {
      const option = this.optionList(item);
      const values =
        bus === undefined || option.values.has('bus') ? option.values : new Map(option.values).set('bus', bus);
      const nested = isMap(item) ? item.get('devices', true) : undefined;
      if (nested === undefined) return [{ ...option, values }];
      const id = values.get('id');
      if (id === undefined) {
        throw new UserError('OPTION_MISSING', 'a device with devices behind it has no id', {
          place: option.place,
          mend: 'give the bridge an id',
        });
      }
      return [{ ...option, values }, ...this.devices(nested, id)];
    });
  }

  private optionList(node: unknown): OptionList {
    const values = new Map<string, string>();
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        if (isSeq(value)) {
          if (String(key) !== 'devices') values.set(String(key), value.items.map(sourceOf).join(','));
        } else values.set(String(key), sourceOf(value));
      }
    }
    return { values, place: this.placeOf(node) };
  }
}

/** A scalar as the user typed it; on and off for YAML's booleans, as QEMU spells them. */
function sourceOf(node: unknown): string {
  if (!isScalar(node)) return '';
  if (typeof node.value === 'boolean') return node.value ? 'on' : 'off';
  return typeof node.value === 'number' ? (node.source ?? String(node.value)) : String(node.value ?? '');
}

/**
 * Reads a board file.
 * @param file name for messages
 * @throws UserError BOARD_YAML (not YAML), BOARD_SCHEMA (wrong shape), with the line
 */
export function describeBoardYaml(text: string, file: string): BoardDescription {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new UserError('BOARD_YAML', `the board file is not YAML: ${error.message}`, {
      place: { file, line: lines.linePos(error.pos[0]).line },
      mend: 'mend the syntax at this line',
      cause: error,
    });
  }
  const board = new BoardDocument(document, lines, file);
  const checked = boardSchema.safeParse(document.toJS() ?? {});
  if (!checked.success) {
    const [issue] = checked.error.issues;
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [];
    throw new UserError('BOARD_SCHEMA', `${issue.path.join('.') || 'the board'}: ${issue.message}`, {
      place: { ...board.placeOf(board.nodeAt([...issue.path, ...unknown.slice(0, 1)])), path: issue.path.join('.') },
      mend: unknown.length > 0 ? `a board has ${BOARD_KEYS}` : 'see fixtures/boards/default.yaml for an example',
    });
  }
  return {
    memory: board.located('memory'),
    cpus: board.located('cpus'),
    pm: board.located('pm'),
    numa: board.options('numa'),
    devices: board.devices(),
    drives: board.options('drives'),
    netdevs: board.options('netdevs'),
  };
}
