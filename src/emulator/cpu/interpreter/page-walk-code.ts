import { CR0_BITS, CR4_BITS, DR7_BITS, EFER_BITS, PHYSICAL_ADDRESS_BITS } from '../control-bits.ts';
import type { I32, I64 } from '../isa/semantics.ts';
import { MMU, PTE } from '../mmu/page-walk.ts';
import { CR0, CR3, CR4, DR7, EFER, MMU_INDEX, TLB_READ, TLB_WRITE, TRANSLATION_AREA } from '../state.ts';
import { call, i32, i64, localGet, select } from '../wasm/expr.ts';
import { FunctionBuilder, type Label } from '../wasm/function-builder.ts';
import {
  LARGE_REGIONS,
  LARGE_REGIONS_COUNT,
  LOCAL_COUNT,
  LOCAL_ENTRIES,
  LOCAL_ENTRIES_COUNT,
  PHYSICAL_MAP,
  PHYSICAL_MAP_BITS,
  PHYSICAL_PAGE,
  TLB_ENTRIES,
} from './layout.ts';

const PAGE = 0x1000;
const TABLE_INDEX = 0x1ff;
const LEVELS = 4;
/** Physical address of a table or a 4 KiB page in an entry, of a 2 MiB page, and the bits that 2 MiB pages reserve. */
const FRAME = ((1n << BigInt(PHYSICAL_ADDRESS_BITS)) - 1n) & ~0xfffn;
const LARGE_FRAME = FRAME & ~0x1f_ffffn;
const LARGE_RESERVED = 0x1f_e000n;
const RESERVED = ((1n << 52n) - 1n) & ~((1n << BigInt(PHYSICAL_ADDRESS_BITS)) - 1n);
const NO_EXECUTE = 1n << 63n;

/** (uop, linear low, linear high, bytes) → host address; what the slow path does too. */
export const ACCESS_SIGNATURE = { parameters: ['i32', 'i32', 'i32', 'i32'], results: ['i32'] } as const;
const PARAMETERS = ACCESS_SIGNATURE.parameters.map((type, index) => localGet(type, index));
const [, LOW, HIGH, BYTES] = PARAMETERS;

/**
 * A TLB miss served where it happens: 4-level paging, tables and page in plain memory that the physical map knows, accessed bits (and for
 * writing the dirty bit) set already, rights fine. All else is `slow`'s, an imported function of the same signature, which faults, sets bits, and
 * fills the physical map. SDM vol. 3 §4.5, in the same terms as mmu/page-walk.ts.
 */
export function pageWalkFunction(slow: number, write: boolean): FunctionBuilder {
  const b = new FunctionBuilder(ACCESS_SIGNATURE.parameters.length);
  b.block((toSlow) => {
    leaveUnlessLongMode(b, toSlow);
    b.brIf(toSlow, i32.gtU(i32.add(i32.and(LOW, i32.const(PAGE - 1)), BYTES), i32.const(PAGE)));
    const linear = b.let(i64.or(i64.extendI32U(LOW), i64.shl(i64.extendI32U(HIGH), i64.const(32))));
    b.brIf(toSlow, i64.ne(i64.shrS(i64.shl(linear, i64.const(16)), i64.const(16)), linear));
    const found = emitWalk(b, linear, toSlow);
    leaveUnlessAllowed(b, found, write, toSlow);
    const page = b.let(physicalPage(b, found.gpa, write ? PHYSICAL_PAGE.WRITE : PHYSICAL_PAGE.READ, toSlow));
    fillTlb(b, found, page, write);
    b.return(i32.add(page, i32.and(LOW, i32.const(PAGE - 1))));
  });
  b.return(call('i32', slow, PARAMETERS));
  b.unreachable();
  return b;
}

/** What a walk found: the last entry, the rights of all, the page, and 1 for a large one. */
interface Walk {
  readonly entry: I64;
  readonly rights: I32;
  readonly gpa: I64;
  readonly isLarge: I32;
}

const bits = (value: I32, mask: number): I32 => i32.and(value, i32.const(mask));

/** 5-level paging, protection keys and breakpoints on data are rare enough for TypeScript. */
function leaveUnlessLongMode(b: FunctionBuilder, toSlow: Label): void {
  b.brIf(toSlow, i32.eqz(bits(i32.load(i32.const(CR0)), CR0_BITS.PG | 0)));
  b.brIf(toSlow, i32.eqz(bits(i32.load(i32.const(EFER)), EFER_BITS.LMA)));
  b.brIf(toSlow, bits(i32.load(i32.const(CR4)), CR4_BITS.LA57 | CR4_BITS.PKE));
  b.brIf(toSlow, bits(i32.load(i32.const(DR7)), DR7_BITS.ENABLES));
}

/** Host address of the page at `gpa`; leaves when the map does not know it for this kind of access. */
function physicalPage(b: FunctionBuilder, gpa: I64, kind: number, toSlow: Label): I32 {
  b.brIf(toSlow, i32.eqz(i64.eqz(i64.shrU(gpa, i64.const(PHYSICAL_MAP_BITS)))));
  const index = i32.wrap(i64.shrU(gpa, i64.const(12)));
  const known = b.let(i32.load(i32.shl(index, i32.const(2)), PHYSICAL_MAP));
  b.brIf(toSlow, i32.eqz(bits(known, kind)));
  return bits(known, -PAGE);
}

