import type { AddressSpace, Region } from '../../bus/address-space.ts';
import type { MachineConfig } from '../../machine/config.ts';
import type { BusTarget, Clock } from '../../machine/ports.ts';
import { SLEEP_TYPES } from '../../machine/power-management.ts';
import type { PciPorts } from '../../pci/function.ts';
import { RegisterFile, type RegisterSnapshot } from '../../registers/register-file.ts';
import { registerBlock } from '../../registers/register-map.ts';
import type { ChipsetBlock } from '../mch/memory-decoder.ts';
import { ApmPorts } from './apm.ts';
import { type InterruptControllers, InterruptRouter } from './interrupt-router.ts';
import { LpcBridge } from './lpc-bridge.ts';
import { PmBlock } from './pm-block.ts';
import { PM_BLOCK_BYTES, RCBA_BYTES, RCBA_REGISTERS } from './registers.ts';

const RCBA_MAP = registerBlock('ich9 RCBA', RCBA_BYTES, RCBA_REGISTERS);

export interface Ich9Parts {
  readonly config: MachineConfig;
  readonly clock: Clock;
  readonly io: AddressSpace;
  readonly controllers: InterruptControllers;
  /** Ports of the LPC bridge's function. */
  readonly pci: PciPorts;
  /** A memory block moved: RCBA. */
  onDecode(): void;
  powerOff(): void;
  suspend(): void;
}

export interface Ich9State {
  readonly rcba: RegisterSnapshot;
  readonly pm: ReturnType<PmBlock['snapshot']>;
  readonly apm: ReturnType<ApmPorts['snapshot']>;
}

/** The ICH9 as far as this board has it: LPC bridge, root complex registers, PM block, APM, interrupt routing. */
export class Ich9 {
  readonly lpc: LpcBridge;
  readonly rcba = new RegisterFile(RCBA_MAP);
  readonly router: InterruptRouter;
  readonly pm: PmBlock;
  readonly apm: ApmPorts;
  /** Where the RCBA block lies, for the memory decoder. */
  readonly rcbaBlock: ChipsetBlock;
  readonly #parts: Ich9Parts;
  #pmRegion: Region | undefined;
  #sci = false;

  constructor(parts: Ich9Parts) {
    this.#parts = parts;
    this.lpc = new LpcBridge(parts.pci, {
      onDecode: () => this.#decode(),
      onRoute: () => {
        this.router.setSci(this.#sci, this.lpc.sciInterrupt);
        this.router.update();
      },
    });
    this.router = new InterruptRouter(this.lpc.registers, this.rcba, parts.controllers);
    const sleepTypes = SLEEP_TYPES[parts.config.pm];
    this.pm = new PmBlock({
      clock: parts.clock,
      sci: (asserted) => {
        this.#sci = asserted;
        this.router.setSci(asserted, this.lpc.sciInterrupt);
      },
      sleep: (slpTyp) => {
        if (slpTyp === sleepTypes.S5) parts.powerOff();
        if (slpTyp === sleepTypes.S3) parts.suspend();
      },
    });
    this.apm = new ApmPorts((enabled) => this.pm.setSciEnable(enabled));
    this.rcbaBlock = { name: 'RCBA', target: this.#rcbaTarget(), size: RCBA_BYTES, base: () => this.lpc.rcba };
  }

  /** The blocks behind the LPC bridge; the bridge itself resets with its bus. */
  reset(): void {
    this.rcba.reset();
    this.pm.reset();
    this.apm.reset();
    this.router.update();
  }

  snapshot(): Ich9State {
    return { rcba: this.rcba.snapshot(), pm: this.pm.snapshot(), apm: this.apm.snapshot() };
  }

  /** The blocks behind the LPC bridge, after the bridge and every wire. */
  restore(state: Ich9State): void {
    this.rcba.restore(state.rcba);
    this.pm.restore(state.pm);
    this.apm.restore(state.apm);
    this.router.update();
  }

  #rcbaTarget(): BusTarget {
    return {
      read: (offset, size) => this.rcba.read(offset, size),
      write: (offset, size, value) => {
        const touched = this.rcba.write(offset, size, value);
        if (touched.some((name) => /^D\d+IR$/.test(name))) this.router.update();
      },
    };
  }

  #decode(): void {
    const { io } = this.#parts;
    const base = this.lpc.pmBase;
    if (base !== this.#pmRegion?.base) {
      if (this.#pmRegion !== undefined) io.unmap(this.#pmRegion);
      this.#pmRegion =
        base === undefined ? undefined : io.mapTarget('PM', base, PM_BLOCK_BYTES, this.pm.ports, { priority: 2 });
    }
    this.#parts.onDecode();
  }
}
