import { UserError } from '../../shared/errors.ts';
import type { AmlInterpreter } from '../interpreter/interpreter.ts';
import { objectText } from '../interpreter/object-text.ts';
import type { AmlObject } from '../interpreter/objects.ts';
import type { RegionEvent } from '../interpreter/observer.ts';
import { connectRegions, initializeDevices } from '../interpreter/os-start.ts';
import type { Frame } from '../interpreter/run.ts';
import { traceObserver, traceText } from '../interpreter/trace.ts';
import { formatPath } from '../name-string.ts';
import type { AmlTerm } from '../tree.ts';
import { type Breakpoint, nodeAt, parseBreakpoint } from './breakpoints.ts';
import { CallStack } from './call-stack.ts';
import { HELP } from './help.ts';
import { listingText, listMethod } from './listing.ts';
import { parseSnippet } from './snippet.ts';
import { treeText } from './tree-text.ts';

/** The person or script at the debugger. Both calls return when they are done: AML stands still meanwhile. */
export interface DebuggerPort {
  print(text: string): void;
  /** The next command; nothing at the end. */
  read(prompt: string): string | undefined;
}

/** The debugger was left while a method stood still. */
class Quit extends Error {}

/** How far to run before stopping again, by the depth of the call stack. */
type Goal = { readonly kind: 'run' } | { readonly kind: 'step' } | { readonly kind: 'within'; readonly depth: number };

const RUN: Goal = { kind: 'run' };
const STEP: Goal = { kind: 'step' };
const PROMPT = 'aml> ';
/** Statements around the current one. */
const LIST_AROUND = 6;
const TREE_DEPTH = 2;

/** A session over one interpreter: reads commands, runs methods, and stops where it was told to. */
export class AmlDebugger {
  readonly #interpreter: AmlInterpreter;
  readonly #port: DebuggerPort;
  readonly #stack = new CallStack();
  readonly #breakpoints = new Map<number, Breakpoint>();
  #nextNumber = 1;
  #goal: Goal = RUN;
  #tracing = false;
  /** The debugger itself evaluates: nothing stops. */
  #asking = false;

  constructor(interpreter: AmlInterpreter, port: DebuggerPort) {
    this.#interpreter = interpreter;
    this.#port = port;
    const trace = traceObserver((event, depth) => {
      if (this.#tracing && !this.#asking) this.#port.print(traceText(event, depth));
    });
    interpreter.observer = {
      ...trace,
      enter: (method, args, frame) => {
        trace.enter?.(method, args, frame);
        this.#stack.enter(method, args, frame);
      },
      leave: (method, outcome) => {
        if ('error' in outcome) this.#failed(outcome.error);
        this.#stack.leave();
        trace.leave?.(method, outcome);
      },
      statement: (term, frame) => this.#statement(term, frame),
      region: (event) => {
        trace.region?.(event);
        this.#accessed(event);
      },
    };
  }

  /** Reads commands until `quit` or the end. */
  run(): void {
    try {
      this.#prompt();
    } catch (error) {
      if (!(error instanceof Quit)) throw error;
    }
  }

  #statement(term: AmlTerm, frame: Frame): void {
    if (this.#asking) return;
    this.#stack.statement(term, frame);
    const hit = this.#hit((breakpoint) => breakpoint.kind === 'statement' && breakpoint.term === term);
    const due = this.#goal.kind === 'step' || (this.#goal.kind === 'within' && this.#stack.depth <= this.#goal.depth);
    if (hit === undefined && !due) return;
    this.#stop(hit === undefined ? undefined : `breakpoint ${hit}`);
  }

  #accessed(event: RegionEvent): void {
    if (this.#asking) return;
    const hit = this.#hit((breakpoint) => breakpoint.kind === 'region' && breakpoint.hits(event));
    if (hit === undefined) return;
    const { region, address } = event.access;
    const value = event.kind === 'transfer' ? '' : ` = 0x${event.value.toString(16)}`;
    this.#stop(`breakpoint ${hit}: ${event.kind} of ${formatPath(region)} at 0x${address.toString(16)}${value}`);
  }

  /** Stops once, in the innermost method. */
  #failed(error: unknown): void {
    if (this.#asking || !(error instanceof UserError) || error.place.path !== undefined) return;
    const hit = this.#hit(({ kind }) => kind === 'error');
    if (hit !== undefined) this.#stop(`breakpoint ${hit}: ${error.message}`);
  }

  #hit(matches: (breakpoint: Breakpoint) => boolean): number | undefined {
    for (const [number, breakpoint] of this.#breakpoints) if (matches(breakpoint)) return number;
    return undefined;
  }

  #stop(reason: string | undefined): void {
    this.#goal = RUN;
    if (reason !== undefined) this.#port.print(reason);
    this.#where();
    this.#prompt();
  }

