import { OPCODES } from '../opcodes.ts';

/** Words with a meaning of their own beside the operators of the table. */
const OTHER_KEYWORDS = [
  'DefinitionBlock',
  'EisaId',
  'ElseIf',
  'One',
  'Ones',
  'ResourceTemplate',
  'Serialized',
  'NotSerialized',
  'ToUUID',
  'Unicode',
  'Zero',
] as const;

const CANONICAL = new Set<string>([...Object.keys(OPCODES), ...OTHER_KEYWORDS]);
const BY_LOWER = new Map([...CANONICAL].map((keyword) => [keyword.toLowerCase(), keyword]));

/** A NameSeg is all capitals, digits and underscores: `LOAD` is a name, `Load` and `load` are the operator. */
export const isNameSeg = (text: string): boolean => /^[A-Z_0-9]{1,4}$/.test(text) && !CANONICAL.has(text);

/** The keyword that `text` writes, whatever its case (§19.2.1: ASL is not case sensitive); nothing for a name. */
export function keywordOf(text: string): string | undefined {
  if (CANONICAL.has(text)) return text;
  return isNameSeg(text) ? undefined : BY_LOWER.get(text.toLowerCase());
}
