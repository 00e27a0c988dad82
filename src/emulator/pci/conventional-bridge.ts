import { DEVICE_CATALOG } from '../machine/device-catalog.ts';
import type { RegisterMap } from '../registers/register-map.ts';
import { PciBridge } from './bridge.ts';
import type { PciBus } from './bus.ts';
import { slotIdCapability, subsystemIdCapability } from './capabilities/identification.ts';
import { CONVENTIONAL_FAST, type1Header } from './config-header.ts';
import { type Capability, configSpace, type Placed } from './config-space.ts';
import type { PciPorts } from './function.ts';

/** Bridge Control of a conventional bridge: everything but fast back-to-back's relatives that QEMU leaves out. */
const BRIDGE_CONTROL_MASK = 0x0bff;

function conventionalConfig(
  model: 'pci-bridge' | 'i82801b11-bridge',
  capability: Placed<Capability>,
  multifunction: boolean,
): RegisterMap {
  const facts = DEVICE_CATALOG[model];
  return configSpace(model, {
    header: (capabilitiesPointer) =>
      type1Header(
        {
          identity: facts,
          bars: facts.bars,
          interruptPin: facts.interruptPin,
          multifunction,
          conventionalStatus: CONVENTIONAL_FAST,
          closedAtReset: false,
          bridgeControlMask: BRIDGE_CONTROL_MASK,
        },
        capabilitiesPointer,
      ),
    capabilities: [capability],
  });
}

export interface ConventionalBridgeOptions {
  readonly multifunction: boolean;
}

/** QEMU's `pci-bridge` with `shpc=off` (1b36:0001): slot numbering, no hotplug controller. */
export class ConventionalPciBridge extends PciBridge {
  constructor(
    options: ConventionalBridgeOptions & { readonly chassis: number },
    ports: PciPorts,
    primary: PciBus,
    device: number,
  ) {
    const capability = { offset: 0x40, capability: slotIdCapability(0, options.chassis) };
    super(
      { config: conventionalConfig('pci-bridge', capability, options.multifunction), bars: [] },
      ports,
      primary,
      device,
    );
  }
}

/** The ICH9's DMI-to-PCI bridge (8086:244e). */
export class I82801b11Bridge extends PciBridge {
  constructor(options: ConventionalBridgeOptions, ports: PciPorts, primary: PciBus, device: number) {
    const capability = { offset: 0x50, capability: subsystemIdCapability(0, 0) };
    super(
      { config: conventionalConfig('i82801b11-bridge', capability, options.multifunction), bars: [] },
      ports,
      primary,
      device,
    );
  }
}
