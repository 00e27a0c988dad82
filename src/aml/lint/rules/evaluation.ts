import type { UserError } from '../../../shared/errors.ts';
import { AmlInterpreter } from '../../interpreter/interpreter.ts';
import type { AmlObject } from '../../interpreter/objects.ts';
import { parseNameString } from '../../name-string.ts';
import { decodeResources } from '../../resources/resource-template.ts';
import { type Violation, violation } from '../finding.ts';
import { at, type LintModel } from '../model.ts';
import { predefinedObject, typeWords } from '../predefined-objects.ts';
import type { LintRule } from '../rule.ts';

/**
 * What an operating system asks of every device while it boots, asked of the interpreter: hardware reads as zero, so a failure
 * may be one of this emptiness; what the message says is what the method did.
 */

const ASKED = [
  '_STA',
  '_HID',
  '_CID',
  '_UID',
  '_ADR',
  '_BBN',
  '_SEG',
  '_CRS',
  '_PRS',
  '_PRT',
  '_PRW',
  '_PSS',
  '_CST',
  '_TSS',
  '_BCL',
];
/** Steps of one evaluation: loops that wait for hardware end here, unreported. */
const MAX_STEPS = 20_000;

interface Outcome {
  readonly path: string;
  readonly name: string;
  readonly value?: AmlObject;
  readonly error?: UserError;
}

const LETTERS: Partial<Record<AmlObject['type'], string>> = {
  Integer: 'i',
  String: 's',
  Buffer: 'b',
  Package: 'p',
  Reference: 'r',
};

/** Evaluated once for all rules of the family. */
const outcomes = new WeakMap<LintModel, readonly Outcome[]>();

function outcomesOf(model: LintModel): readonly Outcome[] {
  const known = outcomes.get(model);
  if (known) return known;
  const found = model.complete ? evaluateAll(model) : [];
  outcomes.set(model, found);
  return found;
}

function evaluateAll({ sources }: LintModel): Outcome[] {
  const interpreter = new AmlInterpreter(sources, { limits: { steps: MAX_STEPS } });
  const found: Outcome[] = [];
  const evaluate = (path: string, name: string, args: readonly AmlObject[] = []): void => {
    try {
      found.push({ path, name, value: interpreter.evaluate(path, args) });
    } catch (error) {
      if (!('code' in (error as object))) throw error;
      found.push({ path, name, error: error as UserError });
    }
  };
  if (interpreter.has('\\_PIC')) evaluate('\\_PIC', '_PIC', [{ type: 'Integer', value: 1n }]);
  for (let state = 0; state <= 5; state++) if (interpreter.has(`\\_S${state}`)) evaluate(`\\_S${state}`, `_S${state}_`);
  for (const device of [...interpreter.paths('Device'), ...interpreter.paths('Processor')]) {
    for (const name of ASKED) if (isChild(interpreter, `${device}.${name}`)) evaluate(`${device}.${name}`, name);
  }
  return found;
}

/** Names of damaged tables hold characters that no path can be written with. */
function isChild(interpreter: AmlInterpreter, path: string): boolean {
  try {
    parseNameString(path);
    return interpreter.has(path);
  } catch {
    return false;
  }
}

const reported = ({ path }: Outcome, message: string, { byPath }: LintModel): Violation => {
  const object = byPath.get(parseNameString(path).path)?.[0];
  return object ? at(message, object) : violation(message, { path });
};

/** Loops that wait for hardware, and spaces that nothing answers: the emptiness, not the table. */
const NOT_THE_TABLE = new Set(['AML_LOOP_TIMEOUT', 'AML_SUPPORT', 'AML_REGION_LIMIT']);

