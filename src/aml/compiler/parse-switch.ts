/** Switch, which the AML does not have: While (One) around If and Else over a temporary name (ACPI 6.5 §19.6.133). */
import type { AmlTerm, NameTerm } from '../tree.ts';
import { type Cursor, describe } from './cursor.ts';
import { def, parseTerm, ROWS } from './parse-expressions.ts';
import type { Token } from './source.ts';

type ParseBlock = (cursor: Cursor) => AmlTerm[];
interface Case {
  readonly token: Token;
  readonly predicate: AmlTerm;
  readonly body: readonly AmlTerm[];
}

const ZERO: AmlTerm = { kind: 'Integer', value: 0n };
const ONE: AmlTerm = { kind: 'Integer', value: 1n };
const MEQ = 1;
const MTR = 0;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

export function parseSwitch(cursor: Cursor, token: Token, parseBlock: ParseBlock): AmlTerm | undefined {
  const temporary = declareTemporary(cursor, token);
  cursor.expect('(');
  const at = cursor.token;
  const value = parseTerm(cursor);
  cursor.expect(')');
  temporary.initialize(initialValue(cursor, value, at));
  const cases: Case[] = [];
  let fallback: { readonly token: Token; readonly body: AmlTerm[] } | undefined;
  cursor.expect('{');
  while (!cursor.accept('}')) {
    if (cursor.accept(';')) continue;
    const head = cursor.next();
    switch (head.text.toUpperCase()) {
      case 'CASE': {
        cursor.expect('(');
        const predicate = parseTerm(cursor);
        cursor.expect(')');
        if (cases.some((other) => isSameConstant(other.predicate, predicate))) {
          cursor.report('ASL_CASE_TWICE', head, 'another Case above takes the same value');
        }
        cases.push({ token: head, predicate, body: parseBlock(cursor) });
        break;
      }
      case 'DEFAULT':
        if (fallback) cursor.report('ASL_NAME_TWICE', head, 'Switch has more than one Default');
        fallback = { token: head, body: parseBlock(cursor) };
        break;
      default:
        cursor.fail('ASL_SYNTAX', head, `Case or Default is due before ${describe(head)}`);
    }
  }
  if (cases.length === 0) {
    cursor.report('ASL_SYNTAX', token, 'Switch has no Case');
    return undefined;
  }
  const chain = cases.reduceRight<AmlTerm[]>((rest, { token: head, predicate, body }) => {
    const test = cursor.mark(def('DefIf', [condition(temporary.name, predicate), body]), head);
    return rest.length === 0 ? [test] : [test, cursor.mark(def('DefElse', [rest]), head)];
  }, []);
  const last = fallback && cursor.mark(def('DefElse', [fallback.body]), fallback.token);
  const store = def('DefStore', [value, temporary.name]);
  const tests = last ? withDefault(chain, last) : chain;
  return cursor.mark(def('DefWhile', [ONE, [store, ...tests, def('DefBreak', [])]]), token);
}

function isSameConstant(left: AmlTerm, right: AmlTerm): boolean {
  if (left.kind === 'Integer') return right.kind === 'Integer' && left.value === right.value;
  return left.kind === 'String' && right.kind === 'String' && left.value === right.value;
}

/** `last` behind the innermost If. */
function withDefault(chain: readonly AmlTerm[], last: AmlTerm): AmlTerm[] {
  const [test, rest] = chain;
  if (!rest) return [test, last];
  const [inner] = (rest as AmlTerm & { readonly kind: 'DefElse' }).operands;
  return [test, def('DefElse', [withDefault(inner, last)])];
}

/** Packages hold several values: one of them has to match. */
function condition(name: NameTerm, predicate: AmlTerm): AmlTerm {
  if (predicate.kind !== 'DefPackage' && predicate.kind !== 'DefVarPackage') return def('DefLEqual', [name, predicate]);
  return def('DefLNotEqual', [def('DefMatch', [predicate, MEQ, name, MTR, ZERO, ZERO]), def('Ones', [])]);
}

/** A name at the start of the method, or of the block: inside a loop it would be declared twice. */
function declareTemporary(cursor: Cursor, token: Token): { name: NameTerm; initialize: (value: AmlTerm) => void } {
  const { method } = cursor;
  for (const word of [ZERO, ONE]) cursor.notes.verbatim.add(word);
  const temporaries = method?.temporaries ?? cursor.temporaries;
  const { declarations } = temporaries;
  const position = temporaries.next++;
  if (position >= DIGITS.length)
    cursor.fail('ASL_RANGE', token, `a method has up to ${DIGITS.length} Switch statements`);
  if (method && !method.serialized) {
    cursor.report('ASL_SERIALIZED', token, 'the method becomes Serialized: Switch declares a name');
    method.serialized = true;
  }
  const name: NameTerm = { kind: 'NameString', path: `_T_${DIGITS[position]}` };
  declarations.unshift(def('DefName', [name, ZERO]));
  return {
    name,
    initialize: (value) => {
      declarations[declarations.length - 1 - position] = def('DefName', [name, value]);
    },
  };
}

/** An initial value of the type that the operator gives. */
function initialValue(cursor: Cursor, value: AmlTerm, at: Token): AmlTerm {
  if (value.kind === 'String') return { kind: 'String', value: '' };
  const yields = [...ROWS.values()].find(({ name }) => name === value.kind)?.yields;
  switch (value.kind === 'Integer' ? 'Integer' : yields) {
    case 'Integer':
    case 'Boolean':
      return ZERO;
    case 'String':
      return { kind: 'String', value: '' };
    case 'Buffer':
      return def('DefBuffer', [ZERO, new Uint8Array(0)]);
    default:
      cursor.report('ASL_SWITCH_TYPE', at, 'the type of the value is not known: it is taken for an integer');
      return ZERO;
  }
}
