/** Names that ACPI reserves: arguments, values and spelling. */
import { predefinedObject, typeWords } from '../../lint/predefined-objects.ts';
import { returnPaths } from '../../lint/returns.ts';
import { isKnownName } from '../../lint/rules/predefined.ts';
import { formatPath } from '../../name-string.ts';
import type { AmlTerm, AnyDef, NameTerm } from '../../tree.ts';
import { integerOf, type SourceMethod, type SourceModel } from './source-model.ts';

export function checkPredefined(model: SourceModel): void {
  for (const method of model.methods) checkMethod(model, method);
  for (const { term, method } of model.visits) {
    if (term.kind !== 'DefName' && term.kind !== 'DefMethod') continue;
    const [name, value] = (term as AnyDef).operands as readonly [NameTerm, AmlTerm];
    const segment = name.path.slice(-4);
    if (!segment.startsWith('_') || method) continue;
    if (!isKnownName(segment)) model.report('ASL_PREDEFINED_UNKNOWN', name, `ACPI reserves no name ${segment}`);
    if (term.kind === 'DefName') checkObject(model, segment, value);
  }
}

function checkMethod(model: SourceModel, { name, argumentCount, body, visits }: SourceMethod): void {
  const segment = name.path.slice(-4);
  const rule = segment.startsWith('_') ? predefinedObject(segment) : undefined;
  if (!rule || rule.returns.includes('*')) return;
  if (!rule.args.includes(argumentCount)) {
    const wanted = rule.args.join(' or ');
    model.report('ASL_PREDEFINED_ARGUMENTS', name, `${segment} takes ${wanted} arguments, not ${argumentCount}`);
  }
  const given = visits.flatMap(({ term }) =>
    term.kind === 'DefReturn' && !model.notes.bareReturns.has(term) ? [(term as AnyDef).operands[0] as AmlTerm] : [],
  );
  if (rule.returns === '') {
    const value = given.find((term) => integerOf(term) !== 0n);
    if (value) model.report('ASL_PREDEFINED_NO_VALUE', value, `nothing is done with what ${segment} returns`);
    return;
  }
  if (given.length === 0 || returnPaths(body).fallsThrough) {
    model.report('ASL_PREDEFINED_RETURN', name, `${segment} has to return ${typeWords(rule.returns)} on every path`);
  }
  for (const value of given) checkType(model, segment, rule.returns, value);
}

/** Packages of a fixed length; a shorter one is what the rules of `acpi lint` look at. */
function checkElementCount(model: SourceModel, segment: string, value: AmlTerm): void {
  const [form, letters] = predefinedObject(segment)?.elements?.split(':') ?? [];
  if (form !== 'fixed' || value.kind !== 'DefPackage') return;
  const wanted = letters.replaceAll(/\|./g, '').length;
  const [count] = value.operands;
  if (count > wanted)
    model.report('ASL_PREDEFINED_LENGTH', value, `${formatPath(segment)} has ${wanted} elements, not ${count}`);
}

function checkObject(model: SourceModel, segment: string, value: AmlTerm): void {
  const rule = predefinedObject(segment);
  if (!rule || rule.returns.includes('*')) return;
  if (!rule.args.includes(0)) {
    const wanted = rule.args.join(' or ');
    model.report('ASL_PREDEFINED_TYPE', value, `${segment} has to be a method of ${wanted} arguments`);
  } else if (rule.returns !== '') checkType(model, segment, rule.returns, value);
}

const LETTERS: Readonly<Record<string, string>> = {
  Integer: 'i',
  Ones: 'i',
  String: 's',
  DefBuffer: 'b',
  DefPackage: 'p',
  DefVarPackage: 'p',
};

function checkType(model: SourceModel, segment: string, wanted: string, value: AmlTerm): void {
  const letter = LETTERS[value.kind];
  if (letter === 'p') checkElementCount(model, segment, value);
  if (letter === undefined || wanted.includes(letter)) return;
  model.report('ASL_PREDEFINED_TYPE', value, `${segment} has to give ${typeWords(wanted)}, not ${typeWords(letter)}`);
}
