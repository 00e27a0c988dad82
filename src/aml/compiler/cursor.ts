import { UserError } from '../../shared/errors.ts';
import { parseNameString } from '../name-string.ts';
import type { AmlTerm, FieldElement, NameTerm } from '../tree.ts';
import type { DiagnosticId, Diagnostics } from './diagnostics.ts';
import { fold, type IntegerBytes } from './fold.ts';
import { numberOf } from './numbers.ts';
import type { TemplateTag } from './resource-tags.ts';
import type { Token } from './source.ts';
import { nearest } from './suggest.ts';

/** Thrown after the mistake has been reported; the list of statements around goes on behind it. */
export class SyntaxFailure extends Error {}

/** Declarations that Switch needs, the last one first, as iasl orders them. */
export interface Temporaries {
  readonly declarations: AmlTerm[];
  /** Number of the next one. */
  next: number;
}

/** What a method collects while its body is read. */
export interface MethodContext {
  readonly name: string;
  serialized: boolean;
  readonly temporaries: Temporaries;
}

/** External as the source writes it. */
export interface ExternalNote {
  /** From parameter types; otherwise the first invocation tells. */
  readonly argumentCount: number | undefined;
  /** Set where the disassembler says that it stands in the AML, and how. */
  readonly emitted?: AmlTerm;
}

/** What the tree cannot hold about its terms. */
export interface Notes {
  /** The token that each term begins with. */
  readonly tokens: Map<AmlTerm | FieldElement, Token>;
  readonly externals: Map<AmlTerm, ExternalNote>;
  readonly templates: Map<AmlTerm, readonly TemplateTag[]>;
  /** Operators that are not computed, and literals that are the words Zero and One. */
  readonly verbatim: Set<AmlTerm>;
  /** Returns that state no value. */
  readonly bareReturns: Set<AmlTerm>;
  /** The size of a Package as it is written. */
  readonly sizes: Map<AmlTerm, AmlTerm>;
}

/** Real tables stay far below; every pass recurses this deep. */
export const MAX_DEPTH = 600;
const MAX_NUMBER = 0xffff_ffff_ffff_ffffn;

