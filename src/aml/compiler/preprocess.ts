import type { Diagnostics } from './diagnostics.ts';
import { tokenize } from './lexer.ts';
import { numberOf } from './numbers.ts';
import { evaluateCondition } from './preprocess-condition.ts';
import { SourceText, type Token } from './source.ts';

/** How a source finds the files that it includes: a port, so that the compiler needs no file system. */
export interface IncludeFiles {
  /** The text of `path` as `from` names it, each byte one character, or nothing when there is no such file. */
  read(path: string, from: string): { readonly file: string; readonly text: string } | undefined;
}

export interface PreprocessOptions {
  readonly includes?: IncludeFiles;
  /** Names that are defined from the start, with their texts. */
  readonly defines?: Readonly<Record<string, string>>;
  /** Ids of diagnostics, or iasl's numbers, of which nothing is said; errors are said all the same. */
  readonly ignore?: readonly string[];
}

interface Macro {
  /** Nothing for a macro without parentheses. */
  readonly parameters: readonly string[] | undefined;
  readonly body: readonly Token[];
}

/** Files within files; a circle of includes ends here. */
const MAX_DEPTH = 32;
const MAX_EXPANSIONS = 100_000;

/** The tokens of `source` with includes read, macros expanded and conditions decided; the last one is `end`. */
export function preprocess(source: SourceText, options: PreprocessOptions, diagnostics: Diagnostics): Token[] {
  const run = new Preprocessor(options, diagnostics);
  run.readSource(source, 0);
  return run.finish(source);
}

class Preprocessor {
  readonly #options: PreprocessOptions;
  readonly #diagnostics: Diagnostics;
  readonly #macros = new Map<string, Macro>();
  readonly #out: Token[] = [];
  #expansions = 0;

  constructor(options: PreprocessOptions, diagnostics: Diagnostics) {
    this.#options = options;
    this.#diagnostics = diagnostics;
    for (const [name, text] of Object.entries(options.defines ?? {})) {
      const body = tokenize(new SourceText(`<define ${name}>`, text), diagnostics).slice(0, -1);
      this.#macros.set(name, { parameters: undefined, body });
    }
  }

  finish(source: SourceText): Token[] {
    const length = source.text.length;
    this.#out.push({ kind: 'end', text: '', source, start: length, end: length, startsLine: true });
    return this.#out;
  }

