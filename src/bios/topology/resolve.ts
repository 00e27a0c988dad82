import type { HostBridgeConfig, MachineConfig } from '../../emulator/machine/config.ts';
import { DEVICE_CATALOG, type DeviceModel } from '../../emulator/machine/device-catalog.ts';
import { lowRamBytes, MAX_RAM, MIN_RAM } from '../../emulator/machine/memory-map.ts';
import { processorCount } from '../../emulator/machine/processor-topology.ts';
import { MIB } from '../../shared/bytes.ts';
import { type ErrorPlace, UserError } from '../../shared/errors.ts';
import type { Board, DriveConfig, NetdevConfig } from './board.ts';
import {
  type BusUnderConstruction,
  checkBusType,
  checkMultifunction,
  emptyBus,
  findBus,
  functionsOf,
  ROOT_BUS,
  type Slot,
  secondaryBus,
  takeSlot,
} from './buses.ts';
import type { BoardDescription, Located, OptionList } from './description.ts';
import { barsOf, checkedOptions, modelOf, PXB_MODEL } from './device-options.ts';
import { nearestNames } from './nearest-names.ts';
import { resolveNuma } from './numa.ts';
import { parseInteger, parseSize, parseSlot } from './numbers.ts';
import { resolveProcessors } from './processors.ts';

const DEFAULT_RAM = 512 * MIB;

/** Ids share one name space, as in QEMU; every one is remembered with its place. */
type Ids = Map<string, ErrorPlace>;

function claimId(ids: Ids, id: string, place: ErrorPlace): void {
  if (!/^[A-Za-z][A-Za-z0-9._-]*$/.test(id)) {
    throw new UserError('ID_SYNTAX', `'${id}' is not an id`, {
      place,
      mend: 'start with a letter; letters, digits, ., - and _ may follow',
    });
  }
  const first = ids.get(id);
  if (first !== undefined || id === ROOT_BUS) {
    const where = first?.line === undefined ? '' : ` (first in line ${first.line})`;
    throw new UserError('ID_TWICE', `id '${id}' is used twice${where}`, { place, mend: 'give each device its own id' });
  }
  ids.set(id, place);
}

function requireValue(option: OptionList, key: string, mend: string): string {
  const value = option.values.get(key);
  if (value !== undefined && value !== '') return value;
  throw new UserError('OPTION_MISSING', `option '${key}' is missing`, { place: option.place, mend });
}

function checkKeys(option: OptionList, what: string, known: readonly string[]): void {
  for (const key of option.values.keys()) {
    if (known.includes(key)) continue;
    const nearest = nearestNames(key, known);
    throw new UserError('OPTION_UNKNOWN', `a ${what} has no option '${key}'`, {
      place: option.place,
      mend: nearest.length > 0 ? `did you mean ${nearest.join(', ')}?` : `its options are ${known.join(', ')}`,
    });
  }
}

function resolveRam(memory: Located | undefined): number {
  if (memory === undefined) return DEFAULT_RAM;
  const { text, place } = memory;
  const bytes = parseSize(text, place, 'm');
  if (bytes < MIN_RAM) {
    throw new UserError('RAM_TOO_SMALL', `${text} is too little memory`, {
      place,
      mend: `give the board at least ${MIN_RAM / MIB} MiB`,
    });
  }
  if (bytes > MAX_RAM) {
    throw new UserError('RAM_TOO_LARGE', `${text} is more memory than a board can have`, {
      place,
      mend: `give the board at most ${MAX_RAM / MIB} MiB: one 4 GiB WebAssembly memory holds RAM and the engine's tables`,
    });
  }
  if (bytes % MIB !== 0) {
    throw new UserError('RAM_GRANULARITY', `${text} is not a whole number of MiB`, { place, mend: 'round it to MiB' });
  }
  return bytes;
}

function resolvePm(pm: Located | undefined): MachineConfig['pm'] {
  const text = pm?.text ?? 'qemu';
  if (text === 'qemu' || text === 'ich9') return text;
  throw new UserError('OPTION_VALUE', `pm=${text} is neither qemu nor ich9`, {
    place: pm?.place,
    mend: 'use qemu (S3 = 1, S5 = 0) or ich9 (S3 = 5, S5 = 7)',
  });
}

function resolveDrives(options: readonly OptionList[], ids: Ids): DriveConfig[] {
  return options.map((option) => {
    const { values, place } = option;
    checkKeys(option, 'drive', ['id', 'file', 'if', 'format', 'readonly', 'media', 'cache']);
    const id = requireValue(option, 'id', 'write id=NAME, and drive=NAME at the device');
    for (const [key, supported] of [
      ['if', 'none'],
      ['format', 'raw'],
      ['media', 'disk'],
    ]) {
      const value = values.get(key) ?? supported;
      if (value === supported) continue;
      throw new UserError('OPTION_VALUE', `drive ${id}: ${key}=${value} is not supported`, {
        place,
        mend: `write ${key}=${supported}`,
      });
    }
    claimId(ids, id, place);
    const file = requireValue(option, 'file', 'write file=PATH');
    return { id, file, readOnly: values.get('readonly') === 'on', place };
  });
}

