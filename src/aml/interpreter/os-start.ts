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
    const method = device?.children.get('_REG');
    if (!method || !available(space)) return;
    const args = [integerObject(BigInt(space)), integerObject(1n)];
    attempt(failures, method.displayPath, () => interpreter.evaluateNode(method, args));
  };
  for (const [space, nodes] of regionsBySpace(interpreter)) for (const node of nodes) connect(node.parent, space);
  const { EmbeddedControl } = REGION_SPACES;
  for (const device of devicesOf(interpreter)) {
    const hasRegion = [...device.children.values()].some((child) => spaceOf(child) === EmbeddedControl);
    if (!hasRegion && isEmbeddedController(interpreter, device)) connect(device, EmbeddedControl);
  }
  return failures;
}

/** The devices of the namespace, parents first. */
const devicesOf = ({ root }: AmlInterpreter): NamespaceNode[] =>
  [...root.walk()].filter((node) => !node.aliasOf && quietly(() => node.object)?.type === 'Device');

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

const isEmbeddedController = (interpreter: AmlInterpreter, device: NamespaceNode): boolean =>
  device.children.has('_REG') && quietly(() => idOf(interpreter, device.displayPath)) === EMBEDDED_CONTROLLER_ID;

/** Runs `\_INI`, `\_SB._INI` and the `_INI` of each device that is present, parents first (§6.5.1). */
export function initializeDevices(interpreter: AmlInterpreter): StartFailure[] {
  const failures: StartFailure[] = [];
  const initialize = (device: NamespaceNode) => {
    const method = device.children.get('_INI');
    if (method) attempt(failures, method.displayPath, () => interpreter.evaluateNode(method));
  };
  initialize(interpreter.root);
  const absent = new Set<NamespaceNode | undefined>();
  for (const device of devicesOf(interpreter)) {
    // `\_SB` has no `_STA` and is always there.
    const status = attempt(failures, device.displayPath, () => statusOf(interpreter, device.displayPath)) ?? 0;
    if (absent.has(device.parent) || (status & (PRESENT | FUNCTIONING)) === 0) absent.add(device);
    else if ((status & PRESENT) !== 0) initialize(device);
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
