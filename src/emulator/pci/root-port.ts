import { DEVICE_CATALOG } from '../machine/device-catalog.ts';
import type { AccessSize } from '../machine/ports.ts';
import { PciBridge } from './bridge.ts';
import type { PciBus } from './bus.ts';
import { ACCESS_CONTROL_SERVICES, rootPortErrorReporting } from './capabilities/error-reporting.ts';
import { rootPortExpressCapability } from './capabilities/express.ts';
import { subsystemIdCapability } from './capabilities/identification.ts';
import { msixCapability } from './capabilities/msix.ts';
import { type1Header } from './config-header.ts';
import { configSpace } from './config-space.ts';
import type { ConfigEffects, PciPorts } from './function.ts';

const FACTS = DEVICE_CATALOG['pcie-root-port'];
const MSIX_LAYOUT = { vectors: FACTS.msixVectors, bar: 0, tableOffset: 0, pbaOffset: 0x800 };
const POWER_INDICATOR_ON = 1;

export interface RootPortOptions {
  /** Port number in Link Capabilities. */
  readonly port: number;
  /** Physical slot number. */
  readonly slot: number;
  readonly hotplug: boolean;
  readonly multifunction: boolean;
}

/** An Express root port with one slot, as QEMU's `pcie-root-port` (1b36:000c). */
export class PcieRootPort extends PciBridge {
  constructor(options: RootPortOptions, ports: PciPorts, primary: PciBus, device: number) {
    const config = configSpace('pcie-root-port', {
      header: (capabilitiesPointer) =>
        type1Header(
          {
            identity: FACTS,
            bars: FACTS.bars,
            interruptPin: FACTS.interruptPin,
            multifunction: options.multifunction,
            closedAtReset: true,
            bridgeControlMask: 0x005f,
          },
          capabilitiesPointer,
        ),
      capabilities: [
        { offset: 0x54, capability: rootPortExpressCapability(options.port, options) },
        { offset: 0x48, capability: msixCapability(MSIX_LAYOUT) },
        { offset: 0x40, capability: subsystemIdCapability(0x1b36, 0) },
      ],
      extended: [
        { offset: 0x100, capability: rootPortErrorReporting() },
        { offset: 0x148, capability: ACCESS_CONTROL_SERVICES },
      ],
      express: true,
    });
    super({ config, bars: FACTS.bars, msix: MSIX_LAYOUT }, ports, primary, device);
  }

  override writeConfig(offset: number, size: AccessSize, value: number): ConfigEffects {
    const effects = super.writeConfig(offset, size, value);
    const control = this.registers.map.registers['EXP.SLTCTL'].offset;
    if (offset <= control && control < offset + size) this.#commandSlot(value >>> (8 * (control - offset)));
    return effects;
  }

  /** A cold-plugged card is powered and lit; the link shows what stands in the slot (PCIe 5.0 §7.5.3.8, §7.5.3.11). */
  protected override onReset(): void {
    super.onReset();
    const card = this.secondary.at(0, 0);
    if (card === undefined) return;
    this.registers.setField('EXP.SLTCTL', 'POWER_INDICATOR', POWER_INDICATOR_ON);
    this.registers.setField('EXP.SLTCTL', 'POWER_OFF', 0);
    const capability = card.registers.map.registers['EXP.LNKCAP'];
    if (capability === undefined) return;
    // Presence and link state are an Express card's: a conventional function has no link to train.
    this.registers.setField('EXP.SLTSTA', 'PRESENCE', 1);
    this.registers.setField('EXP.LNKSTA', 'SPEED', card.registers.field('EXP.LNKCAP', 'MAX_SPEED'));
    this.registers.setField('EXP.LNKSTA', 'WIDTH', card.registers.field('EXP.LNKCAP', 'MAX_WIDTH'));
    this.registers.setField('EXP.LNKSTA', 'LINK_ACTIVE', 1);
  }

  /** A write to Slot Control is a hotplug command: it completes at once (PCIe 5.0 §6.7.3.2). */
  #commandSlot(written: number): void {
    if ((written >>> 11) & 1) {
      this.registers.setField('EXP.SLTSTA', 'INTERLOCK', 1 - this.registers.field('EXP.SLTSTA', 'INTERLOCK'));
    }
    this.registers.setField('EXP.SLTSTA', 'COMMAND_COMPLETED', 1);
    const wanted =
      this.registers.field('EXP.SLTCTL', 'HOTPLUG_INTERRUPT_ENABLE') === 1 &&
      this.registers.field('EXP.SLTCTL', 'COMMAND_COMPLETED_ENABLE') === 1;
    if (wanted) this.#notify();
  }

  #notify(): void {
    if (!this.msix!.send(0)) this.setInterrupt(true);
  }

  protected override onConfigWrite(touched: readonly string[]): boolean {
    if (touched.includes('EXP.SLTSTA') && this.registers.field('EXP.SLTSTA', 'COMMAND_COMPLETED') === 0)
      this.setInterrupt(false);
    return super.onConfigWrite(touched);
  }
}
