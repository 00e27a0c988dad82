/** What the compiler says about a source: errors and warnings with their place, several at once. */
export interface AslDiagnostic {
  /** Stable id. */
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly mend: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** The line and a caret below it. */
  readonly excerpt: string;
}

/** Thrown to leave a statement that cannot be read; the diagnostic is recorded already. */
export class AslSyntaxError extends Error {}

const MAX_ERRORS = 50;

export class AslDiagnostics {
  readonly list: AslDiagnostic[] = [];
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  get errorCount(): number {
    return this.list.filter(({ severity }) => severity === 'error').length;
  }

  error(code: string, offset: number, message: string, mend: string): void {
    if (this.errorCount < MAX_ERRORS) this.#add('error', code, offset, message, mend);
  }

  warning(code: string, offset: number, message: string, mend: string): void {
    this.#add('warning', code, offset, message, mend);
  }

  #add(severity: 'error' | 'warning', code: string, offset: number, message: string, mend: string): void {
    const start = this.#source.lastIndexOf('\n', offset - 1) + 1;
    const end = this.#source.indexOf('\n', offset);
    const text = this.#source.slice(start, end < 0 ? undefined : end).replaceAll('\t', ' ');
    const line = this.#source.slice(0, start).split('\n').length;
    const column = offset - start + 1;
    this.list.push({ code, severity, message, mend, line, column, excerpt: `${text}\n${' '.repeat(column - 1)}^` });
  }
}
