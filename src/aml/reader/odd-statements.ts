import { ROW_BY_KIND } from '../opcodes.ts';
import type { AmlTerm, AnyDef, NameTerm } from '../tree.ts';

/**
 * Statements that compute a value and drop it, and what was named before them: the arguments of an invocation whose method no table
 * declares look so. See undeclared-methods.ts.
 */
export class OddStatements {
  count = 0;
  /** For names that no table declares: how many odd statements follow their uses. */
  readonly runs = new Map<string, number[]>();
  /** Undeclared names since the start of the last statement that was not odd. */
  #recent: string[] = [];
  #run = 0;
  /** The last invocation of a declared method: another table may have declared another argument count. */
  #invoked: { readonly path: string; readonly count: number } | undefined;

  /** A name that no table declares is used. */
  undeclared(path: string): void {
    this.#recent.push(path);
  }

  invoked(path: string, count: number): void {
    this.#invoked = { path, count };
  }

  /** The statement that `read` gives. */
  statement(read: () => AmlTerm): AmlTerm {
    // What the statement before (or the predicate of the If around) named may own the arguments that stand here as statements.
    const before = this.#recent;
    this.#recent = [];
    const term = read();
    const own = this.#recent;
    this.#recent = before;
    if (isOddStatement(term)) {
      this.count++;
      this.#run++;
      this.#recent = [...before, ...own];
    } else {
      this.endRun();
      this.#recent = own;
    }
    return term;
  }

  endRun(): void {
    if (this.#run === 0) return;
    this.#blame(this.#run);
    this.#run = 0;
    this.#recent = [];
  }

  #blame(...lengths: number[]): void {
    for (const name of this.#recent) this.runs.set(name, [...(this.runs.get(name) ?? []), ...lengths]);
  }

  /** What was read last was misread, or is no AML. */
  fault(): void {
    this.#blame(1, 2, 3);
    if (!this.#invoked) return;
    const { path, count } = this.#invoked;
    this.runs.set(
      path,
      [count - 1, count + 1].filter((other) => other >= 0 && other <= 7),
    );
  }
}

/** A statement whose value goes nowhere and that changes nothing: compilers write none, but for a few literals. */
function isOddStatement(term: AmlTerm): boolean {
  switch (term.kind) {
    case 'Integer':
    case 'String':
    case 'DefBuffer':
    case 'DefPackage':
    case 'Ones':
      return true;
    case 'NameString':
    case 'MethodInvocation':
    case 'RawBytes':
    case 'DefAcquire':
    case 'DefWait':
    case 'DefIncrement':
    case 'DefDecrement':
    case 'DefStore':
    case 'DefCopyObject':
    case 'DefLoad':
    case 'DefLoadTable':
      return false;
  }
  const row = ROW_BY_KIND.get(term.kind)!;
  if (row.yields === 'Nothing') return false;
  return row.operands.every((kind, index) => {
    const operand = (term as AnyDef).operands[index];
    return kind !== 'Target' || (operand as NameTerm).path === '';
  });
}
