import { FIELD_ACCESS, LOCK_RULES, UPDATE_RULES } from '../opcodes.ts';
import type { AmlTerm, FieldElement } from '../tree.ts';
import { annotation, pathText } from './annotations.ts';
import { connectionText } from './print-data.ts';
import { hexOf, indented } from './text.ts';

/** The keyword of `value` in a table of numbers, or the number itself, which ASL takes as well. */
export function keywordOf(keywords: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(keywords).find(([, number]) => number === value)?.[0] ?? hexOf(value);
}

/** `AnyAcc, NoLock, Preserve` of a FieldFlags byte. */
export function fieldFlagsText(flags: number): string {
  const access = keywordOf(FIELD_ACCESS, flags & 0x8f);
  const lock = keywordOf(LOCK_RULES, (flags >> 4) & 1);
  return `${access}, ${lock}, ${keywordOf(UPDATE_RULES, (flags >> 5) & 3)}`;
}

/** AccessAttrib values of AccessAs (ACPI 6.5 §19.6.2, table 19.30). */
export const ACCESS_ATTRIBUTES = {
  AttribQuick: 0x02,
  AttribSendReceive: 0x04,
  AttribByte: 0x06,
  AttribWord: 0x08,
  AttribBlock: 0x0a,
  AttribProcessCall: 0x0c,
  AttribBlockProcessCall: 0x0d,
} as const;

export const EXTENDED_ATTRIBUTES = { AttribBytes: 0x0b, AttribRawBytes: 0x0e, AttribRawProcessBytes: 0x0f } as const;

/** The lines of a field list; positions are written as `Offset` where they fall on whole bytes. */
export function fieldListText(
  head: string,
  elements: readonly FieldElement[],
  termText: (term: AmlTerm) => string,
): string {
  if (elements.length === 0) return `${head} {}`;
  let bit = 0;
  const lines = elements.map((element) => {
    const start = bit;
    if (element.kind === 'NamedField' || element.kind === 'ReservedField') bit += element.bitLength;
    return annotatedElement(element, elementText(element, start, termText));
  });
  return `${head}\n{\n${indented(lines.join(',\n'))}\n}`;
}

/** A length in bits may be encoded longer than needed, as a PkgLength. */
function annotatedElement(element: FieldElement, text: string): string {
  if ((element.kind !== 'NamedField' && element.kind !== 'ReservedField') || !element.pkgLengthBytes) return text;
  return `${annotation('pkg', `${element.pkgLengthBytes}`)} ${text}`;
}

/** One element that starts at bit `start`. */
function elementText(element: FieldElement, start: number, termText: (term: AmlTerm) => string): string {
  switch (element.kind) {
    case 'NamedField':
      return `${`${pathText(element.name)},`.padEnd(8)}${element.bitLength}`;
    case 'ReservedField': {
      const end = start + element.bitLength;
      return end % 8 === 0 && element.bitLength >= 8 ? `Offset (${hexOf(end / 8)})` : `    ,   ${element.bitLength}`;
    }
    case 'AccessField':
      return accessText(element.accessType, element.accessAttrib);
    case 'ExtendedAccessField': {
      const attribute = keywordOf(EXTENDED_ATTRIBUTES, element.extendedAccessAttrib);
      const access = keywordOf(FIELD_ACCESS, element.accessType);
      return `AccessAs (${access}, ${attribute} (${hexOf(element.accessLength)}))`;
    }
    case 'ConnectField': {
      const { connection } = element;
      const macro = connection.kind === 'DefBuffer' ? connectionText(connection) : undefined;
      return `Connection (\n${indented(macro ?? termText(connection))}\n)`;
    }
  }
}

function accessText(type: number, attribute: number): string {
  const access = keywordOf(FIELD_ACCESS, type);
  return attribute === 0 ? `AccessAs (${access})` : `AccessAs (${access}, ${keywordOf(ACCESS_ATTRIBUTES, attribute)})`;
}
