import { type InstructionRow, memoryBytes, parseOperand } from '../../../../src/emulator/cpu/isa/row.ts';
import { INSTRUCTION_ROWS } from '../../../../src/emulator/cpu/isa/table.ts';
import { dataAddress, encodeVex, type Mode, memoryAt, type RmOperand, reg } from '../encode.ts';
import type { Random } from '../random.ts';
import { AF, type CaseState, PF, SF, type VectorRecorder } from '../recorder.ts';
import { DATA_BASE, DEFAULT_FPU, type FpuState } from '../vector.ts';
import { strings } from './extensions.ts';
import { type Lanes, laneValue, mxcsr } from './simd.ts';

/*
 * VEX forms come from the engine's own table: its rows say how they are encoded. A wrong row shows, as the processor would do something
 * else or nothing.
 */

type Fpu = { -readonly [K in keyof FpuState]-?: FpuState[K] extends number ? number : bigint[] };

const MAPS = { vex0f: 1, vex0f38: 2, vex0f3a: 3 } as const;

function lanesOf({ mnemonic }: InstructionRow): Lanes {
  if (/^V?P?CMP.STR|^VPCMP.STR/.test(mnemonic)) return 't';
  if (/^VCVT(DQ|SI|PH)/.test(mnemonic)) return 'i';
  if (/^VCVTT?(PS|SS)/.test(mnemonic) || /(PS|SS|PSX)$/.test(mnemonic)) return 's';
  if (/^VCVTT?(PD|SD)/.test(mnemonic) || /(PD|SD)$/.test(mnemonic)) return 'd';
  return 'i';
}

/** Flags that the SDM leaves undefined. */
function undefinedFlags({ mnemonic }: InstructionRow): number {
  if (/^(ANDN|BLS|BZHI)/.test(mnemonic)) return AF | PF;
  return mnemonic === 'BEXTR' ? AF | SF | PF : 0;
}

const FLOATS = new Set<Lanes>(['s', 'd']);
const SHIFTED = /^VPS(LL|RL|RA)[WDQ]$/;
const CONTROLS = /^VPS(LLV|RLV|RAV)/;

/** What the case's registers hold, by kind of operand. */
function fill(random: Random, state: CaseState, row: InstructionRow, lanes: Lanes, size: 4 | 8): void {
  const fpu = state.fpu as Fpu;
  // A blend may name any register; the others are filled when they are chosen.
  const all = row.mnemonic.includes('BLENDV') || row.mnemonic.startsWith('VZERO');
  if (all) for (let index = 0; index < 16; index++) fillVector(random, fpu, index, lanes);
  if (row.operands.some((code) => /^[GBE]/.test(code))) {
    for (const index of [0, 1, 2, 8, 9]) state.setRegister(index, size * 8, random.integer(size * 8));
  }
  if (lanes === 't') strings(state, random);
  if (row.mnemonic === 'MASKMOVDQU') state.setRegister(7, size * 8, BigInt(dataAddress(random, 16)));
  if (row.mnemonic === 'BEXTR')
    for (const index of [0, 1, 2, 8]) state.setRegister(index, 32, BigInt(random.below(70) | (random.below(70) << 8)));
  if (row.mnemonic === 'BZHI')
    for (const index of [0, 1, 2, 8]) if (random.below(2)) state.setRegister(index, 32, BigInt(random.below(80)));
}

function fillVector(random: Random, fpu: Fpu, index: number, lanes: Lanes): void {
  fpu.xmm[index] = laneValue(random, lanes, 128);
  fpu.ymm[index] = laneValue(random, lanes, 128);
}

/** Bytes of a memory operand whose code tells no size. */
function anyMemoryBytes({ mnemonic, options }: InstructionRow): number {
  if (!mnemonic.startsWith('VMASKMOV')) return 4;
  return options.vexL === 1 ? 32 : 16;
}

const GATHER_BASE = DATA_BASE + 0x800;
const GATHER_WINDOW = 0x200;

