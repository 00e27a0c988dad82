import { CR0_BITS, CR4_BITS, EFER_BITS } from '../../../../src/emulator/cpu/control-bits.ts';
import type { CpuState } from '../../../../src/emulator/cpu/cpu-state.ts';
import { FIRST_TRANSLATION_AREA } from '../../../../src/emulator/cpu/interpreter/layout.ts';
import { FLAT_SEGMENT, flatAttributes, flatDescriptor } from '../../../../src/emulator/cpu/segmentation/flat.ts';
import {
  CPL,
  CR0,
  CR4,
  EFER,
  GDTR_BASE,
  GDTR_LIMIT,
  IDTR_BASE,
  IDTR_LIMIT,
  INTERRUPT_REQUEST,
  NEXT_RIP,
  REGISTER,
  RFLAGS,
  RIP,
  RIP_PAGE,
  SEGMENT_INDEX,
  TRANSLATION_AREA,
  USER_GENERATION,
} from '../../../../src/emulator/cpu/state.ts';
import { storedRegister } from '../../../../src/emulator/cpu/stored-registers.ts';
import { type Random, randomFrom } from '../../../support/random.ts';

const FLAT_LIMIT = 0xffff_ffff;
/** Flags that are no constants. */
const DEFINED = 0x003f_7fd5;
/** Where the tables stand; stacks come behind them. */
const TABLE = { IDT: 0x1000, GDT: 0x2000, TSS: 0x3000, STACKS: 0x4000 } as const;
export const RAM_BYTES = 0x8000;
/** The page of the instruction, and its place there. */
export const RIP_OF_PAGE = 0x40_1000n;
export const PLACE = { offset: 0x10, length: 3 } as const;
export const BEHIND = RIP_OF_PAGE + BigInt(PLACE.offset + PLACE.length);
/** Selectors of the GDT below, without RPL. */
const SELECTOR = {
  NULL: 0,
  CODE: 8,
  DATA: 0x10,
  USER_CODE: 0x18,
  USER_DATA: 0x20,
  OTHER: 0x28,
  LDT: 0x0c,
  OUTSIDE: 0x38,
} as const;
const SELECTORS = Object.values(SELECTOR);

