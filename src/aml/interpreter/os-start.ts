/** What an operating system does with the namespace before it uses it: ACPI 6.5 §6.5.4 (`_REG`), §6.5.1 (`_INI`). */
import { UserError } from '../../shared/errors.ts';
import { REGION_SPACES } from '../opcodes.ts';
import { idOf, statusOf } from './devices.ts';
import type { AmlInterpreter } from './interpreter.ts';
import type { NamespaceNode } from './namespace-tree.ts';
import { integerObject } from './objects.ts';

/** Always there: no `_REG` is run for them (§6.5.4). */
const ALWAYS_AVAILABLE: ReadonlySet<number> = new Set([REGION_SPACES.SystemMemory, REGION_SPACES.SystemIO]);

const EMBEDDED_CONTROLLER_ID = 'PNP0C09';

/** An evaluation that failed while the system started; an OS complains and goes on. */
export interface StartFailure {
  readonly path: string;
  readonly message: string;
}

/**
 * Runs `_REG (space, 1)` beside every region whose space has a handler now: all spaces, or those that `available` names. An embedded
 * controller's `_REG` is run without regions too, as ACPICA does.
 */
export function connectRegions(
  interpreter: AmlInterpreter,
  available: (space: number) => boolean = () => true,
): StartFailure[] {
  const failures: StartFailure[] = [];
  const connect = (device: NamespaceNode | undefined, space: number) => {
    const method = device?.children.get('_REG')?.displayPath;
    if (method === undefined || !available(space)) return;
    attempt(failures, method, () => interpreter.evaluate(method, [integerObject(BigInt(space)), integerObject(1n)]));
  };
  for (const [space, nodes] of regionsBySpace(interpreter)) for (const node of nodes) connect(node.parent, space);
  const { EmbeddedControl } = REGION_SPACES;
  for (const path of interpreter.paths('Device')) {
    const node = interpreter.node(path)!;
    const hasRegion = [...node.children.values()].some((child) => spaceOf(child) === EmbeddedControl);
    if (!hasRegion && isEmbeddedController(interpreter, path)) connect(node, EmbeddedControl);
  }
  return failures;
}

/** In the order of the spaces' numbers, each region in the order of the namespace. */
function regionsBySpace({ root }: AmlInterpreter): (readonly [number, readonly NamespaceNode[]])[] {
  const bySpace = new Map<number, NamespaceNode[]>();
  for (const node of root.walk()) {
    const space = spaceOf(node);
    if (space === undefined || ALWAYS_AVAILABLE.has(space)) continue;
    const nodes = bySpace.get(space);
    if (nodes) nodes.push(node);
    else bySpace.set(space, [node]);
  }
  return [...bySpace].sort(([left], [right]) => left - right);
}

function spaceOf(node: NamespaceNode): number | undefined {
  const object = quietly(() => node.object);
  return object?.type === 'OpRegion' && !object.table ? object.space : undefined;
}

const isEmbeddedController = (interpreter: AmlInterpreter, path: string): boolean =>
  interpreter.has(`${path}._REG`) && quietly(() => idOf(interpreter, path)) === EMBEDDED_CONTROLLER_ID;

/** Runs `\_INI`, `\_SB._INI` and the `_INI` of each device that is present or works, parents first (§6.5.1). */
export function initializeDevices(interpreter: AmlInterpreter): StartFailure[] {
  const failures: StartFailure[] = [];
  const initialize = (path: string) => {
    if (interpreter.has(path)) attempt(failures, path, () => interpreter.evaluate(path));
  };
  initialize('\\_INI');
  initialize('\\_SB._INI');
  let absentBelow: string | undefined;
  for (const path of interpreter.paths('Device')) {
    if (path === '\\_SB' || (absentBelow !== undefined && path.startsWith(`${absentBelow}.`))) continue;
    const status = attempt(failures, `${path}._STA`, () => statusOf(interpreter, path));
    const present = status !== undefined && (status & PRESENT) !== 0;
    if (present) initialize(`${path}._INI`);
    else if (((status ?? 0) & FUNCTIONING) === 0) absentBelow = path;
  }
  return failures;
}

/** Bits of `_STA` (§6.3.7): children of a device that is neither present nor functioning are not looked at. */
const PRESENT = 0x1;
const FUNCTIONING = 0x8;

function attempt<Result>(failures: StartFailure[], path: string, run: () => Result): Result | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    failures.push({ path: error.place.path ?? path, message: error.message });
    return undefined;
  }
}

function quietly<Result>(run: () => Result): Result | undefined {
  return attempt([], '', run);
}
