import { ROOT } from '../../namespace.ts';
import type { AmlTerm } from '../../tree.ts';
import { checkMethods } from './methods.ts';
import { checkObjectTypes } from './object-types.ts';
import { checkObjects } from './objects.ts';
import { checkPredefined } from './predefined.ts';
import { type SourceContext, SourceModel } from './source-model.ts';
import { checkStatements } from './statements.ts';

/** Warnings and remarks about a definition block that means what it says, and may not mean what its author thinks. */
export function checkSource(terms: readonly AmlTerm[], context: SourceContext): void {
  const model = new SourceModel(terms, ROOT, context);
  checkMethods(model);
  checkStatements(model);
  checkObjects(model);
  checkObjectTypes(model);
  checkPredefined(model);
}
