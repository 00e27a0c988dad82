import type { PciFunctionConfig } from '../../emulator/machine/config.ts';
import { DEVICE_CATALOG, type DeviceModel } from '../../emulator/machine/device-catalog.ts';
import { type ErrorPlace, UserError } from '../../shared/errors.ts';
import { PXB_MODEL } from './device-options.ts';
import { nearestNames } from './nearest-names.ts';

export const ROOT_BUS = 'pcie.0';

type BusKind = 'root' | 'extra-root' | 'root-port' | 'conventional';

/** A function whose secondary bus may still grow. */
type FunctionUnderConstruction = Omit<PciFunctionConfig, 'secondary'> & { readonly secondary?: BusUnderConstruction };

/** A bus while devices are plugged into it. */
export interface BusUnderConstruction {
  readonly id: string;
  readonly kind: BusKind;
  readonly functions: FunctionUnderConstruction[];
  /** Who holds each devfn: its id or a name for people. */
  readonly holders: Map<number, string>;
}

export interface Slot {
  readonly device: number;
  readonly function: number;
}

export function emptyBus(id: string, kind: BusKind): BusUnderConstruction {
  const holders = new Map<number, string>();
  if (kind === 'root') {
    // The MCH and ICH9's LPC bridge stand there on every Q35 board; the rest of slot 1f is ICH9's too.
    for (let fn = 0; fn < 8; fn++) {
      holders.set(fn, 'the MCH');
      holders.set((0x1f << 3) | fn, 'ICH9');
    }
  }
  return { id, kind, functions: [], holders };
}

/** The bus behind a bridge; undefined for an endpoint. */
export function secondaryBus(id: string, model: DeviceModel): BusUnderConstruction | undefined {
  const { kind } = DEVICE_CATALOG[model];
  return kind === 'endpoint' ? undefined : emptyBus(id, kind === 'root-port' ? 'root-port' : 'conventional');
}

export function findBus(
  buses: ReadonlyMap<string, BusUnderConstruction>,
  id: string,
  place: ErrorPlace,
): BusUnderConstruction {
  const bus = buses.get(id);
  if (bus !== undefined) return bus;
  const names = [...buses.keys()];
  const nearest = nearestNames(id, names);
  throw new UserError('BUS_UNKNOWN', `there is no bus '${id}' at this point`, {
    place,
    mend: `${nearest.length > 0 ? `did you mean ${nearest.join(', ')}? ` : ''}buses declared so far: ${names.join(', ')}; a bridge comes before what is behind it`,
  });
}

/** @throws UserError BUS_TYPE when QEMU or the hardware would refuse `model` on `bus` */
export function checkBusType(
  model: DeviceModel | typeof PXB_MODEL,
  bus: BusUnderConstruction,
  place: ErrorPlace,
): void {
  if (model === PXB_MODEL) {
    if (bus.kind === 'root') return;
    throw new UserError('BUS_TYPE', `${model} cannot be plugged into bus '${bus.id}'`, {
      place,
      mend: `host bridges belong on ${ROOT_BUS}`,
    });
  }
  const { kind } = DEVICE_CATALOG[model];
  if (kind === 'root-port' && bus.kind !== 'root' && bus.kind !== 'extra-root') {
    throw new UserError('BUS_TYPE', `${model} cannot be plugged into bus '${bus.id}'`, {
      place,
      mend: `root ports belong on ${ROOT_BUS} or on the bus of a ${PXB_MODEL}`,
    });
  }
  if (kind === 'endpoint' && bus.kind === 'extra-root') {
    throw new UserError(
      'BUS_TYPE',
      `${model} cannot be plugged into bus '${bus.id}': a ${PXB_MODEL} takes bridges only`,
      {
        place,
        mend: `add a pcie-root-port with bus=${bus.id} and plug ${model} into that`,
      },
    );
  }
}

/**
 * The slot that `requested` names, or the first device number whose function 0 is free, as QEMU gives them out.
 * @throws UserError SLOT_NOT_ALLOWED, SLOT_TAKEN, BUS_FULL
 */
export function takeSlot(
  bus: BusUnderConstruction,
  requested: Slot | undefined,
  holder: string,
  place: ErrorPlace,
): Slot {
  const slot = requested ?? firstFreeSlot(bus, place);
  const name = `${slot.device.toString(16).padStart(2, '0')}.${slot.function}`;
  if (bus.kind === 'root-port' && slot.device !== 0) {
    throw new UserError('SLOT_NOT_ALLOWED', `slot ${name} is not allowed on bus '${bus.id}'`, {
      place,
      mend: 'a root port has device 0 only: leave addr out, or use functions 0.0–0.7',
    });
  }
  const devfn = (slot.device << 3) | slot.function;
  const taken = bus.holders.get(devfn);
  if (taken !== undefined) {
    throw new UserError('SLOT_TAKEN', `slot ${name} of bus '${bus.id}' is taken by ${taken}`, {
      place,
      mend: 'choose another addr; devices without addr take the first free slot in the order in which they are given',
    });
  }
  bus.holders.set(devfn, holder);
  return slot;
}

function firstFreeSlot(bus: BusUnderConstruction, place: ErrorPlace): Slot {
  const last = bus.kind === 'root-port' ? 0 : 31;
  for (let device = 0; device <= last; device++) if (!bus.holders.has(device << 3)) return { device, function: 0 };
  throw new UserError('BUS_FULL', `bus '${bus.id}' has no free slot`, {
    place,
    mend:
      bus.kind === 'root-port'
        ? 'a root port takes one device: add another pcie-root-port, or a pci-bridge behind this one'
        : 'add a bridge and plug the device into that',
  });
}

/** Functions 1–7 are only found when function 0 is there and says so (PCI 3.0 §6.2.1). */
export function checkMultifunction(bus: BusUnderConstruction, places: ReadonlyMap<string, ErrorPlace>): void {
  for (const fn of bus.functions) {
    if (fn.function === 0) continue;
    const first = bus.functions.find((other) => other.device === fn.device && other.function === 0);
    if (first?.options.multifunction === 'on') continue;
    throw new UserError(
      'MULTIFUNCTION',
      `${fn.id} stands at function ${fn.function} of a slot of bus '${bus.id}' ${first === undefined ? 'that has no function 0' : `whose function 0 (${first.id}) is a single-function device`}`,
      {
        place: places.get(fn.id),
        mend: first === undefined ? 'add function 0 with multifunction=on' : `give ${first.id} multifunction=on`,
      },
    );
  }
}

/** The finished functions of a bus by slot and function number. */
export function functionsOf(bus: BusUnderConstruction): PciFunctionConfig[] {
  return [...bus.functions]
    .sort((left, right) => left.device - right.device || left.function - right.function)
    .map(({ secondary, ...fn }) => (secondary === undefined ? fn : { ...fn, secondary: functionsOf(secondary) }));
}
