import type { ConfigWrite, PlannedBridge, PlannedFunction, PlannedHostBridge, Window } from './plan.ts';

/** Registers of a config header (PCI 3.0 §6.1, PCI-to-PCI Bridge 1.2 §3.2). */
const REGISTER = {
  COMMAND: 0x04,
  BAR0: 0x10,
  BUS_NUMBERS: 0x18,
  IO_BASE: 0x1c,
  MEMORY_BASE: 0x20,
  PREFETCHABLE_BASE: 0x24,
  PREFETCHABLE_BASE_UPPER: 0x28,
  PREFETCHABLE_LIMIT_UPPER: 0x2c,
  IO_BASE_UPPER: 0x30,
  INTERRUPT_LINE: 0x3c,
  BRIDGE_CONTROL: 0x3e,
} as const;

const COMMAND_IO = 1 << 0;
const COMMAND_MEMORY = 1 << 1;
const COMMAND_MASTER = 1 << 2;
/** Errors below a bridge go up. */
const BRIDGE_SERR = 1 << 1;
/** A window is closed while its base is above its limit. */
const CLOSED = { base: 0xf000_0000, size: 0 } as const;

/** Base and limit of an I/O window as one 16-bit register pair: address bits 15–12 in the upper nibble of each byte. */
function ioWindowValue({ base, size }: Window): number {
  if (size === 0) return 0x00f0;
  const limit = base + size - 1;
  return ((base >>> 8) & 0xf0) | (limit & 0xf000);
}

/** Base and limit of a memory window as one 32-bit register pair: address bits 31–20 in the upper 12 bits of each half. */
function memoryWindowValue({ base, size }: Window): number {
  if (size === 0) return CLOSED.base >>> 16;
  const low = (base % 2 ** 32) / 2 ** 16;
  const limit = ((base + size - 1) % 2 ** 32) / 2 ** 16;
  return (((low & 0xfff0) | ((limit & 0xfff0) << 16)) >>> 0) as number;
}

const upperHalf = (address: number): number => Math.floor(address / 2 ** 32);
const lowerHalf = (address: number): number => address % 2 ** 32;

/** Writes to one function, in the order of the calls. */
class FunctionWrites {
  private readonly writes: ConfigWrite[];
  private readonly fn: PlannedFunction;

  constructor(writes: ConfigWrite[], fn: PlannedFunction) {
    this.writes = writes;
    this.fn = fn;
  }

  write(offset: number, size: ConfigWrite['size'], value: number): void {
    const { bus, device, function: number } = this.fn.bdf;
    this.writes.push({ bus, device, function: number, offset, size, value });
  }

  /** Nothing is decoded while addresses change; a bridge gets its bus numbers, so that what is behind it can be reached. */
  prepare(): void {
    this.write(REGISTER.COMMAND, 2, 0);
    const { bridge } = this.fn;
    if (bridge === undefined) return;
    const { primaryBus, secondaryBus, subordinateBus } = bridge;
    this.write(REGISTER.BUS_NUMBERS, 1, primaryBus);
    this.write(REGISTER.BUS_NUMBERS + 1, 1, secondaryBus);
    this.write(REGISTER.BUS_NUMBERS + 2, 1, subordinateBus);
    this.windows({ io: CLOSED, mem32: CLOSED, 'mem64-prefetchable': CLOSED });
  }

  windows({ io, mem32, 'mem64-prefetchable': mem64 }: PlannedBridge['windows']): void {
    const closed64 = mem64.size === 0;
    this.write(REGISTER.IO_BASE, 2, ioWindowValue(io));
    this.write(REGISTER.IO_BASE_UPPER, 4, 0);
    this.write(REGISTER.MEMORY_BASE, 4, memoryWindowValue(mem32));
    this.write(REGISTER.PREFETCHABLE_BASE_UPPER, 4, closed64 ? 0 : upperHalf(mem64.base));
    this.write(REGISTER.PREFETCHABLE_LIMIT_UPPER, 4, closed64 ? 0 : upperHalf(mem64.base + mem64.size - 1));
    this.write(REGISTER.PREFETCHABLE_BASE, 4, memoryWindowValue(mem64));
  }

  program(): void {
    const { bars, bridge, interrupt } = this.fn;
    for (const { index, kind, base } of bars) {
      const offset = REGISTER.BAR0 + 4 * index;
      this.write(offset, 4, lowerHalf(base));
      if (kind.startsWith('mem64')) this.write(offset + 4, 4, upperHalf(base));
    }
    if (interrupt !== undefined) this.write(REGISTER.INTERRUPT_LINE, 1, interrupt.irq);
    if (bridge !== undefined) {
      this.windows(bridge.windows);
      this.write(REGISTER.BRIDGE_CONTROL, 2, BRIDGE_SERR);
    }
    const io = bars.some((bar) => bar.kind === 'io') || (bridge?.windows.io.size ?? 0) > 0;
    this.write(REGISTER.COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER | (io ? COMMAND_IO : 0));
  }
}

function* depthFirst(functions: readonly PlannedFunction[]): Generator<PlannedFunction> {
  for (const fn of functions) {
    yield fn;
    if (fn.bridge !== undefined) yield* depthFirst(fn.bridge.functions);
  }
}

/**
 * The config writes that bring a board into the planned state, whatever stood in its registers before: first every decoder off
 * and the buses numbered, a bridge before what is behind it; then BARs, interrupt lines, windows and the command register.
 */
export function configWrites(hostBridges: readonly PlannedHostBridge[]): ConfigWrite[] {
  const writes: ConfigWrite[] = [];
  const functions = [...depthFirst(hostBridges.flatMap((hostBridge) => hostBridge.functions))];
  for (const fn of functions) new FunctionWrites(writes, fn).prepare();
  for (const fn of functions) new FunctionWrites(writes, fn).program();
  return writes;
}
