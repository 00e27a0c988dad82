import { Flags } from '@oclif/core';
import type { SourceTable } from '../aml/decode.ts';
import { AmlInterpreter, type InterpreterOptions } from '../aml/interpreter/interpreter.ts';
import type { AmlObject } from '../aml/interpreter/objects.ts';
import { connectRegions, initializeDevices } from '../aml/interpreter/os-start.ts';
import { SEMANTICS, type Semantics } from '../aml/interpreter/semantics.ts';
import { UserError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { readDump } from './table-dump.ts';

/** How commands that run AML do it. */
export const interpreterFlags = {
  fill: Flags.integer({ description: 'byte that absent hardware reads as', default: 0, min: 0, max: 255 }),
  osi: Flags.string({ description: 'what _OSI answers with true, instead of all of Windows', multiple: true }),
  semantics: Flags.option({
    options: ['spec', 'nt'] as const,
    default: 'spec' as const,
    description: 'run AML as the specification has it, or as Windows does where it differs',
  })(),
  initialize: Flags.boolean({ description: 'first run _REG, _STA and _INI, as an operating system does' }),
};

/** The values of `interpreterFlags`. */
export interface InterpreterFlagValues {
  readonly fill: number;
  readonly osi?: readonly string[];
  readonly semantics: Semantics['name'];
  readonly initialize: boolean;
}

/** Definition blocks to load, the DSDT first, and the tables beside them. */
export interface AmlTables {
  readonly blocks: readonly SourceTable[];
  readonly others: readonly SourceTable[];
}

const isBlock = ({ bytes }: SourceTable): boolean =>
  /^(DSDT|SSDT|PSDT)$/.test(String.fromCharCode(...bytes.subarray(0, 4)));
const isDsdt = ({ bytes }: SourceTable): boolean => String.fromCharCode(...bytes.subarray(0, 4)) === 'DSDT';

/** Sorts `tables` for an interpreter. Throws `AML_NO_BLOCK` when there is no DSDT or SSDT. */
export function amlTablesOf(tables: readonly SourceTable[]): AmlTables {
  const blocks = tables.filter(isBlock);
  if (blocks.length === 0) {
    throw new UserError('AML_NO_BLOCK', 'there is no DSDT or SSDT among the tables', {
      mend: 'name the DSDT, then the SSDTs, or a directory or dump that has them',
    });
  }
  return {
    blocks: [...blocks.filter(isDsdt), ...blocks.filter((table) => !isDsdt(table))],
    others: tables.filter((table) => !isBlock(table)),
  };
}

/** The tables in files, directories and dumps. Throws as `readDump` and `amlTablesOf`. */
export async function readAmlTables(paths: readonly string[]): Promise<AmlTables> {
  const tables = await readDump(paths);
  const isShared = (wanted: string): boolean => tables.filter(({ file }) => file === wanted).length > 1;
  // Of a dump that holds many tables their names say more.
  return amlTablesOf(tables.map(({ name, file, bytes }) => ({ file: isShared(file) ? name : file, bytes })));
}

/** An interpreter as the flags say; what goes wrong while it starts is a warning each. */
export function startInterpreter(
  { blocks, others }: AmlTables,
  flags: InterpreterFlagValues,
  logger: Logger,
  options: InterpreterOptions = {},
): AmlInterpreter {
  const interpreter = new AmlInterpreter(blocks, {
    fill: flags.fill,
    semantics: SEMANTICS[flags.semantics],
    installed: others,
    ...(flags.osi && { osi: flags.osi }),
    ...options,
  });
  const failures = flags.initialize ? [...connectRegions(interpreter), ...initializeDevices(interpreter)] : [];
  for (const { path, message } of [...interpreter.problems, ...failures]) logger.warn(`${path}: ${message}`);
  return interpreter;
}

/** An argument of a method: a number, else text. Throws `AML_ARGUMENT`. */
export function argumentOf(text: string): AmlObject {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) return { type: 'String', value: text };
  const value = BigInt(text);
  if (value > 0xffff_ffff_ffff_ffffn) {
    throw new UserError('AML_ARGUMENT', `${text} has more than 64 bits`, {
      place: { file: '--arg' },
      mend: 'give a smaller number',
    });
  }
  return { type: 'Integer', value };
}
