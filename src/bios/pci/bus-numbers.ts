import type { HostBridgeConfig, PciFunctionConfig } from '../../emulator/machine/config.ts';
import { UserError } from '../../shared/errors.ts';
import type { Bdf } from './plan.ts';

/** A function with its address, and the functions behind it. */
export interface NumberedFunction {
  readonly config: PciFunctionConfig;
  readonly bdf: Bdf;
  readonly bridge?: NumberedBridge;
}

export interface NumberedBridge {
  readonly primaryBus: number;
  readonly secondaryBus: number;
  readonly subordinateBus: number;
  readonly functions: readonly NumberedFunction[];
}

/** First and last bus number of each host bridge: its own first, up to the next one's first or 255. */
export function busRanges(hostBridges: readonly HostBridgeConfig[]): { first: number; last: number }[] {
  return hostBridges.map(({ segment, busNumber }) => {
    const later = hostBridges.filter((other) => other.segment === segment && other.busNumber > busNumber);
    return { first: busNumber, last: Math.min(256, ...later.map((other) => other.busNumber)) - 1 };
  });
}

/**
 * Numbers the buses below a host bridge depth first, in the order of the functions. `bus-reserve` keeps numbers free behind a port.
 * @throws UserError PCI_BUS_SHORTAGE
 */
export function numberBuses(hostBridge: HostBridgeConfig, last: number): NumberedFunction[] {
  const { segment } = hostBridge;
  let next = hostBridge.busNumber + 1;

  const take = (config: PciFunctionConfig, count: number): number => {
    const first = next;
    next += count;
    if (next - 1 <= last) return first;
    const what = count === 1 ? 'a bus number' : `${count} bus numbers`;
    throw new UserError(
      'PCI_BUS_SHORTAGE',
      `${config.id} needs ${what} below ${hostBridge.id}, which has ${hostBridge.busNumber}–${last}: ${next - 1 - last} missing`,
      {
        place: { path: config.id },
        mend:
          last < 255
            ? 'raise bus_nr of the next host bridge, or move bridges to another one'
            : 'lower bus_nr of this host bridge, lower bus-reserve, or use fewer bridges',
      },
    );
  };

  const numberBus = (functions: readonly PciFunctionConfig[], bus: number): NumberedFunction[] =>
    functions.map((config) => {
      const bdf = { segment, bus, device: config.device, function: config.function };
      if (config.secondary === undefined) return { config, bdf };
      const secondaryBus = take(config, 1);
      const behind = numberBus(config.secondary, secondaryBus);
      const reserve = Number(config.options['bus-reserve'] ?? 0);
      const missing = secondaryBus + reserve - (next - 1);
      if (missing > 0) take(config, missing);
      return { config, bdf, bridge: { primaryBus: bus, secondaryBus, subordinateBus: next - 1, functions: behind } };
    });

  return numberBus(hostBridge.functions, hostBridge.busNumber);
}
