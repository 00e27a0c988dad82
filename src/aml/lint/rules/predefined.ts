import { describeName } from '../../asl/predefined-names.ts';
import { formatPath } from '../../name-string.ts';
import type { AmlTerm } from '../../tree.ts';
import { at, type LintModel, type LintObject } from '../model.ts';
import { type PredefinedObject, predefinedObject, typeWords } from '../predefined-objects.ts';
import { returnPaths, typeOf } from '../returns.ts';
import type { LintRule } from '../rule.ts';
import { constantOf, elementsOf, operandOf } from '../walk.ts';

/** Names that ACPI reserves: arguments, return values and the shape of packages (ACPI 6.5 §5.6.8). */

interface Reserved {
  readonly object: LintObject;
  readonly segment: string;
  readonly rule: PredefinedObject;
}

/** Every declaration of a reserved name that is an object or a method. */
function reserved({ objects }: LintModel): Reserved[] {
  return objects.flatMap((object) => {
    if (object.kind !== 'Name' && object.kind !== 'Method') return [];
    const segment = object.path.slice(-4);
    const rule = segment.startsWith('_') ? predefinedObject(segment) : undefined;
    return rule ? [{ object, segment, rule }] : [];
  });
}

function ofMethods(
  model: LintModel,
): (Reserved & { readonly body: readonly AmlTerm[]; readonly argumentCount: number })[] {
  return reserved(model).flatMap((entry) => {
    if (entry.object.kind !== 'Method') return [];
    const { operands } = entry.object.term!;
    return [{ ...entry, body: operands[2] as readonly AmlTerm[], argumentCount: (operands[1] as number) & 7 }];
  });
}

/** What each reserved name gives where the text says it: the value of a Name, the operands of Returns. */
function givenValues(model: LintModel): (Reserved & { readonly value: AmlTerm; readonly scope: string })[] {
  return reserved(model).flatMap((entry) => {
    const { object } = entry;
    if (object.kind === 'Name') return [{ ...entry, value: operandOf(object.term as AmlTerm, 1), scope: object.scope }];
    const body = object.term!.operands[2] as readonly AmlTerm[];
    return returnPaths(body).returns.map((value) => ({ ...entry, value, scope: object.path }));
  });
}

const TYPE_CODES: Readonly<Record<string, string>> = { i: '0x08', b: '0x09', p: '0x0a' };