  readSource(source: SourceText, depth: number): void {
    const tokens = tokenize(source, this.#diagnostics);
    /** Each open #if: whether its text counts, and whether one of its branches did. */
    const conditions: { active: boolean; taken: boolean; readonly outer: boolean; readonly opened: Token }[] = [];
    let active = true;
    let index = 0;
    while (tokens[index].kind !== 'end') {
      const token = tokens[index];
      if (token.startsLine && token.kind === 'punctuation' && token.text === '#') {
        const line: Token[] = [];
        for (index++; tokens[index].kind !== 'end' && !tokens[index].startsLine; index++) line.push(tokens[index]);
        const [directive] = line;
        const rest = line.slice(1);
        switch (directive?.text) {
          case 'if':
          case 'ifdef':
          case 'ifndef': {
            const holds: boolean = active && this.#condition(directive, rest);
            conditions.push({ active: holds, taken: holds, outer: active, opened: directive });
            active = holds;
            break;
          }
          case 'elif':
          case 'else':
          case 'endif': {
            const open = conditions.at(-1);
            if (!open) {
              this.#diagnostics.add('ASL_DIRECTIVE', directive, `#${directive.text} without #if`);
            } else if (directive.text === 'endif') {
              conditions.pop();
              active = open.outer;
            } else {
              const wanted = open.outer && !open.taken;
              open.active = wanted && (directive.text === 'else' || this.#condition(directive, rest));
              open.taken ||= open.active;
              active = open.active;
            }
            break;
          }
          default:
            if (active) this.#directive(directive ?? token, rest, depth);
        }
      } else if (active) {
        index = this.#pass(tokens, index, depth);
      } else {
        index++;
      }
    }
    for (const { opened } of conditions) {
      this.#diagnostics.add('ASL_UNCLOSED', opened, `#${opened.text} has no #endif`);
    }
  }

  /** Hands one token on, or what a macro or Include makes of it and the tokens behind it; gives the next index. */
  #pass(tokens: readonly Token[], index: number, depth: number): number {
    const token = tokens[index];
    if (token.kind === 'name') {
      if (this.#macros.size > 0 && this.#macros.has(token.text)) {
        const { expanded, next } = this.#expandAt(tokens, index, new Set());
        this.#out.push(...expanded);
        return next;
      }
      // ACPI 6.5 §19.6.65: Include ("file")
      if (token.text.length === 7 && token.text.toUpperCase() === 'INCLUDE' && tokens[index + 2]?.kind === 'string') {
        this.#include(tokens[index + 2], depth);
        return index + (tokens[index + 3]?.text === ')' ? 4 : 3);
      }
    }
    this.#out.push(token);
    return index + 1;
  }

  #directive(directive: Token, rest: readonly Token[], depth: number): void {
    const [first] = rest;
    switch (directive.text) {
      case 'define':
        this.#define(directive, rest);
        break;
      case 'undef':
        if (first) this.#macros.delete(first.text);
        break;
      case 'include':
        if (first?.kind === 'string') this.#include(first, depth);
        else if (first?.text === '<') {
          const path = rest.slice(
            1,
            rest.findIndex(({ text }) => text === '>'),
          );
          const start = path[0]?.start ?? first.end;
          const end = path.at(-1)?.end ?? first.end;
          const text = first.source.text.slice(start, end);
          this.#include({ ...first, kind: 'string', text, start, end }, depth);
        } else this.#diagnostics.add('ASL_DIRECTIVE', directive, '#include needs a file name in quotes');
        break;
      case 'includebuffer':
        this.#includeBuffer(directive, rest);
        break;
      case 'error':
        this.#diagnostics.add('ASL_ERROR_DIRECTIVE', directive, lineText(rest) || '#error');
        break;
      case 'warning':
        this.#diagnostics.add('ASL_WARNING_DIRECTIVE', directive, lineText(rest) || '#warning');
        break;
      case 'line':
        this.#line(directive, rest);
        break;
      case 'pragma':
        this.#pragma(directive, rest);
        break;
      default:
        // `# 12 "file"`, as C's preprocessor leaves it.
        if (directive.kind === 'number') {
          this.#line(directive, [directive, ...rest]);
          break;
        }
        this.#diagnostics.add('ASL_DIRECTIVE', directive, `#${directive.text} is no directive`);
    }
  }

