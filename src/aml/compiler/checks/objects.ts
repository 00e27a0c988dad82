/** Packages, buffers, regions and what devices need. */
import { childPath, parentPath } from '../../namespace.ts';
import type { AmlTerm, AnyDef, FieldElement, NameTerm } from '../../tree.ts';
import { integerOf, type SourceModel, type Visit } from './source-model.ts';

export function checkObjects(model: SourceModel): void {
  for (const visit of model.visits) {
    const { term, scope, method, parent } = visit;
    const { operands } = term as AnyDef;
    switch (term.kind) {
      case 'DefPackage':
        if (operands[0] === 0) model.report('ASL_EMPTY', term, 'the package has no elements');
        break;
      case 'DefBuffer':
        if (integerOf(operands[0] as AmlTerm) === 0n && !model.notes.templates.has(term)) {
          model.report('ASL_EMPTY', term, 'the buffer has no bytes');
        }
        break;
      case 'DefOpRegion':
        if (method && isLiteral(operands[2]) && isLiteral(operands[3])) {
          model.report('ASL_REGION_IN_METHOD', term, 'the region is the same at each call', 'declare it outside');
        }
        break;
      case 'DefField':
      case 'DefIndexField':
      case 'DefBankField':
        checkUnits(model, operands.at(-1) as readonly FieldElement[]);
        break;
      case 'DefDevice':
        checkDevice(model, visit);
        break;
      case 'DefName':
        checkName(model, operands[0] as NameTerm, operands[1] as AmlTerm, parent);
        break;
      case 'DefMethod':
        checkReg(model, operands[0] as NameTerm, scope);
        break;
    }
  }
}

const isLiteral = (operand: unknown): boolean => integerOf(operand as AmlTerm) !== undefined;

function checkUnits(model: SourceModel, elements: readonly FieldElement[]): void {
  for (const element of elements) {
    if (element.kind === 'NamedField' && element.bitLength === 0) {
      model.report('ASL_FIELD_EMPTY', element, `${element.name} has no bits`);
    }
  }
}

function checkDevice(model: SourceModel, { term, scope }: Visit): void {
  const [name] = (term as AnyDef).operands as readonly [NameTerm];
  const node = model.names.find(scope, name.path);
  if (!node) return;
  const [hid, adr] = ['_HID', '_ADR'].map((segment) => model.names.at(childPath(node.path, segment)));
  if (!hid && !adr) model.report('ASL_DEVICE_ID', name, 'the device has neither _HID nor _ADR');
  // Host bridges have both: `_ADR` is 0 and nobody looks at it.
  else if (hid && adr) model.report('ASL_DEVICE_TWO_IDS', name, 'the device has both _HID and _ADR');
}

function checkName(model: SourceModel, name: NameTerm, value: AmlTerm, parent: AnyDef | undefined): void {
  const segment = name.path.slice(-4);
  if (segment === '_HID') checkId(model, value);
  if (segment === '_CID') {
    const isList = value.kind === 'DefPackage' || value.kind === 'DefVarPackage';
    const ids = isList ? ((value as AnyDef).operands[1] as readonly AmlTerm[]) : [value];
    for (const id of ids) checkId(model, id, true);
  }
  if (segment === '_UID' && value.kind === 'String' && parent?.kind === 'DefProcessor') {
    model.report('ASL_UID_TYPE', value, 'the _UID of a Processor is a number: the MADT names processors by it');
  }
  if (/^_T_\w$/.test(segment) && model.notes.tokens.has(name)) {
    model.report('ASL_NAME_RESERVED', name, `${segment} is what compilers call the subject of a Switch`);
  }
}

/** ACPI 6.5 §6.1.5: three letters and four digits, or four letters and digits and four digits; §6.1.2 leaves more to _CID. */
function checkId(model: SourceModel, value: AmlTerm, isCompatible = false): void {
  if (value.kind !== 'String') return;
  const { value: text } = value;
  const why = idFault(text, isCompatible);
  if (why) model.report('ASL_ID_FORM', value, `"${text}" is no ${isCompatible ? 'compatible' : 'hardware'} id: ${why}`);
}

function idFault(text: string, isCompatible: boolean): string | undefined {
  if (text.startsWith('*')) return 'an asterisk in front is of the time before ACPI';
  if (isCompatible) return undefined;
  if (!/^.{7,8}$/.test(text)) return 'it has to have 7 or 8 characters';
  if (/^([A-Z]{3}|[A-Z0-9]{4})[0-9A-F]{4}$/.test(text)) return undefined;
  return 'letters are capitals, and the last four characters are hexadecimal digits';
}

function checkReg(model: SourceModel, name: NameTerm, scope: string): void {
  if (name.path.slice(-4) !== '_REG') return;
  const path = model.names.find(scope, name.path)?.path;
  const hasRegion = path !== undefined && model.names.hasBelow(parentPath(path), 'OpRegionObj');
  if (!hasRegion) model.report('ASL_REG_WITHOUT_REGION', name, '_REG stands beside no OperationRegion');
}
