import { KNOWN_PNP_IDS } from '../../aml/asl/known-ids.ts';
import { describeName } from '../../aml/asl/predefined-names.ts';
import { compatibleIdsOf, idOf, resourcesOf, statusOf } from '../../aml/interpreter/devices.ts';
import type { AmlInterpreter } from '../../aml/interpreter/interpreter.ts';
import { objectText } from '../../aml/interpreter/object-text.ts';
import { predefinedObject, typeWords } from '../../aml/lint/predefined-objects.ts';
import { formatPath, parseNameString } from '../../aml/name-string.ts';
import { absolutePath, ROOT } from '../../aml/namespace.ts';
import { resourceWords } from '../../aml/resources/resource-words.ts';
import { UserError } from '../../shared/errors.ts';
import { type ExplainedMachine, type Explanation, tryTo } from './machine.ts';

/** What an OS does when it meets an object of that name. */
const WHAT_FOLLOWS: Readonly<Record<string, string>> = {
  _ADR: 'The place on the parent’s bus: for PCI, device in the high word and function in the low one. Both systems match the object with the device that the bus finds there',
  _BBN: 'The first bus number of a host bridge. Linux scans from it unless _CRS states the buses',
  _CBA: 'Where this segment’s configuration space is mapped, for host bridges that the MCFG leaves out',
  _CRS: 'The resources that are in use. Linux reserves them, for a host bridge they are its windows; Windows stops with 0xA5 when a host bridge or link has none',
  _DSM: 'Functions by UUID. Function 0 tells which there are; drivers that know the UUID call the others',
  _INI: 'Run once, when the device is found present, before its other methods',
  _OSC: 'The OS asks which features it may control (hotplug, PME, AER, LTR). Linux prints "_OSC: OS now controls […]"',
  _PIC: 'Run at boot with 1 when I/O APICs are used: from then on _PRT gives GSIs',
  _PRT: 'Where each slot’s pins lead. Linux evaluates it when a driver enables a device without MSI; Windows when it enumerates the bus',
  _PRW: 'The GPE and the deepest sleep state from which the device may wake the machine',
  _PTS: 'Run before sleep, with the state. Linux runs it while devices are still on',
  _PS0: 'Run to bring the device to D0',
  _PS3: 'Run to bring the device to D3',
  _REG: 'Run when a handler for an address space of the device comes or goes',
  _STA: 'Bit 0 present, 1 enabled, 2 shown, 3 working. Without bit 0 no driver starts; without bits 0 and 3 children are left out as well',
  _UID: 'Tells devices of the same _HID apart; it must stay the same over boots',
  _WAK: 'Run after sleep, with the state',
};

/**
 * An object of the namespace: what it is, what its name means, what it gives now, and what an OS does with it.
 * Throws UserError EXPLAIN_PATH, and those of names.
 */
export function explainObject({ interpreter }: ExplainedMachine, path: string): Explanation {
  const absolute = formatPath(absolutePath(ROOT, parseNameString(path).path));
  if (!interpreter?.has(absolute)) {
    throw new UserError('EXPLAIN_PATH', `there is no ${absolute}`, {
      place: { path: absolute },
      mend: 'write the whole path, such as \\_SB.PCI0, and name the SSDTs too when one of them declares it',
    });
  }
  const segment = parseNameString(absolute).path.slice(-4);
  const meaning = describeName(segment);
  const asked = predefinedObject(segment);
  const shape = asked
    ? `It takes ${asked.args.join(' or ')} arguments and gives ${asked.returns === '' ? 'nothing' : asked.returns.includes('*') ? 'any object' : typeWords(asked.returns)}.`
    : undefined;
  return {
    title: `${absolute}${meaning === undefined ? '' : `: ${meaning}`}`,
    lines: [
      ...deviceWords(interpreter, absolute),
      ...(shape === undefined ? [] : [shape]),
      ...(WHAT_FOLLOWS[segment] === undefined ? [] : [`${WHAT_FOLLOWS[segment]}.`]),
      ...valueWords(interpreter, absolute, segment),
    ],
  };
}

const isDevice = (interpreter: AmlInterpreter, path: string): boolean => interpreter.paths('Device').includes(path);

function deviceWords(interpreter: AmlInterpreter, path: string): string[] {
  if (!isDevice(interpreter, path)) return [];
  const id = tryTo(() => idOf(interpreter, path));
  const compatible = tryTo(() => compatibleIdsOf(interpreter, path));
  const status = tryTo(() => statusOf(interpreter, path));
  const named = (text: string) => `${text}${KNOWN_PNP_IDS[text] === undefined ? '' : ` (${KNOWN_PNP_IDS[text]})`}`;
  const ids = [
    ...('value' in id && id.value !== undefined ? [id.value] : []),
    ...('value' in compatible ? compatible.value : []),
  ];
  return [
    ids.length > 0
      ? `A device: ${ids.map(named).join(', ')}. Linux makes acpi:${ids.join(':')}: of it and loads the driver that names one of them; Windows looks for ACPI\\${ids[0]}.`
      : 'A device without _HID: its bus finds it, by _ADR; what stands here adds to it.',
    'value' in status ? statusWords(status.value) : `_STA cannot be evaluated: ${status.problem}`,
    ...(hasChild(interpreter, path, '_CRS') ? crsWords(interpreter, `${path}._CRS`) : []),
  ];
}

function hasChild(interpreter: AmlInterpreter, path: string, name: string): boolean {
  const found = tryTo(() => interpreter.has(`${path}.${name}`));
  return 'value' in found && found.value;
}

function statusWords(status: number): string {
  if (status % 2 === 1)
    return `_STA 0x${status.toString(16)}: present${status & 2 ? '' : ', disabled'}${status & 4 ? '' : ', hidden'}${status & 8 ? '' : ', not working'} (hardware read as zero).`;
  return `_STA 0x${status.toString(16)}: not present, when hardware reads as zero; no driver starts${status & 8 ? ', its children are looked at all the same' : ''}.`;
}

function crsWords(interpreter: AmlInterpreter, path: string): string[] {
  const read = tryTo(() => resourcesOf(interpreter, path));
  if ('problem' in read) return [`_CRS cannot be evaluated: ${read.problem}`];
  return ['Resources now (_CRS):', ...read.value.map((descriptor) => `  ${resourceWords(descriptor)}`)];
}

function valueWords(interpreter: AmlInterpreter, path: string, segment: string): string[] {
  if (isDevice(interpreter, path)) return [];
  if (segment === '_CRS' || segment === '_PRS') return crsWords(interpreter, path);
  const takesArguments = (predefinedObject(segment)?.args[0] ?? 0) > 0;
  if (takesArguments) return [];
  const read = tryTo(() => interpreter.evaluate(path));
  if ('problem' in read) return [`It cannot be evaluated without arguments and hardware: ${read.problem}`];
  if (read.value.type === 'Uninitialized') return ['Evaluated with absent hardware it gives nothing.'];
  return [
    'Evaluated with absent hardware it gives:',
    ...objectText(read.value)
      .split('\n')
      .map((line) => `  ${line}`),
  ];
}
