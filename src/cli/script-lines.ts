import { readFileSync } from 'node:fs';

/** Standard input as lines that are there at once: a script, not a person. */
export function scriptLines(descriptor = 0): () => string | undefined {
  let lines: string[] | undefined;
  return () => {
    lines ??= readFileSync(descriptor, 'utf8').split(/\r?\n/);
    return lines.shift();
  };
}