function resolveNetdevs(options: readonly OptionList[], ids: Ids): NetdevConfig[] {
  return options.map((option) => {
    checkKeys(option, 'netdev', ['type', 'id']);
    const type = option.values.get('type');
    if (type !== 'user') {
      throw new UserError('OPTION_VALUE', `netdev type '${type}' is not supported`, {
        place: option.place,
        mend: 'use --netdev user,id=NAME',
      });
    }
    const id = requireValue(option, 'id', 'write id=NAME, and netdev=NAME at the device');
    claimId(ids, id, option.place);
    return { id, type };
  });
}

/** Root ports and bridges need a chassis number of their own (QEMU refuses a pair used twice): the first free one where none is given. */
function assignChassis(key: 'chassis' | 'chassis_nr', options: Record<string, string>, used: Set<string>): void {
  for (let number = 1; options[key] === undefined; number++) {
    if (!used.has(`${number}:${options.slot ?? 0}`)) options[key] = String(number);
  }
}

/** Everything that is known while devices are plugged in one after the other. */
class BoardBuilder {
  readonly buses = new Map<string, BusUnderConstruction>([[ROOT_BUS, emptyBus(ROOT_BUS, 'root')]]);
  private readonly extraRoots: (Omit<HostBridgeConfig, 'functions'> & { readonly place: ErrorPlace })[] = [];
  private readonly places = new Map<string, ErrorPlace>();
  private readonly chassis = new Map<string, string>();
  private readonly counts = new Map<string, number>();
  private readonly backEndUsers = new Map<string, string>();
  private readonly ids: Ids;
  private readonly backEnds: Readonly<Record<string, readonly string[]>>;
  private readonly numaNodes: number;
  private readonly givenChassis: Set<string>;

  constructor(
    ids: Ids,
    backEnds: Readonly<Record<string, readonly string[]>>,
    numaNodes: number,
    devices: readonly OptionList[],
  ) {
    this.ids = ids;
    this.backEnds = backEnds;
    this.numaNodes = numaNodes;
    this.givenChassis = new Set(
      devices.flatMap(({ values }) => {
        const chassis = values.get('chassis') ?? values.get('chassis_nr');
        return chassis === undefined ? [] : [`${Number(chassis)}:${Number(values.get('slot') ?? 0)}`];
      }),
    );
  }

  plug(device: OptionList): void {
    const { values, place } = device;
    const model = modelOf(device);
    const options = checkedOptions(device, model);
    const given = values.get('id');
    if (given !== undefined) claimId(this.ids, given, place);
    const id = given ?? this.inventId(model);
    this.places.set(id, place);
    const bus = findBus(this.buses, values.get('bus') ?? ROOT_BUS, place);
    checkBusType(model, bus, place);
    const addr = values.get('addr');
    const slot = takeSlot(bus, addr === undefined ? undefined : parseSlot(addr, place), id, place);
    if (model === PXB_MODEL) this.addHostBridge(id, slot, options, place);
    else this.addFunction(bus, id, model, slot, options, place);
  }

  /** `model#n`: no user's id has a `#`. */
  private inventId(model: string): string {
    const count = this.counts.get(model) ?? 0;
    this.counts.set(model, count + 1);
    return `${model}#${count}`;
  }

  private addHostBridge(id: string, slot: Slot, options: Record<string, string>, place: ErrorPlace): void {
    if (options.bus_nr === undefined) {
      throw new UserError('OPTION_MISSING', `${PXB_MODEL} '${id}' has no bus_nr`, {
        place,
        mend: 'give its first bus number, such as bus_nr=0x80',
      });
    }
    const busNumber = parseInteger(options.bus_nr, 'bus_nr', 1, 255, place);
    const clash = this.extraRoots.find((other) => other.busNumber === busNumber);
    if (clash !== undefined) {
      throw new UserError('BUS_NUMBER_TAKEN', `bus number ${options.bus_nr} belongs to ${clash.id} already`, {
        place,
        mend: 'choose another bus_nr',
      });
    }
    const numaNode =
      options.numa_node === undefined ? undefined : parseInteger(options.numa_node, 'numa_node', 0, 127, place);
    if (numaNode !== undefined && numaNode >= this.numaNodes) {
      throw new UserError('NUMA_NODES', `${id} stands in NUMA node ${numaNode}, which the board does not have`, {
        place,
        mend: this.numaNodes === 0 ? 'add NUMA nodes or leave numa_node out' : `use 0–${this.numaNodes - 1}`,
      });
    }
    if (slot.function !== 0) {
      throw new UserError('SLOT_NOT_ALLOWED', `${id} must be function 0 of its slot`, {
        place,
        mend: 'use addr=SLOT.0',
      });
    }
    this.extraRoots.push({ id, segment: 0, busNumber, numaNode, slot: slot.device, place });
    this.buses.set(id, emptyBus(id, 'extra-root'));
  }

