/** What an operating system asks of each device, as values: identification, presence, resources, interrupt routes. */
import { decodeEisaId } from '../eisa-id.ts';
import { decodeResources, type ResourceDescriptor } from '../resources/resource-template.ts';
import { evaluationError } from './evaluation-error.ts';
import type { AmlInterpreter } from './interpreter.ts';
import type { AmlObject } from './objects.ts';

/** A row of `_PRT` (ACPI 6.5 §6.2.13). */
export interface InterruptRoute {
  /** High word the device, low word the function (0xffff: all). */
  readonly address: number;
  /** 0 to 3, INTA to INTD. */
  readonly pin: number;
  /** The link device; nothing when `index` is a global system interrupt. */
  readonly source: string | undefined;
  readonly index: number;
}

/** `_STA`, which is 0xf where there is none (§6.3.7). */
export function statusOf(interpreter: AmlInterpreter, device: string): number {
  if (!interpreter.has(`${device}._STA`)) return 0xf;
  return Number(integerOf(interpreter.evaluate(`${device}._STA`), `${device}._STA`));
}

/** `_HID` or another id as text: EISA ids decoded, strings as they are. Nothing where there is none. */
export function idOf(interpreter: AmlInterpreter, device: string, name = '_HID'): string | undefined {
  if (!interpreter.has(`${device}.${name}`)) return undefined;
  return idText(interpreter.evaluate(`${device}.${name}`));
}

/** `_CID`: one or several ids. */
export function compatibleIdsOf(interpreter: AmlInterpreter, device: string): string[] {
  if (!interpreter.has(`${device}._CID`)) return [];
  const object = interpreter.evaluate(`${device}._CID`);
  return (object.type === 'Package' ? object.elements : [object]).flatMap((element) => idText(element) ?? []);
}

function idText(object: AmlObject): string | undefined {
  if (object.type === 'String') return object.value;
  return object.type === 'Integer' ? decodeEisaId(Number(object.value & 0xffff_ffffn)) : undefined;
}

/** The descriptors of `_CRS`, `_PRS` or another object that holds a template. Throws evaluation errors and `AML_RESOURCES`. */
export function resourcesOf(interpreter: AmlInterpreter, path: string): readonly ResourceDescriptor[] {
  const object = interpreter.evaluate(path);
  if (object.type !== 'Buffer') throw evaluationError('AE_TYPE', `${object.type} where a buffer is needed`, path);
  return decodeResources(object.bytes).descriptors;
}

/** The rows of `device`'s `_PRT`. */
export function routesOf(interpreter: AmlInterpreter, device: string): InterruptRoute[] {
  const path = `${device}._PRT`;
  const table = interpreter.evaluate(path);
  if (table.type !== 'Package') throw evaluationError('AE_TYPE', `${table.type} where a package is needed`, path);
  return table.elements
    .filter((row) => row.type !== 'Uninitialized')
    .map((row) => {
      if (row.type !== 'Package' || row.elements.length < 4)
        throw evaluationError('AE_TYPE', 'a row of fewer than 4 elements', path);
      const [address, pin, source, index] = row.elements;
      return {
        address: Number(integerOf(address, path)),
        pin: Number(integerOf(pin, path)),
        source:
          source.type === 'Reference' && source.target.kind === 'Node' ? source.target.node.displayPath : undefined,
        index: Number(integerOf(index, path)),
      };
    });
}

function integerOf(object: AmlObject, path: string): bigint {
  if (object.type !== 'Integer') throw evaluationError('AE_TYPE', `${object.type} where an integer is needed`, path);
  return object.value;
}
