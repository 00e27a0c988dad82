import type { Random } from './random.ts';

/** Words, numbers, strings, comments and single characters: what a compiler reads as tokens. */
const TOKENS = /\s+|\/\*[\s\S]*?\*\/|\/\/.*|"(?:\\.|[^"\\\n])*"|[A-Za-z_\\^][\w.^\\]*|\d\w*|[^\s]/g;
/** What is put in between: brackets, keywords and tokens that begin something. */
const INSERTS = [
  ...'(){}[],;=+-*/%&|^~!<>#."\\@',
  '/*',
  '*/',
  '//',
  '/*@as-written*/',
  '/*@pkg 2*/',
  '/*@raw 12 34*/',
  '/*@stmt*/',
  '0x',
  '0xFFFFFFFFFFFFFFFFF',
  '08',
  '"\\x"',
  'Method',
  'Device',
  'If',
  'Else',
  'Switch',
  'Case',
  'Package',
  'Buffer',
  'ResourceTemplate',
  'Field',
  'External',
  'DefinitionBlock',
  '\n#define A A\n',
  '\n#if 1\n',
  '\n#include "x"\n',
  'Include ("y")',
  '\u00e9',
  '\0',
] as const;

/** `text` with a few of its tokens gone, doubled, swapped, replaced or with others in between. */
export function mutated(text: string, random: Random): string {
  const tokens = text.match(TOKENS) ?? [];
  const changes = 1 + random.below(4);
  for (let change = 0; change < changes && tokens.length > 1; change++) {
    const at = random.below(tokens.length);
    const other = random.below(tokens.length);
    random.pick([
      () => tokens.splice(at, 1),
      () => tokens.splice(at, random.below(20)),
      () => tokens.splice(at, 0, tokens[other]),
      () => tokens.splice(at, 1, tokens[other]),
      () => tokens.splice(at, 0, ` ${random.pick(INSERTS)} `),
      () => tokens.splice(at, 1, ` ${random.pick(INSERTS)} `),
      () => tokens.splice(at, 0, ...tokens.slice(other, other + random.below(60))),
      () => tokens.splice(at, 0, random.pick(['(', '{', '~', 'If (1) {', '1 + (']).repeat(1 + random.below(2000))),
    ])();
  }
  const whole = tokens.join('');
  return random.chance(0.1) ? whole.slice(0, random.below(whole.length)) : whole;
}
