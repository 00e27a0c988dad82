import { readFileSync } from 'node:fs';
import type { Board } from '../../src/bios/topology/board.ts';
import { type BoardFlags, describeFlags } from '../../src/bios/topology/flags.ts';
import { resolveBoard } from '../../src/bios/topology/resolve.ts';
import { describeBoardYaml } from '../../src/bios/topology/yaml.ts';

const DEFAULT_BOARD = new URL('../../fixtures/boards/default.yaml', import.meta.url);

/** The default board as its file states it. */
export function defaultBoard(): Board {
  return resolveBoard(describeBoardYaml(readFileSync(DEFAULT_BOARD, 'utf8'), 'fixtures/boards/default.yaml'));
}

/** A board stated by YAML text. */
export function boardOfYaml(text: string): Board {
  return resolveBoard(describeBoardYaml(text, 'board.yaml'));
}

/** A board stated by flags. */
export function boardOfFlags(flags: BoardFlags): Board {
  return resolveBoard(describeFlags(flags));
}
