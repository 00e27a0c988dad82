import type { Logger } from '../../shared/logger.ts';
import { AddressSpace } from '../bus/address-space.ts';
import { GuestMemory } from '../bus/guest-memory.ts';
import type { PageSource } from '../bus/pending-pages.ts';
import { SpaceDma } from '../bus/space-dma.ts';
import { Ich9 } from '../chipset/ich9/ich9.ts';
import { ResetControl } from '../chipset/ich9/reset-control.ts';
import { MchHostBridge } from '../chipset/mch/host-bridge.ts';
import { MemoryDecoder } from '../chipset/mch/memory-decoder.ts';
import type { CpuEngine, CreateEngine, EnginePlacement, EngineState } from '../cpu/engine.ts';
import { ApicBus, MSI_ADDRESS } from '../cpu/local-apic/apic-bus.ts';
import type { FwCfg } from '../devices/fw-cfg.ts';
import { I8259Pair } from '../devices/i8259.ts';
import { IoApic } from '../devices/ioapic.ts';
import { ConfigPorts } from '../pci/config-ports.ts';
import { PxbHostBridge } from '../pci/expander.ts';
import type { PciFunction } from '../pci/function.ts';
import { PciRootComplex } from '../pci/root-complex.ts';
import { type ClockState, VirtualClock } from './clock.ts';
import { type Component, type ComponentStates, restoreComponents, snapshotComponents } from './component.ts';
import type { HostBridgeConfig, MachineConfig } from './config.ts';
import { CpuPort } from './cpu-port.ts';
import { type Backends, populateBus } from './device-models.ts';
import type { MachineEvent, RunLimit } from './events.ts';
import { FW_CFG_KEYS } from './fw-cfg-keys.ts';
import { GuestLog } from './guest-log.ts';
import { IsaDevices } from './isa-devices.ts';
import { LocalApics } from './local-apics.ts';
import { HPET, IOAPIC, IOAPIC_PINS, PORTS } from './memory-map.ts';
import type { ByteSink, ByteSource } from './ports.ts';
import { apicIds, topologyOf } from './processor-topology.ts';
import { stateHash } from './state-hash.ts';

/** Longest slice, instructions: bounds how late a host-side request is seen. */
const LONGEST_SLICE = 1_000_000;
/** Time that passes when all processors wait in loops with PAUSE, ns: about what the instruction takes on real ones. */
const SPIN_TIME = 100;
/** Virtual time, ns, between two sources of a restored machine's RAM that nobody has asked for. */
const SETTLE_INTERVAL = 10_000_000;
const LOCAL_APIC_PAGE = 0x1000;

export interface MachineOptions {
  readonly config: MachineConfig;
  /** Firmware; ends at 4 GiB. A whole number of pages. */
  readonly rom: Uint8Array;
  /** Where RAM and ROM go; `guestMemoryBytes` says how much they take. */
  readonly placement: EnginePlacement;
  readonly createEngine: CreateEngine;
  readonly backends: Backends;
  /** COM1. */
  readonly serial: { readonly sink: ByteSink; readonly source?: ByteSource };
  /** Ports 0x402 and 0xe9. */
  readonly debugcon: ByteSink;
  readonly logger: Logger;
  /** fw_cfg: items by key and files by name, beside what the machine knows itself. */
  readonly fwCfg?: {
    readonly items?: ReadonlyMap<number, Uint8Array>;
    readonly files?: ReadonlyMap<string, Uint8Array>;
  };
  /** Date of the RTC at power-on, UTC seconds since 1970. */
  readonly startSeconds?: number;
  /** A guest's reset ends `run` with an event instead of starting over (`--no-reboot`). */
  readonly stopAtReset?: boolean;
}

/** Everything about a machine that changes while it runs, but RAM. JSON. */
export interface MachineState {
  readonly clock: ClockState;
  readonly processor: EngineState;
  readonly components: ComponentStates;
  /** A reset that was asked for is still to come. */
  readonly resetRequested: boolean;
}

/** Builds a machine and resets it. The same options give the same run, bit for bit. */
export function createMachine(options: MachineOptions): Machine {
  return new Machine(options);
}

