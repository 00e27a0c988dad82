import { AmlInterpreter } from '../../aml/interpreter/interpreter.ts';
import { type DumpTable, isDefinitionBlock } from '../acpi/dump/table-set.ts';
import { type CheckFacts, collectFacts } from '../verify/facts.ts';

/** A text for people: a heading, and lines that may be indented by two spaces. */
export interface Explanation {
  readonly title: string;
  readonly lines: readonly string[];
}

/** A machine's tables, read in both ways: as data, and by an interpreter whose hardware reads as zero. */
export interface ExplainedMachine {
  readonly tables: readonly DumpTable[];
  readonly facts: CheckFacts;
  /** Nothing without definition blocks; told that the I/O APICs are in use. */
  readonly interpreter: AmlInterpreter | undefined;
}

/** Steps of one evaluation: loops that wait for hardware end here. */
const MAX_STEPS = 200_000;

/** Throws as `decodeTables`. */
export function readMachine(tables: readonly DumpTable[]): ExplainedMachine {
  const files = new Map(tables.map(({ name, bytes }) => [`${name}.aml`, bytes]));
  const blocks = tables.filter(isDefinitionBlock).map(({ bytes, file }) => ({ bytes, file }));
  const interpreter = blocks.length > 0 ? new AmlInterpreter(blocks, { limits: { steps: MAX_STEPS } }) : undefined;
  if (interpreter?.has('\\_PIC')) tryTo(() => interpreter.evaluate('\\_PIC', [{ type: 'Integer', value: 1n }]));
  return { tables, facts: collectFacts({ source: 'the tables', files }), interpreter };
}

/** What `read` gives, or the message of its typed error. */
export function tryTo<Result>(read: () => Result): { readonly value: Result } | { readonly problem: string } {
  try {
    return { value: read() };
  } catch (error) {
    if (!('code' in (error as object))) throw error;
    return { problem: (error as Error).message };
  }
}
