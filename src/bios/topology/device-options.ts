import type { BarConfig, BarKind } from '../../emulator/machine/config.ts';
import { DEVICE_CATALOG, type DeviceModel } from '../../emulator/machine/device-catalog.ts';
import { type ErrorPlace, UserError } from '../../shared/errors.ts';
import type { OptionList } from './description.ts';
import { nearestNames } from './nearest-names.ts';
import { parseInteger, parseSize } from './numbers.ts';

/** Not a function of its own in MachineConfig but a host bridge. */
export const PXB_MODEL = 'pxb-pcie';
const PXB_OPTIONS = ['bus_nr', 'numa_node'];

/** Keys that every device takes. */
const COMMON_OPTIONS = ['driver', 'id', 'bus', 'addr', 'multifunction'];

/** QEMU options that choose what this machine is anyway: the one value that is true here, and for which models. */
const FIXED_OPTIONS: readonly { key: string; value: string; models: RegExp }[] = [
  { key: 'disable-legacy', value: 'on', models: /^virtio-/ },
  { key: 'disable-modern', value: 'off', models: /^virtio-/ },
  { key: 'shpc', value: 'off', models: /^pci-bridge$/ },
  { key: 'romfile', value: '', models: /./ },
];

const RESERVE_OPTIONS = ['io-reserve', 'mem-reserve', 'pref64-reserve'];
const BAR_KINDS: readonly BarKind[] = ['io', 'mem32', 'mem32-prefetchable', 'mem64', 'mem64-prefetchable'];

const isModel = (name: string): name is DeviceModel => Object.hasOwn(DEVICE_CATALOG, name);

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}

/**
 * The model that `driver` names.
 * @throws UserError DEVICE_UNKNOWN with the nearest names
 */
export function modelOf(device: OptionList): DeviceModel | typeof PXB_MODEL {
  const driver = device.values.get('driver') ?? '';
  if (driver === PXB_MODEL || isModel(driver)) return driver;
  const names = [...Object.keys(DEVICE_CATALOG), PXB_MODEL].sort();
  const nearest = nearestNames(driver, names);
  throw new UserError('DEVICE_UNKNOWN', `there is no device '${driver}'`, {
    place: device.place,
    mend: nearest.length > 0 ? `did you mean ${nearest.join(', ')}?` : `choose one of ${names.join(', ')}`,
  });
}

/**
 * Checks every key against the model and gives those that the model itself takes.
 * @throws UserError OPTION_UNKNOWN, OPTION_VALUE
 */
export function checkedOptions(device: OptionList, model: DeviceModel | typeof PXB_MODEL): Record<string, string> {
  const own = model === PXB_MODEL ? PXB_OPTIONS : DEVICE_CATALOG[model].options;
  const fixed = FIXED_OPTIONS.filter((option) => option.models.test(model));
  const options: Record<string, string> = {};
  for (const [key, value] of device.values) {
    const fixedOption = fixed.find((option) => option.key === key);
    if (key === 'hotplug' || key === 'multifunction') checkSwitch(key, value, device.place);
    if (own.includes(key)) options[key] = value;
    else if (fixedOption !== undefined && value !== fixedOption.value) {
      throw new UserError('OPTION_VALUE', `${model}: ${key}=${value} is not supported`, {
        place: device.place,
        mend: `write ${key}=${fixedOption.value} or leave it out`,
      });
    } else if (fixedOption === undefined && !COMMON_OPTIONS.includes(key)) {
      throw unknownOption(model, key, [...COMMON_OPTIONS.slice(1), ...own], device.place);
    }
  }
  if (device.values.get('multifunction') === 'on') options.multifunction = 'on';
  for (const key of RESERVE_OPTIONS) if (options[key] !== undefined) parseSize(options[key], device.place);
  if (options['bus-reserve'] !== undefined) {
    parseInteger(options['bus-reserve'], `${model}: bus-reserve`, 0, 255, device.place);
  }
  return options;
}

function unknownOption(model: string, key: string, known: readonly string[], place: ErrorPlace): UserError {
  const nearest = nearestNames(key, known);
  return new UserError('OPTION_UNKNOWN', `${model} has no option '${key}'`, {
    place,
    mend: nearest.length > 0 ? `did you mean ${nearest.join(', ')}?` : `its options are ${known.join(', ')}`,
  });
}

function checkSwitch(key: string, value: string, place: ErrorPlace): void {
  if (value === 'on' || value === 'off') return;
  throw new UserError('OPTION_VALUE', `${key}=${value} is neither on nor off`, { place, mend: `write ${key}=on` });
}

/**
 * The BARs of a function once its options are applied, by index.
 * @throws UserError BAR_SYNTAX, BAR_SIZE, BAR_OVERLAP
 */
export function barsOf(model: DeviceModel, options: Readonly<Record<string, string>>, place: ErrorPlace): BarConfig[] {
  const bars = [...DEVICE_CATALOG[model].bars];
  if (model === 'pci-testdev' && options.membar !== undefined) {
    bars.push(checkedBar({ index: 2, kind: 'mem64-prefetchable', size: parseSize(options.membar, place) }, place));
  }
  if (model === 'q35-testdev') {
    for (let index = 0; index < 6; index++) {
      const text = options[`bar${index}`];
      if (text !== undefined) bars.push(parseBar(index, text, place));
    }
  }
  for (const bar of bars) {
    const is64Bit = bar.kind.startsWith('mem64');
    if (is64Bit && (bar.index === 5 || bars.some((other) => other.index === bar.index + 1))) {
      throw new UserError('BAR_OVERLAP', `bar${bar.index} is 64 bits wide and needs the register after it as well`, {
        place,
        mend: bar.index === 5 ? 'use bar4 or lower for it' : `leave bar${bar.index + 1} out`,
      });
    }
  }
  return bars;
}

function parseBar(index: number, text: string, place: ErrorPlace): BarConfig {
  const [kind, size, ...rest] = text.split(':');
  if (!(BAR_KINDS as readonly string[]).includes(kind) || size === undefined || rest.length > 0) {
    throw new UserError('BAR_SYNTAX', `bar${index}: '${text}' does not describe a BAR`, {
      place,
      mend: `write KIND:SIZE with a kind of ${BAR_KINDS.join(', ')}, such as bar${index}=mem32:64K`,
    });
  }
  return checkedBar({ index, kind: kind as BarKind, size: parseSize(size, place) }, place);
}

/** Least and greatest size of a BAR by what its register can hold (PCI 3.0 §6.2.5.1). */
const BAR_SIZES: Readonly<Record<BarKind, readonly [number, number]>> = {
  io: [4, 0x8000],
  mem32: [16, 0x4000_0000],
  'mem32-prefetchable': [16, 0x4000_0000],
  mem64: [16, 0x4000_0000],
  'mem64-prefetchable': [16, 2 ** 39],
};

function checkedBar(bar: BarConfig, place: ErrorPlace): BarConfig {
  const [least, greatest] = BAR_SIZES[bar.kind];
  if (!isPowerOfTwo(bar.size) || bar.size < least || bar.size > greatest) {
    throw new UserError('BAR_SIZE', `bar${bar.index}: ${bar.size} bytes is no size for a BAR of kind ${bar.kind}`, {
      place,
      mend: `choose a power of two from ${least} to ${greatest} bytes`,
    });
  }
  return bar;
}
