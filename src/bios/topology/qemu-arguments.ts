import type { HostBridgeConfig, MachineConfig, PciFunctionConfig } from '../../emulator/machine/config.ts';
import { topologyOf } from '../../emulator/machine/processor-topology.ts';
import { MIB } from '../../shared/bytes.ts';
import { UserError } from '../../shared/errors.ts';
import type { Board } from './board.ts';
import { PXB_MODEL } from './device-options.ts';
import { formatOptionList } from './option-list.ts';

/** What QEMU must be told so that a device is what the catalog says. */
function fixedOptions(model: string): [string, string][] {
  if (model === 'pci-bridge') return [['shpc', 'off']];
  if (!model.startsWith('virtio-')) return [];
  const modernOnly: [string, string][] = [
    ['disable-legacy', 'on'],
    ['disable-modern', 'off'],
  ];
  // Without this the card brings an option ROM and a ROM BAR.
  return model === 'virtio-net-pci' ? [...modernOnly, ['romfile', '']] : modernOnly;
}

const addrText = (device: number, fn: number): string => `${device.toString(16)}.${fn}`;

function deviceArguments(fn: PciFunctionConfig, bus: string): string[] {
  if (fn.model === 'q35-testdev') {
    throw new UserError('QEMU_MODEL', `QEMU has no device '${fn.model}'`, {
      place: { path: fn.id },
      mend: 'leave it out of boards that are to run on QEMU; pci-testdev and edu exist in both',
    });
  }
  const values = new Map<string, string>([['driver', fn.model]]);
  if (!fn.id.includes('#')) values.set('id', fn.id);
  values.set('bus', bus).set('addr', addrText(fn.device, fn.function));
  for (const [key, value] of [...Object.entries(fn.options), ...fixedOptions(fn.model)]) values.set(key, value);
  const own = ['-device', formatOptionList(values, 'driver')];
  return [...own, ...(fn.secondary ?? []).flatMap((child) => deviceArguments(child, fn.id))];
}

function hostBridgeArguments(bridge: HostBridgeConfig): string[] {
  const values = new Map<string, string>([
    ['driver', PXB_MODEL],
    ['id', bridge.id],
    ['bus', 'pcie.0'],
    ['addr', addrText(bridge.slot ?? 0, 0)],
    ['bus_nr', String(bridge.busNumber)],
  ]);
  if (bridge.numaNode !== undefined) values.set('numa_node', String(bridge.numaNode));
  return ['-device', formatOptionList(values, 'driver')];
}

function numaArguments(board: Board): string[] {
  const nodes = board.machine.numaNodes;
  const memories = nodes.flatMap(({ id, bytes, cpus }) => [
    '-object',
    `memory-backend-ram,id=ram${id},size=${bytes / MIB}M`,
    '-numa',
    [`node,nodeid=${id},memdev=ram${id}`, ...cpus.map((cpu) => `cpus=${cpu}`)].join(','),
  ]);
  const distances = nodes.flatMap(({ id, distances }) =>
    distances.flatMap((distance, to) => (to === id ? [] : ['-numa', `dist,src=${id},dst=${to},val=${distance}`])),
  );
  return [...memories, ...distances];
}

function smpArgument(machine: MachineConfig): string {
  const { sockets, cores, threads } = topologyOf(machine);
  return `${machine.cpus},sockets=${sockets},cores=${cores},threads=${threads}`;
}

/**
 * The same board for QEMU 7.2 or later: machine, memory split, processors and devices at the same slots. What the machine has
 * beyond the board (SATA, SMBus, VGA) is switched off; console, firmware and kernel are the caller's.
 * @throws UserError QEMU_MODEL for a device that QEMU does not have
 */
export function toQemuArguments(board: Board): string[] {
  const { machine, drives, netdevs } = board;
  const [root, ...extraRoots] = machine.hostBridges;
  return [
    '-nodefaults',
    '-machine',
    `q35,sata=off,smbus=off,max-ram-below-4g=${machine.lowRamBytes / MIB}M`,
    '-m',
    `${machine.ramBytes / MIB}`,
    '-smp',
    smpArgument(machine),
    // Our DSDT leaves hotplug to the ports. With QEMU's ACPI hotplug their slots would look empty, and Linux would switch them off.
    '-global',
    'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off',
    ...numaArguments(board),
    ...drives.flatMap(({ id, file, readOnly }) => {
      const values = new Map(Object.entries({ id, file, if: 'none', format: 'raw' }));
      return ['-drive', formatOptionList(readOnly ? values.set('readonly', 'on') : values, '')];
    }),
    ...netdevs.flatMap(({ id, type }) => ['-netdev', `${type},id=${id}`]),
    ...extraRoots.flatMap(hostBridgeArguments),
    ...machine.hostBridges.flatMap((bridge) =>
      bridge.functions.flatMap((fn) => deviceArguments(fn, bridge === root ? 'pcie.0' : bridge.id)),
    ),
  ];
}
