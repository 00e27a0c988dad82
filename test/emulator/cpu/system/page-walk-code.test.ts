import { expect, test } from 'vitest';
import type { CpuBus } from '../../../../src/emulator/cpu/bus.ts';
import { CR0_BITS, CR4_BITS, EFER_BITS } from '../../../../src/emulator/cpu/control-bits.ts';
import { CpuState } from '../../../../src/emulator/cpu/cpu-state.ts';
import {
  FIRST_TRANSLATION_AREA,
  LARGE_REGIONS,
  LOCAL_COUNT,
  MACHINE_OFFSET,
  readTlbOf,
  writeTlbOf,
} from '../../../../src/emulator/cpu/interpreter/layout.ts';
import { ACCESS_SIGNATURE, pageWalkFunction } from '../../../../src/emulator/cpu/interpreter/page-walk-code.ts';
import { ACCESS, PageWalker } from '../../../../src/emulator/cpu/mmu/page-walk.ts';
import {
  CR0,
  CR3,
  CR4,
  EFER,
  MMU_INDEX,
  TLB_READ,
  TLB_WRITE,
  TRANSLATION_AREA,
} from '../../../../src/emulator/cpu/state.ts';
import { PhysicalMap } from '../../../../src/emulator/cpu/translation/physical-map.ts';
import { ModuleBuilder } from '../../../../src/emulator/cpu/wasm/module-builder.ts';
import { randomFrom } from '../../../support/random.ts';

const RAM_START = 0x10_0000;
const RAM_BYTES = 0x1_0000;
const PAGE = 0x1000;
const ROUNDS = 8000;
/** What the slow path answers here: no host address. */
const ASKED_SLOWLY = 7;
const FLAG = { P: 1n, W: 2n, U: 4n, A: 0x20n, D: 0x40n, PS: 0x80n, G: 0x100n, NX: 1n << 63n } as const;

type Walk = (uop: number, low: number, high: number, bytes: number) => number;

/** Walks in Wasm and in TypeScript over the same memory. */
function bench() {
  const pages = Math.ceil((MACHINE_OFFSET + RAM_START + RAM_BYTES) / 0x1_0000);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const module = new ModuleBuilder({ initialPages: 1, maximumPages: 0x1_0000, shared: false });
  const slow = module.importFunction('slow', ACCESS_SIGNATURE);
  module.exportFunction('read', module.addFunction(ACCESS_SIGNATURE, pageWalkFunction(slow, false)));
  module.exportFunction('write', module.addFunction(ACCESS_SIGNATURE, pageWalkFunction(slow, true)));
  const imports = { env: { memory, slow: () => ASKED_SLOWLY } };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), imports);
  const state = new CpuState(memory.buffer);
  const hostPage = (gpa: number): number =>
    gpa >= RAM_START && gpa < RAM_START + RAM_BYTES ? MACHINE_OFFSET + gpa : -1;
  const bus = { hostPage, read: () => 0xffff_ffff, write() {} } as unknown as CpuBus;
  state.setU32(TRANSLATION_AREA, FIRST_TRANSLATION_AREA);
  return {
    state,
    hostPage,
    walker: new PageWalker(state, bus),
    map: new PhysicalMap(memory.buffer),
    ram: new Uint8Array(memory.buffer, MACHINE_OFFSET + RAM_START, RAM_BYTES),
    walks: { read: exports.read as Walk, write: exports.write as Walk },
  };
}

function randomEntry(random: (below: number) => number, level: number): bigint {
  const often = (flag: bigint, percent: number): bigint => (random(100) < percent ? flag : 0n);
  const inRam = BigInt(RAM_START + random(RAM_BYTES / PAGE) * PAGE);
  let entry = random(20) === 0 ? 0xfed0_0000n : inRam;
  if (level === 2 && random(4) === 0) entry = FLAG.PS | (random(6) === 0 ? inRam : inRam & ~0x1f_ffffn);
  if (level > 2) entry |= often(FLAG.PS, 1);
  entry |= often(FLAG.P, 97) | often(FLAG.W, 85) | often(FLAG.U, 75) | often(FLAG.A, 94) | often(FLAG.D, 75);
  return entry | often(FLAG.G, 30) | often(FLAG.NX, 10) | often(1n << 51n, 1);
}

