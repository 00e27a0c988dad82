import type { BusTarget, ByteSink } from '../machine/ports.ts';
import { bytePorts } from './byte-ports.ts';

/** Bochs's debug port: a read gives 0xe9, by which firmware knows that it is there. */
const SIGNATURE = 0xe9;

/** Debug console at ports 0x402 (OVMF, SeaBIOS) and 0xe9: each byte written goes to the sink. */
export function debugcon(sink: ByteSink): BusTarget {
  return bytePorts({
    readByte: () => SIGNATURE,
    writeByte: (_offset, value) => sink.write(value),
  });
}
