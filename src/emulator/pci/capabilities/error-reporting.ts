import { bit, bits, type FieldSpec, plain, type Registers, RO, RW, RW1C, reg32 } from '../../registers/declaration.ts';
import type { ExtendedCapability } from '../config-space.ts';

/** Uncorrectable errors by bit (PCIe 5.0 §7.8.4.2). */
const UNCORRECTABLE = {
  DLP: 4,
  SDES: 5,
  POISONED_TLP: 12,
  FCP: 13,
  COMPLETION_TIMEOUT: 14,
  COMPLETER_ABORT: 15,
  UNEXPECTED_COMPLETION: 16,
  RECEIVER_OVERFLOW: 17,
  MALFORMED_TLP: 18,
  ECRC: 19,
  UNSUPPORTED_REQUEST: 20,
  ACS_VIOLATION: 21,
  INTERNAL: 22,
  MC_BLOCKED_TLP: 23,
  ATOMIC_EGRESS_BLOCKED: 24,
  TLP_PREFIX_BLOCKED: 25,
} as const;

/** Errors that are fatal at reset, as QEMU's ports have them. */
const FATAL_AT_RESET = new Set(['DLP', 'SDES', 'FCP', 'RECEIVER_OVERFLOW', 'MALFORMED_TLP', 'INTERNAL']);

/** Correctable errors by bit (PCIe 5.0 §7.8.4.5). */
const CORRECTABLE = {
  RECEIVER: 0,
  BAD_TLP: 6,
  BAD_DLLP: 7,
  REPLAY_ROLLOVER: 8,
  REPLAY_TIMEOUT: 12,
  ADVISORY_NON_FATAL: 13,
  INTERNAL: 14,
  HEADER_LOG_OVERFLOW: 15,
} as const;

function fields(positions: Readonly<Record<string, number>>, field: (name: string, position: number) => FieldSpec) {
  return Object.fromEntries(Object.entries(positions).map(([name, position]) => [name, field(name, position)]));
}

/**
 * Advanced error reporting, version 2, of a root port (PCIe 5.0 §7.8.4). Registers only: nothing on this machine's links ever
 * goes wrong by itself.
 */
export function rootPortErrorReporting(): ExtendedCapability {
  return {
    name: 'AER',
    id: 0x0001,
    version: 2,
    byteLength: 0x48,
    registers: {
      UESTA: reg32(
        0x4,
        fields(UNCORRECTABLE, (_name, position) => bit(position, RW1C)),
      ),
      UEMSK: reg32(
        0x8,
        fields(UNCORRECTABLE, (_name, position) => bit(position, RW)),
      ),
      UESVRT: reg32(
        0xc,
        fields(UNCORRECTABLE, (name, position) => bit(position, RW, FATAL_AT_RESET.has(name) ? 1 : 0)),
      ),
      CESTA: reg32(
        0x10,
        fields(CORRECTABLE, (_name, position) => bit(position, RW1C)),
      ),
      CEMSK: reg32(0x14, fields(CORRECTABLE, correctableMask)),
      AERCAP: reg32(0x18, {
        FIRST_ERROR: bits(4, 0, RO),
        ECRC_GENERATION: bit(5, RO, 1),
        ECRC_GENERATION_ENABLE: bit(6, RW),
        ECRC_CHECK: bit(7, RO, 1),
        ECRC_CHECK_ENABLE: bit(8, RW),
        MULTIPLE_HEADERS: bit(9, RO, 1),
        MULTIPLE_HEADERS_ENABLE: bit(10, RW),
      }),
      ...headerLog(),
      ROOT_COMMAND: reg32(0x2c, { CORRECTABLE: bit(0, RW), NON_FATAL: bit(1, RW), FATAL: bit(2, RW) }),
      ROOT_STATUS: reg32(
        0x30,
        fields(
          { COR: 0, MULTIPLE_COR: 1, UNC: 2, MULTIPLE_UNC: 3, FIRST_FATAL: 4, NON_FATAL: 5, FATAL: 6 },
          (_name, position) => bit(position, RW1C),
        ),
      ),
      ERROR_SOURCE: plain(0x34, 4, RO),
    },
  };
}

function correctableMask(name: string, position: number): FieldSpec {
  const masked = name === 'ADVISORY_NON_FATAL' || name === 'INTERNAL' || name === 'HEADER_LOG_OVERFLOW';
  return bit(position, RW, masked ? 1 : 0);
}

function headerLog(): Registers {
  return Object.fromEntries([0, 1, 2, 3].map((index) => [`HEADER_LOG${index}`, plain(0x1c + 4 * index, 4, RO)]));
}

/** Access control services of a root port (PCIe 5.0 §7.7.8): all but egress control. */
export const ACCESS_CONTROL_SERVICES: ExtendedCapability = {
  name: 'ACS',
  id: 0x000d,
  version: 1,
  byteLength: 8,
  registers: {
    CAPABILITY_CONTROL: reg32(4, {
      SUPPORTED: bits(6, 0, RO, 0b101_1111),
      ENABLED: bits(20, 16, RW),
      DIRECT_TRANSLATED: bit(22, RW),
    }),
  },
};
