import type { CpuBus, CpuLocalApic } from '../../../src/emulator/cpu/bus.ts';
import { createEngineMemory, ENGINE_MACHINE_OFFSET } from '../../../src/emulator/cpu/execution/engine-memory.ts';
import { DEFAULT_CPU_MODEL, MAX_CPU_MODEL } from '../../../src/emulator/cpu/model/cpu-model.ts';
import { createEngine } from '../../../src/emulator/cpu/processor.ts';
import { DEBUGCON, EXIT_PORT, type OracleImage, ROM_BASE, ROM_BYTES } from './layout.ts';

const RAM_BYTES = 0x40_0000;
const ROM_HIGH = 0x1_0000_0000 - ROM_BYTES;
const MAX_INSTRUCTIONS = 5_000_000;
const SLICE = 10_000;

/** A local APIC that only holds its base and CR8. */
function quietLocalApic(): CpuLocalApic {
  let priority = 0;
  return {
    baseMsr: () => 0xfee0_0900n,
    setBaseMsr: () => {},
    taskPriorityClass: () => priority,
    setTaskPriorityClass: (value) => {
      priority = value;
    },
    tscDeadline: () => 0n,
    setTscDeadline: () => {},
    setTscOffset: () => {},
    readMsr: () => undefined,
    writeMsr: () => false,
  };
}

/** What the image prints on the debug console of the bundled engine, on a board with RAM and ROM alone. */
export function runOnEngine({ rom, cpu }: Pick<OracleImage, 'rom' | 'cpu'>): string {
  const memory = createEngineMemory(RAM_BYTES + ROM_BYTES);
  const romOffset = ENGINE_MACHINE_OFFSET + RAM_BYTES;
  new Uint8Array(memory.buffer).set(rom, romOffset);
  let text = '';
  let exited = false;
  let stop = () => {};
  const bus: CpuBus = {
    hostPage(gpa, write) {
      const inRom = gpa >= ROM_BASE && gpa < ROM_BASE + ROM_BYTES;
      if (inRom || gpa >= ROM_HIGH) return write ? -1 : romOffset + (gpa & (ROM_BYTES - 1));
      return gpa < RAM_BYTES ? ENGINE_MACHINE_OFFSET + gpa : -1;
    },
    read: (_gpa, size) => (size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff),
    write: () => {},
    portRead: (port) => (port === DEBUGCON ? DEBUGCON : 0),
    portWrite(port, _size, value) {
      if (port === DEBUGCON) text += String.fromCharCode(value & 0xff);
      if (port !== EXIT_PORT) return;
      exited = true;
      stop();
    },
    interruptPending: () => false,
    acknowledgeInterrupt: () => -1,
    now: () => engine.retired(),
    localApic: quietLocalApic(),
  };
  const engine = createEngine({ memory, ramOffset: ENGINE_MACHINE_OFFSET }, bus, undefined, {
    model: cpu === 'max' ? MAX_CPU_MODEL : DEFAULT_CPU_MODEL,
  });
  stop = () => engine.requestExit();
  while (!exited && engine.retired() < MAX_INSTRUCTIONS) {
    const exit = engine.run(SLICE);
    if (exit === 'shutdown' || exit === 'halt') return `${text}\n${exit}\n${engine.autopsy()}`;
  }
  return text;
}