/** Registers and tables of a kernel in flat segments, or of its user; now and then something about them is unusual. */
export class TransferStates {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = randomFrom(seed);
  }

  /** Fills `state` and `ram` for 64-bit or 32-bit code. */
  make(state: CpuState, ram: DataView, bits: 32 | 64): void {
    const code = bits === 64 ? FLAT_SEGMENT.CODE_64 : FLAT_SEGMENT.CODE_32;
    const cpl = this.often(3, 40);
    this.#modes(state, bits, cpl);
    this.#segments(state, code, cpl);
    this.#registers(state, bits);
    for (let offset = 0; offset < RAM_BYTES; offset += 8) ram.setBigUint64(offset, 0n, true);
    this.#globalTable(ram, code);
    for (let vector = 0; vector < 16; vector++) this.#gate(ram, vector, bits);
    ram.setBigUint64(
      TABLE.TSS + 4,
      bits === 64 ? this.#stack() : this.#stack() | (BigInt(this.#selector(SELECTOR.DATA)) << 32n),
      true,
    );
    for (let index = 0; index < 7; index++) ram.setBigUint64(TABLE.TSS + 0x24 + index * 8, this.#stack(), true);
    this.#frame(state, ram, bits);
  }

  /** `value` in `percent` of all cases, else 0. */
  often(value: number, percent: number): number {
    return this.#random(100) < percent ? value : 0;
  }

  #word(): bigint {
    return (BigInt(this.#random(2 ** 32)) << 32n) | BigInt(this.#random(2 ** 32));
  }

  #canonical(): bigint {
    return BigInt.asUintN(64, BigInt.asIntN(this.#random(20) === 0 ? 64 : 48, this.#word()));
  }

  /** Mostly a place in a stack's page. */
  #stack(): bigint {
    if (this.#random(40) === 0) return BigInt(TABLE.STACKS + this.#random(0x30));
    return BigInt(TABLE.STACKS + 0x100 + this.#random(0x3000));
  }

  #selector(usual: number): number {
    return this.#random(12) === 0 ? SELECTORS[this.#random(SELECTORS.length)] | this.#random(4) : usual;
  }

  #modes(state: CpuState, bits: 32 | 64, cpl: number): void {
    // Paging is off: linear addresses are physical ones, and long mode does not mind here.
    state.setU64(CR0, BigInt(CR0_BITS.PE));
    state.setU64(CR4, BigInt(CR4_BITS.PAE | this.often(CR4_BITS.SMAP, 50)));
    state.setU64(EFER, BigInt((bits === 64 ? EFER_BITS.LME | EFER_BITS.LMA : 0) | this.often(EFER_BITS.SCE, 90)));
    state.setU32(CPL, cpl);
    state.setU32(TRANSLATION_AREA, FIRST_TRANSLATION_AREA);
    state.setU32(USER_GENERATION, this.#random(256));
    state.setU32(INTERRUPT_REQUEST, this.often(1, 10));
    state.setU64(IDTR_BASE, BigInt(TABLE.IDT));
    state.setU32(IDTR_LIMIT, this.#random(20) === 0 ? 0x5f : 0xfff);
    state.setU64(GDTR_BASE, BigInt(TABLE.GDT));
    state.setU32(GDTR_LIMIT, 0x2f);
  }

  #segments(state: CpuState, code: number, cpl: number): void {
    const odd = (): boolean => this.#random(25) === 0;
    const base = (): bigint => (odd() ? 0x1000n : 0n);
    const limit = (): number => (odd() ? 0xffff : FLAT_LIMIT);
    const { CS, SS, TR } = SEGMENT_INDEX;
    const [csSelector, ssSelector] =
      cpl === 0 ? [SELECTOR.CODE, SELECTOR.DATA] : [SELECTOR.USER_CODE, SELECTOR.USER_DATA];
    state.setSegment(CS, csSelector | cpl, flatAttributes(code, cpl), base(), limit());
    if (odd() && code === FLAT_SEGMENT.CODE_64) state.setSegment(SS, cpl, 0x1_0000 | (cpl << 5), 0n, 0);
    else state.setSegment(SS, ssSelector | cpl, flatAttributes(FLAT_SEGMENT.DATA, cpl), base(), limit());
    for (const segment of [SEGMENT_INDEX.ES, SEGMENT_INDEX.DS, SEGMENT_INDEX.FS, SEGMENT_INDEX.GS]) {
      const dpl = odd() ? 0 : 3;
      if (this.#random(2) === 0) state.setSegment(segment, 0, 0x1_0000, this.#canonical() & 0xffff_ffffn, 0);
      else
        state.setSegment(segment, SELECTOR.USER_DATA | 3, flatAttributes(FLAT_SEGMENT.DATA, dpl), base(), FLAT_LIMIT);
    }
    state.setSegment(TR, 0x40, odd() ? 0x83 : 0x8b, BigInt(TABLE.TSS), odd() ? 7 : 0x67);
  }

  #registers(state: CpuState, bits: 32 | 64): void {
    for (let register = 0; register < 16; register++)
      state.setGpr(register, bits === 64 ? this.#canonical() : BigInt(this.#random(2 ** 32)));
    state.setGpr(
      REGISTER.RAX,
      BigInt(SELECTORS[this.#random(SELECTORS.length)] | (this.#random(4) === 0 ? this.#random(4) : 0)),
    );
    state.setGpr(REGISTER.RSP, this.#stack());
    state.setU64(storedRegister('SYSENTER_CS'), BigInt(this.#random(10) === 0 ? 0 : SELECTOR.CODE));
    for (const name of ['SYSENTER_ESP', 'SYSENTER_EIP'] as const) state.setU64(storedRegister(name), this.#canonical());
    for (const name of ['STAR', 'SFMASK', 'EVENT_STATE'] as const) state.setU64(storedRegister(name), this.#word());
    state.setU64(storedRegister('EVENT_STATE'), BigInt(this.often(1, 10)));
    for (const name of ['LSTAR', 'KERNEL_GS_BASE'] as const) state.setU64(storedRegister(name), this.#canonical());
    state.setRflags(this.#flags(0x0011_0000) | 2);
    state.setGpr32(11, this.#flags(0x0007_0000));
    state.setU64(RIP_PAGE, RIP_OF_PAGE);
    state.setU64(RIP, RIP_OF_PAGE + BigInt(PLACE.offset));
    state.setU64(NEXT_RIP, BEHIND);
  }

  /** Without TF and NT in most cases, and without VM but where `odd` has it. */
  #flags(odd: number): number {
    const rare = RFLAGS.TF | RFLAGS.NT | RFLAGS.VM | RFLAGS.RF;
    const flags = this.#random(2 ** 22) & DEFINED & ~rare;
    return (
      (flags | this.often(RFLAGS.TF, 4) | this.often(RFLAGS.NT, 4) | (this.#random(2 ** 22) & odd & ~RFLAGS.VM)) >>> 0
    );
  }

  #globalTable(ram: DataView, code: number): void {
    const put = (selector: number, kind: number, dpl: number): void => {
      let descriptor = flatDescriptor(kind, dpl);
      // Not accessed, not present, another base, limit or type.
      if (this.#random(30) === 0) descriptor ^= 1n << BigInt([40, 47, 20, 3, 41, 42, 52, 54, 45][this.#random(9)]);
      ram.setBigUint64(TABLE.GDT + selector, descriptor, true);
    };
    ram.setBigUint64(TABLE.GDT, flatDescriptor(code, 0), true);
    put(SELECTOR.CODE, code, 0);
    put(SELECTOR.DATA, FLAT_SEGMENT.DATA, 0);
    put(SELECTOR.USER_CODE, code, 3);
    put(SELECTOR.USER_DATA, FLAT_SEGMENT.DATA, 3);
    put(SELECTOR.OTHER, FLAT_SEGMENT.CODE_32, 3);
  }

  #gate(ram: DataView, vector: number, bits: 32 | 64): void {
    const entry = this.#canonical();
    const type = this.#random(15) === 0 ? this.#random(32) : 14 + this.#random(2);
    const dpl = this.#random(3) === 0 ? 3 : 0;
    const access = type | (dpl << 5) | (this.#random(25) === 0 ? 0 : 0x80);
    const ist = bits === 64 && this.#random(4) === 0 ? this.#random(8) : 0;
    const selector = this.#selector(SELECTOR.CODE);
    const low =
      (entry & 0xffffn) |
      (BigInt(selector) << 16n) |
      (BigInt(ist | (access << 8)) << 32n) |
      (((entry >> 16n) & 0xffffn) << 48n);
    const at = TABLE.IDT + vector * (bits === 64 ? 16 : 8);
    ram.setBigUint64(at, low, true);
    if (bits === 64) ram.setBigUint64(at + 8, entry >> 32n, true);
  }

  /** What an IRET finds on the stack. */
  #frame(state: CpuState, ram: DataView, bits: 32 | 64): void {
    const toUser = this.#random(2) === 0;
    const cs = this.#selector(toUser ? SELECTOR.USER_CODE | 3 : SELECTOR.CODE);
    const isNull = !toUser && bits === 64 && this.#random(2) === 0;
    const ss = this.#selector(toUser ? SELECTOR.USER_DATA | 3 : isNull ? 0 : SELECTOR.DATA);
    const flags = BigInt(this.#flags(0x0001_0000) | this.often(RFLAGS.VM, 4));
    const words = [this.#canonical(), BigInt(cs), flags, this.#canonical(), BigInt(ss)];
    const at = Number(state.gpr(REGISTER.RSP));
    if (this.#random(2) === 0) words[0] = state.gpr(REGISTER.RAX);
    if (this.#random(3) === 0) words[0] = BigInt(state.rflags() ^ this.often(RFLAGS.IF, 50));
    for (const [index, word] of words.entries()) {
      if (bits === 64) ram.setBigUint64(at + index * 8, word, true);
      else ram.setUint32(at + index * 4, Number(word & 0xffff_ffffn), true);
    }
  }
}
