import { CONVENTIONAL_FAST, QEMU_SUBSYSTEM, type0Header } from './config-header.ts';
import { configSpace } from './config-space.ts';
import { PciFunction, type PciPorts } from './function.ts';

/**
 * The function on pcie.0 that stands for a further host bridge, QEMU's `pxb-pcie` (1b36:000b). Its root bus hangs off the root
 * complex, not off this function: it decodes nothing.
 */
export class PxbHostBridge extends PciFunction {
  constructor(multifunction: boolean, ports: PciPorts) {
    const config = configSpace('pxb-pcie', {
      header: (capabilitiesPointer) =>
        type0Header(
          {
            identity: { vendorId: 0x1b36, deviceId: 0x000b, revision: 0, classCode: 0x06_00_00, ...QEMU_SUBSYSTEM },
            bars: [],
            interruptPin: 0,
            multifunction,
            conventionalStatus: CONVENTIONAL_FAST,
          },
          capabilitiesPointer,
        ),
      express: true,
    });
    super({ config, bars: [] }, ports);
  }
}