test('what the walk in Wasm answers itself, the walker in TypeScript answers alike and with nothing left to set', () => {
  const { state, hostPage, walker, map, ram, walks } = bench();
  const random = randomFrom(0x1357_9bdf);
  const tables = new DataView(ram.buffer, ram.byteOffset, ram.length);
  const served = { read: 0, write: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    if (round % 500 === 0) {
      map.clear();
      for (let gpa = RAM_START; gpa < RAM_START + RAM_BYTES; gpa += PAGE)
        if (random(10) > 0) map.note(gpa, hostPage(gpa), random(5) > 0);
    }
    state.setU64(CR0, BigInt((CR0_BITS.PE | (random(50) > 0 ? CR0_BITS.PG : 0) | (random(2) ? CR0_BITS.WP : 0)) >>> 0));
    state.setU64(CR4, BigInt(CR4_BITS.PAE | (random(2) ? CR4_BITS.SMAP : 0) | (random(2) ? CR4_BITS.PGE : 0)));
    state.setU64(EFER, BigInt(EFER_BITS.LME | EFER_BITS.LMA | (random(8) ? EFER_BITS.NXE : 0)));
    state.setU64(CR3, BigInt(RAM_START) | BigInt(random(PAGE)));
    const mmu = random(3);
    state.setU32(MMU_INDEX, mmu);
    state.setU32(TLB_READ, FIRST_TRANSLATION_AREA + readTlbOf(mmu));
    state.setU32(TLB_WRITE, FIRST_TRANSLATION_AREA + writeTlbOf(mmu));
    // A path of random entries; they may share tables, and then be their own tables' entries.
    const linear = (BigInt(random(2 ** 31)) << 17n) | BigInt(random(2 ** 17));
    const canonical = BigInt.asUintN(64, BigInt.asIntN(random(40) === 0 ? 52 : 48, linear));
    let table = RAM_START;
    for (let level = 4; level >= 1; level--) {
      const index = Number((linear >> BigInt(3 + 9 * level)) & 0x1ffn);
      if (table < RAM_START || table >= RAM_START + RAM_BYTES) break;
      const entry = randomEntry(random, level);
      tables.setBigUint64(table - RAM_START + index * 8, entry, true);
      table = Number(entry & 0xf_ffff_f000n);
    }
    const kind = random(2) === 0 ? 'read' : 'write';
    const bytes = [1, 2, 4, 8, 16][random(5)];
    const [low, high] = [Number(canonical & 0xffff_ffffn) | 0, Number(canonical >> 32n) | 0];
    state.setU32(FIRST_TRANSLATION_AREA + LOCAL_COUNT, 0);
    state.bytes.fill(0, FIRST_TRANSLATION_AREA + LARGE_REGIONS, FIRST_TRANSLATION_AREA + LARGE_REGIONS + 1024);
    const before = ram.slice();
    const host = walks[kind](0, low, high, bytes) >>> 0;
    expect(Buffer.from(ram).equals(Buffer.from(before))).toBe(true);
    if (host === ASKED_SLOWLY) continue;
    served[kind]++;
    walker.flush();
    const text = `round ${round}`;
    expect(walker.walk(low, high, kind === 'read' ? ACCESS.READ : ACCESS.WRITE, mmu), text).toBe(true);
    expect(host, text).toBe(hostPage(walker.gpa) + (low & 0xfff));
    expect((low & 0xfff) + bytes, text).toBeLessThanOrEqual(PAGE);
    expect(canonical, text).toBe(BigInt.asUintN(64, BigInt.asIntN(48, canonical)));
    expect(Buffer.from(ram).equals(Buffer.from(before)), text).toBe(true);
    const tlb = FIRST_TRANSLATION_AREA + (kind === 'read' ? readTlbOf(mmu) : writeTlbOf(mmu));
    const slot = tlb + ((low >>> 12) & 0x3ff) * 16;
    expect(state.u64(slot), text).toBe(canonical & ~0xfffn);
    expect((state.u32(slot + 8) + (low >>> 0)) >>> 0, text).toBe(host);
    expect(state.u32(FIRST_TRANSLATION_AREA + LOCAL_COUNT), text).toBe(mmu !== 0 && !walker.global ? 1 : 0);
    expect(state.bytes[FIRST_TRANSLATION_AREA + LARGE_REGIONS + ((low >>> 22) & 0x3ff)], text).toBe(
      walker.pageShift > 12 ? 1 : 0,
    );
  }
  expect(served.read).toBeGreaterThan(400);
  expect(served.write).toBeGreaterThan(200);
});