/** The Q35 machine: memory, chipset, PCI and devices around the processors. */
export class Machine {
  readonly clock: VirtualClock;
  readonly memory: GuestMemory;
  readonly engine: CpuEngine;
  readonly root: PciRootComplex;
  readonly mch: MchHostBridge;
  readonly ich9: Ich9;
  readonly isa: IsaDevices;
  readonly decoder: MemoryDecoder;
  readonly io: AddressSpace;
  readonly log: GuestLog;
  /** PCI functions of the board by their ids. */
  readonly functions: ReadonlyMap<string, PciFunction>;
  /** The processors' bus, also for debuggers and tests. */
  readonly cpuPort: CpuPort;
  readonly #options: MachineOptions;
  readonly #localApics: LocalApics;
  readonly #pic: I8259Pair;
  readonly #ioApic: IoApic;
  readonly #configPorts: ConfigPorts;
  readonly #resetControl: ResetControl;
  /** The expanders' own functions by their buses' ids. */
  readonly #expanders = new Map<string, PciFunction>();
  /** Memory as bus masters see it. */
  readonly #dmaSpace: AddressSpace;
  #built = false;
  #running = false;
  #sliceEnd = 0;
  #resetRequested = false;
  /** When RAM that is still to come is fetched unasked: not while a restored guest gets going. */
  #settleAt = 0;
  #event: MachineEvent | undefined;

