import { UserError } from '../../shared/errors.ts';
import { Cursor, SyntaxFailure } from '../compiler/cursor.ts';
import { Diagnostics } from '../compiler/diagnostics.ts';
import { parseTerm } from '../compiler/parse-expressions.ts';
import { preprocess } from '../compiler/preprocess.ts';
import { SourceText } from '../compiler/source.ts';
import type { IntegerBytes } from '../interpreter/conversions.ts';
import type { AmlTerm } from '../tree.ts';

/**
 * An ASL expression or assignment as a term, its names as written: they are looked up where it is evaluated.
 * Throws `AML_EXPRESSION` for what is no expression.
 */
export function parseSnippet(text: string, integerBytes: IntegerBytes): AmlTerm {
  const diagnostics = new Diagnostics();
  try {
    const cursor = new Cursor(preprocess(new SourceText('expression', text), {}, diagnostics), diagnostics);
    cursor.integerBytes = integerBytes;
    const term = parseTerm(cursor);
    if (!cursor.atEnd) cursor.fail('ASL_SYNTAX', cursor.token, 'the expression is over here');
    if (diagnostics.errorCount === 0) return term;
  } catch (error) {
    if (!(error instanceof SyntaxFailure)) throw error;
  }
  const [first] = diagnostics.sorted();
  throw new UserError('AML_EXPRESSION', first.message, { mend: first.mend });
}
