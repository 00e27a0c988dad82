import { MIB } from '../../../shared/bytes.ts';
import type { MachineConfig } from '../../machine/config.ts';
import { HIGH_RAM_BASE } from '../../machine/memory-map.ts';
import { QEMU_SUBSYSTEM, type0Header } from '../../pci/config-header.ts';
import { configSpace } from '../../pci/config-space.ts';
import { PciFunction, type PciPorts } from '../../pci/function.ts';
import { EXTENDED_TSEG_MIB, mchRegisters, PAM_ENABLE, PAM_SEGMENTS, PCIEXBAR_LENGTHS } from './registers.ts';

const DECODE_REGISTERS = /^(PCIEXBAR|PAM\d|SMRAM|ESMRAMC|EXTENDED_TSEG|TOUUD|TOLUD)$/;

export interface AddressRange {
  readonly base: number;
  /** Bytes. */
  readonly size: number;
}

/** A piece of the area below 1 MiB and where its accesses go. */
export interface PamSegment extends AddressRange {
  readonly readsRam: boolean;
  readonly writesRam: boolean;
}

/** The 82G33-class host bridge of Q35 (8086:29c0): the registers that decide what is RAM and where ECAM lies. */
export class MchHostBridge extends PciFunction {
  readonly #onDecode: () => void;

  /** `onDecode` hears of every write that may move RAM, ROM or ECAM. */
  constructor(config: MachineConfig, ports: PciPorts, onDecode: () => void) {
    const topOfHighRam = (HIGH_RAM_BASE + config.ramBytes - config.lowRamBytes) / MIB;
    const map = configSpace('mch', {
      header: (capabilitiesPointer) =>
        type0Header(
          {
            identity: { vendorId: 0x8086, deviceId: 0x29c0, revision: 0, classCode: 0x06_00_00, ...QEMU_SUBSYSTEM },
            bars: [],
            interruptPin: 0,
          },
          capabilitiesPointer,
        ),
      registers: mchRegisters(config.lowRamBytes / MIB, topOfHighRam),
    });
    super({ config: map, bars: [] }, ports);
    this.#onDecode = onDecode;
  }

  /** The ECAM window, or undefined while disabled. */
  ecam(): AddressRange | undefined {
    const size = PCIEXBAR_LENGTHS[this.registers.field('PCIEXBAR', 'LENGTH')];
    if (this.registers.field('PCIEXBAR', 'PCIEXBAREN') === 0 || size === undefined) return undefined;
    const base = this.registers.field('PCIEXBAR', 'BASE') * 2 ** 26;
    // Bits below the length do not take part (MCH §5.1.5: 128ADMSK, 64ADMSK).
    return { base: base - (base % size), size };
  }

  pamSegments(): readonly PamSegment[] {
    return PAM_SEGMENTS.map(({ register, field, base, size }) => {
      const enable = this.registers.field(register, field);
      return { base, size, readsRam: (enable & PAM_ENABLE.READ) !== 0, writesRam: (enable & PAM_ENABLE.WRITE) !== 0 };
    });
  }

  /** Whether 0xa_0000–0xb_ffff shows SMRAM outside of SMM. */
  get smramOpen(): boolean {
    return this.registers.field('SMRAM', 'G_SMRAME') === 1 && this.registers.field('SMRAM', 'D_OPEN') === 1;
  }

  /** Exclusive end of RAM below 4 GiB. */
  get topOfLowRam(): number {
    return this.registers.field('TOLUD', 'TOLUD') * MIB;
  }

  /** Exclusive end of RAM above 4 GiB. */
  get topOfHighRam(): number {
    return this.registers.field('TOUUD', 'TOUUD') * MIB;
  }

  /** RAM at the top of low memory that only SMM sees, or undefined. */
  tseg(): AddressRange | undefined {
    if (this.registers.field('ESMRAMC', 'T_EN') === 0 || this.registers.field('SMRAM', 'G_SMRAME') === 0)
      return undefined;
    const extended = this.registers.get('EXTENDED_TSEG') * MIB;
    const size = [MIB, 2 * MIB, 8 * MIB, extended][this.registers.field('ESMRAMC', 'TSEG_SZ')];
    return { base: this.topOfLowRam - size, size };
  }

  protected override onConfigWrite(touched: readonly string[]): boolean {
    if (touched.includes('EXTENDED_TSEG') && this.registers.get('EXTENDED_TSEG') === 0xffff) {
      this.registers.set('EXTENDED_TSEG', EXTENDED_TSEG_MIB);
    }
    // Locking closes SMRAM (MCH §5.1.14: D_OPEN is reset when D_LCK is set).
    if (this.registers.field('SMRAM', 'D_LCK') === 1) this.registers.setField('SMRAM', 'D_OPEN', 0);
    if (touched.some((name) => DECODE_REGISTERS.test(name))) this.#onDecode();
    return false;
  }

  protected override onRestore(): void {
    this.#onDecode();
  }

  protected override onReset(): void {
    this.#onDecode();
  }
}