  constructor(options: MachineOptions) {
    this.#options = options;
    const { config } = options;
    this.clock = new VirtualClock(
      () => (this.#built ? this.engine.retired() : 0),
      (deadline) => this.#shortenSlice(deadline),
    );
    this.log = new GuestLog(options.logger);
    this.memory = new GuestMemory(options.placement, config, options.rom);
    this.io = new AddressSpace('I/O');
    this.#dmaSpace = new AddressSpace('DMA', this.memory);
    const apicBus = new ApicBus(this.log);
    this.#localApics = this.#makeLocalApics(apicBus);
    this.#pic = new I8259Pair(this.#localApics.boot.lint0);
    this.#ioApic = new IoApic(apicBus, IOAPIC_PINS);
    this.root = new PciRootComplex({ clock: this.clock, log: this.log, systemDma: this.#systemDma() });
    const pcie0 = this.root.addRootBus('pcie.0', 0, (device, pin) => this.ich9.router.rootBusLine(device, pin));
    this.mch = new MchHostBridge(config, pcie0.portsFor(0, 0), () => this.#remap());
    this.ich9 = new Ich9({
      config,
      clock: this.clock,
      io: this.io,
      controllers: { picLine: (irq) => this.#pic.line(irq), ioApicPin: (pin) => this.#ioApic.pin(pin) },
      pci: pcie0.portsFor(31, 0),
      onDecode: () => this.#remap(),
      powerOff: () => this.#raise({ kind: 'power-off' }),
      suspend: () => this.#raise({ kind: 'suspend' }),
    });
    this.isa = this.#makeIsaDevices();
    this.#resetControl = new ResetControl(() => this.#requestReset());
    this.#configPorts = new ConfigPorts(this.root, this.#resetControl.narrow);
    this.decoder = this.#makeDecoder(apicBus);
    this.#mapPorts();
    pcie0.attach(0, 0, this.mch);
    pcie0.attach(31, 0, this.ich9.lpc);
    this.functions = this.#populate();
    this.cpuPort = new CpuPort({
      memory: this.decoder.cpu,
      io: this.io,
      localApics: this.#localApics,
      clock: this.clock,
      onLocalApicMoved: () => this.#remap(),
    });
    this.engine = options.createEngine(options.placement, this.cpuPort);
    this.#fillFwCfg();
    this.#built = true;
    this.reset();
  }

  /** fw_cfg, to add files to before the first `run`. */
  get fwCfg(): FwCfg {
    return this.isa.fwCfg;
  }

  /** System reset: everything but RAM, time and what the board is made of. */
  reset(): void {
    this.#resetRequested = false;
    this.#event = undefined;
    this.#configPorts.reset();
    this.#resetControl.reset();
    this.isa.reset();
    this.#pic.reset();
    this.#ioApic.reset();
    this.#localApics.reset();
    this.root.reset();
    this.ich9.reset();
    this.engine.reset();
    this.#remap();
  }

  /** Runs until something happens or the limit is reached. Call it again to go on. */
  run(limit: RunLimit = {}): MachineEvent {
    const lastInstruction = this.engine.retired() + (limit.instructions ?? Number.POSITIVE_INFINITY);
    const lastTime = limit.untilTime ?? Number.POSITIVE_INFINITY;
    for (;;) {
      this.clock.runDue();
      const event = this.#takeEvent();
      if (event !== undefined) return event;
      const now = this.clock.now();
      const left = Math.min(lastInstruction - this.engine.retired(), lastTime - now);
      if (left <= 0) return { kind: 'limit' };
      const exit = this.#runSlice(Math.min(left, this.clock.nextDeadline() - now, LONGEST_SLICE));
      if (this.memory.isPending && this.clock.now() >= this.#settleAt) {
        this.memory.settleNext();
        this.#settleAt = this.clock.now() + SETTLE_INTERVAL;
      }
      if (exit === 'shutdown') return { kind: 'triple-fault', autopsy: this.engine.autopsy() };
      if (exit === 'spin') this.clock.skipTo(this.clock.now() + SPIN_TIME);
      if (exit !== 'halt' || this.#event !== undefined || this.#resetRequested) continue;
      const wake = this.clock.nextDeadline();
      if (wake === Number.POSITIVE_INFINITY || !this.engine.takesInterrupts()) return { kind: 'idle' };
      this.clock.skipTo(Math.min(wake, lastTime));
    }
  }

  /** The state between two calls of `run`. RAM is `memory.ram()`. */
  snapshot(): MachineState {
    return {
      clock: this.clock.snapshot(),
      processor: this.engine.snapshot(),
      components: snapshotComponents(this.components()),
      resetRequested: this.#resetRequested,
    };
  }

  /**
   * Takes up the state of a machine of the same board (`snapshot/restore.ts` checks that), and its RAM from `sources`: each is loaded when a
   * page of it is touched, or a little at a time as the guest's time passes. The run goes on bit by bit as the other one would have.
   */
  restore(state: MachineState, sources: readonly PageSource[]): void {
    this.reset();
    this.clock.restore(state.clock);
    restoreComponents(this.components(), state.components);
    this.#localApics.restored();
    this.root.remapAll();
    this.#remap();
    if (this.engine.retired() > 0) this.memory.ram().fill(0);
    this.memory.fillLater(sources);
    this.#settleAt = this.clock.now() + SETTLE_INTERVAL;
    this.#resetRequested = state.resetRequested;
    this.engine.restore(state.processor);
  }

  /** What a snapshot holds, in the order of restoring: wires leave edges behind, so their ends come last. */
  components(): readonly Component[] {
    const functions = [['MCH', this.mch], ['LPC', this.ich9.lpc], ...this.#expanders, ...this.functions] as const;
    return [
      { name: 'CONFIG_ADDRESS', version: 1, part: this.#configPorts },
      { name: 'RST_CNT', version: 1, part: this.#resetControl },
      ...this.isa.components(),
      ...functions.map(([id, part]) => ({ name: `PCI ${id}`, version: part.snapshotVersion, part })),
      { name: 'ICH9', version: 1, part: this.ich9 },
      { name: 'PIC', version: 1, part: this.#pic },
      { name: 'IOAPIC', version: 1, part: this.#ioApic },
      ...this.#localApics.components(),
    ];
  }

  /** What the machine was built from. */
  get options(): MachineOptions {
    return this.#options;
  }

  /** Hash of RAM and processor state: equal for equal runs. */
  stateHash(): string {
    return stateHash([this.memory.ram(), this.engine.stateBytes()]);
  }

  /** A press of the power button. */
  pressPowerButton(): void {
    this.ich9.pm.pressPowerButton();
  }

  /** At least one instruction, so that a deadline in the past cannot stall the guest. */
  #runSlice(instructions: number): ReturnType<CpuEngine['run']> {
    const budget = Math.max(1, Math.ceil(instructions));
    this.#sliceEnd = this.clock.now() + budget;
    this.#running = true;
    const exit = this.engine.run(budget);
    this.#running = false;
    return exit;
  }

  #shortenSlice(deadline: number): void {
    if (this.#running && deadline < this.#sliceEnd) this.engine.requestExit();
  }

  /** The slice ends, as what generated code takes for the time stands in it. */
  #wait(nanoseconds: number): void {
    this.clock.skipTo(this.clock.now() + nanoseconds);
    if (this.#running) this.engine.requestExit();
  }

  #raise(event: MachineEvent): void {
    this.#event = event;
    if (this.#running) this.engine.requestExit();
  }

  #requestReset(): void {
    this.#resetRequested = true;
    if (this.#running) this.engine.requestExit();
  }

  /** Carries out a reset that was asked for, and hands over the event that waits. */
  #takeEvent(): MachineEvent | undefined {
    if (this.#resetRequested) {
      this.#resetRequested = false;
      if (this.#options.stopAtReset) return { kind: 'reset' };
      this.reset();
    }
    const event = this.#event;
    this.#event = undefined;
    return event;
  }

  /** The physical map may have changed. */
  #remap(): void {
    if (!this.#built) return;
    this.decoder.remap();
    this.engine.flushTranslations();
  }

  #makeLocalApics(bus: ApicBus): LocalApics {
    return new LocalApics({
      apicIds: apicIds(topologyOf(this.#options.config)),
      bus,
      clock: this.clock,
      log: this.log,
      processors: () => (this.#built ? this.engine : undefined),
      acknowledgeExternal: () => this.#pic.acknowledge(),
      below: {
        read: (gpa, size) => this.root.memory.read(gpa, size),
        write: (gpa, size, value) => this.root.memory.write(gpa, size, value),
      },
    });
  }

  #systemDma(): SpaceDma {
    return new SpaceDma(this.#dmaSpace, this.memory.bytes, (gpa, byteLength) =>
      this.engine.invalidateCode(gpa, byteLength),
    );
  }

  #makeIsaDevices(): IsaDevices {
    return new IsaDevices({
      config: this.#options.config,
      clock: this.clock,
      log: this.log,
      dma: this.#systemDma(),
      router: this.ich9.router,
      serial: this.#options.serial,
      debugcon: this.#options.debugcon,
      startSeconds: this.#options.startSeconds,
      wait: (nanoseconds) => this.#wait(nanoseconds),
      setA20: (enabled) => {
        if (this.#built) this.engine.setA20(enabled);
      },
      requestReset: () => this.#requestReset(),
      exit: (code) => this.#raise({ kind: 'debug-exit', code }),
    });
  }

  #makeDecoder(apicBus: ApicBus): MemoryDecoder {
    const localApics = this.#localApics;
    return new MemoryDecoder({
      memory: this.memory,
      dma: this.#dmaSpace,
      bridge: this.mch,
      pci: this.root.memory,
      ecam: this.root.ecam,
      blocks: [
        { name: 'I/O APIC', target: this.#ioApic.page, size: IOAPIC.size, base: () => IOAPIC.base },
        { name: 'HPET', target: this.isa.hpet.registers, size: HPET.size, base: () => HPET.base },
        this.ich9.rcbaBlock,
      ],
      localApic: { name: 'local APIC', target: localApics.page, size: LOCAL_APIC_PAGE, base: () => localApics.base },
      messages: {
        ...MSI_ADDRESS,
        target: {
          read: () => 0xffff_ffff,
          write: (offset, _size, value) => apicBus.deliverMsi(MSI_ADDRESS.base + offset, value),
        },
      },
    });
  }

  #mapPorts(): void {
    const { io } = this;
    io.mapTarget('PCI', 0, 0x1_0000, this.root.io, { priority: 0 });
    this.isa.mapPorts(io);
    const place = (name: keyof typeof PORTS, target: Parameters<AddressSpace['mapTarget']>[3]): void => {
      io.mapTarget(name, PORTS[name].base, PORTS[name].count, target, { priority: 1 });
    };
    place('PIC1', this.#pic.masterPorts);
    place('PIC2', this.#pic.slavePorts);
    place('ELCR', this.#pic.elcrPorts);
    place('APM', this.ich9.apm.ports);
    place('CONFIG_ADDRESS', this.#configPorts.address);
    place('CONFIG_DATA', this.#configPorts.data);
  }

  #populate(): ReadonlyMap<string, PciFunction> {
    const built = new Map<string, PciFunction>();
    const [pcie0, ...expanders] = this.#options.config.hostBridges;
    const place = { expressBus: true, behindExpressPort: false };
    const rootBus = this.root.rootBuses()[0].bus;
    for (const expander of expanders) {
      const bridge = new PxbHostBridge(false, rootBus.portsFor(expander.slot!, 0));
      rootBus.attach(expander.slot!, 0, bridge);
      this.#expanders.set(expander.id, bridge);
    }
    const add = (bridge: HostBridgeConfig, bus: typeof rootBus): void => {
      for (const [id, found] of populateBus(bus, bridge.functions, place, this.#options.backends)) built.set(id, found);
    };
    add(pcie0, rootBus);
    for (const expander of expanders) {
      const bus = this.root.addRootBus(expander.id, expander.busNumber, (device, pin) =>
        this.ich9.router.expanderLine(expander.slot!, device, pin),
      );
      add(expander, bus);
    }
    return built;
  }

  #fillFwCfg(): void {
    const { config, fwCfg } = this.#options;
    const device = this.isa.fwCfg;
    device.setNumber(FW_CFG_KEYS.RAM_SIZE, config.ramBytes, 8);
    device.setNumber(FW_CFG_KEYS.NB_CPUS, config.cpus, 2);
    device.setNumber(FW_CFG_KEYS.MAX_CPUS, config.cpus, 2);
    device.setNumber(FW_CFG_KEYS.NOGRAPHIC, 1, 2);
    device.setNumber(FW_CFG_KEYS.BOOT_MENU, 0, 2);
    device.setItem(FW_CFG_KEYS.UUID, new Uint8Array(16));
    for (const [key, bytes] of fwCfg?.items ?? []) device.setItem(key, bytes);
    // The linker/loader writes into the guest's copy, a guest's DMA write into this one: the caller's bytes stay as they are.
    for (const [name, bytes] of fwCfg?.files ?? []) device.addFile(name, bytes.slice());
  }
}
