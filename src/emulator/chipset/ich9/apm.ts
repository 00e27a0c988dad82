import type { BusTarget } from '../../machine/ports.ts';
import { APM } from '../../machine/power-management.ts';

/**
 * Advanced power management ports 0xb2 (APM_CNT) and 0xb3 (APM_STS), ICH9 §13.7.5. On a PC the write raises an SMI and firmware in
 * SMM switches ACPI on or off; this board has no SMM and does it itself, as QEMU's machine.
 */
export class ApmPorts {
  readonly ports: BusTarget;
  #control = 0;
  #status = 0;

  constructor(setSciEnable: (enabled: boolean) => void) {
    this.ports = {
      read: (offset) => (offset === 0 ? this.#control : this.#status),
      write: (offset, _size, value) => {
        if (offset === 1) {
          this.#status = value & 0xff;
          return;
        }
        this.#control = value & 0xff;
        if (this.#control === APM.ENABLE) setSciEnable(true);
        if (this.#control === APM.DISABLE) setSciEnable(false);
      },
    };
  }

  reset(): void {
    this.#control = 0;
    this.#status = 0;
  }

  snapshot(): { readonly control: number; readonly status: number } {
    return { control: this.#control, status: this.#status };
  }

  restore(state: { readonly control: number; readonly status: number }): void {
    this.#control = state.control;
    this.#status = state.status;
  }
}
