import type { AddressSpace } from '../bus/address-space.ts';
import type { InterruptRouter } from '../chipset/ich9/interrupt-router.ts';
import { cmosBytes } from '../devices/cmos-layout.ts';
import { debugcon } from '../devices/debugcon.ts';
import { Dma8237, DmaPages } from '../devices/dma8237.ts';
import { FwCfg } from '../devices/fw-cfg.ts';
import { Hpet } from '../devices/hpet.ts';
import { I8042 } from '../devices/i8042.ts';
import { I8254 } from '../devices/i8254.ts';
import { isaDebugExit } from '../devices/isa-debug-exit.ts';
import { Mc146818 } from '../devices/mc146818.ts';
import { NmiStatus } from '../devices/nmi-status.ts';
import { Port92 } from '../devices/port92.ts';
import { PostPort } from '../devices/post-port.ts';
import { Uart16550 } from '../devices/uart16550.ts';
import type { Component } from './component.ts';
import type { MachineConfig } from './config.ts';
import { IRQS, PORTS } from './memory-map.ts';
import type { BusTarget, ByteSink, ByteSource, Clock, DeviceLog, DmaPort } from './ports.ts';

/** Where the devices on LPC lead. */
export interface IsaPorts {
  readonly config: MachineConfig;
  readonly clock: Clock;
  readonly log: DeviceLog;
  /** fw_cfg's way to RAM. */
  readonly dma: DmaPort;
  readonly router: InterruptRouter;
  readonly serial: { readonly sink: ByteSink; readonly source?: ByteSource };
  readonly debugcon: ByteSink;
  /** The date at power-on, UTC seconds since 1970; undefined for the RTC's own default. */
  readonly startSeconds?: number;
  /** Lets virtual time pass while the processor waits for a device. */
  wait(nanoseconds: number): void;
  setA20(enabled: boolean): void;
  requestReset(): void;
  /** Exit code of isa-debug-exit. */
  exit(code: number): void;
}

/** The devices at fixed ports that every PC has, and QEMU's own beside them. */
export class IsaDevices {
  readonly pit: I8254;
  readonly rtc: Mc146818;
  readonly hpet: Hpet;
  readonly uart: Uart16550;
  readonly i8042: I8042;
  readonly fwCfg: FwCfg;
  readonly post: PostPort;
  readonly #port92: Port92;
  readonly #nmiStatus: NmiStatus;
  readonly #dma = [new Dma8237(1), new Dma8237(2)] as const;
  readonly #dmaPages = new DmaPages();
  readonly #ports: IsaPorts;

  constructor(ports: IsaPorts) {
    this.#ports = ports;
    const { clock, router, config, log } = ports;
    this.hpet = new Hpet(clock, {
      line: (gsi) => router.gsiLine(gsi),
      irq0: router.isaLine(IRQS.PIT),
      irq8: router.isaLine(IRQS.RTC),
    });
    this.pit = new I8254(clock, this.hpet.pitInput);
    const facts = { ...config, highRamBytes: config.ramBytes - config.lowRamBytes };
    this.rtc = new Mc146818(clock, this.hpet.rtcInput, cmosBytes(facts), ports.startSeconds);
    this.uart = new Uart16550(clock, router.isaLine(IRQS.COM1), ports.serial.sink, ports.serial.source);
    this.i8042 = new I8042(router.isaLine(IRQS.KEYBOARD), router.isaLine(IRQS.MOUSE), ports, log);
    this.post = new PostPort((nanoseconds) => ports.wait(nanoseconds));
    this.#port92 = new Port92(ports);
    this.#nmiStatus = new NmiStatus(this.pit);
    this.fwCfg = new FwCfg(ports.dma, log);
  }

  /** Puts everything at its ports. */
  mapPorts(io: AddressSpace): void {
    const place = (name: keyof typeof PORTS, target: BusTarget): void => {
      io.mapTarget(name, PORTS[name].base, PORTS[name].count, target, { priority: 1 });
    };
    place('DMA1', this.#dma[0].ports);
    place('DMA2', this.#dma[1].ports);
    place('PIT', this.pit.ports);
    place('I8042_DATA', this.i8042.dataPort);
    place('I8042_COMMAND', this.i8042.commandPort);
    place('NMI_STATUS', this.#nmiStatus.ports);
    place('RTC', this.rtc.ports);
    place('POST', this.post.ports);
    place('PORT92', this.#port92.ports);
    place('DEBUGCON_E9', debugcon(this.#ports.debugcon));
    place('DEBUGCON', debugcon(this.#ports.debugcon));
    place('COM1', this.uart.ports);
    place(
      'ISA_DEBUG_EXIT',
      isaDebugExit((code) => this.#ports.exit(code)),
    );
    place('FW_CFG', this.fwCfg.ports);
    place('DMA_PAGE', this.#dmaPages.ports);
    // The coprocessor's registers of old: they keep nothing.
    place('FPU_BUSY', { read: () => 0xff, write() {} });
  }

  /** The parts that a snapshot holds, in the order in which they are restored. */
  components(): readonly Component[] {
    return [
      { name: 'HPET', version: 1, part: this.hpet },
      { name: 'PIT', version: 1, part: this.pit },
      { name: 'RTC', version: 1, part: this.rtc },
      { name: 'COM1', version: 1, part: this.uart },
      { name: 'I8042', version: 1, part: this.i8042 },
      { name: 'NMI_STATUS', version: 1, part: this.#nmiStatus },
      { name: 'PORT92', version: 1, part: this.#port92 },
      { name: 'POST', version: 1, part: this.post },
      { name: 'FW_CFG', version: 1, part: this.fwCfg },
      { name: 'DMA1', version: 1, part: this.#dma[0] },
      { name: 'DMA2', version: 1, part: this.#dma[1] },
      { name: 'DMA_PAGE', version: 1, part: this.#dmaPages },
    ];
  }

  reset(): void {
    this.hpet.reset();
    this.pit.reset();
    this.rtc.reset();
    this.uart.reset();
    this.i8042.reset();
    this.#nmiStatus.reset();
    this.#port92.reset();
    this.fwCfg.reset();
    for (const controller of this.#dma) controller.reset();
    this.#dmaPages.reset();
  }
}
