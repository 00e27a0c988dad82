import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CpuVector, type CpuVectorState, DEFAULT_FPU, type FpuState, type MemoryWindow } from './vector.ts';

/** An instruction and the state to run it in; what it does is not known yet. */
export interface VectorInput {
  readonly name: string;
  readonly mode: 16 | 32 | 64;
  readonly bytes: Uint8Array;
  readonly before: CpuVectorState;
  readonly undefinedFlags: number;
}

const CODE_BYTES = 64;
const HEADER = 16 + 16 * 8 + 8 + CODE_BYTES;
const RESULT_HEADER = 16 + 16 + 16 * 8 + 8;
const BREAKPOINT = 3;
/** Flags that a user-mode instruction can change or see: CF PF AF ZF SF DF OF NT AC ID. */
const VISIBLE_FLAGS = 0x24_4cd5;

/** Compiles native.c (needs gcc, x86-64 Linux) and runs every input on the processor under us. */
export function runNatively(source: string, inputs: readonly VectorInput[]): CpuVector[] {
  const directory = mkdtempSync(join(tmpdir(), 'cpu-vectors-'));
  try {
    const executable = join(directory, 'native');
    execFileSync('gcc', ['-O1', '-o', executable, source]);
    const output = execFileSync(executable, { input: Buffer.concat(inputs.map(packInput)), maxBuffer: 2 ** 30 });
    return unpackOutputs(inputs, output);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function packInput(vector: VectorInput): Buffer {
  const { before } = vector;
  const windows = before.memory.map(packWindow);
  const fpuBytes = before.fpu === undefined ? 0 : before.fpu.ymm === undefined ? 512 : 768;
  const size = HEADER + fpuBytes + windows.reduce((total, window) => total + window.length, 0);
  const packed = Buffer.alloc(size);
  packed.writeUInt32LE(size, 0);
  packed.set([vector.mode, fpuBytes >> 9 === 0 ? 0 : fpuBytes === 768 ? 2 : 1, vector.bytes.length, windows.length], 4);
  packed.writeUInt32LE(Number(before.rip) + (vector.mode === 16 ? 0x1000_0000 : 0), 8);
  before.gpr.forEach((value, index) => {
    packed.writeBigUInt64LE(value, 16 + index * 8);
  });
  packed.writeBigUInt64LE(BigInt(before.rflags), 144);
  packed.set(vector.bytes, 152);
  let offset = HEADER;
  if (before.fpu) {
    packFpu(before.fpu, packed, offset);
    offset += fpuBytes;
  }
  for (const window of windows) {
    packed.set(window, offset);
    offset += window.length;
  }
  return packed;
}

function packWindow(window: MemoryWindow): Buffer {
  const packed = Buffer.alloc(8 + ((window.bytes.length + 7) & ~7));
  packed.writeUInt32LE(window.address, 0);
  packed.writeUInt32LE(window.bytes.length, 4);
  packed.set(window.bytes, 8);
  return packed;
}

function packFpu(fpu: FpuState, packed: Buffer, offset: number): void {
  packed.writeUInt16LE(fpu.controlWord, offset);
  packed.writeUInt16LE(fpu.statusWord, offset + 2);
  packed[offset + 4] = fpu.validMask;
  packed.writeUInt32LE(fpu.mxcsr, offset + 24);
  fpu.st.forEach((value, index) => {
    packed.writeBigUInt64LE(BigInt.asUintN(64, value), offset + 32 + index * 16);
    packed.writeUInt16LE(Number(value >> 64n), offset + 40 + index * 16);
  });
  fpu.xmm.forEach((value, index) => {
    packed.writeBigUInt64LE(BigInt.asUintN(64, value), offset + 160 + index * 16);
    packed.writeBigUInt64LE(value >> 64n, offset + 168 + index * 16);
  });
  fpu.ymm?.forEach((value, index) => {
    packed.writeBigUInt64LE(BigInt.asUintN(64, value), offset + 512 + index * 16);
    packed.writeBigUInt64LE(value >> 64n, offset + 520 + index * 16);
  });
}

function unpackFpu(packed: Buffer, offset: number, wide: boolean): FpuState {
  const vectors = (at: number) =>
    DEFAULT_FPU.xmm.map(
      (_, index) => packed.readBigUInt64LE(at + index * 16) | (packed.readBigUInt64LE(at + 8 + index * 16) << 64n),
    );
  return {
    controlWord: packed.readUInt16LE(offset),
    statusWord: packed.readUInt16LE(offset + 2),
    validMask: packed[offset + 4]!,
    mxcsr: packed.readUInt32LE(offset + 24),
    st: DEFAULT_FPU.st.map(
      (_, index) =>
        packed.readBigUInt64LE(offset + 32 + index * 16) |
        (BigInt(packed.readUInt16LE(offset + 40 + index * 16)) << 64n),
    ),
    xmm: vectors(offset + 160),
    ...(wide ? { ymm: vectors(offset + 512) } : {}),
  };
}

function unpackOutputs(inputs: readonly VectorInput[], output: Buffer): CpuVector[] {
  let offset = 0;
  return inputs.map((input) => {
    const size = output.readUInt32LE(offset);
    const after = unpackOutput(input, output.subarray(offset, offset + size));
    offset += size;
    return { ...input, after };
  });
}

function unpackOutput(input: VectorInput, record: Buffer): CpuVector['after'] {
  const vector = record.readUInt32LE(4);
  const changes = record.readUInt32LE(12);
  const ended = vector === BREAKPOINT;
  const mask = input.mode === 64 ? (1n << 64n) - 1n : 0xffff_ffffn;
  const gpr = input.before.gpr.map((before, index) =>
    input.mode !== 64 && index >= 8 ? before : (record.readBigUInt64LE(32 + index * 8) & mask) | (before & ~mask),
  );
  let offset = RESULT_HEADER;
  let fpu: FpuState | undefined;
  if (input.before.fpu) {
    const wide = input.before.fpu.ymm !== undefined;
    fpu = unpackFpu(record, offset, wide);
    offset += wide ? 768 : 512;
  }
  const memory: MemoryWindow[] = [];
  for (let index = 0; index < changes; index++) {
    const address = record.readUInt32LE(offset);
    const length = record.readUInt32LE(offset + 4);
    memory.push({ address, bytes: Uint8Array.from(record.subarray(offset + 8, offset + 8 + length)) });
    offset += 8 + ((length + 7) & ~7);
  }
  return {
    gpr,
    rflags: (Number(record.readBigUInt64LE(RESULT_HEADER - 8)) & VISIBLE_FLAGS) | 0x202,
    rip: record.readBigUInt64LE(24) - (ended ? 1n : 0n),
    memory,
    ...(fpu ? { fpu } : {}),
    ...(ended
      ? {}
      : { fault: { vector, errorCode: record.readUInt32LE(8), cr2: vector === 14 ? record.readBigUInt64LE(16) : 0n } }),
  };
}
