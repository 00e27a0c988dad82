import { QEMU_SUBSYSTEM, type0Header } from '../../pci/config-header.ts';
import { configSpace } from '../../pci/config-space.ts';
import { PciFunction, type PciPorts } from '../../pci/function.ts';
import { LPC_REGISTERS, SCI_INTERRUPTS } from './registers.ts';

/** D31:F0 shares its device with the ICH9's other functions, whether the board has them or not (ICH9 §13.1.9). */
const MULTIFUNCTION = true;

const CONFIG = configSpace('ich9-lpc', {
  header: (capabilitiesPointer) =>
    type0Header(
      {
        identity: { vendorId: 0x8086, deviceId: 0x2918, revision: 2, classCode: 0x06_01_00, ...QEMU_SUBSYSTEM },
        bars: [],
        interruptPin: 0,
        multifunction: MULTIFUNCTION,
      },
      capabilitiesPointer,
    ),
  registers: LPC_REGISTERS,
});

/** What the LPC bridge's registers move; the chipset applies it. */
export interface LpcEffects {
  /** PMBASE, ACPI_CNTL or RCBA: blocks appear, move or vanish. */
  readonly onDecode: () => void;
  /** PIRQ routes or the SCI's choice. */
  readonly onRoute: () => void;
}

/** ICH9 LPC interface bridge (8086:2918 at 00:1f.0). */
export class LpcBridge extends PciFunction {
  readonly #effects: LpcEffects;

  constructor(ports: PciPorts, effects: LpcEffects) {
    super({ config: CONFIG, bars: [] }, ports);
    this.#effects = effects;
  }

  /** Where the PM block decodes, or undefined while ACPI_EN is clear. */
  get pmBase(): number | undefined {
    if (this.registers.field('ACPI_CNTL', 'ACPI_EN') === 0) return undefined;
    const base = this.registers.field('PMBASE', 'BASE') << 7;
    return base === 0 ? undefined : base;
  }

  get rcba(): number | undefined {
    return this.registers.field('RCBA', 'EN') === 1 ? this.registers.field('RCBA', 'BASE') * 0x4000 : undefined;
  }

  /** Controller input of the SCI. */
  get sciInterrupt(): number | undefined {
    return SCI_INTERRUPTS[this.registers.field('ACPI_CNTL', 'SCI_IRQ_SEL')];
  }

  protected override onConfigWrite(touched: readonly string[]): boolean {
    if (touched.some((name) => name === 'PMBASE' || name === 'ACPI_CNTL' || name === 'RCBA')) this.#effects.onDecode();
    if (touched.some((name) => name.startsWith('PIRQ') || name === 'ACPI_CNTL')) this.#effects.onRoute();
    return false;
  }

  protected override onRestore(): void {
    this.onReset();
  }

  protected override onReset(): void {
    this.#effects.onDecode();
    this.#effects.onRoute();
  }
}
