import { describe, expect, it } from 'vitest';
import { EngineHarness } from '../../oracle/cpu-vectors/engine-harness.ts';
import {
  CODE_BASE,
  type CpuVector,
  DATA_BASE,
  DATA_BYTE_LENGTH,
  DEFAULT_GPR,
  DEFAULT_RFLAGS,
  DEFAULT_RIP,
} from '../../oracle/cpu-vectors/vector.ts';
import { randomFrom } from '../../support/random.ts';

const DF = 0x400;
const STATUS_FLAGS = 0x8d5;
const OPCODES = { MOVS: 0xa4, CMPS: 0xa6, STOS: 0xaa, SCAS: 0xae } as const;
type Name = keyof typeof OPCODES;
const CASES_PER_FORM = 60;

interface Case {
  readonly name: Name;
  readonly size: 1 | 2 | 4 | 8;
  readonly prefix: 0xf2 | 0xf3;
  readonly down: boolean;
  /** Offsets in the data area. */
  readonly source: number;
  readonly destination: number;
  readonly count: number;
  readonly accumulator: bigint;
  readonly data: Uint8Array;
}

/** What the registers and the data are after a case, one element at a time as the SDM describes it. */
interface Outcome {
  source: number;
  destination: number;
  count: number;
  data: Uint8Array;
  faulted: boolean;
  flags: number | undefined;
}

function element(data: Uint8Array, offset: number, size: number): bigint {
  let value = 0n;
  for (let index = size - 1; index >= 0; index--) value = (value << 8n) | BigInt(data[offset + index]);
  return value;
}

function flagsOfDifference(a: bigint, b: bigint, size: number): number {
  const bits = BigInt(size * 8);
  const result = BigInt.asUintN(size * 8, a - b);
  const top = (value: bigint): bigint => (value >> (bits - 1n)) & 1n;
  let ones = 0;
  for (let bit = 0n; bit < 8n; bit++) ones += Number((result >> bit) & 1n);
  const flags = [
    [a < b, 0x1],
    [ones % 2 === 0, 0x4],
    [(a & 15n) < (b & 15n), 0x10],
    [result === 0n, 0x40],
    [top(result) === 1n, 0x80],
    [top(a) !== top(b) && top(result) !== top(a), 0x800],
  ] as const;
  return flags.reduce((all, [on, bit]) => all | (on ? bit : 0), 0);
}

function reference(test: Case): Outcome {
  const { name, size, prefix, down, accumulator } = test;
  const after: Outcome = { ...test, data: test.data.slice(), faulted: false, flags: undefined };
  const step = down ? -size : size;
  const isMapped = (offset: number): boolean => offset >= 0 && offset + size <= DATA_BYTE_LENGTH;
  const wanted = BigInt.asUintN(size * 8, accumulator);
  const readsSource = name === 'MOVS' || name === 'CMPS';
  while (after.count > 0) {
    const { source, destination, data } = after;
    if ((readsSource && !isMapped(source)) || !isMapped(destination)) {
      after.faulted = true;
      return after;
    }
    if (name === 'MOVS') data.copyWithin(destination, source, source + size);
    else if (name === 'STOS') {
      for (let index = 0; index < size; index++)
        data[destination + index] = Number((wanted >> BigInt(index * 8)) & 0xffn);
    } else {
      const left = name === 'CMPS' ? element(data, source, size) : wanted;
      after.flags = flagsOfDifference(left, element(data, destination, size), size);
    }
    if (readsSource) after.source += step;
    after.destination += step;
    after.count--;
    const isEqual = after.flags !== undefined && (after.flags & 0x40) !== 0;
    if (after.flags !== undefined && isEqual === (prefix === 0xf2)) break;
  }
  return after;
}

function vectorOf(test: Case, mode: 16 | 64): CpuVector {
  const { name, size, prefix, down, source, destination, count, accumulator, data } = test;
  const base = DATA_BASE - (mode === 16 ? CODE_BASE : 0);
  const gpr = [...DEFAULT_GPR];
  gpr[0] = accumulator;
  gpr[1] = BigInt(count);
  gpr[6] = BigInt(base + source);
  gpr[7] = BigInt(base + destination);
  const wide = size === 1 ? [] : mode === 16 ? (size === 4 ? [0x66] : []) : size === 2 ? [0x66] : [];
  const rex = size === 8 ? [0x48] : [];
  const bytes = [prefix, ...wide, ...rex, OPCODES[name] + (size === 1 ? 0 : 1)];
  const rip = BigInt(DEFAULT_RIP - (mode === 16 ? CODE_BASE : 0));
  const rflags = DEFAULT_RFLAGS | (down ? DF : 0);
  const before = { gpr, rflags, rip, memory: [{ address: DATA_BASE, bytes: data }] };
  return { name: `REP ${name}`, mode, bytes: Uint8Array.from(bytes), before, after: before, undefinedFlags: 0 };
}

function randomCase(name: Name, size: Case['size'], random: (below: number) => number): Case {
  const data = new Uint8Array(DATA_BYTE_LENGTH);
  // Comparisons shall meet long equal stretches.
  const values = name === 'MOVS' || random(4) === 0 ? 256 : 1 + random(2);
  for (let index = 0; index < data.length; index++)
    data[index] = values === 256 ? random(256) : random(3000) < values ? 1 : 0;
  const source = random(DATA_BYTE_LENGTH);
  const near = Math.max(0, Math.min(DATA_BYTE_LENGTH - 8, source + random(64) - 32));
  return {
    name,
    size,
    prefix: random(2) === 0 ? 0xf2 : 0xf3,
    down: random(5) === 0,
    source,
    destination: random(3) === 0 ? near : random(DATA_BYTE_LENGTH),
    count: random(3) === 0 ? random(12) : random((DATA_BYTE_LENGTH * 3) / 2 / size),
    accumulator: random(2) === 0 ? 0n : random(2) === 0 ? 0x4242_4242_4242_4242n : 0x0102_0304_0506_0708n,
    data,
  };
}

function outcomeOf(harness: EngineHarness, test: Case, mode: 16 | 64): Outcome {
  const { gpr, fault, data, rflags } = harness.run(vectorOf(test, mode));
  const base = DATA_BASE - (mode === 16 ? CODE_BASE : 0);
  const mask = mode === 16 ? 0xffffn : ~0n;
  return {
    source: Number(gpr[6] & mask) - base,
    destination: Number(gpr[7] & mask) - base,
    count: Number(gpr[1]),
    data,
    faulted: fault !== undefined,
    flags: rflags & STATUS_FLAGS,
  };
}

describe('REP string instructions in runs', () => {
  const harness = new EngineHarness();
  for (const mode of [64, 16] as const) {
    for (const name of Object.keys(OPCODES) as Name[]) {
      it(`${name}, ${mode}-bit code: data, registers, flags and faults are as single iterations leave them`, () => {
        const random = randomFrom(0x2545_f491 ^ OPCODES[name]);
        for (const size of mode === 64 ? ([1, 2, 4, 8] as const) : ([1, 2, 4] as const)) {
          for (let index = 0; index < CASES_PER_FORM; index++) {
            const test = randomCase(name, size, random);
            const wanted = reference(test);
            const { data, ...registers } = outcomeOf(harness, test, mode);
            const { data: wantedData, source, destination, count, faulted, flags = registers.flags } = wanted;
            const text = `${name} size ${size} case ${index}`;
            expect(registers, text).toEqual({ source, destination, count, faulted, flags });
            expect(Buffer.from(data).equals(Buffer.from(wantedData)), text).toBe(true);
          }
        }
      });
    }
  }
});
