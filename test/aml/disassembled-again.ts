import { compile } from '../../src/aml/compiler/compile.ts';
import { CompileError } from '../../src/aml/compiler/diagnostics.ts';
import { disassemble } from '../../src/aml/disassemble.ts';
import { equalBytes } from '../../src/shared/bytes.ts';
import { UserError } from '../../src/shared/errors.ts';

/** `same` and `refused` may be; a text that gives another file, or that the compiler refuses, may not. */
export type Outcome = 'same' | 'refused' | 'different' | 'uncompilable';

/** What becomes of a table, however damaged, by way of its text. Throws what is no typed error. */
export function disassembledAgain(table: Uint8Array): Outcome {
  let text: string;
  try {
    text = disassemble([{ bytes: table }], { tolerant: true })[0].asl;
  } catch (error) {
    if (error instanceof UserError) return 'refused';
    throw error;
  }
  try {
    return equalBytes(compile('table.dsl', text).tables[0].bytes, table) ? 'same' : 'different';
  } catch (error) {
    if (error instanceof CompileError) return 'uncompilable';
    throw error;
  }
}
