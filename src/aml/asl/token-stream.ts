import { type AslDiagnostics, AslSyntaxError } from './diagnostics.ts';
import type { Token } from './lexer.ts';

/** Tokens with one place to read from. */
export class TokenStream {
  readonly diagnostics: AslDiagnostics;
  readonly #tokens: readonly Token[];
  #index = 0;

  constructor(tokens: readonly Token[], diagnostics: AslDiagnostics) {
    this.#tokens = tokens;
    this.diagnostics = diagnostics;
  }

  get position(): number {
    return this.#index;
  }

  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#index + ahead, this.#tokens.length - 1)];
  }

  next(): Token {
    const token = this.peek();
    if (this.#index < this.#tokens.length - 1) this.#index++;
    return token;
  }

  /** True when the next token is this punctuation. */
  at(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'punctuation' && token.text === text;
  }

  /** Takes this punctuation when it is next. */
  take(text: string): boolean {
    if (!this.at(text)) return false;
    this.#index++;
    return true;
  }

  expect(text: string): Token {
    if (this.at(text)) return this.next();
    throw this.fail('ASL_SYNTAX', `"${text}" is missing`, `write "${text}" here`);
  }

  /** Records an error at the next token, or at `offset`, and gives what to throw. */
  fail(code: string, message: string, mend: string, offset = this.peek().offset): AslSyntaxError {
    this.diagnostics.error(code, offset, message, mend);
    return new AslSyntaxError(message);
  }

  /** Skips the rest of a statement that could not be read: to the end of its line's brackets, or before the closing brace around it. */
  recover(from: number): void {
    if (this.#index === from) this.next();
    for (let depth = 0; this.peek().kind !== 'end'; this.next()) {
      if (this.at('{') || this.at('(')) depth++;
      else if (this.at('}') || this.at(')')) {
        if (depth === 0 && this.at('}')) return;
        depth = Math.max(0, depth - 1);
        if (depth === 0 && this.at('}')) {
          this.next();
          return;
        }
      } else if (depth === 0 && this.peek().kind === 'name' && /^[A-Z][a-z]/.test(this.peek().text)) return;
    }
  }
}