export const EVALUATION_RULES: readonly LintRule[] = [
  {
    id: 'EVALUATE-FAILS',
    severity: 'warning',
    title: 'What an OS asks of a device can be evaluated',
    linux:
      '"ACPI Error: Aborting method … due to previous error": the device has no resources, no id or no interrupt routes',
    windows: 'stop 0xA5 (0x03) for a host bridge or link, else Code 10 or 12',
    mend: 'follow the method with `q35 aml evaluate` (hardware reads as zero there too)',
    check: (model) =>
      outcomesOf(model).flatMap((outcome) => {
        const { error } = outcome;
        if (!error || NOT_THE_TABLE.has(error.code)) return [];
        const inner =
          error.place.path === undefined || error.place.path === outcome.path ? '' : ` in ${error.place.path}`;
        return [reported(outcome, `${error.message}${inner}`, model)];
      }),
  },
  {
    id: 'EVALUATE-TYPE',
    severity: 'error',
    title: 'What an OS asks of a device gives the type that ACPI says',
    linux: '"Return type mismatch": the object is repaired or ignored',
    windows: 'stop 0xA5 with 0x07 (string), 0x08 (integer), 0x09 (buffer) or 0x0a (package)',
    mend: 'return the type that the specification of the name gives on every path',
    check: (model) =>
      outcomesOf(model).flatMap((outcome) => {
        const { value, name } = outcome;
        const allowed = predefinedObject(name)?.returns ?? '';
        if (!value || allowed === '' || allowed.includes('*')) return [];
        const letter = LETTERS[value.type];
        // Nothing is what a path without Return gives.
        const given = letter === undefined ? 'nothing' : typeWords(letter);
        if (letter !== undefined && allowed.includes(letter)) return [];
        return [reported(outcome, `it gives ${given} instead of ${typeWords(allowed)}`, model)];
      }),
  },
  {
    id: 'EVALUATE-CRS',
    severity: 'error',
    title: 'The buffer that _CRS or _PRS gives is a resource template',
    linux: '"AE_AML_NO_RESOURCE_END_TAG" or "AE_BAD_DATA": the device gets no resources',
    windows: 'stop 0xA5 (0x0d) for a host bridge or link, else Code 12',
    mend: 'keep the EndTag when the template is patched or put together',
    check: (model) =>
      outcomesOf(model).flatMap((outcome) => {
        const { value, name } = outcome;
        if ((name !== '_CRS' && name !== '_PRS') || value?.type !== 'Buffer' || value.bytes.length === 0) return [];
        try {
          decodeResources(value.bytes);
          return [];
        } catch (error) {
          return [reported(outcome, (error as Error).message, model)];
        }
      }),
  },
  {
    id: 'EVALUATE-PRT',
    severity: 'error',
    title: 'Every row of a computed _PRT is { address, pin 0 to 3, source, index }',
    linux: '"_PRT package invalid": the row or the whole table is dropped',
    windows: 'stop 0xA5 (0x0d)',
    mend: 'write address 0xdddd_ffff, pin 0 to 3, and a link with index 0 or 0 with a GSI',
    check: (model) =>
      outcomesOf(model).flatMap((outcome) => {
        const { value, name } = outcome;
        if (name !== '_PRT' || value?.type !== 'Package') return [];
        return value.elements.flatMap((row, index) => {
          const fault = rowFault(row);
          return fault === undefined ? [] : [reported(outcome, `row ${index}: ${fault}`, model)];
        });
      }),
  },
];

/** ACPI 6.5 §6.2.13. */
function rowFault(row: AmlObject): string | undefined {
  if (row.type === 'Uninitialized') return undefined;
  if (row.type !== 'Package') return `it is ${typeWords(LETTERS[row.type] ?? '')} and no package`;
  if (row.elements.length < 4) return `${row.elements.length} elements instead of 4`;
  const [address, pin, source, index] = row.elements;
  if (address.type !== 'Integer' || (address.value & 0xffffn) !== 0xffffn)
    return 'its address does not end with 0xffff';
  if (pin.type !== 'Integer' || pin.value > 3n) return 'its pin is not 0 to 3';
  if (index.type !== 'Integer') return 'its source index is no integer';
  if (source.type === 'Integer' && source.value !== 0n) return 'its source is neither a link nor 0';
  return undefined;
}
