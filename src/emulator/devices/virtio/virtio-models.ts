import { UserError } from '../../../shared/errors.ts';
import type { PciFunctionConfig } from '../../machine/config.ts';
import type { BlockBackend, ByteSink, ByteSource, EntropySource, NetworkBackend } from '../../machine/ports.ts';
import type { PciPorts } from '../../pci/function.ts';
import type { ModelContext } from '../model-context.ts';
import { VirtioBlk } from './virtio-blk.ts';
import { VirtioConsole } from './virtio-console.ts';
import { VirtioNet } from './virtio-net.ts';
import { VirtioPciFunction } from './virtio-pci.ts';
import { VirtioRng } from './virtio-rng.ts';

/** What the virtio models use of the outside, by the id that their option names. */
export interface VirtioBackends {
  drive(id: string): BlockBackend | undefined;
  network(id: string): NetworkBackend | undefined;
  entropy(id: string | undefined): EntropySource;
  character(id: string): { readonly sink: ByteSink; readonly source?: ByteSource } | undefined;
}

interface Parts {
  readonly config: PciFunctionConfig;
  readonly context: ModelContext;
  readonly ports: PciPorts;
  readonly backends: VirtioBackends;
}

/** QEMU's first address; a board with several cards gives each its own by `mac=`. */
const DEFAULT_MAC = '52:54:00:12:34:56';

/** virtio-blk-pci. Throws UserError DEVICE_BACKEND when `drive=` is missing or names none. */
export function virtioBlkModel({ config, context, ports, backends }: Parts): VirtioPciFunction {
  const { drive, serial } = config.options;
  const backend = drive === undefined ? undefined : backends.drive(drive);
  if (!backend) throw missing(config, 'drive', drive);
  return new VirtioPciFunction(config, context, ports, new VirtioBlk(backend, serial ?? '', ports.log));
}

/** virtio-net-pci. Without `netdev=` its link is down. */
export function virtioNetModel({ config, context, ports, backends }: Parts): VirtioPciFunction {
  const { netdev, mac } = config.options;
  const backend = netdev === undefined ? undefined : backends.network(netdev);
  if (netdev !== undefined && !backend) throw missing(config, 'netdev', netdev);
  const device = new VirtioNet(parseMac(config, mac ?? DEFAULT_MAC), backend, ports.clock);
  return new VirtioPciFunction(config, context, ports, device);
}

export function virtioRngModel({ config, context, ports, backends }: Parts): VirtioPciFunction {
  return new VirtioPciFunction(config, context, ports, new VirtioRng(backends.entropy(config.options.rng)));
}

/** virtio-serial-pci with its one console port. Without `chardev=` its output goes nowhere. */
export function virtioSerialModel({ config, context, ports, backends }: Parts): VirtioPciFunction {
  const { chardev } = config.options;
  const character = chardev === undefined ? { sink: { write() {} } } : backends.character(chardev);
  if (!character) throw missing(config, 'chardev', chardev);
  return new VirtioPciFunction(config, context, ports, new VirtioConsole(character.sink, character.source));
}

function missing(config: PciFunctionConfig, option: string, value: string | undefined): UserError {
  const message =
    value === undefined ? `${config.model} needs ${option}=` : `${config.model}: there is no ${option} '${value}'`;
  return new UserError('DEVICE_BACKEND', message, {
    place: { path: config.id },
    mend: `name one that the command line or the board defines: ${option}=ID`,
  });
}

function parseMac(config: PciFunctionConfig, text: string): readonly number[] {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) {
    throw new UserError('DEVICE_MAC', `'${text}' is not a MAC address`, {
      place: { path: config.id },
      mend: 'write six bytes in hexadecimal with colons, as 52:54:00:12:34:56',
    });
  }
  return text.split(':').map((byte) => Number.parseInt(byte, 16));
}