/** A gather: [base + index vector × scale + displacement], whose elements lie around one place; now and then one that is not mapped. */
function recordGather(recorder: VectorRecorder, mode: Mode, row: InstructionRow, index: number): void {
  const { random } = recorder;
  const state = recorder.state(mode);
  const fpu: Fpu = { ...DEFAULT_FPU, st: [...DEFAULT_FPU.st], xmm: [...DEFAULT_FPU.xmm], ymm: [...DEFAULT_FPU.xmm] };
  state.fpu = fpu;
  const registers = mode === 64 ? 16 : 8;
  const [own, mask, places] = [0, 1, 2].map(() => random.below(registers));
  fillVector(random, fpu, own, 'i');
  fillVector(random, fpu, mask, 'i');
  const bits = (row.opcode & 1) !== 0 ? 64 : 32;
  let indexes = 0n;
  for (let have = 0; have < 256; have += bits) {
    const value = index % 4 === 3 && random.below(4) === 0 ? 0x10_0000 : random.below(100) - 50;
    indexes = (indexes << BigInt(bits)) | BigInt.asUintN(bits, BigInt(value));
  }
  fpu.xmm[places] = BigInt.asUintN(128, indexes);
  fpu.ymm[places] = indexes >> 128n;
  const displacement = random.below(256) - 128;
  state.gpr[3] = BigInt(GATHER_BASE - displacement);
  state.store(GATHER_BASE - GATHER_WINDOW, random.bits(GATHER_WINDOW * 16), GATHER_WINDOW * 2);
  const scale = random.below(4);
  const rm: RmOperand = {
    kind: 'memory',
    modRm: 0x44,
    tail: [(scale << 6) | ((places & 7) << 3) | 3, displacement & 0xff],
    rexX: places >= 8,
    rexB: false,
    prefixes: [],
    linear: GATHER_BASE,
    registers: new Map(),
    ripRelative: false,
  };
  const bytes = encodeVex({
    mode,
    map: 2,
    prefix: 0x66,
    wide: row.options.vexL === 1,
    w: row.options.vexW === 1,
    opcode: row.opcode,
    reg: own,
    vvvv: mask,
    rm,
  });
  recorder.add(`${row.mnemonic} ${row.opcode.toString(16)} ${row.options.vexL === 1 ? 256 : 128}`, mode, bytes, state);
}

function smallCounts(random: Random, bits: 32 | 64): bigint {
  let value = 0n;
  for (let have = 0; have < 256; have += bits) {
    value = (value << BigInt(bits)) | (random.below(8) === 0 ? random.integer(bits) : BigInt(random.below(bits + 4)));
  }
  return value;
}