  #where(): void {
    const call = this.#stack.innermost;
    if (!call) return;
    const rows = listMethod(this.#interpreter, call.method);
    this.#port.print(call.method.displayPath);
    for (const line of listingText(
      rows.filter(({ term }) => term === call.statement),
      call.statement,
    ))
      this.#port.print(line);
  }

  /** Reads and does commands until one lets AML run on. */
  #prompt(): void {
    for (;;) {
      const line = this.#port.read(PROMPT);
      if (line === undefined) throw new Quit();
      const [, name, rest] = /^\s*(\S*)\s*(.*?)\s*$/.exec(line)!;
      if (name === '' || name.startsWith('#')) continue;
      if (this.#guarded(() => this.#command(name, rest))) return;
    }
  }

  /** True when `command` lets AML run on. A user's mistake is printed. */
  #guarded(command: () => boolean): boolean {
    try {
      return command();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#port.print(`${error.message}\n  mend: ${error.mend}`);
      return false;
    }
  }

  #command(name: string, rest: string): boolean {
    const resume = RESUMES[name];
    if (resume) return this.#resume(resume(this.#stack.depth));
    const command = COMMANDS[name];
    if (command) command(this, rest);
    else this.#port.print(`"${name}" is no command: see help`);
    return false;
  }

  #resume(goal: Goal): boolean {
    if (this.#stack.depth === 0) {
      this.#port.print('nothing runs: see run');
      return false;
    }
    this.#goal = goal;
    return true;
  }

  help(): void {
    this.#port.print(HELP);
  }

  quit(): never {
    throw new Quit();
  }

  break(words: string): void {
    if (words === '') {
      for (const [number, breakpoint] of this.#breakpoints) this.#port.print(`${number}  ${breakpoint.words}`);
      return;
    }
    const breakpoint = parseBreakpoint(this.#interpreter, words);
    const number = this.#nextNumber++;
    this.#breakpoints.set(number, breakpoint);
    this.#port.print(`breakpoint ${number}: ${words}`);
  }

  delete(words: string): void {
    if (words === '') this.#breakpoints.clear();
    else if (!this.#breakpoints.delete(Number(words))) this.#port.print(`there is no breakpoint ${words}`);
  }

  /** `PATH` or `PATH (expression, …)`; with `step` it stops at the first statement. */
  start(words: string, goal: Goal): void {
    if (this.#stack.depth > 0) {
      this.#port.print('a method stands still: let it run on first, or see print');
      return;
    }
    const [, path, list] = /^(\S+?)\s*(?:\((.*)\))?$/.exec(words) ?? [];
    if (path === undefined) {
      this.#port.print('name what to run');
      return;
    }
    const node = nodeAt(this.#interpreter, path);
    const args = this.#arguments(list ?? '');
    this.#goal = goal;
    try {
      this.#port.print(objectText(this.#interpreter.evaluateNode(node, args)));
    } finally {
      this.#goal = RUN;
    }
  }

  /** Several values are the elements of a package. */
  #arguments(list: string): readonly AmlObject[] {
    if (list.trim() === '') return [];
    const value = this.#value(`Package () {${list}}`);
    return value.type === 'Package' ? value.elements : [];
  }

  print(words: string): void {
    this.#port.print(objectText(this.#value(words)));
  }

  #value(text: string): AmlObject {
    const frame = this.#stack.innermost?.frame ?? this.#interpreter.rootFrame();
    const term = parseSnippet(text, this.#interpreter.integerBytes);
    this.#asking = true;
    const depth = this.#stack.depth;
    try {
      return this.#interpreter.evaluateTerm(term, frame);
    } finally {
      this.#stack.calls.length = depth;
      this.#asking = false;
    }
  }

  tree(words: string): void {
    const [path = '\\', depth = `${TREE_DEPTH}`] = words.split(/\s+/).filter((word) => word !== '');
    for (const line of treeText(nodeAt(this.#interpreter, path), Number(depth))) this.#port.print(line);
  }

  list(words: string): void {
    const call = this.#stack.innermost;
    const method = words === '' || words === 'all' ? call?.method : nodeAt(this.#interpreter, words);
    if (!method) {
      this.#port.print('nothing runs: name a method');
      return;
    }
    const rows = listMethod(this.#interpreter, method);
    const current = method === call?.method ? call.statement : undefined;
    const at = rows.findIndex(({ term }) => term === current);
    const shown = words === '' && at >= 0 ? rows.slice(Math.max(0, at - LIST_AROUND), at + LIST_AROUND + 1) : rows;
    for (const line of listingText(shown, current)) this.#port.print(line);
  }

  backtrace(): void {
    [...this.#stack.calls].reverse().forEach(({ method, statement }, index) => {
      const offset = statement && this.#interpreter.offsetOf(statement);
      this.#port.print(`${index}  ${method.displayPath}${offset === undefined ? '' : `:${offset.toString(16)}`}`);
    });
  }

  slots(name: 'locals' | 'args'): void {
    const label = name === 'locals' ? 'Local' : 'Arg';
    this.#stack.innermost?.frame[name].forEach((object, index) => {
      if (object.type !== 'Uninitialized') this.#port.print(`${label}${index} = ${objectText(object)}`);
    });
  }

  trace(words: string): void {
    this.#tracing = words !== 'off';
  }

  initialize(): void {
    const failures = [...connectRegions(this.#interpreter), ...initializeDevices(this.#interpreter)];
    for (const { path, message } of failures) this.#port.print(`${path}: ${message}`);
  }
}

const step = (): Goal => STEP;
const RESUMES: Readonly<Record<string, (depth: number) => Goal>> = {
  step,
  s: step,
  next: (depth) => ({ kind: 'within', depth }),
  n: (depth) => ({ kind: 'within', depth }),
  finish: (depth) => ({ kind: 'within', depth: depth - 1 }),
  continue: () => RUN,
  c: () => RUN,
};

const COMMANDS: Readonly<Record<string, (session: AmlDebugger, rest: string) => void>> = {
  help: (session) => session.help(),
  quit: (session) => session.quit(),
  break: (session, rest) => session.break(rest),
  b: (session, rest) => session.break(rest),
  delete: (session, rest) => session.delete(rest),
  run: (session, rest) => session.start(rest, RUN),
  debug: (session, rest) => session.start(rest, STEP),
  print: (session, rest) => session.print(rest),
  p: (session, rest) => session.print(rest),
  set: (session, rest) => session.print(rest),
  tree: (session, rest) => session.tree(rest),
  list: (session, rest) => session.list(rest),
  l: (session, rest) => session.list(rest),
  backtrace: (session) => session.backtrace(),
  bt: (session) => session.backtrace(),
  locals: (session) => session.slots('locals'),
  args: (session) => session.slots('args'),
  trace: (session, rest) => session.trace(rest),
  initialize: (session) => session.initialize(),
};
