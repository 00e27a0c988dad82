import { type CommandRun, runCommand } from '../support/run-command.ts';

interface DocumentedCommand {
  readonly examples?: readonly unknown[];
  run(argv: string[], options: { root: string }): Promise<unknown>;
}

/** The words of a shell line; single quotes keep what is inside as it is. */
export function shellWords(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);
}

/** Runs each example of a command's help that is about it in the current directory, with `replace` applied to every word. */
export async function runExamples(
  command: DocumentedCommand,
  topic: string,
  replace: Readonly<Record<string, string>> = {},
): Promise<{ example: string; run: CommandRun }[]> {
  const runs: { example: string; run: CommandRun }[] = [];
  for (const example of command.examples ?? []) {
    const own = `<%= config.bin %> ${topic}`;
    if (!String(example).startsWith(own)) continue;
    const argv = shellWords(String(example).slice(own.length)).map((word) => replace[word] ?? word);
    runs.push({ example: String(example), run: await runCommand(command as never, argv) });
  }
  return runs;
}