export const PREDEFINED_RULES: readonly LintRule[] = [
  {
    id: 'PREDEFINED-ARGUMENTS',
    severity: 'warning',
    title: 'A method with a reserved name takes as many arguments as ACPI says',
    linux:
      '"Insufficient arguments" or "Excess arguments" at the first evaluation; missing ones are uninitialised: AE_AML_UNINITIALIZED_ARG',
    windows:
      'the method fails when it reads an argument that is not there: stop 0xA5 (0x03) for a device that is needed',
    mend: 'declare the method with the count that ACPI gives',
    check: (model) =>
      ofMethods(model)
        .filter(({ rule, argumentCount }) => !rule.args.includes(argumentCount) && !rule.returns.includes('*'))
        .map(({ object, rule, argumentCount }) =>
          at(`it takes ${argumentCount} arguments instead of ${rule.args.join(' or ')}`, object),
        ),
  },
  {
    id: 'PREDEFINED-METHOD',
    severity: 'error',
    title: 'A reserved name that takes arguments is a method',
    linux: '"Predefined name is not a method": it is evaluated as data and does nothing',
    windows: 'the object is of the wrong type: stop 0xA5 for _SRS and _PTS, else the function is lost',
    mend: 'declare a Method with the arguments of ACPI',
    check: (model) =>
      reserved(model)
        .filter(({ object, rule }) => object.kind === 'Name' && !rule.args.includes(0))
        .map(({ object, rule }) =>
          at(`it is a Name and should be a method of ${rule.args.join(' or ')} arguments`, object),
        ),
  },
  {
    id: 'PREDEFINED-RETURN',
    severity: 'warning',
    title: 'A method whose value is used returns one on every path',
    linux: '"Missing expected return value": AE_AML_NO_RETURN_VALUE on the path without Return',
    windows: 'an implicit value, the last result, is taken: a wrong type stops with 0xA5 (0x07 to 0x0a)',
    mend: 'return a value at the end of the method',
    check: (model) =>
      ofMethods(model).flatMap(({ object, rule, body }) => {
        if (rule.returns === '' || rule.returns.includes('*')) return [];
        const { returns, fallsThrough } = returnPaths(body);
        if (!fallsThrough) return [];
        return [at(returns.length === 0 ? 'it returns nothing' : 'not every path returns a value', object)];
      }),
  },
  {
    id: 'PREDEFINED-TYPE',
    severity: 'error',
    title: 'A reserved name gives the type that ACPI says',
    linux: '"Return type mismatch"; repaired where a conversion is known, else the object is ignored',
    windows:
      'stop 0xA5 with 0x07 (string), 0x08 (integer), 0x09 (buffer) or 0x0a (package) for objects that are needed',
    mend: 'return the type that the specification of the name gives',
    check: (model) =>
      givenValues(model).flatMap(({ object, rule, value, scope }) => {
        if (rule.returns === '' || rule.returns.includes('*')) return [];
        const type = typeOf(value, scope, model);
        if (type === undefined || rule.returns.includes(type)) return [];
        const code = TYPE_CODES[rule.returns[0]];
        return [
          at(
            `it gives ${typeWords(type)} instead of ${typeWords(rule.returns)}${code ? ` (0xA5 ${code})` : ''}`,
            object,
          ),
        ];
      }),
  },
  {
    id: 'PREDEFINED-PACKAGE',
    severity: 'error',
    title: 'The package of a reserved name has the elements that ACPI says',
    linux: '"Return Package type mismatch" or "too small": the object is ignored',
    windows: 'stop 0xA5 (0x0a for the package, 0x0d where the device is needed), or the function is lost',
    mend: 'write the elements in number and type as the specification of the name gives them',
    check: (model) =>
      givenValues(model).flatMap(({ object, segment, rule, value, scope }) => {
        const elements = elementsOf(value);
        // Lengths that a method computes, and rows that it fills in later, are not in the text.
        if (!elements || object.kind === 'Method') return [];
        return packageFaults(segment, rule, elements, scope, model).map((message) => at(message, object));
      }),
  },
  {
    id: 'PREDEFINED-NO-VALUE',
    severity: 'remark',
    title: 'A reserved name from which no value is taken returns none',
    linux: 'nothing: the value is dropped',
    windows: 'nothing: the value is dropped',
    mend: 'drop the value from the Return, or look whether another name is meant',
    check: (model) =>
      ofMethods(model).flatMap(({ object, rule, body }) => {
        if (rule.returns !== '') return [];
        // `Return (Zero)` is how compilers write a bare Return.
        const values = returnPaths(body).returns.filter((value) => constantOf(value) !== 0n);
        return values.length === 0 ? [] : [at('it returns a value that nothing reads', object)];
      }),
  },
  {
    id: 'PREDEFINED-UNKNOWN',
    severity: 'warning',
    title: 'Names that begin with an underscore are those that ACPI reserves',
    linux: 'the object is never looked at; a later ACPI may give the name a meaning',
    windows: 'the same',
    mend: 'correct the spelling, or take a name without underscore in front',
    check: (model) =>
      model.objects
        .filter(({ kind, path, method }) => {
          const segment = path.slice(-4);
          return segment.startsWith('_') && method === undefined && KNOWN_KINDS.has(kind) && !isKnownName(segment);
        })
        .map((object) => at(`ACPI knows no ${formatPath(object.path.slice(-4))}`, object)),
  },
];

const KNOWN_KINDS = new Set(['Name', 'Method', 'Device']);

