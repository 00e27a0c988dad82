/** Wraps a function that generated code calls; `name` says what it does there. */
export type InstrumentCall = (name: string, call: CalledFunction) => CalledFunction;

type CalledFunction = (...operands: number[]) => number | undefined;
type ModuleImports = Readonly<Record<string, WebAssembly.ImportValue>>;

/** `imports` with every function wrapped, or as they are without `instrument`. */
export function instrumented(imports: ModuleImports, instrument: InstrumentCall | undefined): ModuleImports {
  if (instrument === undefined) return imports;
  return Object.fromEntries(
    Object.entries(imports).map(([name, value]) => [
      name,
      typeof value === 'function' ? instrument(name, value as CalledFunction) : value,
    ]),
  );
}