function recordRow(
  recorder: VectorRecorder,
  mode: Mode,
  row: InstructionRow,
  index: number,
  memoryForm: boolean,
): void {
  const { random } = recorder;
  const { options, operands } = row;
  const state = recorder.state(mode);
  const lanes = lanesOf(row);
  const varies = options.sizes?.includes(8) === true;
  const w = options.vexW === 1 || (options.vexW === undefined && varies && mode === 64 && index % 2 === 1);
  const size = varies && w ? 8 : 4;
  const fpu: Fpu = {
    ...DEFAULT_FPU,
    mxcsr: mxcsr(random, lanes === 't' ? 'i' : lanes),
    st: DEFAULT_FPU.st.map(() => 0n),
    xmm: DEFAULT_FPU.xmm.map(() => 0n),
    ymm: DEFAULT_FPU.xmm.map(() => 0n),
  };
  state.fpu = fpu;
  fill(random, state, row, lanes, size);
  const registers = mode === 64 ? 16 : 8;
  const general = () => random.pick(mode === 64 ? [0, 1, 2, 8, 9] : [0, 1, 2]);
  const vector = () => {
    const chosen = random.below(registers);
    if (lanes !== 't') fillVector(random, fpu, chosen, lanes);
    return chosen;
  };
  let own = options.group ?? 0;
  let vvvv = 0;
  let rm: RmOperand | undefined;
  const immediate: number[] = [];
  for (const code of operands) {
    const { kind } = parseOperand(code);
    if (kind === 'V') own = vector();
    else if (kind === 'G') own = general();
    else if (kind === 'H') vvvv = vector();
    else if (kind === 'B') vvvv = general();
    else if (kind === 'I') immediate.push(random.below(256));
    else if ('WUEM'.includes(kind)) {
      if (kind === 'U' || !memoryForm) rm = reg(kind === 'E' ? general() : vector());
      else {
        const bytes = code === 'M' ? anyMemoryBytes(row) : memoryBytes(code, size);
        const aligned = /^VMOV(NT|APS|APD|DQA)/.test(row.mnemonic);
        const address = dataAddress(random, bytes, aligned) + (aligned && index === 1 ? 4 : 0);
        const memory = memoryAt(random, mode, address);
        state.point(memory);
        const value =
          row.mnemonic === 'LDMXCSR'
            ? BigInt(mxcsr(random, 's'))
            : lanes === 't'
              ? fpu.xmm[15]
              : CONTROLS.test(row.mnemonic)
                ? smallCounts(random, w ? 64 : 32)
                : laneValue(random, lanes, bytes * 8);
        state.store(address, BigInt.asUintN(bytes * 8, value), bytes);
        rm = memory;
      }
    }
  }
  if (rm?.kind === 'register' && SHIFTED.test(row.mnemonic) && index % 4 !== 0) {
    fpu.xmm[rm.index] = (random.bits(64) << 64n) | BigInt(random.pick([0, 1, 7, 15, 16, 17, 31, 32, 63, 64, 200]));
  }
  if (rm?.kind === 'register' && CONTROLS.test(row.mnemonic)) {
    const counts = smallCounts(random, w ? 64 : 32);
    fpu.xmm[rm.index] = BigInt.asUintN(128, counts);
    fpu.ymm[rm.index] = counts >> 128n;
  }
  const wide = options.vexL === undefined ? random.below(2) === 1 : options.vexL === 1;
  const bytes = encodeVex({
    mode,
    map: MAPS[row.map as keyof typeof MAPS],
    prefix: options.prefix ?? 0,
    wide,
    w,
    opcode: row.opcode,
    reg: own,
    vvvv,
    rm,
    immediate,
  });
  const sizes = options.vexL === undefined ? '' : wide ? ' 256' : ' 128';
  recorder.add(`${row.mnemonic}${sizes} ${operands.join(', ')}`, mode, bytes, state, undefinedFlags(row));
}

/** Every VEX row of the table, `feature` by feature. */
export function recordVex(recorder: VectorRecorder, mode: Mode, features: readonly string[], scale = 1): void {
  for (const row of INSTRUCTION_ROWS) {
    if (!row.map.startsWith('vex') || !features.includes(row.options.feature ?? '')) continue;
    if (row.mnemonic.startsWith('VGATHER')) {
      for (let index = 0; index < Math.ceil(8 * scale); index++) recordGather(recorder, mode, row, index);
      continue;
    }
    const count = Math.max(1, Math.round((FLOATS.has(lanesOf(row)) ? 7 : lanesOf(row) === 't' ? 12 : 3) * scale));
    const eitherWay = row.operands.some((code) => 'WE'.includes(parseOperand(code).kind));
    const onlyMemory = row.options.only === 'mem' || row.operands.some((code) => parseOperand(code).kind === 'M');
    for (let index = 0; index < count; index++) {
      if (!onlyMemory) recordRow(recorder, mode, row, index, false);
      if (onlyMemory || (eitherWay && row.options.only !== 'reg')) recordRow(recorder, mode, row, index, true);
    }
    // VEX.W chooses the size of general registers.
    if (count === 1 && row.options.sizes?.includes(8) && mode === 64) {
      if (!onlyMemory) recordRow(recorder, mode, row, 1, false);
      if (eitherWay) recordRow(recorder, mode, row, 1, true);
    }
  }
}