  #line(directive: Token, [line, file]: readonly Token[]): void {
    const value = line?.kind === 'number' ? numberOf(line.text) : undefined;
    if (value === undefined) this.#diagnostics.add('ASL_DIRECTIVE', directive, '#line needs a line number');
    else line.source.renumberBehind(line.start, Number(value), file?.kind === 'string' ? file.text : undefined);
  }

  /** `#pragma disable (id)` and `#pragma message "text"`; others are for other tools. */
  #pragma(directive: Token, [kind, ...rest]: readonly Token[]): void {
    const argument = rest.find(({ kind: what }) => what !== 'punctuation');
    if (kind?.text === 'message' && argument?.kind === 'string') {
      this.#diagnostics.add('ASL_MESSAGE_PRAGMA', directive, argument.text);
    } else if (kind?.text === 'disable' && argument) this.#diagnostics.ignore(argument.text);
  }

  #define(directive: Token, rest: readonly Token[]): void {
    const [name, open] = rest;
    if (name?.kind !== 'name') {
      this.#diagnostics.add('ASL_DIRECTIVE', directive, '#define needs a name');
      return;
    }
    const hasParameters = open?.text === '(' && open.kind === 'punctuation' && open.start === name.end;
    const close = hasParameters ? rest.findIndex(({ text, kind }) => text === ')' && kind === 'punctuation') : -1;
    if (!hasParameters || close < 0) {
      this.#macros.set(name.text, { parameters: undefined, body: rest.slice(1) });
      return;
    }
    const parameters = rest.slice(2, close).flatMap(({ kind, text }) => (kind === 'name' ? [text] : []));
    this.#macros.set(name.text, { parameters, body: rest.slice(close + 1) });
  }

  #include(path: Token, depth: number): void {
    if (depth >= MAX_DEPTH) {
      this.#diagnostics.add('ASL_INCLUDE', path, `"${path.text}" is included more than ${MAX_DEPTH} deep`);
      return;
    }
    const found = this.#options.includes?.read(path.text, path.source.file);
    if (!found) this.#diagnostics.add('ASL_INCLUDE', path, `"${path.text}" cannot be read`);
    else this.readSource(new SourceText(found.file, found.text), depth + 1);
  }

  /** `#includebuffer "file" NAME` is a Name that holds the file's bytes, as iasl has it. */
  #includeBuffer(directive: Token, [path, name]: readonly Token[]): void {
    const found = path?.kind === 'string' && this.#options.includes?.read(path.text, path.source.file);
    if (!found || name?.kind !== 'name') {
      this.#diagnostics.add(
        'ASL_INCLUDE',
        path ?? directive,
        '#includebuffer needs a file that can be read and a name',
      );
      return;
    }
    const bytes = [...found.text].map((character) => `${character.charCodeAt(0)}`).join(',');
    const text = `Name (${name.text}, Buffer () {${bytes}})`;
    for (const token of tokenize(new SourceText(found.file, text), this.#diagnostics).slice(0, -1)) {
      this.#out.push({ ...token, source: name.source, start: name.start, end: name.end });
    }
  }

  /** What stands at `index`, expanded; `hidden` macros are being expanded already and stay names. */
  #expandAt(tokens: readonly Token[], index: number, hidden: ReadonlySet<string>): { expanded: Token[]; next: number } {
    const token = tokens[index];
    const macro = token.kind === 'name' && !hidden.has(token.text) ? this.#macros.get(token.text) : undefined;
    if (!macro || ++this.#expansions > MAX_EXPANSIONS) return { expanded: [token], next: index + 1 };
    const inner = new Set(hidden).add(token.text);
    if (!macro.parameters) return { expanded: this.#expandAll(placed(macro.body, token), inner), next: index + 1 };
    const call = argumentsAt(tokens, index + 1);
    if (!call) return { expanded: [token], next: index + 1 };
    const values = new Map(
      macro.parameters.map((name, position) => [name, this.#expandAll(call.values[position] ?? [], hidden)]),
    );
    const body = macro.body.flatMap(
      (part) => values.get(part.kind === 'name' ? part.text : '') ?? [placedAt(part, token)],
    );
    return { expanded: this.#expandAll(body, inner), next: call.next };
  }

  #expandAll(tokens: readonly Token[], hidden: ReadonlySet<string>): Token[] {
    const out: Token[] = [];
    for (let index = 0; index < tokens.length; ) {
      const { expanded, next } = this.#expandAt(tokens, index, hidden);
      out.push(...expanded);
      index = next;
    }
    return out;
  }

  #condition(directive: Token, rest: readonly Token[]): boolean {
    if (directive.text === 'ifdef') return this.#macros.has(rest[0]?.text ?? '');
    if (directive.text === 'ifndef') return !this.#macros.has(rest[0]?.text ?? '');
    // Names behind `defined` are not expanded.
    const decided: Token[] = [];
    for (let index = 0; index < rest.length; index++) {
      const token = rest[index];
      if (token.text !== 'defined') {
        decided.push(token);
        continue;
      }
      const name = rest[index + 1]?.text === '(' ? rest[index + 2] : rest[index + 1];
      index += rest[index + 1]?.text === '(' ? 3 : 1;
      decided.push({ ...token, kind: 'number', text: this.#macros.has(name?.text ?? '') ? '1' : '0' });
    }
    return evaluateCondition(this.#expandAll(decided, new Set()), directive, this.#diagnostics) !== 0n;
  }
}

/** The arguments in parentheses from `index` on, and what stands behind them. */
function argumentsAt(tokens: readonly Token[], index: number): { values: Token[][]; next: number } | undefined {
  if (tokens[index]?.text !== '(') return undefined;
  const values: Token[][] = [[]];
  let depth = 0;
  for (let at = index; at < tokens.length && tokens[at].kind !== 'end'; at++) {
    const token = tokens[at];
    const text = token.kind === 'punctuation' ? token.text : '';
    if (text === '(' && depth++ === 0) continue;
    if (text === ')' && --depth === 0) return { values, next: at + 1 };
    if (text === ',' && depth === 1) values.push([]);
    else values.at(-1)!.push(token);
  }
  return undefined;
}

/** Mistakes in an expansion are shown where the macro is used. */
const placedAt = (part: Token, use: Token): Token => ({
  ...part,
  source: use.source,
  start: use.start,
  end: use.end,
  startsLine: false,
});

const placed = (body: readonly Token[], use: Token): Token[] => body.map((part) => placedAt(part, use));

const lineText = (tokens: readonly Token[]): string =>
  tokens.length === 0 ? '' : tokens[0].source.text.slice(tokens[0].start, tokens.at(-1)!.end);
