/**
 * Names of the fields of resource descriptors, which ASL writes behind a DescriptorName (`BUF0.TAG0._MIN`): ACPI 6.5 table 19.36,
 * with the descriptors' layouts of §6.4.
 */
import type { ResourceDescriptor } from '../resources/resource-template.ts';

export interface TagField {
  readonly name: string;
  /** Bits from the descriptor's first byte. */
  readonly bit: number;
  readonly bitLength: number;
}

/** A DescriptorName inside of a template. */
export interface TemplateTag {
  readonly name: string;
  /** Bytes from the template's start. */
  readonly start: number;
  readonly fields: readonly TagField[];
}

type Layout = Readonly<Record<string, readonly [byte: number, bitLength: number, bit?: number]>>;

const MEMORY24: Layout = { _RW_: [3, 1], _MIN: [4, 16], _MAX: [6, 16], _ALN: [8, 16], _LEN: [10, 16] };
const MEMORY32: Layout = { _RW_: [3, 1], _MIN: [4, 32], _MAX: [8, 32], _ALN: [12, 32], _LEN: [16, 32] };
const MEMORY32_FIXED: Layout = { _RW_: [3, 1], _BAS: [4, 32], _LEN: [8, 32] };
const IO: Layout = { _DEC: [1, 1], _MIN: [2, 16], _MAX: [4, 16], _ALN: [6, 8], _LEN: [7, 8] };
const IRQ: Layout = { _INT: [1, 16], _HE_: [3, 1], _LL_: [3, 1, 3], _SHR: [3, 1, 4] };
const DMA: Layout = { _DMA: [1, 8], _TYP: [2, 2, 5], _BM_: [2, 1, 2], _SIZ: [2, 2] };
const FIXED_DMA: Layout = { _DMA: [1, 16], _TYP: [3, 16], _SIZ: [5, 8] };
const REGISTER: Layout = { _ASI: [3, 8], _RBW: [4, 8], _RBO: [5, 8], _ASZ: [6, 8], _ADR: [7, 64] };
const INTERRUPT: Layout = { _HE_: [3, 1, 1], _LL_: [3, 1, 2], _SHR: [3, 1, 3], _INT: [5, 32] };
const GPIO: Layout = {
  _MOD: [7, 1],
  _POL: [7, 2, 1],
  _SHR: [7, 2, 3],
  _PPI: [9, 8],
  _DRS: [10, 16],
  _DBT: [12, 16],
  _PIN: [23, 16],
};
const GPIO_IO: Layout = { ...GPIO, _IOR: [7, 2] };
const I2C: Layout = { _SLV: [6, 1], _SHR: [6, 1, 2], _MOD: [7, 1], _SPE: [12, 32], _ADR: [16, 16] };
const SPI: Layout = {
  _SLV: [6, 1],
  _SHR: [6, 1, 2],
  _MOD: [7, 1],
  _DPL: [7, 1, 1],
  _SPE: [12, 32],
  _LEN: [16, 8],
  _PHA: [17, 8],
  _POL: [18, 8],
  _ADR: [19, 16],
};
const UART: Layout = {
  _SLV: [6, 1],
  _SHR: [6, 1, 2],
  _FLC: [7, 2],
  _STB: [7, 2, 2],
  _LEN: [7, 3, 4],
  _END: [7, 1, 7],
  _SPE: [12, 32],
  _RXL: [16, 16],
  _TXL: [18, 16],
  _PAR: [20, 8],
  _LIN: [21, 8],
};
const CSI2: Layout = { _SLV: [6, 1], _PHY: [7, 2], _PRT: [7, 6, 2] };
const PIN_FUNCTION: Layout = { _SHR: [4, 1], _PPI: [6, 8], _FUN: [7, 32], _PIN: [18, 16] };
const PIN_CONFIG: Layout = { _SHR: [4, 1], _TYP: [6, 8], _VAL: [7, 32], _PIN: [20, 16] };
const PIN_GROUP_FUNCTION: Layout = { _SHR: [4, 1], _FUN: [6, 32] };
const PIN_GROUP_CONFIG: Layout = { _SHR: [4, 1], _TYP: [6, 8], _VAL: [7, 32] };

function layoutOf(descriptor: ResourceDescriptor): Layout {
  switch (descriptor.kind) {
    case 'AddressSpace':
      return addressSpaceLayout(descriptor);
    case 'Memory24':
      return MEMORY24;
    case 'Memory32':
      return MEMORY32;
    case 'Memory32Fixed':
      return MEMORY32_FIXED;
    case 'IO':
      return IO;
    case 'FixedIO':
      return { _BAS: [1, 16], _LEN: [3, 8] };
    case 'IRQ':
      return descriptor.mode ? IRQ : { _INT: IRQ._INT };
    case 'DMA':
      return DMA;
    case 'FixedDMA':
      return FIXED_DMA;
    case 'Register':
      return REGISTER;
    case 'Interrupt':
      return INTERRUPT;
    case 'Gpio':
      return descriptor.connection.type === 'Io' ? GPIO_IO : GPIO;
    case 'PinFunction':
      return PIN_FUNCTION;
    case 'PinConfig':
      return PIN_CONFIG;
    case 'PinGroup':
      return { _PIN: [14, 16] };
    case 'PinGroupFunction':
      return PIN_GROUP_FUNCTION;
    case 'PinGroupConfig':
      return PIN_GROUP_CONFIG;
    case 'SerialBus':
      return { I2C, SPI, UART, CSI2 }[descriptor.connection.type];
    default:
      return {};
  }
}

function addressSpaceLayout({ width, range }: Extract<ResourceDescriptor, { kind: 'AddressSpace' }>): Layout {
  const bytes = { Word: 2, DWord: 4, QWord: 8, Extended: 8 }[width];
  const first = width === 'Extended' ? 8 : 6;
  const number = (index: number): readonly [number, number] => [first + index * bytes, bytes * 8];
  return {
    _DEC: [4, 1, 1],
    _MIF: [4, 1, 2],
    _MAF: [4, 1, 3],
    _GRA: number(0),
    _MIN: number(1),
    _MAX: number(2),
    _TRA: number(3),
    _LEN: number(4),
    ...(width === 'Extended' && { _ATT: number(5) }),
    ...(range.type === 'Memory' && { _RW_: [5, 1], _MEM: [5, 2, 1], _MTP: [5, 2, 3], _TTP: [5, 1, 5] }),
    ...(range.type === 'IO' && { _RNG: [5, 2], _TTP: [5, 1, 4], _TRS: [5, 1, 5] }),
  };
}

/** The fields of `descriptor` by name. */
export function tagFields(descriptor: ResourceDescriptor): TagField[] {
  return Object.entries(layoutOf(descriptor)).map(([name, [byte, bitLength, bit = 0]]) => ({
    name,
    bit: byte * 8 + bit,
    bitLength,
  }));
}
