import { arg, method, name, scope, store } from '../../../aml/build.ts';
import { encodeDefinitionBlock } from '../../../aml/table-header.ts';
import type { AmlTerm } from '../../../aml/tree.ts';
import type { MachineConfig } from '../../../emulator/machine/config.ts';
import type { PciPlan } from '../../pci/plan.ts';
import { type AcpiTable, type OemIdentity, paddedOem } from '../header.ts';
import { hostBridge } from './host-bridge.ts';
import { interruptLinks } from './interrupt-links.ts';
import { LPC_PATH, lpcBridge } from './isa-devices.ts';
import { motherboardMemory } from './motherboard.ts';
import { fwCfgDevice, hpetDevice } from './platform-devices.ts';
import { powerButton, sleepStates } from './power.ts';
import { processors } from './processors.ts';

/** From 2 on, integers have 64 bits. */
const DSDT_REVISION = 2;

/** The Differentiated System Description Table of a board and its plan. */
export function buildDsdt(oem: OemIdentity, config: MachineConfig, plan: PciPlan): AcpiTable {
  const bytes = encodeDefinitionBlock(
    { signature: 'DSDT', revision: DSDT_REVISION, ...paddedOem(oem) },
    terms(config, plan),
  );
  return { id: 'DSDT', signature: 'DSDT', bytes, pointers: [] };
}

function terms(config: MachineConfig, plan: PciPlan): AmlTerm[] {
  const nodeOf = (cpu: number) => config.numaNodes.find((node) => node.cpus.includes(cpu))?.id;
  return [
    // The interrupt model: 0 the 8259s, 1 the I/O APIC. The OS calls _PIC before it reads any _PRT.
    name('PICF', 0),
    method('_PIC', 1, [store(arg(0), 'PICF')]),
    ...sleepStates(config.pm),
    scope('\\_SB', [
      ...plan.hostBridges.map((planned, index) => {
        const children = index === 0 ? [lpcBridge(), fwCfgDevice()] : [];
        return hostBridge(planned, {
          config: config.hostBridges[index],
          // Linux complains of host bridges without a node on a NUMA board.
          defaultNode: config.numaNodes[0]?.id,
          children,
        });
      }),
      ...interruptLinks(LPC_PATH),
      motherboardMemory(plan.ecam),
      hpetDevice(),
      powerButton(),
      processors(config.cpus, nodeOf),
    ]),
  ];
}
