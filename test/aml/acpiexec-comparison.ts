import { AmlInterpreter } from '../../src/aml/interpreter/interpreter.ts';
import type { AmlObject } from '../../src/aml/interpreter/objects.ts';
import { connectRegions } from '../../src/aml/interpreter/os-start.ts';
import { OSI_STRINGS } from '../../src/aml/interpreter/predefined.ts';
import { UserError } from '../../src/shared/errors.ts';
import { askAcpiexec, evaluateCommands, evaluatedWords, foundPaths } from './acpiexec.ts';
import type { GoldenMachine } from './golden.ts';

/** What an OS asks of every device and of the root. */
export const COMPARED_NAMES = [
  ...['_STA', '_HID', '_UID', '_ADR', '_CID', '_BBN', '_CRS', '_PRS', '_PRT', '_PSS', '_CST', '_TSS', '_BCL'],
  ...['_S0', '_S1', '_S2', '_S3', '_S4', '_S5'],
];

/** What Linux answers with true and acpiexec 20200925 does not: groups that the host turns on, Windows of later years. */
const UNKNOWN_TO_ACPIEXEC = new Set([
  ...['Module Device', 'Processor Device', '3.0 _SCP Extensions', 'Processor Aggregator Device'],
  ...['Windows 2020', 'Windows 2021', 'Windows 2022'],
]);

export interface Difference {
  readonly machine: string;
  readonly path: string;
  /** Words of acpiexec.ts; `absent` where the namespace has no such name. */
  readonly here: string;
  readonly there: string;
}

export interface Comparison {
  readonly compared: number;
  readonly differences: readonly Difference[];
  /** Packages too large for acpiexec's debugger. */
  readonly unanswered: number;
}

/** How acpiexec is asked; a long run may keep its answers. */
export type Ask = typeof askAcpiexec;

/** Loads all definition blocks here and in acpiexec, and evaluates every compared name in the same order. */
export async function compareMachine(
  { name, tables }: GoldenMachine,
  fill: number,
  ask: Ask = askAcpiexec,
): Promise<Comparison> {
  const bytes = tables.map((table) => table.bytes);
  const found = await ask(
    bytes,
    COMPARED_NAMES.map((segment) => `find ${segment.padEnd(4, '_')}`),
    { fill },
  );
  const interpreter = new AmlInterpreter(tables, {
    fill,
    osi: OSI_STRINGS.filter((text) => !UNKNOWN_TO_ACPIEXEC.has(text)),
  });
  startAsAcpiexec(interpreter);
  const here = new Map(comparedPaths(interpreter).map((path) => [plain(path), path]));
  const there = new Set(foundPaths(found).map(plain));
  const both = [...here].filter(([path]) => there.has(path));
  const answers = evaluatedWords(await ask(bytes, evaluateCommands(both.map(([, path]) => path)), { fill }));
  const differences: Difference[] = [];
  let unanswered = 0;
  for (const [, path] of both) {
    // One session there, one here: what a method writes, later ones read.
    const mine = evaluateHere(interpreter, path);
    const theirs = answers.get(path) ?? 'no answer';
    if (theirs === 'OVERFLOW') unanswered++;
    else if (mine !== theirs) differences.push({ machine: name, path, here: mine, there: theirs });
  }
  for (const path of here.keys())
    if (!there.has(path)) differences.push({ machine: name, path, here: 'there', there: 'absent' });
  for (const path of there)
    if (!here.has(path)) differences.push({ machine: name, path, here: 'absent', there: 'there' });
  return { compared: new Set([...here.keys(), ...there]).size - unanswered, differences, unanswered };
}

/** Spaces whose `_REG` acpiexec runs: not PCI_Config, whose handler is there before the namespace is, nor most of the vendors'. */
const CONNECTED = new Set([3, 4, 5, 6, 7, 8, 9, 0xa, 0x7f, 0x80, 0x81]);

/**
 * What acpiexec evaluates before the first command: `_REG`; then `_STA` of every device, without those below an absent one.
 */
function startAsAcpiexec(interpreter: AmlInterpreter): void {
  connectRegions(interpreter, (space) => CONNECTED.has(space));
  let absentBelow: string | undefined;
  for (const path of interpreter.paths('Device')) {
    if (absentBelow !== undefined && path.startsWith(`${absentBelow}.`)) continue;
    const status = interpreter.has(`${path}._STA`) ? evaluateHere(interpreter, `${path}._STA`) : 'IF';
    const bits = /^I([0-9A-F]+)$/.exec(status);
    if (bits && (Number.parseInt(bits[1].slice(-1), 16) & 0x9) === 0) absentBelow = path;
  }
}

function comparedPaths({ root }: AmlInterpreter): string[] {
  const names = new Set(COMPARED_NAMES.map((segment) => segment.padEnd(4, '_')));
  return [...root.walk()].filter(({ segment }) => names.has(segment)).map((node) => node.displayPath);
}

/** A path without the padding of its segments. */
const plain = (path: string): string => path.replace(/_+(?=\.|$)/g, '');

/** The value at `path` in words, or `ERR` and the fault. */
export function evaluateHere(interpreter: AmlInterpreter, path: string): string {
  try {
    return words(interpreter.evaluate(path));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `ERR ${error.message.split(':')[0]}`;
  }
}

function words(object: AmlObject): string {
  switch (object.type) {
    case 'Integer':
      return `I${object.value.toString(16).toUpperCase()}`;
    case 'String':
      return `S${object.value}`;
    case 'Buffer':
      return `B${Buffer.from(object.bytes).toString('hex').toUpperCase()}`;
    case 'Package':
      return [`P${object.elements.length}`, ...object.elements.map(words)].join(' ');
    case 'Uninitialized':
      return 'N';
    case 'Reference':
      // A name that nothing declares is an empty element in ACPICA.
      return object.target.kind === 'Node' ? `R${object.target.node.segment.replace(/_+$/, '')}` : 'N';
    default:
      return 'R';
  }
}
