import { UserError } from '../../shared/errors.ts';
import { encodeTerms } from '../encode.ts';
import { encodeTable, type TableIdentity } from '../table-header.ts';
import type { AmlTerm } from '../tree.ts';
import { type AslDiagnostic, AslDiagnostics, AslSyntaxError } from './diagnostics.ts';
import { tokenize } from './lexer.ts';
import { StatementParser } from './parse-statements.ts';
import { TokenStream } from './token-stream.ts';

export interface Compilation {
  /** Nothing when there are errors. */
  readonly table: Uint8Array | undefined;
  readonly identity: TableIdentity | undefined;
  readonly terms: readonly AmlTerm[];
  readonly diagnostics: readonly AslDiagnostic[];
}

export const COMPILER_ID = 'Q35A';

/** Compiles one DefinitionBlock. Errors are in `diagnostics`, several at once; there is a table only when there are none. */
export function compileAsl(source: string): Compilation {
  const diagnostics = new AslDiagnostics(source);
  const stream = new TokenStream(tokenize(source, diagnostics), diagnostics);
  const asWritten = stream.peek().kind === 'annotation' && stream.peek().text === 'as-written';
  if (asWritten) stream.next();
  const parser = new StatementParser(stream, { asWritten });
  let identity: TableIdentity | undefined;
  let terms: AmlTerm[] = [];
  try {
    identity = definitionBlock(parser);
    terms = parser.block();
    if (stream.peek().kind !== 'end')
      throw stream.fail(
        'ASL_SYNTAX',
        'something stands behind the DefinitionBlock',
        'remove it, or balance the braces',
      );
  } catch (error) {
    if (!(error instanceof AslSyntaxError)) throw error;
  }
  if (diagnostics.errorCount > 0 || !identity)
    return { table: undefined, identity, terms, diagnostics: diagnostics.list };
  try {
    return { table: encodeTable(identity, encodeTerms(terms)), identity, terms, diagnostics: diagnostics.list };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    diagnostics.error('ASL_ENCODE', 0, error.message, 'make the value or the package smaller');
    return { table: undefined, identity, terms, diagnostics: diagnostics.list };
  }
}

/** `DefinitionBlock ("", "DSDT", 2, "OEM", "TABLE", 1)`. */
function definitionBlock(parser: StatementParser): TableIdentity {
  const { stream } = parser;
  const { text, offset } = stream.next();
  if (text !== 'DefinitionBlock')
    throw stream.fail(
      'ASL_SYNTAX',
      'a DefinitionBlock is missing',
      'begin with DefinitionBlock ("", "DSDT", 2, "OEM", "TABLE", 1)',
      offset,
    );
  const string = (length: number) => {
    const token = stream.next();
    if (token.kind !== 'string' || token.text.length > length)
      throw stream.fail(
        'ASL_SYNTAX',
        `a string of up to ${length} characters is needed`,
        'write it in double quotes',
        token.offset,
      );
    return token.text;
  };
  stream.expect('(');
  string(255);
  stream.expect(',');
  const signature = string(4);
  stream.expect(',');
  const revision = parser.constant(255);
  stream.expect(',');
  const oemId = string(6);
  stream.expect(',');
  const oemTableId = string(8);
  stream.expect(',');
  const oemRevision = parser.constant(0xffff_ffff);
  stream.expect(')');
  return { signature, revision, oemId, oemTableId, oemRevision, creatorId: COMPILER_ID, creatorRevision: 1 };
}

/** The first error as a UserError, for callers that want one. */
export function refuseErrors(compilation: Compilation, file: string): void {
  const error = compilation.diagnostics.find(({ severity }) => severity === 'error');
  if (!error) return;
  throw new UserError(error.code, `${error.message}\n${error.excerpt}`, {
    place: { file, line: error.line },
    mend: error.mend,
  });
}
