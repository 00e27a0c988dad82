import { fileURLToPath } from 'node:url';
import { format } from 'node:util';
import { vi } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface RunnableCommand {
  run(argv: string[], options: { root: string }): Promise<unknown>;
}

export interface CommandRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Runs a command in this process and takes what it prints. */
export async function runCommand(command: RunnableCommand, argv: string[]): Promise<CommandRun> {
  const output = { stdout: '', stderr: '' };
  // oclif prints with the console; progress goes to the stream itself.
  const spies = [
    ...(['stdout', 'stderr'] as const).map((name) =>
      vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
        output[name] += typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk);
        return true;
      }),
    ),
    ...(['log', 'error'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation((...parts) => {
        output[name === 'log' ? 'stdout' : 'stderr'] += `${format(...parts)}\n`;
      }),
    ),
  ];
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    await command.run(argv, { root: ROOT });
    return { ...output, exitCode: Number(process.exitCode ?? 0) };
  } catch (error) {
    const exit = (error as { oclif?: { exit?: number } }).oclif?.exit;
    if (exit === undefined) throw error;
    return { ...output, exitCode: exit };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = before;
  }
}