/** The tokens of a file, with what every part of the parser needs. */
export class Cursor {
  readonly diagnostics: Diagnostics;
  readonly notes: Notes = {
    tokens: new Map(),
    externals: new Map(),
    templates: new Map(),
    verbatim: new Set(),
    bareReturns: new Set(),
    sizes: new Map(),
  };
  /** Set by the annotation of a disassembly: literals are encoded as they are written. */
  asWritten = false;
  /** What has no effect is left out. */
  dropsIdle = true;
  /** What `__DATE__` gives, in seconds since 1970. */
  dateSeconds: number | undefined;
  /** Words that a misspelt operator may mean. */
  operators: readonly string[] = [];
  /** Of the definition block that is read. */
  integerBytes: IntegerBytes = 8;
  method: MethodContext | undefined;
  /** Of Switch statements outside of methods: they stand at the block's start. */
  temporaries: Temporaries = { declarations: [], next: 0 };
  readonly #tokens: readonly Token[];
  readonly #names = new Map<string, NameTerm>();
  #index = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], diagnostics: Diagnostics) {
    this.#tokens = tokens;
    this.diagnostics = diagnostics;
  }

  get token(): Token {
    return this.#tokens[this.#index];
  }

  get atEnd(): boolean {
    return this.token.kind === 'end';
  }

  peek(ahead = 1): Token {
    return this.#tokens[Math.min(this.#index + ahead, this.#tokens.length - 1)];
  }

  next(): Token {
    const token = this.#tokens[this.#index];
    if (token.kind !== 'end') this.#index++;
    return token;
  }

  /** True when the punctuation `text` stands here. */
  at(text: string): boolean {
    const { token } = this;
    return token.text === text && token.kind === 'punctuation';
  }

  accept(text: string): boolean {
    const found = this.at(text);
    if (found) this.#index++;
    return found;
  }

  expect(text: string): Token {
    if (!this.at(text)) this.fail('ASL_SYNTAX', this.token, `"${text}" is due before ${describe(this.token)}`);
    return this.next();
  }

  /** Reports a mistake that the parser cannot go on behind. */
  fail(id: DiagnosticId, at: Token, message: string, mend?: string): never {
    this.diagnostics.add(id, at, message, mend);
    throw new SyntaxFailure(message);
  }

  report(id: DiagnosticId, at: Token, message: string, mend?: string): void {
    this.diagnostics.add(id, at, message, mend);
  }

  mark<Term extends AmlTerm | FieldElement>(term: Term, token: Token): Term {
    this.notes.tokens.set(term, token);
    return term;
  }

  /** `read` one level deeper: sources that nest without end are refused, not followed. */
  deeper<Result>(read: () => Result): Result {
    if (++this.#depth > MAX_DEPTH) this.fail('ASL_SYNTAX', this.token, `this nests more than ${MAX_DEPTH} deep`);
    try {
      return read();
    } finally {
      this.#depth--;
    }
  }

  get depth(): number {
    return this.#depth;
  }

  /** How far the tokens are read. */
  get position(): number {
    return this.#index;
  }

  /** Behind a mistake in the statement at `start`: to the next one that starts a line in the same block, or to the block's brace. */
  recover(start: number): void {
    let depth = 0;
    for (let index = start; index < this.#index; index++) {
      const { kind, text } = this.#tokens[index];
      if (kind === 'punctuation') depth += Number(text === '{') - Number(text === '}');
    }
    for (; this.token.kind !== 'end'; this.#index++) {
      const { token } = this;
      if (depth <= 0 && token.startsLine && token.kind === 'name' && token.start > 0) return;
      if (token.kind !== 'punctuation') continue;
      if (token.text === '{') depth++;
      else if (token.text === '}' && depth-- <= 0) return;
    }
  }

  /** A NameString, with the annotation that it may have in front. */
  name(): NameTerm {
    let multi = false;
    if (this.token.kind === 'annotation' && this.token.text === 'multi') {
      multi = true;
      this.next();
    }
    const token = this.next();
    // `^` alone reads as the operator.
    const isCaret = token.kind === 'punctuation' && token.text === '^';
    if (token.kind !== 'name' && !isCaret) this.fail('ASL_SYNTAX', token, `a name is due before ${describe(token)}`);
    const name = this.nameOf(token.text, token);
    return this.mark(multi ? { ...name, prefix: 'multi' } : { ...name }, token);
  }

  nameOf(text: string, token: Token): NameTerm {
    if (token.isVerbatim) return { kind: 'NameString', path: text };
    const known = this.#names.get(text);
    if (known) return known;
    try {
      const name = parseNameString(text);
      this.#names.set(text, name);
      return name;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const meant = this.at('(') ? nearest(text, this.operators) : undefined;
      if (meant) this.fail('ASL_OPERATOR', token, `"${text}" is no operator`, `${meant} may be meant`);
      this.fail('ASL_NAME', token, `"${text}" is no name of ACPI`);
    }
  }

  /** The value of a number token; too large ones are reported and cut. */
  number(token: Token): bigint {
    const value = numberOf(token.text);
    if (value === undefined) this.fail('ASL_NUMBER', token, `"${token.text}" is no number`);
    if (value > MAX_NUMBER) this.report('ASL_NUMBER', token, `${token.text} does not fit into 64 bits`);
    return BigInt.asUintN(64, value);
  }

  /** The integer that `term` always gives, at most `max`. */
  constant(term: AmlTerm, max: bigint): bigint {
    const token = this.notes.tokens.get(term) ?? this.token;
    const folded = fold(term, this.integerBytes);
    if (folded.kind === 'Ones') return max;
    if (folded.kind !== 'Integer') this.fail('ASL_CONSTANT', token, 'this is not known when the table is made');
    if (folded.value > max) {
      this.report('ASL_RANGE', token, `0x${folded.value.toString(16)} is more than 0x${max.toString(16)}`);
      return folded.value & max;
    }
    return folded.value;
  }

  string(): string {
    const token = this.next();
    if (token.kind !== 'string') this.fail('ASL_SYNTAX', token, `a string is due before ${describe(token)}`);
    return token.text;
  }

  /** One of `keywords`, in any case, by its value; a number up to `max` stands for itself. */
  keyword(keywords: Readonly<Record<string, number>>, what: string, max = 0xff): number {
    const token = this.next();
    if (token.kind === 'number') {
      const value = this.number(token);
      if (value <= BigInt(max)) return Number(value);
      this.report('ASL_RANGE', token, `${token.text} is more than 0x${max.toString(16)}, and no ${what}`);
      return 0;
    }
    const wanted = token.text.toUpperCase();
    const found = Object.entries(keywords).find(([keyword]) => keyword.toUpperCase() === wanted);
    if (!found || token.kind !== 'name') {
      const meant = nearest(token.text, Object.keys(keywords));
      this.fail(
        'ASL_KEYWORD',
        token,
        `${describe(token)} is no ${what}`,
        meant ? `${meant} may be meant` : `use one of ${Object.keys(keywords).join(', ')}`,
      );
    }
    return found[1];
  }
}

/** The word that a token may be a keyword as. */
export const wordOf = ({ text, isVerbatim }: Token): string => (isVerbatim ? '' : text.toUpperCase());

export function describe(token: Token): string {
  switch (token.kind) {
    case 'end':
      return 'the end of the file';
    case 'string':
      return 'a string';
    case 'annotation':
      return 'an annotation';
    default:
      return `"${token.text}"`;
  }
}