  private addFunction(
    bus: BusUnderConstruction,
    id: string,
    model: DeviceModel,
    slot: Slot,
    options: Record<string, string>,
    place: ErrorPlace,
  ): void {
    this.claimChassis(id, model, options, place);
    this.claimBackEnd(id, model, options, place);
    const bars = barsOf(model, options, place);
    const secondary = secondaryBus(id, model);
    const { interruptPin } = DEVICE_CATALOG[model];
    bus.functions.push({ id, model, ...slot, bars, interruptPin, options, secondary });
    if (secondary !== undefined) this.buses.set(id, secondary);
  }

  private claimChassis(id: string, model: DeviceModel, options: Record<string, string>, place: ErrorPlace): void {
    const key = model === 'pcie-root-port' ? 'chassis' : model === 'pci-bridge' ? 'chassis_nr' : undefined;
    if (key === undefined) return;
    assignChassis(key, options, new Set([...this.givenChassis, ...this.chassis.keys()]));
    const number = parseInteger(options[key], key, 1, 255, place);
    const pair = `${number}:${parseInteger(options.slot ?? '0', 'slot', 0, 0x1fff, place)}`;
    const holder = this.chassis.get(pair);
    if (holder !== undefined) {
      throw new UserError('CHASSIS_TAKEN', `${id}: ${key}=${number} is ${holder}'s already`, {
        place,
        mend: `choose another ${key}, or leave it out`,
      });
    }
    this.chassis.set(pair, id);
  }

  private claimBackEnd(id: string, model: DeviceModel, options: Record<string, string>, place: ErrorPlace): void {
    if (model === 'virtio-blk-pci' && options.drive === undefined) {
      throw new UserError('OPTION_MISSING', `${model} '${id}' has no drive`, {
        place,
        mend: 'add --drive id=NAME,file=PATH,if=none,format=raw and drive=NAME',
      });
    }
    for (const [key, known] of Object.entries(this.backEnds)) {
      const name = options[key];
      if (name === undefined) continue;
      if (!known.includes(name)) {
        const nearest = nearestNames(name, known);
        throw new UserError('BACKEND_UNKNOWN', `${id}: there is no ${key} '${name}'`, {
          place,
          mend: nearest.length > 0 ? `did you mean ${nearest.join(', ')}?` : `declare it with --${key} id=${name},…`,
        });
      }
      const user = this.backEndUsers.get(name);
      if (user !== undefined) {
        const message = `${id}: ${key} '${name}' is ${user}'s already`;
        throw new UserError('BACKEND_TAKEN', message, { place, mend: `declare another --${key} for ${id}` });
      }
      this.backEndUsers.set(name, id);
    }
  }

  hostBridges(): HostBridgeConfig[] {
    for (const bus of this.buses.values()) checkMultifunction(bus, this.places);
    const functions = (id: string) => functionsOf(this.buses.get(id) as BusUnderConstruction);
    const extra = [...this.extraRoots].sort((left, right) => left.busNumber - right.busNumber);
    return [
      { id: ROOT_BUS, segment: 0, busNumber: 0, functions: functions(ROOT_BUS) },
      ...extra.map(({ place: _, ...bridge }) => ({ ...bridge, functions: functions(bridge.id) })),
    ];
  }
}

const isNode = ({ values }: OptionList): boolean => values.get('type') !== 'dist';

/**
 * Checks a description and gives slots to devices that name none, in the order in which they stand, as QEMU does.
 * @throws UserError with the place of the option that is wrong
 */
export function resolveBoard(description: BoardDescription): Board {
  const ids: Ids = new Map();
  const ramBytes = resolveRam(description.memory);
  const topology = resolveProcessors(description.cpus, description.numa.filter(isNode).length);
  const cpus = processorCount(topology);
  const numaNodes = resolveNuma(description.numa, ramBytes, cpus);
  const drives = resolveDrives(description.drives, ids);
  const netdevs = resolveNetdevs(description.netdevs, ids);
  const backEnds = { drive: drives.map(({ id }) => id), netdev: netdevs.map(({ id }) => id) };
  const builder = new BoardBuilder(ids, backEnds, numaNodes.length, description.devices);
  for (const device of description.devices) builder.plug(device);
  const machine: MachineConfig = {
    ramBytes,
    lowRamBytes: lowRamBytes(ramBytes),
    cpus,
    topology,
    numaNodes,
    pm: resolvePm(description.pm),
    hostBridges: builder.hostBridges(),
  };
  return { machine, drives, netdevs };
}