/** Names of scopes and of Microsoft's and Intel's extensions that stand in the field. */
const OTHER_NAMES =
  /^_(SB_|TZ_|PR_|GPE|SI_|OS_|REV|GL_|T_.|MTP|WDG|INT|HE_|LL_|MAX|MEM|MIF|MIN|RNG|RW_|SHR|SIZ|TRA|TRS|TSF|TTP|TYP|LEN|RBO|RBW|ASI|ASZ|BAS|BM_|DEC|DPL|DRS|END|FLC|IOR|LIN|MOD|PAR|PHA|PIN|POL|RXL|SLV|SPE|STB|TXL|VEN|ATT|RT_|UBF|GRA|NIG|NBS|NCH|NIC|NIH|PRL|RDI|DLM|LSI|LSR|LSW|PHM|HMA|TPT|FIX|BTS|SPI|SUN|WDG|DSS|STS|ERR|IFT|SRV|CRT|T[0-9]_|T[0-9]{2}|Q[0-9A-F]{2})/;

/** True for a name that ACPI, Windows or Intel's extensions give a meaning. */
export function isKnownName(segment: string): boolean {
  return predefinedObject(segment) !== undefined || describeName(segment) !== undefined || OTHER_NAMES.test(segment);
}

function packageFaults(
  segment: string,
  { elements: shape, min = 0, returns }: PredefinedObject,
  elements: readonly AmlTerm[],
  scope: string,
  model: LintModel,
): string[] {
  if (!returns.includes('p')) return [];
  if (elements.length < min && elements.length > 0)
    return [`${elements.length} elements where at least ${min} are due`];
  const [form, letters] = shape?.split(':') ?? [];
  const kinds = letters?.split(/(?<!\|)(?!\|)/) ?? [];
  const wrong = (element: AmlTerm | undefined, kind: string, where: string): string[] => {
    if (element === undefined) return [];
    const type =
      element.kind === 'NameString' ? referenceType(element, kind, scope, model) : typeOf(element, scope, model);
    if (type === undefined || kind.split('|').includes(type)) return [];
    return [`${where} is ${typeWords(type)} instead of ${typeWords(kind.replaceAll('|', ''))}`];
  };
  switch (form) {
    case 'fixed':
      if (elements.length > 0 && elements.length < kinds.length)
        return [`${elements.length} elements instead of ${kinds.length}`];
      return kinds.flatMap((kind, index) => wrong(elements[index], kind, `element ${index}`));
    case 'list':
      return elements.flatMap((element, index) => wrong(element, kinds[0], `element ${index}`));
    case 'rows':
      return elements.flatMap((row, index) => {
        const cells = elementsOf(row);
        // _PSD, _TSD and _CSD of one row, and _PRT with a name for a row, are seen when they are evaluated.
        if (!cells) return row.kind === 'Integer' ? [`element ${index} is no package`] : [];
        if (cells.length < kinds.length)
          return [`row ${index} has ${cells.length} elements instead of ${kinds.length}`];
        return kinds.flatMap((kind, column) => wrong(cells[column], kind, `row ${index} element ${column}`));
      });
    default:
      return segment === '_PRW' ? wakeFaults(elements) : [];
  }
}

/** A name in a package is a reference; one of data is taken by its value. */
function referenceType(element: AmlTerm, kind: string, scope: string, model: LintModel): string | undefined {
  return kind.includes('r') ? undefined : typeOf(element, scope, model);
}

/** ACPI 6.5 §7.3.13: the GPE (an integer, or a package of block device and bit) and the deepest sleep state. */
function wakeFaults([event, state]: readonly AmlTerm[]): string[] {
  const faults: string[] = [];
  const block = elementsOf(event);
  if (event.kind === 'String' || event.kind === 'DefBuffer' || (block && block.length < 2))
    faults.push('element 0 names no GPE (0xA5 0x04)');
  const deepest = constantOf(state);
  if (state.kind === 'String' || (deepest !== undefined && deepest > 5n))
    faults.push(`element 1 is no sleep state (0xA5 0x05)`);
  return faults;
}