function emitWalk(b: FunctionBuilder, linear: I64, toSlow: Label): Walk {
  const entry = b.local('i64');
  const rights = b.local('i32');
  const gpa = b.local('i64');
  const isLarge = b.local('i32');
  const noExecuteIsReserved = i32.eqz(bits(i32.load(i32.const(EFER)), EFER_BITS.NXE));
  const reserved = b.let(select(noExecuteIsReserved, i64.const(RESERVED | NO_EXECUTE), i64.const(RESERVED)));
  b.set(rights, i32.const(-1));
  b.set(isLarge, i32.const(0));
  b.set(gpa, i64.and(i64.load(i32.const(CR3)), i64.const(FRAME)));
  b.block((done) => {
    for (let level = LEVELS; level >= 1; level--) {
      const shift = 12 + 9 * (level - 1);
      const index = i32.and(i32.wrap(i64.shrU(linear, i64.const(shift))), i32.const(TABLE_INDEX));
      const table = physicalPage(b, gpa, PHYSICAL_PAGE.READ, toSlow);
      b.set(entry, i64.load(i32.add(table, i32.shl(index, i32.const(3)))));
      const low = b.let(i32.wrap(entry));
      b.brIf(toSlow, i32.ne(bits(low, PTE.P | PTE.A), i32.const(PTE.P | PTE.A)));
      b.brIf(toSlow, i32.eqz(i64.eqz(i64.and(entry, reserved))));
      b.set(rights, i32.and(rights, low));
      if (level === 2) emitLargePage(b, { entry, gpa, isLarge, linear }, toSlow, done);
      else if (level > 2) b.brIf(toSlow, bits(low, PTE.PS));
      b.set(gpa, i64.and(entry, i64.const(FRAME)));
    }
  });
  return { entry, rights, gpa, isLarge };
}

function emitLargePage(
  b: FunctionBuilder,
  { entry, gpa, isLarge, linear }: Pick<Walk, 'entry' | 'gpa' | 'isLarge'> & { readonly linear: I64 },
  toSlow: Label,
  done: Label,
): void {
  b.if(bits(i32.wrap(entry), PTE.PS), () => {
    b.brIf(toSlow, i32.eqz(i64.eqz(i64.and(entry, i64.const(LARGE_RESERVED)))));
    b.set(gpa, i64.or(i64.and(entry, i64.const(LARGE_FRAME)), i64.and(linear, i64.const(0x1f_f000))));
    b.set(isLarge, i32.const(1));
    b.br(done);
  });
}

function leaveUnlessAllowed(b: FunctionBuilder, { entry, rights }: Walk, write: boolean, toSlow: Label): void {
  const mmu = b.let(i32.load(i32.const(MMU_INDEX)));
  const user = i32.eq(mmu, i32.const(MMU.USER));
  const needed = b.let(i32.or(select(user, i32.const(PTE.U), i32.const(0)), i32.const(write ? PTE.W : 0)));
  b.brIf(toSlow, i32.ne(i32.and(rights, needed), needed));
  if (write) b.brIf(toSlow, i32.eqz(bits(i32.wrap(entry), PTE.D)));
  // SMAP keeps the supervisor off the user's pages.
  const heedsSmap = i32.and(i32.eq(mmu, i32.const(MMU.SUPERVISOR)), isSet(CR4, CR4_BITS.SMAP));
  b.brIf(toSlow, i32.and(heedsSmap, i32.ne(bits(rights, PTE.U), i32.const(0))));
}

const isSet = (register: number, bit: number): I32 => i32.ne(bits(i32.load(i32.const(register)), bit), i32.const(0));

/** The entry, and what MemoryPath must know to drop it again. */
function fillTlb(b: FunctionBuilder, { entry, isLarge }: Walk, page: I32, write: boolean): void {
  const base = i32.load(i32.const(write ? TLB_WRITE : TLB_READ));
  const slot = b.let(
    i32.add(base, i32.shl(i32.and(i32.shrU(LOW, i32.const(12)), i32.const(TLB_ENTRIES - 1)), i32.const(4))),
  );
  const linearPage = b.let(bits(LOW, -PAGE));
  b.storeI32(slot, linearPage);
  b.storeI32(slot, HIGH, 4);
  b.storeI32(slot, i32.sub(page, linearPage), 8);
  const area = b.let(i32.load(i32.const(TRANSLATION_AREA)));
  b.if(isLarge, () => {
    const region = i32.and(i32.shrU(LOW, i32.const(22)), i32.const(LARGE_REGIONS_COUNT - 1));
    b.store(0x3a, i32.add(area, region), i32.const(1), LARGE_REGIONS);
  });
  const isGlobal = i32.and(isSet(CR4, CR4_BITS.PGE), i32.ne(bits(i32.wrap(entry), PTE.G), i32.const(0)));
  const isUser = i32.eq(i32.load(i32.const(MMU_INDEX)), i32.const(MMU.USER));
  b.if(i32.eqz(i32.or(isGlobal, isUser)), () => {
    const count = b.let(i32.load(area, LOCAL_COUNT));
    b.if(i32.ltU(count, i32.const(LOCAL_ENTRIES_COUNT)), () => {
      const word = i32.shrU(i32.sub(slot, area), i32.const(2));
      b.storeI32(i32.add(area, i32.shl(count, i32.const(2))), word, LOCAL_ENTRIES);
    });
    b.storeI32(area, i32.add(count, i32.const(1)), LOCAL_COUNT);
  });
}
