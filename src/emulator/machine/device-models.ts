import { EduDevice } from '../devices/edu.ts';
import type { ModelContext } from '../devices/model-context.ts';
import { PciTestDevice } from '../devices/pci-testdev.ts';
import { Q35TestDevice } from '../devices/q35-testdev/q35-testdev.ts';
import {
  type VirtioBackends,
  virtioBlkModel,
  virtioNetModel,
  virtioRngModel,
  virtioSerialModel,
} from '../devices/virtio/virtio-models.ts';
import { PciBridge } from '../pci/bridge.ts';
import type { PciBus } from '../pci/bus.ts';
import { ConventionalPciBridge, I82801b11Bridge } from '../pci/conventional-bridge.ts';
import type { PciFunction, PciPorts } from '../pci/function.ts';
import { PcieRootPort } from '../pci/root-port.ts';
import type { PciFunctionConfig } from './config.ts';
import { DEVICE_CATALOG, type DeviceModel } from './device-catalog.ts';

/** What devices use of the outside, found by the id that their option names (`drive=`, `netdev=`, `rng=`, `chardev=`). */
export type Backends = VirtioBackends;

/** Everything that a constructor of a model is given. */
export interface ModelParts {
  readonly config: PciFunctionConfig;
  readonly context: ModelContext;
  readonly ports: PciPorts;
  readonly bus: PciBus;
  readonly backends: Backends;
}

export type ModelConstructor = (parts: ModelParts) => PciFunction;

/** Every model of the catalog and how it is built. A model that is missing here fails to compile. */
export const DEVICE_MODELS: Readonly<Record<DeviceModel, ModelConstructor>> = {
  'pcie-root-port': ({ config, context, ports, bus }) =>
    new PcieRootPort(
      {
        port: Number(config.options.port ?? 0),
        slot: Number(config.options.slot ?? 0),
        hotplug: config.options.hotplug !== 'off',
        multifunction: context.multifunction,
      },
      ports,
      bus,
      config.device,
    ),
  'pci-bridge': ({ config, context, ports, bus }) =>
    new ConventionalPciBridge(
      { chassis: Number(config.options.chassis_nr ?? 0), multifunction: context.multifunction },
      ports,
      bus,
      config.device,
    ),
  'i82801b11-bridge': ({ config, context, ports, bus }) =>
    new I82801b11Bridge({ multifunction: context.multifunction }, ports, bus, config.device),
  edu: ({ config, context, ports }) => new EduDevice(config, context, ports),
  'pci-testdev': ({ config, context, ports }) => new PciTestDevice(config, context, ports),
  'q35-testdev': ({ config, context, ports }) => new Q35TestDevice(config, context, ports),
  'virtio-blk-pci': virtioBlkModel,
  'virtio-net-pci': virtioNetModel,
  'virtio-rng-pci': virtioRngModel,
  'virtio-serial-pci': virtioSerialModel,
};

/** Puts `functions` and what hangs below them on `bus`. Returns them by id. */
export function populateBus(
  bus: PciBus,
  functions: readonly PciFunctionConfig[],
  place: Omit<ModelContext, 'multifunction'>,
  backends: Backends,
): ReadonlyMap<string, PciFunction> {
  const built = new Map<string, PciFunction>();
  for (const config of functions) {
    const construct = DEVICE_MODELS[config.model];
    const multifunction = functions.some(
      (other) => other.device === config.device && other.function !== config.function,
    );
    const ports = bus.portsFor(config.device, config.interruptPin);
    const found = construct({ config, context: { ...place, multifunction }, ports, bus, backends });
    bus.attach(config.device, config.function, found);
    built.set(config.id, found);
    if (!(found instanceof PciBridge)) continue;
    const express = DEVICE_CATALOG[config.model].kind === 'root-port';
    const below = { expressBus: express, behindExpressPort: express };
    for (const [id, child] of populateBus(found.secondary, config.secondary ?? [], below, backends))
      built.set(id, child);
  }
  return built;
}
