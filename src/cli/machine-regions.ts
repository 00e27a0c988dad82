import { compatibleIdsOf, idOf } from '../aml/interpreter/devices.ts';
import type { AmlInterpreter } from '../aml/interpreter/interpreter.ts';
import type { RegionAccess, RegionHandler, RegionHandlers } from '../aml/interpreter/regions.ts';
import { REGION_SPACES } from '../aml/opcodes.ts';
import { type MemoryRange, readGuestTables } from '../bios/acpi/dump/guest-tables.ts';
import { type DumpTable, readTableSet } from '../bios/acpi/dump/table-set.ts';
import type { Machine } from '../emulator/machine/machine.ts';
import { HIGH_RAM_BASE } from '../emulator/machine/memory-map.ts';
import type { AccessSize } from '../emulator/machine/ports.ts';

/** The ACPI tables in the memory of `machine`. Throws `GUEST_TABLES`. */
export function tablesOfMachine({ memory }: Machine): DumpTable[] {
  const { lowRamBytes, highRamBytes } = memory;
  // Brings in every page of a snapshot that still waits to be decompressed.
  memory.ram();
  const ram: MemoryRange[] = [
    { base: 0, byteLength: lowRamBytes },
    { base: HIGH_RAM_BASE, byteLength: highRamBytes },
  ];
  const read = (gpa: number, byteLength: number): Uint8Array | undefined => {
    const first = memory.ramOffset(gpa);
    const last = memory.ramOffset(gpa + byteLength - 1);
    return first < 0 || last - first !== byteLength - 1 ? undefined : memory.bytes().subarray(first, last + 1);
  };
  return readTableSet(readGuestTables(read, ram));
}

/** What a device's registers do is not undone: give a machine that nobody needs afterwards, such as one made from a snapshot. */
export function regionsOfMachine(machine: Machine, interpreter: () => AmlInterpreter): RegionHandlers {
  const { cpuPort, root } = machine;
  return {
    [REGION_SPACES.SystemMemory]: pieces({
      read: (address, size) => cpuPort.read(address, size),
      write: (address, size, value) => cpuPort.write(address, size, value),
    }),
    [REGION_SPACES.SystemIO]: pieces({
      read: (address, size) => cpuPort.portRead(address, size),
      write: (address, size, value) => cpuPort.portWrite(address, size, value),
    }),
    [REGION_SPACES.PCI_Config]: pieces({
      read: (address, size, { region }) => {
        const { bus, device, fn } = functionOf(machine, interpreter(), region);
        return root.readConfig(bus, device, fn, address, size);
      },
      write: (address, size, value, { region }) => {
        const { bus, device, fn } = functionOf(machine, interpreter(), region);
        root.writeConfig(bus, device, fn, address, size, value);
      },
    }),
  };
}

interface PieceAccess {
  read(address: number, size: AccessSize, access: RegionAccess): number;
  write(address: number, size: AccessSize, value: number, access: RegionAccess): void;
}

/** Accesses of 8 bytes as two of 4: the machine's buses are 32 bits wide. */
function pieces(bus: PieceAccess): RegionHandler {
  return {
    read: (access) => {
      const address = Number(access.address);
      if (access.byteLength !== 8) return BigInt(bus.read(address, access.byteLength, access) >>> 0);
      const [low, high] = [bus.read(address, 4, access), bus.read(address + 4, 4, access)];
      return BigInt(low >>> 0) | (BigInt(high >>> 0) << 32n);
    },
    write: (access, value) => {
      const address = Number(access.address);
      if (access.byteLength !== 8) {
        bus.write(address, access.byteLength, Number(value), access);
        return;
      }
      bus.write(address, 4, Number(value & 0xffff_ffffn), access);
      bus.write(address + 4, 4, Number(value >> 32n), access);
    },
  };
}

const SECONDARY_BUS = 0x19;

interface FunctionPlace {
  readonly bus: number;
  readonly device: number;
  readonly fn: number;
}

/**
 * The PCI function that a PCI_Config region belongs to (ACPI 6.5 §6.1.1): the host bridge's `_BBN`, then the `_ADR`s on the way down,
 * with the buses that the bridges' own registers say.
 */
function functionOf({ root }: Machine, interpreter: AmlInterpreter, region: string): FunctionPlace {
  const segments = region.slice(1).split('.').slice(0, -1);
  let place: FunctionPlace = { bus: 0, device: 0, fn: 0 };
  let bridge: FunctionPlace | undefined;
  for (let count = 1; count <= segments.length; count++) {
    const path = `\\${segments.slice(0, count).join('.')}`;
    const address = integerAt(interpreter, `${path}._ADR`) ?? 0;
    const own = { device: address >>> 16, fn: address & 0xffff };
    if (isHostBridge(interpreter, path)) {
      place = { bus: integerAt(interpreter, `${path}._BBN`) ?? 0, ...own };
      bridge = undefined;
    } else if (interpreter.has(`${path}._ADR`)) {
      const bus = bridge ? root.readConfig(bridge.bus, bridge.device, bridge.fn, SECONDARY_BUS, 1) : place.bus;
      place = { bus, ...own };
      bridge = place;
    }
  }
  return place;
}

const HOST_BRIDGE_IDS = ['PNP0A03', 'PNP0A08'];

const isHostBridge = (interpreter: AmlInterpreter, path: string): boolean =>
  [idOf(interpreter, path), ...compatibleIdsOf(interpreter, path)].some((id) => id && HOST_BRIDGE_IDS.includes(id));

function integerAt(interpreter: AmlInterpreter, path: string): number | undefined {
  if (!interpreter.has(path)) return undefined;
  const value = interpreter.evaluate(path);
  return value.type === 'Integer' ? Number(value.value & 0xffff_ffffn) : undefined;
}
