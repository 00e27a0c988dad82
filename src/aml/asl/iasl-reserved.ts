import { predefinedObject } from '../lint/predefined-objects.ts';
import { OPCODES } from '../opcodes.ts';
import type { AmlTerm } from '../tree.ts';

/**
 * Values of reserved names that iasl 20200925 refuses though firmware has them. What ACPI says of them is `predefinedObject`; here is
 * where iasl differs and what it holds against packages and ids. What is listed too much costs an annotation, no bytes.
 */

/** Types by the letters of `predefinedObject`, where iasl knows the name otherwise. */
const IASL_RETURNS: Readonly<Record<string, string>> = {
  _DLM: 'p',
  _EC_: 'i',
  _FIT: 'b',
  _FIX: 'p',
  _GPE: 'i',
  _HMA: 'b',
  _IFT: 'i',
  _LPD: 'p',
  _LSI: 'p',
  _MBM: 'p',
  _NBS: 'b',
  _NCH: 'b',
  _NIC: 'b',
  _NIG: 'b',
  _RDI: 'p',
  _SBA: 'p',
  _SBI: 'p',
  _STR: 'b',
  _WAK: 'ip',
  _WDG: 'b',
  _WED: 'isb',
};

/** A package's elements: the least number of them, then a kind for each; the last one goes on. Rows are packages of such. */
interface Shape {
  readonly least: number;
  readonly head: readonly string[];
  /** Of every element behind the head. */
  readonly rest?: string;
  /** Every element behind the head is a package of at least these. */
  readonly row?: readonly string[];
}

const kinds = (letters: string): string[] => letters.split(/(?<!\|)(?!\|)/).filter((kind) => kind !== '');
const fixed = (letters: string): Shape => ({ least: kinds(letters).length, head: kinds(letters) });
const rows = (letters: string, head = ''): Shape => ({
  least: kinds(head).length,
  head: kinds(head),
  row: kinds(letters),
});
const list = (kind: string, head = ''): Shape => ({ least: kinds(head).length, head: kinds(head), rest: kind });

const SHAPES: Readonly<Record<string, Shape>> = {
  _ART: rows('rriiiiiiiiiii', 'i'),
  _CPC: list('i|b'),
  _CST: rows('biii', 'i'),
  _FIX: list('i'),
  _FPS: rows('iiiii', 'i'),
  _HPX: rows('iiiii'),
  _LPI: rows('', 'iiip'),
  _PRW: list('r', 'i|pi'),
};
const BATTERY = 'iiiiiiiiiiiiiiiissss';

function shapeOf(segment: string, elements: readonly AmlTerm[]): Shape | undefined {
  const own = SHAPES[segment];
  if (own) return own;
  // Revision 0 has no swapping capability.
  if (segment === '_BIX') return fixed(isZero(elements[0]) ? BATTERY : `${BATTERY}i`);
  const [form, letters] = predefinedObject(segment)?.elements?.split(':') ?? [];
  if (letters === undefined) return undefined;
  if (form === 'list') return list(letters);
  return form === 'rows' ? rows(letters) : fixed(letters);
}

const isZero = (term: AmlTerm | undefined): boolean => term?.kind === 'Integer' && term.value === 0n;

const isWord = (term: AmlTerm | undefined): boolean =>
  term?.kind === 'Integer' && term.value <= 1n && term.byteLength === undefined;

/** The letter of a value that is written out; nothing for names and what is computed. */
function letterOf(term: AmlTerm): string | undefined {
  switch (term.kind) {
    case 'Integer':
    case OPCODES.Ones.name:
      return 'i';
    case 'String':
      return 's';
    case 'DefBuffer':
      return 'b';
    case 'DefPackage':
    case 'DefVarPackage':
      return 'p';
    default:
      return undefined;
  }
}

/** Elements as iasl counts them: those that have no initializer are there and of no type. */
function elementsOf(term: AmlTerm): readonly (AmlTerm | undefined)[] | undefined {
  if (term.kind !== 'DefPackage') return undefined;
  const [count, elements] = term.operands;
  return Array.from({ length: Math.max(count, elements.length) }, (_, index) => elements[index]);
}

/** True when iasl refuses `Name (segment, value)`, `parent` being the kind of the term around. */
export function refusesName(segment: string, value: AmlTerm, parent: string | undefined): boolean {
  if (!segment.startsWith('_')) return false;
  const known = predefinedObject(segment);
  if (known && (known.returns === '' || !known.args.includes(0))) return true;
  if (segment === '_UID' && parent === OPCODES.Processor.name && value.kind === 'String') return true;
  return refusesValue(segment, value) || refusesId(segment, value);
}

/** True when iasl refuses a method `segment` that has `Return (value)`. */
export function refusesValue(segment: string, value: AmlTerm): boolean {
  const expected = IASL_RETURNS[segment] ?? predefinedObject(segment)?.returns ?? '';
  const letter = letterOf(value);
  if (expected === '' || letter === undefined) return false;
  return !expected.includes(letter) || (letter === 'p' && refusesPackage(segment, value));
}

function refusesPackage(segment: string, value: AmlTerm): boolean {
  const elements = elementsOf(value);
  if (!elements) return false;
  if (segment === '_DSD') return refusesProperties(elements);
  // The revision must be a number, and not the words Zero and One.
  if (segment === '_BIX' && isWord(elements[0])) return true;
  const shape = shapeOf(segment, value.kind === 'DefPackage' ? value.operands[1] : []);
  if (!shape) return false;
  return elements.length < shape.least || elements.some((element, index) => refusesElement(shape, element, index));
}

function refusesElement({ head, rest, row }: Shape, element: AmlTerm | undefined, index: number): boolean {
  const kind = head[index] ?? rest ?? (row && 'p');
  if (kind === undefined) return false;
  if (!fits(element, kind)) return true;
  const cells = index >= head.length && row && element ? elementsOf(element) : undefined;
  if (!cells || !row) return false;
  return cells.length < row.length || row.some((cell, column) => !fits(cells[column], cell));
}

/** A name in a package may stand for anything. */
function fits(element: AmlTerm | undefined, kind: string): boolean {
  if (element === undefined) return false;
  const letter = letterOf(element);
  return letter === undefined || kind.split('|').includes(letter);
}

/** Pairs of a UUID and a package (ACPI 6.5 §6.2.5). */
function refusesProperties(elements: readonly (AmlTerm | undefined)[]): boolean {
  return elements.length % 2 === 1 || elements.some((element, index) => !fits(element, index % 2 === 0 ? 'b' : 'p'));
}

/** Three capitals or four capitals and digits, then hexadecimal digits; `_CID` may be anything without an asterisk. */
function refusesId(segment: string, value: AmlTerm): boolean {
  if (segment === '_CID' && value.kind === 'DefPackage') return value.operands[1].some((id) => refusesId('_CID', id));
  if (value.kind !== 'String') return false;
  if (segment === '_CID') return value.value === '' || value.value.startsWith('*');
  return segment === '_HID' && !/^(?:[A-Z]{3}[0-9A-Fa-f]{4}|[A-Z0-9]{4}[0-9A-Fa-f]{4})$/.test(value.value);
}
