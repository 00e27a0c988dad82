import { join } from 'node:path';
import type { Board } from '../bios/topology/board.ts';
import { overlayDescription } from '../bios/topology/description.ts';
import { type BoardFlags, describeFlags } from '../bios/topology/flags.ts';
import { resolveBoard } from '../bios/topology/resolve.ts';
import { describeBoardYaml } from '../bios/topology/yaml.ts';
import { readFileText } from './files.ts';

/**
 * The board that a command's argument and flags state.
 * @param root folder of the package, where the default board lies
 * @throws UserError from reading, parsing and checking
 */
export function loadBoard(file: string | undefined, flags: BoardFlags, root: string): Board {
  const overlay = describeFlags(flags);
  if (file === undefined && overlay.devices.length > 0) return resolveBoard(overlay);
  const path = file ?? join(root, 'fixtures', 'boards', 'default.yaml');
  return resolveBoard(overlayDescription(describeBoardYaml(readFileText(path), path), overlay));
}
