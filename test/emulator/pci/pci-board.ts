import { AddressSpace } from '../../../src/emulator/bus/address-space.ts';
import { SpaceDma } from '../../../src/emulator/bus/space-dma.ts';
import { VirtualClock } from '../../../src/emulator/machine/clock.ts';
import type { BarConfig, PciFunctionConfig } from '../../../src/emulator/machine/config.ts';
import { DEVICE_CATALOG, type DeviceModel } from '../../../src/emulator/machine/device-catalog.ts';
import { type Backends, populateBus } from '../../../src/emulator/machine/device-models.ts';
import type { PciBus } from '../../../src/emulator/pci/bus.ts';
import type { PciFunction } from '../../../src/emulator/pci/function.ts';
import { PciRootComplex } from '../../../src/emulator/pci/root-complex.ts';

export interface TestFunction {
  readonly id: string;
  readonly model: DeviceModel;
  readonly device: number;
  readonly function?: number;
  readonly options?: Readonly<Record<string, string>>;
  readonly bars?: readonly BarConfig[];
  readonly secondary?: readonly TestFunction[];
}

export function functionConfig(test: TestFunction): PciFunctionConfig {
  const facts = DEVICE_CATALOG[test.model];
  return {
    id: test.id,
    model: test.model,
    device: test.device,
    function: test.function ?? 0,
    bars: test.bars ?? facts.bars,
    interruptPin: facts.interruptPin,
    options: test.options ?? {},
    secondary: facts.kind === 'endpoint' ? undefined : (test.secondary ?? []).map(functionConfig),
  };
}

const NO_BACKENDS: Backends = {
  drive: () => undefined,
  network: () => undefined,
  entropy: () => ({ fill: (target) => void target.fill(0x5a) }),
  character: () => undefined,
};

/** A root complex with RAM of 64 KiB at 0 and nothing else, for tests of the PCI side alone. */
export class PciBoard {
  readonly ram = new Uint8Array(0x1_0000);
  readonly system = new AddressSpace('system', { bytes: () => this.ram });
  readonly clock = new VirtualClock(() => 0);
  readonly guestErrors: string[] = [];
  /** Level of each INTx wire that reached the root, by `bus device pin`. */
  readonly interrupts = new Map<string, number>();
  /** Interrupt messages as [address, data]. */
  readonly messages: [number, number][] = [];
  readonly root: PciRootComplex;
  readonly bus: PciBus;
  readonly expander: PciBus;
  readonly functions: ReadonlyMap<string, PciFunction>;

  constructor(functions: readonly TestFunction[], behindExpander: readonly TestFunction[] = []) {
    this.system.mapMemory('RAM', 0, this.ram.length, 0);
    this.system.mapTarget('messages', 0xfee0_0000, 0x10_0000, {
      read: () => 0,
      write: (offset, _size, value) => void this.messages.push([0xfee0_0000 + offset, value]),
    });
    this.root = new PciRootComplex({
      clock: this.clock,
      log: { guestError: (site, message) => void this.guestErrors.push(`${site}: ${message}`) },
      systemDma: new SpaceDma(
        this.system,
        () => this.ram,
        () => {},
      ),
    });
    this.bus = this.root.addRootBus('pcie.0', 0, (device, pin) => this.#line(`0 ${device} ${pin}`));
    this.expander = this.root.addRootBus('pxb', 0x80, (device, pin) => this.#line(`80 ${device} ${pin}`));
    const place = { expressBus: true, behindExpressPort: false };
    this.functions = new Map([
      ...populateBus(this.bus, functions.map(functionConfig), place, NO_BACKENDS),
      ...populateBus(this.expander, behindExpander.map(functionConfig), place, NO_BACKENDS),
    ]);
    this.root.reset();
  }

  at(id: string): PciFunction {
    return this.functions.get(id)!;
  }

  /** Config write of a register by name, through the root complex, so that effects apply. */
  set(address: readonly [bus: number, device: number], register: string, value: number): void {
    const target = this.root.configTarget(address[0], address[1], 0)!;
    const spec = target.function.registers.map.registers[register];
    if (spec.size === 8) {
      this.root.writeConfig(address[0], address[1], 0, spec.offset, 4, value % 2 ** 32);
      this.root.writeConfig(address[0], address[1], 0, spec.offset + 4, 4, Math.floor(value / 2 ** 32));
    } else this.root.writeConfig(address[0], address[1], 0, spec.offset, spec.size, value);
  }

  /** Numbers the bridge's buses and opens its windows and COMMAND; limits are inclusive. */
  openBridge(
    address: readonly [bus: number, device: number],
    numbers: { readonly secondary: number; readonly subordinate: number },
    windows: {
      readonly memory?: readonly [number, number];
      readonly prefetchable?: readonly [number, number];
      readonly io?: readonly [number, number];
    } = {},
  ): void {
    this.set(address, 'PRIMARY_BUS', address[0]);
    this.set(address, 'SECONDARY_BUS', numbers.secondary);
    this.set(address, 'SUBORDINATE_BUS', numbers.subordinate);
    const [memoryBase, memoryLimit] = windows.memory ?? [0xfff0_0000, 0];
    const [prefetchableBase, prefetchableLimit] = windows.prefetchable ?? [0xfff0_0000, 0];
    const [ioBase, ioLimit] = windows.io ?? [0xf000, 0];
    this.set(address, 'MEMORY_BASE', memoryBase / 0x1_0000);
    this.set(address, 'MEMORY_LIMIT', Math.floor(memoryLimit / 0x1_0000));
    this.set(address, 'PREFETCHABLE_BASE', Math.floor(prefetchableBase / 0x1_0000) & 0xffff);
    this.set(address, 'PREFETCHABLE_LIMIT', Math.floor(prefetchableLimit / 0x1_0000) & 0xffff);
    this.set(address, 'PREFETCHABLE_BASE_UPPER', Math.floor(prefetchableBase / 2 ** 32));
    this.set(address, 'PREFETCHABLE_LIMIT_UPPER', Math.floor(prefetchableLimit / 2 ** 32));
    this.set(address, 'IO_BASE', ioBase >> 8);
    this.set(address, 'IO_LIMIT', ioLimit >> 8);
    this.set(address, 'COMMAND', 0x0007);
  }

  #line(key: string): { set(asserted: boolean): void } {
    let level = false;
    return {
      set: (asserted) => {
        if (asserted !== level) this.interrupts.set(key, (this.interrupts.get(key) ?? 0) + (asserted ? 1 : -1));
        level = asserted;
      },
    };
  }
}
